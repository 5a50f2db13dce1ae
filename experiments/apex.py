"""How far are spotted apexes from the true ones?

    python experiments/apex.py --emotions
    python experiments/apex.py --settings standard --subjects 20

Clips are synthetic, so that their apex is known, and are aligned by `align_clip` from the landmarks of their first
frame. There are two tasks: in "interval known" a method gets the frames from the true onset to the true offset, in
"nothing known" it gets the whole clip. The methods were developed on seed 1 of the presets easy, standard and hard, so
report another seed. Writes errors.csv (a row per clip, task and method) and apex.csv (their means, with intervals) to
OUT; with --emotions also emotions.csv: UF1 of a linear SVM on the spotted apexes. A run that was stopped continues with
the clips that are missing; emotions.csv is computed in one go. Settings:

- easy, standard, hard: the presets, 30 frames a second;
- still: standard, with a head that does not move (light, noise and blinks unchanged);
- any pace: standard, but the rise takes 20 to 80 % of rise and fall together; in the presets it takes about 40 %;
- video: standard, 8 seconds with one expression and one blink;
- 200 fps: standard, as the fast camera of DFME sees it.

"share 0.4" is not a method but a warning: a constant that fits the clips of the presets.
"""

from dataclasses import replace

import cv2
import numpy as np
import pandas as pd
from common import append_rows, finished_jobs, make_parser
from joblib import delayed
from tqdm import tqdm

from lfdtcmen.baselines.simple import linear_svm
from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.datasets.preparation import prepare_pairs
from lfdtcmen.datasets.splits import grouped_kfold
from lfdtcmen.datasets.synthetic import Clip, make_clip, make_dataset
from lfdtcmen.datasets.synthetic.emotions import EMOTIONS
from lfdtcmen.datasets.synthetic.sequences import Timing, make_subject, sample_clip, sample_timing
from lfdtcmen.datasets.synthetic.settings import get_settings
from lfdtcmen.evaluation.metrics import bootstrap_interval, uf1
from lfdtcmen.evaluation.spotting import spotting_scores
from lfdtcmen.files import make_folder
from lfdtcmen.preprocessing.align import align_clip
from lfdtcmen.preprocessing.apex import METHODS, spot_apex, spot_interval
from lfdtcmen.workers import parallel

CLIPS = {"easy": 100, "standard": 100, "hard": 100, "still": 100, "any pace": 100, "video": 50, "200 fps": 30}
SHARE = "share 0.4"


def sample(setting: str, seed: int, subject: int) -> Clip:
    """Return the synthetic clip of a subject in a setting."""
    emotion = EMOTIONS[subject % len(EMOTIONS)]
    if setting in ("easy", "standard", "hard"):
        return make_clip(seed, subject, preset=setting, emotion=emotion)
    if setting == "200 fps":
        return make_clip(seed, subject, domain="dfme", emotion=emotion)
    settings = get_settings("standard")
    rng = np.random.default_rng([seed, 9, subject])
    timing = sample_timing(settings.fps, rng)
    if setting == "still":
        settings = replace(settings, shift=0.0, rotation=0.0, yaw=0.0, pitch=0.0)
    elif setting == "any pace":
        lead, total, share, hold, tail = rng.uniform([0.25, 0.2, 0.2, 0.0, 0.2], [0.6, 0.45, 0.8, 0.05, 0.5])
        seconds = np.cumsum([lead, total * share, hold, total * (1 - share), tail])
        onset, apex, last, offset, end = (round(settings.fps * s) for s in seconds)
        timing = Timing(onset, max(apex, onset + 1), max(last, onset + 1), max(offset, last + 2), end + 2)
    elif setting == "video":
        settings = replace(settings, blinks=1 / 3)  # a second: the clip surely has a blink
        wait, length = int(rng.integers(0, 200)), round(8 * settings.fps)
        onset, apex, last, offset = (wait + t for t in (timing.onset, timing.apex, timing.hold, timing.offset))
        timing = Timing(onset, apex, last, offset, length)
    person = make_subject(seed, subject, settings)
    return sample_clip(person, emotion, settings, timing, settings.fps, rng)


