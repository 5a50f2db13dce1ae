"""Whether the motion of an aligned face looks like a turn of the head instead of an expression (assumed, ours).

Alignment (3.1.1) removes shift, rotation and scale of the picture. A head that turns or nods leaves more: what stands
out towards the camera, the nose above all, moves further than the temples. Muscles move the skin in spots.
"""

from dataclasses import dataclass

import numpy as np

from lfdtcmen.errors import DataError
from lfdtcmen.preprocessing.align import CANONICAL, SIZE
from lfdtcmen.preprocessing.flow import check_flow

HEAD = (46.0, 58.0)  # pixels: half the width and half the height of the head, an ellipsoid, in the aligned frame
HEAD_MIDDLE = 4.0  # pixels: how far above the nose tip the middle of the ellipsoid lies
NOSE = (8.0, 10.0)  # pixels: how wide and high the bump of the nose is on it
INSIDE = 0.7  # of the ellipse, squared radius: nearer to its edge there are hair and background
STEP = 4  # pixels between the points of the fit

# Chosen on rendered pairs of three seeds. Of pairs of three other seeds it warned of: 58 of 58 turns of 3 degrees or
# more and 8 of 17 smaller ones; 1 of 75 expressions, 1 of 75 blinks, 1 of 75 heads at rest; 5 of 25 expressions that
# move the skin as far as the turn under them or further, and 26 of 28 that move it less than half as far.
LEAST_SHARE = 0.75  # of the motion, squared, that fits a turn
LEAST_LENGTH = 0.15  # pixels, root mean square of the fitted motion: less is what alignment and noise leave


@dataclass(frozen=True)
class HeadTurn:
    """How well a turn of the head explains a flow: ``share`` of its squared length, ``length`` in pixels (RMS)."""

    share: float
    length: float

    @property
    def is_likely(self) -> bool:
        """Whether a turn explains most of the motion, and is more than noise."""
        return self.share > LEAST_SHARE and self.length > LEAST_LENGTH


def measure_turn(flow: np.ndarray) -> HeadTurn:
    """Fit the motion of a rigid head to the flow of an aligned face.

    Eight fields are fitted by least squares: the four of a similarity, and a shift along x and along y that grows with
    the height of an ellipsoid, and with that of a nose on it. The second kind is what a small turn does to a head seen
    from the front: a point of height z moves by z times the angle.

    Parameters
    ----------
    flow : ndarray
        Onset to registered apex, x then y, pixels, [2, 128, 128].

    Returns
    -------
    HeadTurn

    Raises
    ------
    DataError
        No flow field, one of another size, or one with values that are not finite.
    """
    flow = check_flow(flow).astype(np.float64)
    if flow.shape[1:] != (SIZE, SIZE):
        raise DataError(
            f"the flow is {list(flow.shape)}", "measure_turn", f"give that of an aligned {SIZE}x{SIZE} face"
        )
    y, x = (axis.ravel() for axis in np.mgrid[0:SIZE:STEP, 0:SIZE:STEP])
    nose = CANONICAL[2]
    across, down = (x - nose[0]) / HEAD[0], (y - nose[1] + HEAD_MIDDLE) / HEAD[1]
    inside = across**2 + down**2 < INSIDE
    x, y, across, down = x[inside], y[inside], across[inside], down[inside]  # [P]
    height = np.sqrt(1 - across**2 - down**2)
    bump = np.exp(-0.5 * (((x - nose[0]) / NOSE[0]) ** 2 + ((y - nose[1]) / NOSE[1]) ** 2))
    one, zero = np.ones_like(height), np.zeros_like(height)
    columns = [(x - nose[0], y - nose[1]), (nose[1] - y, x - nose[0])]  # growing, and rotating
    for field in (one, height, bump):
        columns += [(field, zero), (zero, field)]
    fields = np.stack([np.concatenate(column) for column in columns], axis=1)  # [2P, 8]
    motion = np.concatenate([flow[0, y, x], flow[1, y, x]])
    fitted = fields @ np.linalg.lstsq(fields, motion, rcond=None)[0]
    total = motion @ motion
    share = 1 - float(((motion - fitted) ** 2).sum() / total) if total > 0 else 0.0
    return HeadTurn(share, float(np.sqrt(2 * (fitted**2).mean())))
