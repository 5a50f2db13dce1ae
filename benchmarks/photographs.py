"""Does what was learned on drawn faces work on real ones? Swaps between photographs and drawn people, both ways.

Two photographs come with scikit-image and matplotlib, both in the public domain: Eileen Collins and Grace Hopper. The
motions of the drawn counterfactuals are laid over them (lfdtcmen.datasets.synthetic.photograph_counterfactuals), so
the people are real and the motions are not. Measures the pretraining of each seed, and writes measures.csv to OUT.

    python benchmarks/photographs.py --jobs 2
"""

import argparse
from dataclasses import replace
from pathlib import Path

import pandas as pd
from matplotlib import cbook, image
from skimage.data import astronaut

from lfdtcmen.analysis.disentanglement import cross_identity_gain, photograph_gain
from lfdtcmen.config import load_config
from lfdtcmen.datasets.synthetic import make_counterfactuals, photograph_counterfactuals
from lfdtcmen.preprocessing.align import align_faces
from lfdtcmen.training import LFDTCMENClassifier, build_model
from lfdtcmen.training.pretrain import pretrain


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("runs/photographs"), help="of the table and checkpoints")
    args = parser.parse_args()

    with cbook.get_sample_data("grace_hopper.jpg") as file:
        hopper = image.imread(file, format="jpg")
    aligned = {name: align_faces([photo]) for name, photo in (("Collins", astronaut()), ("Hopper", hopper))}
    drawn = make_counterfactuals()
    config = load_config("cpu", recipe="repaired")
    LFDTCMENClassifier(config, args.out).pretrain(args.seeds, args.jobs)
    tables = []
    for seed in args.seeds:
        seeded = replace(config, seed=seed)
        model = build_model(seeded, 3)
        pretrain(model, seeded, args.out, progress=False)
        tables.append(cross_identity_gain(model, drawn, seed).assign(photograph="", seed=seed))
        for name, face in aligned.items():
            shown = photograph_counterfactuals([face.frames[0]], [face.landmarks], drawn, seed)
            tables.append(photograph_gain(model, shown, drawn, seed).assign(photograph=name, seed=seed))
        print(pd.concat(tables).query("seed == @seed").round(3).to_string(), flush=True)
    pd.concat(tables).to_csv(args.out / "measures.csv", index=False, float_format="%.4f")


if __name__ == "__main__":
    main()
