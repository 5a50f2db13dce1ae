"""Exercises of notebook 09: one loss left out, Holm's rule step by step, a pairing that is lost, people for 80 %."""

from dataclasses import replace

import numpy as np

from lfdtcmen.config import Config, load_config
from lfdtcmen.evaluation.intervals import Z, holm, measure, ratio, subjects_needed
from lfdtcmen.exercises.answers import Answer, Exercise, as_number, call, expect

P_VALUES = ([0.04, 0.001, 0.03, 0.012], [0.5, 0.01], [0.026, 0.001, 0.024], [0.02, 0.03, 0.04], [0.2, 0.012, 1.0, 1.0])


def _without_cycle(answer: Answer) -> None:
    """09.1, ``without_cycle(full)``: the config of the full network without the cycle loss, in every stage."""
    full, untouched = load_config("cpu"), load_config("cpu")
    found = call(answer, full)
    expect(full == untouched, "You changed the full network's own config: make new dictionaries, and `replace`.")
    expect(isinstance(found, Config), f"Return a Config, as `replace` does; this is of type {type(found).__name__}.")
    left = [stage for stage in (1, 2, 3) if found.stage_weights(stage).get("cycle")]
    expect(left != [1, 3], "The cycle loss still has its weight in stages 1 and 3.")
    expect(not left, f"The cycle loss still has its weight in stage {left[0] if left else 0}: two stages have it.")
    for stage in (1, 2, 3):
        kept = {name: weight for name, weight in full.stage_weights(stage).items() if name != "cycle"}
        mine = {name: weight for name, weight in found.stage_weights(stage).items() if name != "cycle"}
        gone = sorted(kept.keys() - mine.keys())
        expect(not gone, f"Only the cycle loss should go; in stage {stage}, {', '.join(gone)} is gone as well.")
        expect(mine == kept, f"The other losses of stage {stage} should keep their weights.")
    same = replace(found, stage1=full.stage1, stage2=full.stage2, stage3=full.stage3)
    expect(same == full, "Something other than a loss has changed: begin with the config that you are given.")


def _holm_survives(answer: Answer) -> None:
    """09.2, ``holm_survives(p, level)``: which hypotheses Holm's stepwise rule rejects, in the order given."""
    wrong: set[str] = set()
    for values in P_VALUES:
        p = np.array(values)
        found = np.asarray(call(answer, p.copy(), 0.05))
        expect(found.shape == p.shape, f"One answer for each of {len(p)} p-values, please.")
        right = holm(p) <= 0.05
        bounds = 0.05 / (len(p) - np.argsort(np.argsort(p)))
        typical = {
            "You compare every p with the level itself: nothing is corrected.": p <= 0.05,
            "That is Bonferroni's rule: the bound grows once a test has passed.": p <= 0.05 / len(p),
            "One test fails, and a larger p passes after it: at the first that fails, stop.": p <= bounds,
            "The answers should be in the order in which the p-values are given.": np.sort(right)[::-1],
            "The bound runs the wrong way: the smallest p meets the strictest one.": p
            <= 0.05 / (1 + np.argsort(np.argsort(p))),
        }
        if not np.array_equal(found.astype(bool), right):
            fits = {message for message, other in typical.items() if np.array_equal(found.astype(bool), other)}
            wrong = fits if not wrong else wrong & fits or wrong
            wrong = wrong or {f"For {values} it is {right.tolist()}."}
    expect(not wrong, next((message for message in wrong), ""))


def _people() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return right answers of two models, bool [N] each, and the person of each clip; both know the same people."""
    rng = np.random.default_rng(4)
    people = np.repeat(np.arange(60), 8)
    skill = rng.uniform(0.1, 0.95, 60)[people]  # some people are easy for both models
    first = rng.random(480) < skill
    learned = (rng.random(60) < 0.25)[people]  # of these, the second model gets nearly everything right
    return first, first | (learned & (rng.random(480) < 0.9)), people


def _mended_interval(answer: Answer) -> None:
    """09.3, ``mended_interval(right_a, right_b, people, rng)``: 95 % interval of a paired difference over people."""
    first, second, people = _people()
    difference = second.astype(float) - first
    values = np.stack([difference, np.ones_like(difference)], axis=1)
    true = measure("", ratio, values, people)
    clips = measure("", ratio, values, np.arange(len(people)))
    found = np.asarray(call(answer, first.copy(), second.copy(), people.copy(), np.random.default_rng(1)), float)
    expect(found.shape == (2,), "Return two numbers, the lower and the upper end.")
    low, high = found
    expect(np.isfinite(found).all() and low < high, "The lower end comes first, and both are numbers.")
    expect(not (high < 0), "The sign is turned: the second model minus the first.")
    width, wanted, of_clips = high - low, true.high - true.low, clips.high - clips.low
    expect(abs((low + high) / 2 - true.value) < wanted / 3, "The interval should lie around the difference found.")
    expect(width < 1.4 * wanted, f"{width:.3f} wide, still: does one resample hold the same people for both models?")
    narrow = abs(width - of_clips) < abs(width - wanted)
    expect(not narrow, f"Only {width:.3f} wide: clips of one person resemble each other. Resample people, not clips.")
    expect(
        abs(width - wanted) < 0.15 * wanted, f"{width:.3f} wide; 95 % of the resampled differences span another width."
    )


def _people_needed(answer: Answer) -> None:
    """09.4, ``people_needed(effect, half_width, people)``: people for a power of 80 %."""
    for effect, half_width, people in ((0.0058, 0.03, 100), (0.02, 0.05, 60), (0.1, 0.05, 40)):
        found = as_number(call(answer, effect, half_width, people), "The number of people")
        right, half = subjects_needed(effect, half_width, people), people * (half_width / effect) ** 2
        share = right / half
        for message, other in {
            "With so many, the half-width equals the effect: the interval excludes zero in half of the studies.": half,
            "An interval shrinks with the square root of the number of people: square the ratio.": (
                people * half_width / effect * np.sqrt(share)
            ),
            "Not squared, and for a power of a half.": people * half_width / effect,
            "0.84 alone is not enough: the interval's own 1.96 standard errors come on top.": half
            * (share**0.5 - 1) ** 2,
            "You turned the factor: more power needs more people, not fewer.": half / share,
            "That is the number with a reserve of 0.84 / 1.96, not squared.": half * np.sqrt(share),
        }.items():
            expect(abs(found / other - 1) > 0.01, message)
        expect(
            abs(found / right - 1) < 0.01 or abs(found - right) < 1.5,
            f"Not yet, for an effect of {effect}: standard errors that fit into it should be {Z:.2f} + 0.84.",
        )


EXERCISES = {
    "09.1": Exercise(
        _without_cycle,
        (
            "Which stages have the cycle loss? `full.stage_weights(3)` shows the third.",
            "A dictionary without one key: {name: weight for name, weight in ... if name != ...}.",
            "dataclasses.replace makes a new config with some fields changed.",
        ),
    ),
    "09.2": Exercise(
        _holm_survives,
        (
            "np.argsort gives the order in which to look at the p-values, the smallest first.",
            "With k tests passed, m - k are left: that is the divisor of the level.",
            "What happens to all larger p-values once one fails?",
        ),
    ),
    "09.3": Exercise(
        _mended_interval,
        (
            "How often does she choose people for one difference?",
            "Choose people once, then take the clips of both models from them.",
        ),
    ),
    "09.4": Exercise(
        _people_needed,
        (
            "The half-width is 1.96 standard errors. How many should fit into the effect for 80 %?",
            "1.96 + 0.84 standard errors; they shrink with the square root of the number of people.",
        ),
    ),
}
