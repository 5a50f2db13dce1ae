"""Exercises of notebook 09: the right answer is right, and each typical wrong one has a message of its own."""

from dataclasses import replace

import numpy as np

from lfdtcmen.config import load_config
from tests.exercises.answers import answer_tests


def without(full, stages=("stage1", "stage3"), losses=("cycle",)):
    weights = {s: {name: w for name, w in getattr(full, s).items() if name not in losses} for s in stages}
    return replace(full, **weights)


def in_place(full):
    del full.stage1["cycle"], full.stage3["cycle"]
    return full


def scaled(full):
    config = without(full)
    return replace(config, stage3={name: 2 * weight for name, weight in config.stage3.items()})


def survives(p, level):
    found = np.zeros(len(p), bool)
    for k, place in enumerate(np.argsort(p)):
        if p[place] > level / (len(p) - k):
            break
        found[place] = True
    return found


def ranks(p):
    return np.argsort(np.argsort(p))


def interval(right_a, right_b, people, rng, paired=True, of_people=True, sign=1, tails=(0.025, 0.975)):
    groups = (
        [np.flatnonzero(people == one) for one in np.unique(people)] if of_people else np.arange(len(people))[:, None]
    )

    def resampled():
        return np.concatenate([groups[k] for k in rng.integers(len(groups), size=len(groups))])

    differences = []
    for _ in range(1000):
        first = resampled()
        second = first if paired else resampled()
        differences.append(right_b[second].mean() - right_a[first].mean())
    return sign * np.quantile(differences, tails)[::sign]


def interval_with(**changes):
    return lambda right_a, right_b, people, rng: interval(right_a, right_b, people, rng, **changes)


def needed(effect, half_width, people, factor=(1 + 0.8416 / 1.96) ** 2, power=2):
    return int(np.ceil(people * factor * (half_width / effect) ** power))


TABLE = {
    "09.1": (
        without,
        [
            lambda full: full,
            lambda full: without(full, ("stage1",)),
            lambda full: without(full, ("stage3",)),
            in_place,
            lambda full: without(full, losses=("cycle", "consistency")),
            scaled,
            lambda full: without(load_config("smoke")),
            lambda full: without(full).stage1,
        ],
    ),
    "09.2": (
        survives,
        [
            lambda p, level: p <= level,
            lambda p, level: p <= level / len(p),
            lambda p, level: p <= level / (len(p) - ranks(p)),
            lambda p, level: np.sort(survives(p, level))[::-1],
            lambda p, level: survives(p, level).any(),
            lambda p, level: p <= level / (1 + ranks(p)),
            lambda p, level: ~survives(p, level),
        ],
    ),
    "09.3": (
        interval,
        [
            interval_with(paired=False),
            interval_with(of_people=False),
            interval_with(sign=-1),
            interval_with(tails=(0.16, 0.84)),
            interval_with(tails=(0.975, 0.025)),
            lambda right_a, right_b, people, rng: right_b.mean() - right_a.mean(),
        ],
    ),
    "09.4": (
        needed,
        [
            lambda effect, half_width, people: needed(effect, half_width, people, 1),
            lambda effect, half_width, people: needed(effect, half_width, people, 1.4294, 1),
            lambda effect, half_width, people: needed(effect, half_width, people, 1, 1),
            lambda effect, half_width, people: needed(effect, half_width, people, 0.4294**2),
            lambda effect, half_width, people: needed(effect, half_width, people, 1.4294**-2),
            lambda effect, half_width, people: needed(effect, half_width, people, 1.4294),
            lambda effect, half_width, people: 3 * needed(effect, half_width, people),
        ],
    ),
}

test_the_right_answer_is_right, test_wrong_answers_get_messages_of_their_own = answer_tests(TABLE)
