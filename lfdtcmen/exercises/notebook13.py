"""Exercises of notebook 13: what RPCA minimises, the rank of a clip, and clips that lie on both sides of a split."""

import numpy as np

from lfdtcmen.exercises.answers import Answer, Exercise, as_number, call, expect, near

RANKS = ("one face at rest", "under a flickering lamp", "with one motion", "with two motions")


def _objective(answer: Answer) -> None:
    """13.1, ``objective(low_rank, sparse, weight)``: nuclear norm plus weight times the L1 norm."""
    rng = np.random.default_rng(0)
    low_rank, sparse, weight = rng.normal(size=(7, 2)) @ rng.normal(size=(2, 5)), rng.normal(size=(7, 5)), 0.3
    value = as_number(call(answer, low_rank, sparse, weight), "The objective")
    values, size = np.linalg.svd(low_rank, compute_uv=False), np.abs(sparse).sum()
    for message, other in {
        "You took the largest singular value; the nuclear norm is the sum of all.": values.max() + weight * size,
        "That is the Frobenius norm of the low-rank part: the root of the sum of squares. Sum the singular values.": (
            np.linalg.norm(low_rank) + weight * size
        ),
        "You summed the entries of the low-rank part; its singular values are asked for.": (
            np.abs(low_rank).sum() + weight * size
        ),
        "You counted the rank. The nuclear norm sums the values themselves, so that it can be minimised.": (
            np.linalg.matrix_rank(low_rank) + weight * size
        ),
        "Negative entries count as much as positive ones: take absolute values.": values.sum() + weight * sparse.sum(),
        "The weight is missing, or at the wrong part.": values.sum() + size,
        "You squared the entries; their absolute values are summed.": values.sum() + weight * (sparse**2).sum(),
    }.items():
        expect(not near(value, other), message)
    expect(near(value, values.sum() + weight * size), "Not yet: nuclear norm of L, plus weight times the L1 norm of S.")


def _ranks(answer: Answer) -> None:
    """13.2, ``predicted_ranks()``: of the matrix of a clip, for four clips without noise (:data:`RANKS`)."""
    given = call(answer)
    expect(isinstance(given, dict) and set(given) == set(RANKS), f"Give a dictionary with the keys {', '.join(RANKS)}.")
    rng = np.random.default_rng(0)
    face, one, two = rng.normal(size=(3, 100, 1))
    steady, lamp, rise, late = np.ones((1, 11)), 1 + 0.1 * rng.random((1, 11)), rng.random((1, 11)), rng.random((1, 11))
    clips = (face @ steady, face @ lamp, face @ steady + one @ rise, face @ steady + one @ rise + two @ late)
    ranks = dict(zip(RANKS, (np.linalg.matrix_rank(clip) for clip in clips), strict=True))
    advice = (
        "All columns are the same. How many do you need to write the others as multiples?",
        "Each column is the face times a number. Is that a new direction?",
        "Each column is the face plus a number times a pattern. How many images are mixed?",
        "Two patterns, each with a course of its own. How many images are mixed now?",
    )
    for name, message in zip(RANKS, advice, strict=True):
        expect(as_number(given[name], f"The rank {name}") == ranks[name], f"Not {name!r}: {message}")


def _halves(answer: Answer) -> None:
    """13.3, ``halves(clip_of_frame, rng)``: a mask of the training frames, whole clips, half of them at random."""
    clip_of_frame = np.random.default_rng(0).permutation(np.repeat(np.arange(100, 140), 11))
    masks = [np.asarray(call(answer, clip_of_frame, np.random.default_rng(seed))) for seed in (1, 2)]
    mask = masks[0]
    expect(mask.dtype == bool, "Return a mask: True for frames that train, False for those that test.")
    expect(mask.shape == clip_of_frame.shape, "The mask needs an entry for each frame, not for each clip.")
    shares = np.array([mask[clip_of_frame == clip].mean() for clip in np.unique(clip_of_frame)])
    mixed = ((shares > 0) & (shares < 1)).sum()
    every_other = "Every other frame: neighbours of one clip lie on both sides."
    expect(not (np.diff(mask.astype(int)) != 0).all(), every_other)
    expect(mixed != 1, "One clip is cut in two, where your half ends. Choose clips, then take their frames.")
    expect(mixed == 0, f"{mixed} of {len(shares)} clips still have frames on both sides.")
    expect(0.25 < shares.mean() < 0.75, f"{shares.mean():.0%} of the clips train; half of them should.")
    expect(
        not np.array_equal(masks[0], masks[1]),
        "Every seed gives the same halves: choose the clips at random, with rng.",
    )


EXERCISES = {
    "13.1": Exercise(
        _objective,
        (
            "The nuclear norm of a matrix is the sum of its singular values.",
            "np.linalg.svd with compute_uv=False returns the singular values alone.",
        ),
    ),
    "13.2": Exercise(
        _ranks,
        (
            "The rank is how many images you need so that each frame is a mixture of them.",
            "A brighter face is a multiple of the face. A face with raised brows is the face plus something.",
        ),
    ),
    "13.3": Exercise(
        _halves,
        (
            "Two frames of one clip share their low-rank part, their light, their lasting errors of alignment.",
            "Choose half of np.unique(clip_of_frame) with rng; np.isin finds their frames.",
        ),
    ),
}
