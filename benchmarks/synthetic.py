"""How hard are the drawn faces, and how fast are they drawn?

    python benchmarks/synthetic.py                          # preset standard, seeds 0 1 2: about 6 minutes
    python benchmarks/synthetic.py --preset easy --seeds 0

Prints UF1 over three classes, leave-subjects-out (5 folds, predictions pooled), for

- the apex frame alone: should be near chance, or the faces give the emotion away without motion,
- TV-L1 flow + linear SVM: what a simple model of the motion reaches,
- the true action units + logistic regression: about the ceiling, set by how ambiguous the emotions are,

then the true motion's size, the error of TV-L1 against it, and pairs a second on one core.
"""

import argparse
import time

import cv2
import numpy as np

from lfdtcmen.baselines.simple import action_units, apex_svm, linear_svm, majority
from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.datasets.splits import grouped_kfold
from lfdtcmen.datasets.synthetic import make_dataset, render_pair
from lfdtcmen.datasets.synthetic.dataset import draw_subject
from lfdtcmen.datasets.synthetic.sequences import EMOTIONS, PRESETS, get_settings
from lfdtcmen.evaluation.metrics import uf1
from lfdtcmen.preprocessing import prepare

MODELS = {"majority": majority, "apex SVM": apex_svm, "TV-L1 SVM": linear_svm, "true AU": action_units}


def score(pairs: PairSet, fit_predict, seed: int, folds: int = 5) -> float:
    """Return the pooled leave-subjects-out UF1."""
    predicted = np.empty(len(pairs), np.int64)
    for train, test in grouped_kfold(pairs.subjects, pairs.labels, folds, seed):
        predicted[test] = fit_predict(pairs.subset(train), pairs.subset(test), seed).argmax(1)
    return uf1(pairs.labels, predicted, pairs.num_classes)


def speed(preset: str, subjects: int = 6, clips: int = 7) -> float:
    """Return pairs drawn a second by one core, identities included."""
    cv2.setNumThreads(1)
    emotions = [EMOTIONS[clip % len(EMOTIONS)] for clip in range(clips)]
    draw_subject(0, 0, emotions[:1], get_settings(preset))
    start = time.process_time()  # of this process alone, whatever else the machine does
    for subject in range(subjects):
        draw_subject(0, subject, emotions, get_settings(preset))
    return subjects * clips / (time.process_time() - start)


def flow_error(pairs: PairSet, preset: str) -> tuple[float, float, float]:
    """Return on skin: mean error of TV-L1, mean size of the true flow, median of its peak (pixels)."""
    errors, sizes, peaks = [], [], []
    for row in range(0, len(pairs), 10):
        record = pairs.manifest.iloc[row]
        pair = render_pair(record["seed"], int(record["subject"].split("/s")[1]), int(record["clip"][1:]), preset)
        true, found = pairs.true_flow[row], pairs.flow[row]  # [2, H, W]
        errors.append(np.hypot(*(found - true))[pair.skin].mean())
        sizes.append(np.hypot(*true)[pair.skin].mean())
        peaks.append(np.hypot(*true)[pair.skin].max())
    return float(np.mean(errors)), float(np.mean(sizes)), float(np.median(peaks))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", choices=[*PRESETS, "all"], default="standard")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--subjects", type=int, default=100)
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()

    for preset in PRESETS if options.preset == "all" else [options.preset]:
        print(f"{preset}: {speed(preset):.1f} pairs/s on one core")
        print(f"{'seed':>6}" + "".join(f"{name:>12}" for name in MODELS) + f"{'EPE':>8}{'zero':>8}{'peak':>8}")
        rows = []
        for seed in options.seeds:
            pairs = make_dataset(preset, subjects=options.subjects, seed=seed, n_jobs=options.jobs)
            pairs = prepare(pairs, n_jobs=options.jobs)
            pairs.manifest["seed"] = seed
            rows.append([*(score(pairs, m, seed) for m in MODELS.values()), *flow_error(pairs, preset)])
            print(_line(str(seed), rows[-1]), flush=True)
        print(_line("mean", np.mean(rows, axis=0)), flush=True)


def _line(name: str, values) -> str:
    n = len(MODELS)
    return f"{name:>6}" + "".join(f"{v:12.3f}" for v in values[:n]) + "".join(f"{v:8.3f}" for v in values[n:])


if __name__ == "__main__":
    main()
