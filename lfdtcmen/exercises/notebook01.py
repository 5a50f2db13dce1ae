"""Exercises of notebook 01: divergence, a robust shift, a normalisation that looks at the test."""

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


ROUNDS, LEAST_SCALE = 8, 0.05  # as in the notebook


def _reweighted(
    flow: np.ndarray, near: np.ndarray, centred: bool = True, axes: tuple[int, ...] = (0, 1), by_near: bool = False
) -> np.ndarray:
    """Return the shift by reweighted means, [2]; the options are mistakes that students make."""
    weight = near
    for _ in range(ROUNDS):
        shift = (weight * flow).sum(1) / (near if by_near else weight).sum()
        residual = np.linalg.norm((flow - centred * shift[:, None])[list(axes)], axis=0)
        weight = near / (1 + (residual / max(LEAST_SCALE, float(np.median(residual)))) ** 2)
    return shift


def _robust_shift(answer: Answer) -> None:
    """01.2, ``robust_shift(flow, near)``: shift of the head by reweighted means, of a flow at points, [2, P]."""
    head = np.array([0.8, -0.3])
    near = np.linspace(1.0, 0.2, 60)  # [60]
    still = np.repeat(head[:, None], 60, 1)  # nothing but the head, [2, 60]
    found = _as_array(call(answer, still, near), (2,))
    expect(not np.allclose(found, head[::-1]), "You return (ty, tx): flow[0] is along x.")
    expect(
        np.allclose(found, head),
        "All points move by the same amount, and your shift is another: a weighted mean divides by the weights' sum.",
    )
    rng = np.random.default_rng(0)
    flow = still + rng.normal(0, 0.1, (2, 60))
    flow[:, ::3] += [[2.0], [3.0]]  # a muscle
    found = _as_array(call(answer, flow, near), (2,))
    for message, other in {
        "Every point still counts alike: where is the weight in your mean?": flow.mean(1),
        "The residual is what is left of the flow when the shift is taken away, not the flow.": _reweighted(
            flow, near, centred=False
        ),
        "Your residual looks along x only: it is the length of what is left, of both components.": _reweighted(
            flow, near, axes=(0,)
        ),
        "Divide by the sum of the present weights: those of the start are larger.": _reweighted(
            flow, near, by_near=True
        ),
    }.items():
        expect(not np.allclose(found, other), message)
    expect(
        np.allclose(found, _reweighted(flow, near)),
        "A third of the points move with a muscle, and your shift is not what eight rounds of reweighting give.",
    )


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
        _robust_shift,
        (
            "A weighted mean: the sum of weight times value, divided by the sum of the weights. flow is [2, P].",
            "Take the shift away from each point's flow: shift[:, None] has the shape for that.",
            "A residual is a length, in pixels: one number a point, from two components.",
        ),
    ),
    "01.3": Exercise(
        _mended_normalise,
        (
            "One mistake is a leak: which pairs does streams.mean() look at?",
            "The other mixes pixels with strain, which has no unit. Over which axes does a mean leave three numbers?",
            "keepdims lets a result of three numbers be taken from [N, 3, 28, 28].",
        ),
    ),
}
