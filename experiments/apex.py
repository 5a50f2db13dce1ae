"""How far are spotted apexes from the true ones, what is found where there is nothing, and what is it worth?

    python experiments/apex.py --emotions
    python experiments/apex.py --settings standard --subjects 20

Clips are synthetic, so that their apex is known, and are aligned by `align_clip` from the landmarks of their first
frame. There are two tasks: in "interval known" a method gets the frames from the true onset to the true offset, in
"nothing known" it gets the whole clip. The settings are those of `lfdtcmen.datasets.synthetic.spotting`. The methods
were developed on seed 1 of the presets easy, standard and hard, so report another seed.

Writes to OUT: errors.csv (a row per clip, task and method: errors, true interval, contrast), development.csv (the same
on seed 1 of "standard" and "no expression", from which the threshold of the contrast is chosen) and apex.csv (means of
errors.csv with intervals); with --emotions also emotions.csv: UF1 of a linear SVM on the spotted apexes, and its paired
differences to the annotated ones (from emotion_predictions.csv.gz). A run that was stopped continues with the clips
that are missing; both tables of emotions are computed in one go.

"share 0.4" is not a method but a warning: a constant that fits the clips of the presets. The learned baseline is
trained on seed 1 of "standard".
"""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from common import append_rows, finished_jobs, make_parser
from joblib import delayed
from sklearn.pipeline import Pipeline
from tqdm import tqdm

from lfdtcmen.baselines.simple import linear_svm
from lfdtcmen.baselines.spotting import learn, spot_clip, training_features
from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.datasets.preparation import prepare_pairs
from lfdtcmen.datasets.splits import grouped_kfold
from lfdtcmen.datasets.synthetic import make_clip, make_dataset
from lfdtcmen.datasets.synthetic.spotting import SETTINGS, WITHOUT
from lfdtcmen.evaluation.results import as_predictions, score_table
from lfdtcmen.evaluation.spotting import spotting_scores
from lfdtcmen.files import make_folder
from lfdtcmen.preprocessing.align import align_clip
from lfdtcmen.preprocessing.apex import METHODS, spot_apex, spot_interval
from lfdtcmen.workers import parallel

DEVELOPMENT_SEED = 1
DEVELOPMENT_CLIPS = 60  # of each setting, also those to learn from
CLIPS = dict.fromkeys(SETTINGS, 40) | {"video": 20, "video, no expression": 20, "200 fps": 12}


def spot_all(table: Path, clips: list[tuple[str, int, int]], learned: Pipeline, jobs: int) -> pd.DataFrame:
    """Spot the clips that a table lacks, and return its rows of the given clips."""
    keys = ["setting", "seed", "subject"]
    done = finished_jobs(table, keys)
    missing = [clip for clip in clips if clip not in done]
    work = parallel(n_jobs=jobs, return_as="generator")(delayed(spot_clip)(*clip, learned) for clip in missing)
    for rows in tqdm(work, total=len(missing), desc=f"clips for {table.name}"):
        append_rows(table, pd.DataFrame(rows))
    errors = pd.read_csv(table).set_index(keys)
    return errors.loc[errors.index.isin(clips)].reset_index()


def summarise(errors: pd.DataFrame) -> pd.DataFrame:
    """Return a row per setting, task and method: scores with 95 % intervals over subjects."""
    rows = []
    shown = errors[~errors["setting"].isin(WITHOUT)]
    for (setting, task, method), part in shown.groupby(["setting", "task", "method"], sort=False):
        scores = spotting_scores(part["error"], part["subject"])
        row = {"setting": setting, "task": task, "method": method, "clips": len(part), "fps": part["fps"].iloc[0]}
        for name, score in scores.iterrows():
            row |= {name: score["value"], f"{name}, low": score["low"], f"{name}, high": score["high"]}
        row["mean absolute error (ms)"] = 1000 * part["error"].abs().mean() / row["fps"]
        for end in ("onset", "offset"):
            row[f"mean absolute error of the {end} (frames)"] = part[f"{end} error"].abs().mean()
        rows.append(row)
    return pd.DataFrame(rows)