def spot(setting: str, seed: int, subject: int) -> list[dict]:
    """Return the error of each method on one clip, in both tasks, frames."""
    cv2.setNumThreads(1)  # the processes already share the cores
    clip = sample(setting, seed, subject)
    onset, offset = clip.onset, clip.offset
    known = align_clip(clip.frames[onset : offset + 1], landmarks=clip.landmarks[onset])
    whole = align_clip(clip.frames, landmarks=clip.landmarks[0])
    row = {"setting": setting, "seed": seed, "fps": clip.fps, "subject": subject}
    guesses = {m: onset + spot_apex(known, m) for m in METHODS} | {SHARE: onset + round(0.4 * (offset - onset))}
    rows = [row | {"task": "interval known", "method": m, "error": g - clip.apex} for m, g in guesses.items()]
    found = spot_interval(whole, clip.fps)
    ends = {"onset error": found.onset - onset, "offset error": found.offset - offset}
    rows.append(row | ends | {"task": "nothing known", "method": "pulse", "error": found.apex - clip.apex})
    guesses = {m: spot_apex(whole, m) for m in METHODS if m != "pulse"}
    rows += [row | {"task": "nothing known", "method": m, "error": g - clip.apex} for m, g in guesses.items()]
    return rows


def summarise(errors: pd.DataFrame) -> pd.DataFrame:
    """Return a row per setting, task and method: scores with 95 % intervals over subjects."""
    rows = []
    for (setting, task, method), part in errors.groupby(["setting", "task", "method"], sort=False):
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


def emotions(seed: int, jobs: int) -> pd.DataFrame:
    """Return UF1 of the linear SVM (three classes, 5 folds of subjects) for each way to choose onset and apex."""
    data = make_dataset(seed=seed, n_jobs=jobs)  # manifest and labels only: the clips show the same action units
    numbers = [
        (int(s.split("/s")[1]), int(c[1:]))
        for s, c in zip(data.manifest["subject"], data.manifest["clip"], strict=True)
    ]
    work = parallel(n_jobs=jobs, return_as="generator", max_nbytes=None)(
        delayed(choose_frames)(seed, *n) for n in numbers
    )
    clips = list(tqdm(work, total=len(numbers), desc="clips for the SVM"))
    rows = []
    for name in clips[0]:
        onset, apex, landmarks = (np.stack(arrays) for arrays in zip(*(clip[name] for clip in clips), strict=True))
        pairs = PairSet(data.manifest, onset, apex, data.labels, data.label_names, landmarks=landmarks)
        pairs = prepare_pairs(pairs, n_jobs=jobs)
        predicted = np.empty(len(pairs), np.int64)
        for train, test in grouped_kfold(pairs.subjects, pairs.labels, 5, seed):
            predicted[test] = linear_svm(pairs.subset(train), pairs.subset(test), seed).argmax(1)
        low, high = bootstrap_interval(pairs.labels, predicted, pairs.subjects, "uf1", pairs.num_classes)
        rows.append({"apex": name, "UF1": uf1(pairs.labels, predicted, pairs.num_classes), "low": low, "high": high})
    return pd.DataFrame(rows)


def main() -> None:
    parser = make_parser(__doc__, "apex")
    parser.add_argument("--settings", nargs="+", choices=CLIPS, default=list(CLIPS))
    parser.add_argument("--subjects", type=int, help="of each setting, one clip each")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--emotions", action="store_true", help="also measure UF1 with spotted apexes")
    args = parser.parse_args()

    out = make_folder(args.out)
    clips = [(s, args.seed, k) for s in args.settings for k in range(args.subjects or CLIPS[s])]
    done = finished_jobs(out / "errors.csv", ["setting", "seed", "subject"])
    missing = [clip for clip in clips if clip not in done]
    work = parallel(n_jobs=args.jobs, return_as="generator")(delayed(spot)(*clip) for clip in missing)
    for rows in tqdm(work, total=len(missing), desc="clips"):
        append_rows(out / "errors.csv", pd.DataFrame(rows))
    errors = pd.read_csv(out / "errors.csv").set_index(["setting", "seed", "subject"])
    table = summarise(errors.loc[clips].reset_index())
    table.to_csv(out / "apex.csv", index=False, float_format="%.3f")
    print(table[["setting", "task", "method", *table.columns[5:18:3]]].round(2).to_string(index=False))
    if args.emotions:
        table = emotions(args.seed, args.jobs)
        table.to_csv(out / "emotions.csv", index=False, float_format="%.4f")
        print(table.round(3).to_string(index=False))


if __name__ == "__main__":
    main()
