"""Exercises of notebook 01: divergence, a shift of the nose, a normalisation that looks at the test."""

import numpy as np

from lfdtcmen.exercises.answers import Answer, Exercise, call, expect


def _as_array(value: object, shape: tuple[int, ...]) -> np.ndarray:
    array = np.asarray(value)
    expect(np.issubdtype(array.dtype, np.number), f"The result should be an array of numbers, it is {type(value)}.")
    expect(array.shape == shape, f"The result should have the shape {list(shape)}, it has {list(array.shape)}.")
    expect(np.isfinite(array).all(), "The result has infinite values or NaN in it.")
    return array


def _divergence(answer: Answer) -> None:
    """01.1, ``divergence(flow)``: u_x + v_y of a flow [2, H, W]."""
    y, x = np.mgrid[:16, :20].astype(float)
    none = 0 * x
    cases = {
        "a stretch along x by 0.1": ((0.1 * x, none), 0.1),
        "a squeeze along y by 0.2": ((none, -0.2 * y), -0.2),
        "a rotation": ((-0.1 * y, 0.1 * x), 0.0),
        "a shear": ((0.1 * y, 0.05 * x), 0.0),
    }
    results = {
        name: _as_array(call(answer, np.stack(field)), (16, 20)).astype(float) for name, (field, _) in cases.items()
    }
    stretch, squeeze, rotation, shear = (float(result.mean()) for result in results.values())
    expect(
        not (abs(stretch) < 1e-6 and abs(rotation) > 1e-6),
        "A rotation gives something, a stretch nothing: you have how the flow turns (its curl), not how it spreads.",
    )
    expect(
        not (abs(stretch) < 1e-6 and abs(shear) > 1e-6),
        "A stretch gives nothing, and a shear gives something: the axes are exchanged. np.gradient begins with axis 0, "
        "which is y.",
    )
    expect(squeeze <= 0, "A squeeze should be negative: that sign is what strain does not have.")
    expect(abs(rotation) < 1e-6, "A rotation changes no area, but yours is not 0 for it: which two derivatives belong?")
    for name, result in results.items():
        expect(np.allclose(result, cases[name][1], atol=1e-6), f"Not yet for {name}.")


def _nose_shift(answer: Answer) -> None:
    """01.2, ``nose_shift(flow, nose)``: mean flow in 9 x 9 pixels around the nose tip (x, y)."""
    flow = np.random.default_rng(0).normal(size=(2, 128, 128))
    nose = np.array([60.2, 69.9])
    found = _as_array(call(answer, flow, nose), (2,))

    def mean(column: int, row: int, half: int = 4) -> np.ndarray:
        return flow[:, row - half : row + half + 1, column - half : column + half + 1].mean((1, 2))

    for message, other in {
        "Your window lies around (y, x): a flow is indexed by row first, and the row is y.": mean(70, 60),
        "You return (ty, tx): flow[0] is along x.": mean(60, 70)[::-1],
        "Your window has 8 pixels a side: a slice leaves its end out.": flow[:, 66:74, 56:64].mean((1, 2)),
        "The nose is at (60.2, 69.9): round it; int() alone cuts 69.9 to 69.": mean(60, 69),
        "That is the mean over the whole frame.": flow.mean((1, 2)),
    }.items():
        expect(not np.allclose(found, other), message)
    expect(np.allclose(found, mean(60, 70)), "The window is not the 9 x 9 pixels around x = 60, y = 70.")


def _mended_normalise(answer: Answer) -> None:
    """01.3, ``mended_normalise(streams, train)``: constants of the training pairs, one pair of them a stream."""
    rng = np.random.default_rng(0)
    streams = rng.normal(size=(10, 3, 28, 28)) * np.array([1.0, 2.0, 0.1])[:, None, None] + 0.3
    train, test = np.arange(6), np.arange(6, 10)
    other = streams.copy()
    other[test] += 5.0
    given = streams.copy()
    result = _as_array(call(answer, streams, train), streams.shape)
    expect(np.array_equal(streams, given), "Your function changed the streams that it was given: return new ones.")
    again = _as_array(call(answer, other, train), streams.shape)
    expect(
        np.allclose(result[train], again[train]),
        "Test pairs still have a say: when only they change, the training pairs come out otherwise.",
    )
    fitted = result[train]
    expect(
        not np.allclose([fitted.mean(), fitted.std()], [0, 1], atol=1e-6)
        or np.allclose(fitted.std((0, 2, 3)), 1, atol=1e-3),
        "No leak any more, but U, V and strain still share one mean and one deviation: strain, being small, is lost.",
    )
    expect(
        np.ptp(fitted.mean((2, 3)), axis=0).max() > 1e-6,
        "You normalise each pair by itself: then a strong motion looks like a weak one.",
    )
    expect(
        np.ptp(fitted.mean(0), axis=(1, 2)).max() > 1e-6,
        "You normalise each pixel by itself: there is one mean and one deviation for a whole stream.",
    )
    expect(np.allclose(fitted.mean((0, 2, 3)), 0, atol=1e-6), "The mean of each stream should be 0 in training.")
    expect(np.allclose(fitted.std((0, 2, 3)), 1, atol=1e-3), "The deviation of each stream should be 1 in training.")
    scale = streams[train].std((0, 2, 3), keepdims=True)
    expected = (streams - streams[train].mean((0, 2, 3), keepdims=True)) / scale
    expect(np.allclose(result, expected, atol=1e-2), "Training pairs are right; test pairs need the same constants.")


EXERCISES = {
    "01.1": Exercise(
        _divergence,
        (
            "Each of the two derivatives is of one component, along its own direction.",
            "np.gradient takes an axis. Which one is x in an array [H, W]?",
        ),
    ),
    "01.2": Exercise(
        _nose_shift,
        (
            "Round the nose first, and name its parts: which is the column, which the row?",
            "Nine pixels: four on either side, and the one in the middle.",
            "A mean over two axes leaves one number a component.",
        ),
    ),
    "01.3": Exercise(
        _mended_normalise,
        (
            "Which pairs does streams.mean() look at?",
            "Over which of the four axes should a mean go, so that three numbers are left?",
            "keepdims lets a result of three numbers be taken from [N, 3, 28, 28].",
        ),
    ),
}
