"""Optical flow between onset and apex, and its strain (3.3.2).

Axes: ``flow[0]`` is U, the displacement along x (columns), and ``flow[1]`` is V, along y (rows), both in pixels, such
that ``onset(x, y)`` moves to ``apex(x + U, y + V)``.
"""

from collections.abc import Mapping

import cv2
import numpy as np

from lfdtcmen.errors import DataError

STREAM_SIZE = 28  # pixels (assumed: as in STSTNet and its followers, the usual source of this design)

# TV-L1 as in [40]; every value is assumed, the paper names the algorithm only. A small lambda gives a smooth flow:
# the motion of skin is smooth, and camera noise is not.
TVL1_SETTINGS = {
    "Lambda": 0.06,  # weight of brightness constancy against smoothness, for grey values 0-255
    "ScalesNumber": 4,  # a micro-expression moves a few pixels at most
    "WarpingsNumber": 3,
    "OuterIterations": 5,
    "Epsilon": 0.02,  # stop when the flow changes by less
}


def tvl1(onset: np.ndarray, apex: np.ndarray) -> np.ndarray:
    """Return the TV-L1 optical flow from onset to apex (3.3.2).

    Parameters
    ----------
    onset, apex : ndarray
        RGB frames, uint8 [H, W, 3], or grey frames, uint8 [H, W].

    Returns
    -------
    ndarray
        Flow, float32 [2, H, W]: x then y, pixels.

    Raises
    ------
    DataError
        The frames are not uint8, differ in shape, or are smaller than 16 pixels.
    """
    first, second = check_frame(onset, "onset"), check_frame(apex, "apex")
    if first.shape != second.shape:
        raise DataError(f"onset is {list(first.shape)} but apex is {list(second.shape)}", "tvl1", "crop both alike")
    flow = make_solver(TVL1_SETTINGS).calc(first, second, None)  # type: ignore[call-overload]  # [H, W, 2]
    return np.ascontiguousarray(flow.transpose(2, 0, 1), dtype=np.float32)  # [2, H, W]


def make_solver(settings: Mapping[str, float]) -> cv2.optflow.DualTVL1OpticalFlow:
    """Return OpenCV's solver of TV-L1 with settings such as :data:`TVL1_SETTINGS`."""
    solver = cv2.optflow.DualTVL1OpticalFlow.create()
    for name, value in settings.items():
        getattr(solver, f"set{name}")(value)
    return solver


def strain(flow: np.ndarray) -> np.ndarray:
    """Return the optical strain: how much the skin deforms, independent of head motion (3.3.2).

    The strain tensor is the symmetric part of the flow's gradient,
    ``e = [[ux, (uy + vx) / 2], [(uy + vx) / 2, vy]]``, and its magnitude
    ``sqrt(ux^2 + vy^2 + 2 ((uy + vx) / 2)^2)``. A shift and a (small) rotation have none;
    a stretch ``u = a x`` has ``a``; a shear ``u = g y`` has ``g / sqrt(2)``.

    Parameters
    ----------
    flow : ndarray
        x then y, pixels, [2, H, W].

    Returns
    -------
    ndarray
        Strain magnitude, [H, W], without unit, in the dtype of ``flow``.

    Raises
    ------
    DataError
        Wrong shape, or a value that is not finite.
    """
    flow = check_flow(flow)
    # np.gradient differentiates along axis 0 first, which is y; public code often mistakes the pair for (x, y)
    uy, ux = np.gradient(flow[0].astype(np.float64))
    vy, vx = np.gradient(flow[1].astype(np.float64))
    return np.sqrt(ux**2 + vy**2 + 0.5 * (uy + vx) ** 2).astype(flow.dtype)


def to_streams(flow: np.ndarray) -> np.ndarray:
    """Return U, V and strain as the small images that the flow branch takes (3.3.2).

    Strain is computed at full resolution, then all three are averaged down. They stay in pixels: the network
    normalises them by constants that come from training subjects only.

    Parameters
    ----------
    flow : ndarray
        x then y, pixels, [2, H, W].

    Returns
    -------
    ndarray
        float32 [3, 28, 28].
    """
    flow = check_flow(flow).astype(np.float32)
    components = [flow[0], flow[1], strain(flow)]
    size = (STREAM_SIZE, STREAM_SIZE)
    return np.stack([cv2.resize(c, size, interpolation=cv2.INTER_AREA) for c in components])


def check_frame(frame: np.ndarray, where: str) -> np.ndarray:
    """Return a frame in grey, uint8 [H, W]; raises DataError if it is no frame."""
    if not isinstance(frame, np.ndarray) or frame.dtype != np.uint8:
        raise DataError(
            f"a frame must be a uint8 array, got {getattr(frame, 'dtype', type(frame).__name__)}",
            where,
            "give pixel values 0-255 as np.uint8",
        )
    if frame.ndim == 3 and frame.shape[2] == 3:
        frame = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
    if frame.ndim != 2:
        raise DataError(f"a frame must be [H, W, 3] or [H, W], got {list(frame.shape)}", where)
    if min(frame.shape) < 16:
        raise DataError(f"a frame must be 16x16 pixels or more, got {list(frame.shape)}", where, "resize to 128x128")
    return frame


def check_flow(flow: np.ndarray) -> np.ndarray:
    """Return a flow field [2, H, W] of floats; raises DataError if it is none."""
    flow = np.asarray(flow)
    if flow.ndim != 3 or flow.shape[0] != 2 or min(flow.shape[1:]) < 2:
        raise DataError(f"flow must be [2, H, W] (x then y), got {list(flow.shape)}", "flow")
    if not np.issubdtype(flow.dtype, np.floating):
        raise DataError(f"flow must be floating point, got {flow.dtype}", "flow")
    if not np.isfinite(flow).all():
        raise DataError("flow holds values that are NaN or infinite", "flow", "look for unreadable frames")
    return flow
