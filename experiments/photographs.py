"""Does what was learned on synthetic faces work on real ones? Swaps with photographs, both ways.

    python experiments/photographs.py --seeds 2

Swaps motions between photographs and synthetic people. The photographs show Eileen Collins and Grace Hopper; they are
in the public domain and come with scikit-image and matplotlib. The motions of the synthetic counterfactuals are applied
to them (lfdtcmen.datasets.synthetic.photograph_counterfactuals): the people are real, the motions are not. Measures the
pretrained network of each seed, and writes measures.csv to OUT. A run that was stopped continues with the seeds that
are missing, and with the last saved step of pretraining.
"""

from dataclasses import replace

import pandas as pd
from common import append_rows, finished_jobs, make_parser

from lfdtcmen.analysis.disentanglement import cross_identity_gain, photograph_gain
from lfdtcmen.beyond.method import EXTENDED
from lfdtcmen.beyond.pretraining import pretrain
from lfdtcmen.config import load_config
from lfdtcmen.datasets.synthetic import make_counterfactuals, package_photographs, photograph_counterfactuals
from lfdtcmen.files import make_folder
from lfdtcmen.preprocessing.align import align_faces
from lfdtcmen.training import build_model


def main() -> None:
    parser = make_parser(__doc__, "photographs")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    args = parser.parse_args()

    aligned = {name: align_faces([photo]) for name, photo in package_photographs().items()}
    synthetic = make_counterfactuals()
    config = load_config("cpu", recipe="repaired")
    measures = make_folder(args.out) / "measures.csv"
    done = finished_jobs(measures, ["seed"])
    seeds = [seed for seed in args.seeds if (seed,) not in done]
    EXTENDED.prepare([replace(config, seed=seed) for seed in seeds], args.out, args.jobs)
    for seed in seeds:
        seeded = replace(config, seed=seed)
        model = build_model(seeded, 3, EXTENDED)
        pretrain(model, seeded, args.out, progress=False)
        tables = [cross_identity_gain(model, synthetic, seed).assign(photograph="", seed=seed)]
        for name, face in aligned.items():
            real = photograph_counterfactuals([face.frames[0]], [face.landmarks], synthetic, seed)
            tables.append(photograph_gain(model, real, synthetic, seed).assign(photograph=name, seed=seed))
        table = pd.concat(tables)
        append_rows(measures, table)
        print(table.round(3).to_string(), flush=True)


if __name__ == "__main__":
    main()
