"""How hard are the drawn faces, and how fast are they drawn?

    python experiments/synthetic.py                          # preset standard, seeds 0 1 2: about 6 minutes
    python experiments/synthetic.py --preset easy --seeds 0

Prints UF1 over three classes, leave-subjects-out (5 folds, predictions pooled), for

- the apex frame alone: should be near chance, or the faces give the emotion away without motion,
- TV-L1 flow + linear SVM: what a simple model of the motion reaches,
- the true action units + logistic regression: about the ceiling, set by how ambiguous the emotions are,

and pairs a second on one core, the end-point error of TV-L1 against the exact flow (EPE), that of no flow (zero), and
the median of the largest motion on the skin (peak), pixels.
"""

import argparse
import time

import cv2
import numpy as np

from lfdtcmen.baselines.simple import action_units, apex_svm, linear_svm, majority
from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.datasets.preparation import prepare_pairs
from lfdtcmen.datasets.splits import grouped_kfold
from lfdtcmen.datasets.synthetic import make_dataset, render_pair
from lfdtcmen.datasets.synthetic.dataset import draw_subject
from lfdtcmen.datasets.synthetic.sequences import EMOTIONS, PRESETS, get_settings
from lfdtcmen.evaluation.metrics import uf1
from lfdtcmen.preprocessing.flow import tvl1

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


def flow_error(pairs: PairSet, seed: int, preset: str, subjects: int, every: int = 10) -> tuple[float, float, float]:
    """Compare TV-L1 with the exact flow, head motion included, on the skin of every tenth pair.

    Returns
    -------
    error, zero, peak : float
        Mean end-point error of TV-L1, that of no flow at all, and the median over pairs of the largest motion, pixels.
    """
    errors, zeros, peaks = [], [], []
    for _, record in pairs.manifest.iloc[::every].iterrows():
        subject, clip = int(record["subject"].split("/s")[1]), int(record["clip"][1:])
        pair = render_pair(seed, subject, clip, preset, subjects)
        found = tvl1(pair.onset, pair.apex)  # [2, H, W]
        errors.append(np.hypot(*(found - pair.flow))[pair.skin].mean())
        zeros.append(np.hypot(*pair.flow)[pair.skin].mean())
        peaks.append(np.hypot(*pair.flow)[pair.skin].max())
    return float(np.mean(errors)), float(np.mean(zeros)), float(np.median(peaks))


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
            pairs = prepare_pairs(pairs, n_jobs=options.jobs)
            scores = [score(pairs, fit_predict, seed) for fit_predict in MODELS.values()]
            rows.append([*scores, *flow_error(pairs, seed, preset, options.subjects)])
            print(_line(str(seed), rows[-1]), flush=True)
        print(_line("mean", np.mean(rows, axis=0)), flush=True)


def _line(name: str, values) -> str:
    n = len(MODELS)
    return f"{name:>6}" + "".join(f"{v:12.3f}" for v in values[:n]) + "".join(f"{v:8.3f}" for v in values[n:])


if __name__ == "__main__":
    main()
