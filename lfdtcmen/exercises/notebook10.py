"""Exercises of notebook 10: a score of maps, where Grad-CAM is exact, a control that is fair, a p-value."""

import numpy as np
import torch

from lfdtcmen.exercises.answers import Answer, Exercise, as_number, call, expect, near

HEADS = ("mean", "mean, then a hidden layer", "flatten", "maximum")


def _share(answer: Answer) -> None:
    """10.1, ``share(maps, moving, face)``: of each map's values on the face; NaN for a map that is 0 there."""
    face = np.zeros((4, 5), bool)
    face[1:, 1:] = True
    moving = np.zeros((3, 4, 5), bool)
    moving[:, 1, 1:3] = moving[2, 3, 3] = True
    maps = np.random.default_rng(0).random((3, 4, 5))
    maps[1, face] = 0  # empty on the face, not outside
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.asarray(call(answer, maps, moving, face), dtype=float)
    expect(found.shape == (3,), f"One number a map is asked for, shape [3]; yours has {list(found.shape)}.")
    kept = [0, 2]
    on_moving, on_face, total = ((maps * mask).sum((1, 2))[kept] for mask in (moving, face, 1))
    count, scores = moving.sum((1, 2))[kept], found[kept]
    expect(not near(scores, on_moving / total), "Divide by the map's sum on the face alone.")
    expect(not near(scores, on_moving / count), "That is the mean on moving skin; the share is asked for.")
    expect(not near(scores, on_face / on_moving), "Turn the fraction round.")
    expect(near(scores, on_moving / on_face), "Sum on moving skin, divided by the sum on the face.")
    expect(found[1] != 0, "A map that is 0 on the face points nowhere: its share is not 0, it is NaN.")
    expect(np.isnan(found[1]), "A map that is 0 on the face points nowhere: return NaN for it.")


def exact_heads() -> dict[str, bool]:
    """Return for each head of :data:`HEADS` whether Grad-CAM equals HiResCAM before the ReLU, on random maps."""
    generator = torch.Generator().manual_seed(0)
    maps = torch.randn(6, 3, 3, generator=generator).requires_grad_()
    weights, hidden = torch.randn(6, 9, generator=generator), torch.randn(6, 5, generator=generator)
    logits = {
        "mean": maps.mean((1, 2)) @ weights[:, 0],
        "mean, then a hidden layer": torch.relu(maps.mean((1, 2)) @ hidden) @ hidden[0],
        "flatten": (maps.flatten(1) * weights).sum(),
        "maximum": maps.amax((1, 2)) @ weights[:, 0],
    }
    exact = {}
    for name, logit in logits.items():
        (gradient,) = torch.autograd.grad(logit, maps)
        averaged = gradient.mean((1, 2), keepdim=True)
        exact[name] = torch.allclose((averaged * maps).sum(0), (gradient * maps).sum(0), atol=1e-5)
    return exact


def _exact(answer: Answer) -> None:
    """10.2, ``grad_cam_is_exact()``: for each of :data:`HEADS`, True or False."""
    given = call(answer)
    right = isinstance(given, dict) and set(given) == set(HEADS)
    expect(right, f"Give a dictionary with the keys {', '.join(HEADS)}.")
    advice = {
        "mean": "the logit sees each channel's mean alone. What is the derivative by one position?",
        "mean, then a hidden layer": "the hidden layer still gets means only. Can two positions have other gradients?",
        "flatten": "each position has a weight of its own. What does the average do to them?",
        "maximum": "the gradient is 0 at all positions but one.",
    }
    for name, exact in exact_heads().items():
        expect(isinstance(given[name], bool), f"{name}: answer True or False.")
        expect(given[name] == exact, f"Not {name!r}: {advice[name]}")


def _control(answer: Answer) -> None:
    """10.3, ``fair_control(moving, face, rng)``: as many still cells of the face as cells move, at random, per clip."""
    face = np.zeros((8, 8), bool)
    face[1:7, 1:7] = True
    moving = np.zeros((4, 8, 8), bool)
    moving[0, 2, 2:5] = moving[1, 1:4, 1:4] = moving[2, 6, 6] = True  # 3, 9, 1 and 0 cells
    chosen = [np.asarray(call(answer, moving.copy(), face.copy(), np.random.default_rng(seed))) for seed in (1, 2)]
    expect(chosen[0].shape == moving.shape, f"One mask a clip is asked for, [4, 8, 8], not {list(chosen[0].shape)}.")
    expect(chosen[0].dtype == bool, "Return masks: True for the cells that are blanked.")
    expect(not (chosen[0] & moving).any(), "Some of your cells move.")
    expect(not (chosen[0] & ~face).any(), "Some of your cells lie outside the face.")
    counts, wanted = chosen[0].sum((1, 2)), moving.sum((1, 2))
    rests = (face & ~moving).sum((1, 2))
    expect((counts != rests).any(), "All still skin is far more than what moves: more is taken away, more changes.")
    same = (counts == counts[0]).all()
    expect(not same, "Every clip has the same number of cells. Count what moves in each clip.")
    expect((counts == wanted).all(), f"{wanted.tolist()} cells move in the four clips; you chose {counts.tolist()}.")
    expect((chosen[0] != chosen[1]).any(), "Every seed gives the same cells: choose at random, with rng.")


def _p_value(answer: Answer) -> None:
    """10.4, ``p_value(observed, null)``: one-sided, (1 + number of null values as large) / (1 + number)."""
    null = np.array([0.30, 0.35, 0.35, 0.40, 0.20, 0.25, 0.31, 0.33, 0.29])
    high, tied, low = (as_number(call(answer, value, null.copy()), "The p-value") for value in (0.5, 0.35, 0.1))
    expect(high > 0, "p is 0 here. The observed order is one of the permutations too: it counts in both numbers.")
    expect(low >= high, "Larger values are rarer under the null: count the null values that are as large.")
    expect(not near(tied, 0.2), "Two null values equal the observed one: 'as large' counts them, too.")
    expect(not near(low, 10 / 9), "p is above 1: the observed order counts below the line as well.")
    expect(not near(high, 0.2), "Count one side only: a probe that reads less than luck is no finding.")
    expect(near(high, 0.1) and near(tied, 0.4) and near(low, 1), "(1 + as large) / (1 + all) is asked for.")


EXERCISES = {
    "10.1": Exercise(
        _share,
        (
            "Multiply by a mask, and sum over both axes of each map.",
            "np.where(total > 0, part / np.maximum(total, 1e-12), np.nan) avoids a division by 0.",
        ),
    ),
    "10.2": Exercise(
        _exact,
        (
            "Grad-CAM averages the gradient over positions. When does an average change nothing?",
            "Write the derivative of the logit by the value at one position, for each head.",
        ),
    ),
    "10.3": Exercise(
        _control,
        (
            "How much more than the moving skin does she take away?",
            "For each clip: rng.choice of np.flatnonzero(face & ~moving), moving.sum() of them, without replacement.",
        ),
    ),
    "10.4": Exercise(
        _p_value,
        (
            "How probable is a value like this, or a larger one, if the answers mean nothing?",
            "With 9 permutations the smallest possible p is 1/10.",
        ),
    ),
}
