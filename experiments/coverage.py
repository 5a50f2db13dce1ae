"""Do the bootstrap intervals over subjects hold the truth as often as they say? For notebook 11.

Draws many data sets of simulated subjects around one known model (classes as imbalanced as CAS(ME)^3's, answers of a
subject that stand or fall together), and counts how often the interval of UF1 and of UAR, and that of a paired
difference, holds the model's true value. Writes runs/coverage/coverage.csv.

    python experiments/coverage.py --repetitions 1000
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from lfdtcmen.evaluation.metrics import METRICS, bootstrap_interval, paired_difference
from lfdtcmen.files import make_folder

ROOT = Path(__file__).resolve().parents[1]
PRIOR = np.array([457, 55, 187]) / 699
SAMPLES = 7  # of each subject


def draw(people: int, accuracy: float, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Return true classes, the answers of two models, and subjects. Whoever is hard to read is so for both models."""
    subjects = np.repeat(np.arange(people), SAMPLES)
    truth = rng.choice(3, len(subjects), p=PRIOR)
    ease = rng.beta(4, 4, people)[subjects]  # mean 1/2
    answers = []
    for better in (0.0, 0.08):
        right = rng.random(len(subjects)) < np.clip(accuracy + better + 0.6 * (ease - 0.5), 0, 1)
        answers.append(np.where(right, truth, rng.choice(3, len(subjects), p=PRIOR)))
    return truth, *answers, subjects


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repetitions", type=int, default=1000)
    parser.add_argument("--accuracy", type=float, default=0.6)
    args = parser.parse_args()

    truth, first, second, _ = draw(200_000, args.accuracy, np.random.default_rng(0))
    true = {metric: [score(truth, model, 3) for model in (first, second)] for metric, score in METRICS.items()}
    rows = []
    for people in (10, 20, 30, 50, 100, 200):
        held = {(metric, what): 0 for metric in METRICS for what in ("score", "difference")}
        for repetition in range(args.repetitions):
            truth, first, second, subjects = draw(people, args.accuracy, np.random.default_rng([1, people, repetition]))
            for metric, (score, better) in true.items():
                low, high = bootstrap_interval(truth, first, subjects, metric, 3, seed=repetition)
                held[metric, "score"] += low <= score <= high
                _, low, high = paired_difference(truth, second, first, subjects, metric, 3, seed=repetition)
                held[metric, "difference"] += low <= better - score <= high
        for (metric, what), count in held.items():
            interval = binomtest(count, args.repetitions).proportion_ci()
            row = {
                "subjects": people,
                "metric": metric,
                "of": what,
                "level": 0.95,
                "coverage": count / args.repetitions,
            }
            rows.append({**row, "low": interval.low, "high": interval.high, "repetitions": args.repetitions})
        print(pd.DataFrame(rows[-4:]).round(3).to_string(index=False, header=len(rows) == 4))
    out = make_folder(ROOT / "runs" / "coverage")
    pd.DataFrame(rows).round(4).to_csv(out / "coverage.csv", index=False)


if __name__ == "__main__":
    main()