def choose_frames(seed: int, subject: int, number: int) -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Return onset and apex, not aligned, and landmarks of one clip, for each way to choose the two frames."""
    cv2.setNumThreads(1)
    clip = make_clip(seed, subject, number)
    onset, offset = clip.onset, clip.offset
    known = align_clip(clip.frames[onset : offset + 1], landmarks=clip.landmarks[onset])
    chosen = {"annotated": (onset, clip.apex)} | {m: (onset, onset + spot_apex(known, m)) for m in METHODS}
    found = spot_interval(align_clip(clip.frames, landmarks=clip.landmarks[0]), clip.fps)
    chosen |= {"pulse, nothing known": (found.onset, found.apex)}
    chosen |= {"midpoint, nothing known": (0, len(clip.frames) // 2)}
    return {name: (clip.frames[i], clip.frames[j], clip.landmarks[i]) for name, (i, j) in chosen.items()}


def emotions(seed: int, jobs: int) -> dict[str, pd.DataFrame]:
    """Return what a linear SVM predicts (three classes, 5 folds of subjects) for each way to choose onset and apex."""
    data = make_dataset(seed=seed, n_jobs=jobs)  # manifest and labels only: the clips show the same action units
    numbers = [
        (int(s.split("/s")[1]), int(c[1:]))
        for s, c in zip(data.manifest["subject"], data.manifest["clip"], strict=True)
    ]
    work = parallel(n_jobs=jobs, return_as="generator", max_nbytes=None)(
        delayed(choose_frames)(seed, *n) for n in numbers
    )
    clips = list(tqdm(work, total=len(numbers), desc="clips for the SVM"))
    predictions = {}
    for name in clips[0]:
        onset, apex, landmarks = (np.stack(arrays) for arrays in zip(*(clip[name] for clip in clips), strict=True))
        pairs = PairSet(data.manifest, onset, apex, data.labels, data.label_names, landmarks=landmarks)
        pairs = prepare_pairs(pairs, n_jobs=jobs)
        probabilities = np.empty((len(pairs), pairs.num_classes))
        for train, test in grouped_kfold(pairs.subjects, pairs.labels, 5, seed):
            probabilities[test] = linear_svm(pairs.subset(train), pairs.subset(test), seed)
        predictions[name] = as_predictions(pairs, probabilities, seed)
    return predictions


def score_emotions(predictions: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Return UF1 of each way to choose the frames, and its paired difference to the annotated ones, with intervals."""
    table = score_table(predictions, "annotated").query("metric == 'UF1'").set_index("model")
    scores = table[table["against"] == ""][["value", "low", "high"]].set_axis(["UF1", "low", "high"], axis=1)
    minus = table[table["against"] == "annotated"][["value", "low", "high", "p"]]
    return scores.join(minus.add_prefix("minus annotated, ")).rename_axis("apex").reset_index()


def main() -> None:
    parser = make_parser(__doc__, "apex")
    parser.add_argument("--settings", nargs="+", choices=CLIPS, default=list(CLIPS))
    parser.add_argument("--subjects", type=int, help="of each setting, one clip each")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--emotions", action="store_true", help="also measure UF1 with spotted apexes")
    args = parser.parse_args()

    out = make_folder(args.out)
    people = tqdm(range(DEVELOPMENT_CLIPS), desc="clips to learn from")
    learned = learn(parallel(n_jobs=args.jobs)(delayed(training_features)(DEVELOPMENT_SEED, k) for k in people))
    development = [(s, DEVELOPMENT_SEED, k) for s in ("standard", "no expression") for k in range(DEVELOPMENT_CLIPS)]
    spot_all(out / "development.csv", development, learned, args.jobs)
    clips = [(s, args.seed, k) for s in args.settings for k in range(args.subjects or CLIPS[s])]
    table = summarise(spot_all(out / "errors.csv", clips, learned, args.jobs))
    table.to_csv(out / "apex.csv", index=False, float_format="%.3f")
    print(table[["setting", "task", "method", *table.columns[5:18:3]]].round(2).to_string(index=False))
    if args.emotions:
        predictions = emotions(args.seed, args.jobs)
        rows = pd.concat(table.assign(apex=name) for name, table in predictions.items())
        rows.to_csv(out / "emotion_predictions.csv.gz", index=False)
        table = score_emotions(predictions)
        table.to_csv(out / "emotions.csv", index=False, float_format="%.4f")
        print(table.round(3).to_string(index=False))


if __name__ == "__main__":
    main()
