"""The plan of a data set: how many samples each emotion has, and which subject shows which emotion."""

import numpy as np

from lfdtcmen.datasets.manifest import LABEL_MAPS, map_emotion
from lfdtcmen.datasets.synthetic.emotions import EMOTIONS
from lfdtcmen.datasets.synthetic.randomness import plan_rng
from lfdtcmen.errors import DataError
from lfdtcmen.paper.numbers import CLASS_COUNTS

CASME3_SUBJECTS = 100
DFME_SUBJECTS = {"train": 160, "test_a": 48, "test_b": 32}

# Numbers of subjects are unique: CAS(ME)^3's begin at 0, those of DFME's three parts at 1000, 2000 and 3000, those of
# the counterfactuals at 4000, those of the other world at 5000; photographs move like subjects from 6000 on; the
# wild ones, of whom there may be more, begin at 7000, those of the entangled sets at 107,000. So no two of them share a
# face.
SUBJECTS_PER_BLOCK = 1000
MOST_WILD_SUBJECTS = 100_000
COUNTERFACTUAL_BLOCK, OTHER_WORLD_BLOCK, PHOTOGRAPH_BLOCK, WILD_BLOCK = 4, 5, 6, 7
ENTANGLED_BLOCK = WILD_BLOCK + MOST_WILD_SUBJECTS // SUBJECTS_PER_BLOCK


def _order(counts: dict[str, int]) -> dict[str, int]:
    """Sort counts in the order of EMOTIONS, on which the plan of a data set depends."""
    return {emotion: counts[emotion] for emotion in EMOTIONS}


# CAS(ME)^3 Part A: positive is happiness alone, and surprise a class of its own. Within the negative class the shares
# are those of the real data set, except contempt, which it does not have: 24 of its 250 disgust samples stand for it,
# so that no class is empty.
CASME3_COUNTS = _order(
    {
        "happiness": CLASS_COUNTS["casme3"]["positive"],
        "surprise": CLASS_COUNTS["casme3"]["surprise"],
        **{"disgust": 226, "contempt": 24, "fear": 86, "anger": 64, "sadness": 57},
    }
)
# DFME: what the paper states of its two test sets; the other counts are assumed, and add up to the stated sizes.
DFME_COUNTS = {
    "train": dict(zip(EMOTIONS, (250, 420, 116, 390, 230, 160, 290), strict=True)),
    "test_a": _order({**CLASS_COUNTS["dfme_a"], "disgust": 105, "fear": 60, "sadness": 72}),
    "test_b": _order({**CLASS_COUNTS["dfme_b"], "disgust": 62, "contempt": 20, "fear": 36, "sadness": 50}),
}
# to train on: as many clips a subject as CAS(ME)^3, in three classes of the same size
WILD_COUNTS = dict(zip(EMOTIONS, (233, 70, 20, 233, 40, 60, 43), strict=True))


def check_subjects(subjects: int, most: int = SUBJECTS_PER_BLOCK) -> None:
    """Raise a DataError for a number of subjects that a data set cannot have.

    Raises
    ------
    DataError
        It is not an integer from 2 to ``most``.
    """
    if not isinstance(subjects, int | np.integer) or not 2 <= subjects <= most:
        raise DataError(f"{subjects!r} subjects cannot be rendered", "synthetic faces", f"ask for 2 to {most}")


def plan_preset(preset: str, subjects: int, seed: int) -> tuple[list[list[str]], int]:
    """Return the emotions of each subject of a preset's data set, and the number of the first subject.

    Raises
    ------
    DataError
        The number of subjects is not possible.
    """
    wild = preset == "wild"
    check_subjects(subjects, MOST_WILD_SUBJECTS if wild else SUBJECTS_PER_BLOCK)
    first = WILD_BLOCK * SUBJECTS_PER_BLOCK if wild else 0
    counts = scale_counts(WILD_COUNTS if wild else CASME3_COUNTS, subjects / CASME3_SUBJECTS)
    return plan_clips(counts, subjects, seed, first), first


def scale_counts(counts: dict[str, int], factor: float) -> dict[str, int]:
    """Scale the number of samples of each emotion, keeping every emotion and the shares of the three classes.

    Parameters
    ----------
    counts : dict
        Samples of each emotion.
    factor : float
        What to multiply them with.
    """
    scaled: dict[str, int] = {}
    for number in range(len(LABEL_MAPS["3class"])):
        emotions = [e for e in counts if map_emotion(e, "3class") == number]
        total = max(round(factor * sum(counts[e] for e in emotions)), len(emotions))
        exact = {e: total * counts[e] / sum(counts[e] for e in emotions) for e in emotions}
        share = {e: max(1, int(exact[e])) for e in emotions}
        while (rest := total - sum(share.values())) != 0:  # add or remove one where the rounding error is largest
            step = 1 if rest > 0 else -1
            movable = [e for e in emotions if step > 0 or share[e] > 1]
            share[max(movable, key=lambda e: step * (exact[e] - share[e]))] += step
        scaled |= share
    return {e: scaled[e] for e in counts}


def plan_clips(counts: dict[str, int], subjects: int, seed: int, first_subject: int = 0) -> list[list[str]]:
    """Decide which emotions each subject shows.

    Some subjects show more than others; each shows at least one; a rare emotion is spread over as many subjects as
    possible.

    Parameters
    ----------
    counts : dict
        Samples of each emotion.
    subjects : int
        How many subjects there are.
    seed : int
        Seed of the data set.
    first_subject : int
        Number of the first subject.

    Returns
    -------
    list of list of str
        The emotions of each subject, in the order of its clips.
    """
    rng = plan_rng(seed, first_subject)
    total = sum(counts.values())
    share = rng.dirichlet(np.full(subjects, 1.8))
    quota = np.ones(subjects, int)
    quota += rng.multinomial(max(0, total - subjects), share)
    clips: list[list[str]] = [[] for _ in range(subjects)]
    for emotion in sorted(counts, key=counts.__getitem__):
        left = counts[emotion]
        while left and quota.any():
            free = np.flatnonzero(quota)
            chosen = rng.choice(free, min(left, len(free)), replace=False, p=quota[free] / quota[free].sum())
            quota[chosen] -= 1
            left -= len(chosen)
            for subject in chosen:
                clips[subject].append(emotion)
    for emotions in clips:
        rng.shuffle(emotions)
    return clips
