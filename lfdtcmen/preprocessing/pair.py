"""From two frames to the network's input: onset, aligned apex, the flow between them, and its streams.

There are two entries. :func:`pair_from_frames` starts from frames as filmed and finds the face in them;
:func:`pair_from_faces` starts from faces that are cut out already (the synthetic ones). Both end in the same function.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from lfdtcmen.preprocessing.align import align_faces, estimate_head_motion, remove_head_motion
from lfdtcmen.preprocessing.apex import spot_apex
from lfdtcmen.preprocessing.faces import Detector
from lfdtcmen.preprocessing.flow import to_streams, tvl1


@dataclass(frozen=True)
class AlignedPair:
    """An onset and an apex that differ by the motion of the muscles only, and that motion (3.1.1, 3.3.2).

    ``onset`` and ``apex`` uint8 [H, W, 3]; ``flow`` from one to the other, float32 [2, H, W], x then y, pixels;
    ``streams`` U, V and strain, float32 [3, 28, 28]; ``transform`` float64 [2, 3] from a point of the aligned apex to
    that of the apex frame as given; ``landmarks`` on the onset, [5, 2], None where they are not known;
    ``apex_index`` the position of the apex among the given frames; ``note`` that of
    :class:`~lfdtcmen.preprocessing.align.AlignedClip`.
    """

    onset: np.ndarray
    apex: np.ndarray
    flow: np.ndarray
    streams: np.ndarray
    transform: np.ndarray
    landmarks: np.ndarray | None
    apex_index: int = 1
    note: str = ""


def pair_from_frames(
    frames: Iterable[np.ndarray],
    detector: Detector | None = None,
    numbers: Sequence[int] | None = None,
    find_apex: bool = False,
    alignment: str = "similarity",
) -> AlignedPair:
    """Find the face on the onset frame, align the apex frame with it, and measure the motion (3.1.1, 3.3.2).

    Parameters
    ----------
    frames, detector, numbers
        As for :func:`~lfdtcmen.preprocessing.align.align_faces`. The first frame is the onset.
    find_apex : bool, default False
        Spot the apex among the frames; by default, the last frame is the apex.
    alignment : {"similarity", "nose"}
        ``method`` of :func:`~lfdtcmen.preprocessing.align.align_faces`.

    Returns
    -------
    AlignedPair
        Frames of 128 x 128 pixels.

    Raises
    ------
    DataError
        As :func:`~lfdtcmen.preprocessing.align.align_faces`; fewer than two frames to spot the apex in.
    """
    clip = align_faces(frames, detector, numbers=numbers, method=alignment)
    apex = spot_apex(clip.frames) if find_apex else len(clip.frames) - 1
    return _measure_pair(
        clip.frames[0], clip.frames[apex], clip.transforms[apex], clip.landmarks, apex_index=apex, note=clip.note
    )


def pair_from_faces(
    onset: np.ndarray, apex: np.ndarray, landmarks: np.ndarray | None = None, alignment: str = "similarity"
) -> AlignedPair:
    """Register the apex face on the onset face, and measure the motion (3.1.1, 3.3.2).

    Parameters
    ----------
    onset, apex, landmarks
        As for :func:`~lfdtcmen.preprocessing.align.estimate_head_motion`; frames in colour.
    alignment : {"similarity", "nose"}
        ``method`` of that function.

    Returns
    -------
    AlignedPair
        The onset as it was given.

    Raises
    ------
    DataError
        As :func:`~lfdtcmen.preprocessing.align.estimate_head_motion`.
    """
    similarity = estimate_head_motion(onset, apex, landmarks, alignment)  # [2, 3]
    registered = remove_head_motion(onset, apex, landmarks, similarity)  # [H, W, 3]
    return _measure_pair(onset, registered, similarity, landmarks)


def _measure_pair(
    onset: np.ndarray,
    apex: np.ndarray,
    transform: np.ndarray,
    landmarks: np.ndarray | None,
    apex_index: int = 1,
    note: str = "",
) -> AlignedPair:
    flow = tvl1(onset, apex)  # [2, H, W]
    return AlignedPair(onset, apex, flow, to_streams(flow), transform, landmarks, apex_index, note)
