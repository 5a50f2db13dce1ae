"""Do the 95 % bootstrap intervals over subjects contain the true value in 95 % of the cases?

    python experiments/coverage.py --repetitions 1000

Simulates many data sets of one model whose true scores are known. Classes are as imbalanced as those of CAS(ME)^3, and
predictions for the same subject are correlated. Counts how often the interval of UF1, the interval of UAR, and the
interval of a paired difference contain the true value. Writes coverage.csv and about.json to OUT. A run that was
stopped continues with the numbers of subjects that are missing.
"""

import time

import numpy as np
import pandas as pd
from common import append_rows, finished_jobs, make_parser, write_about
from joblib import delayed
from scipy.stats import binomtest

from lfdtcmen.evaluation.metrics import METRICS, bootstrap_interval, paired_difference
from lfdtcmen.files import make_folder
from lfdtcmen.workers import parallel

PRIOR = np.array([457, 55, 187]) / 699  # shares of negative, positive, surprise
SAMPLES_PER_SUBJECT = 7


def simulate(people: int, accuracy: float, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Return true classes, the predictions of two models, and subjects: four arrays [N].

    The second model is right more often than the first. A subject who is difficult for one is difficult for both.
    """
    subjects = np.repeat(np.arange(people), SAMPLES_PER_SUBJECT)
    truth = rng.choice(3, len(subjects), p=PRIOR)
    ease = rng.beta(4, 4, people)[subjects]  # mean 1/2
    predictions = []
    for better in (0.0, 0.08):
        right = rng.random(len(subjects)) < np.clip(accuracy + better + 0.6 * (ease - 0.5), 0, 1)
        predictions.append(np.where(right, truth, rng.choice(3, len(subjects), p=PRIOR)))
    return truth, *predictions, subjects


def count_hits(people: int, repetitions: int, accuracy: float, true: dict) -> dict[tuple[str, str], int]:
    """Return how many intervals contain the true value, for each metric, of the score and of the difference."""
    hits = {(metric, what): 0 for metric in METRICS for what in ("score", "difference")}
    for repetition in range(repetitions):
        truth, first, second, subjects = simulate(people, accuracy, np.random.default_rng([1, people, repetition]))
        for metric, (score, better) in true.items():
            low, high = bootstrap_interval(truth, first, subjects, metric, 3, seed=repetition)
            hits[metric, "score"] += low <= score <= high
            _, low, high = paired_difference(truth, second, first, subjects, metric, 3, seed=repetition)
            hits[metric, "difference"] += low <= better - score <= high
    return hits


def main() -> None:
    parser = make_parser(__doc__, "coverage")
    parser.add_argument("--repetitions", type=int, default=1000, help="simulated data sets for each number of subjects")
    parser.add_argument("--accuracy", type=float, default=0.6, help="of the first model, about")
    args = parser.parse_args()

    start = time.perf_counter()
    truth, first, second, _ = simulate(200_000, args.accuracy, np.random.default_rng(0))
    true = {metric: [score(truth, model, 3) for model in (first, second)] for metric, score in METRICS.items()}
    file = make_folder(args.out) / "coverage.csv"
    done = finished_jobs(file, ["subjects", "repetitions", "accuracy"])
    counts = [n for n in (10, 20, 30, 50, 100, 200) if (n, args.repetitions, args.accuracy) not in done]
    work = parallel(n_jobs=args.jobs, return_as="generator")(
        delayed(count_hits)(people, args.repetitions, args.accuracy, true) for people in counts
    )
    for people, hits in zip(counts, work, strict=True):
        rows = []
        for (metric, what), count in hits.items():
            interval = binomtest(count, args.repetitions).proportion_ci()
            row = {"subjects": people, "metric": metric, "of": what, "level": 0.95}
            row |= {"coverage": count / args.repetitions, "low": interval.low, "high": interval.high}
            rows.append(row | {"repetitions": args.repetitions, "accuracy": args.accuracy})
        append_rows(file, pd.DataFrame(rows))
        print(pd.DataFrame(rows).round(3).to_string(index=False), flush=True)
    write_about(args.out, start, jobs=args.jobs)


if __name__ == "__main__":
    main()
