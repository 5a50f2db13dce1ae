"""Every motion on every identity: the truth that a swap of motion codes is compared with, and swaps to learn from."""

from dataclasses import asdict, dataclass, fields

import numpy as np
from joblib import delayed
from tqdm.auto import tqdm

from lfdtcmen.datasets.synthetic.action_units import ACTION_UNITS, Muscles, Style, to_intensity
from lfdtcmen.datasets.synthetic.camera import take_picture
from lfdtcmen.datasets.synthetic.emotions import EMOTIONS, sample_action_units
from lfdtcmen.datasets.synthetic.plan import COUNTERFACTUAL_BLOCK, SUBJECTS_PER_BLOCK
from lfdtcmen.datasets.synthetic.randomness import check_seed, clip_rng
from lfdtcmen.datasets.synthetic.renderer import RENDERER_VERSION
from lfdtcmen.datasets.synthetic.sequences import make_subject, sample_pose
from lfdtcmen.datasets.synthetic.settings import Settings, get_settings
from lfdtcmen.datasets.synthetic.storage import CACHE_VERSION, cache_path, load_or_render
from lfdtcmen.errors import DataError
from lfdtcmen.progress import hidden
from lfdtcmen.threads import one_cv2_thread
from lfdtcmen.workers import parallel

FIRST_IDENTITY = COUNTERFACTUAL_BLOCK * SUBJECTS_PER_BLOCK
FIRST_SWAP_SEED = 1_000_000  # seed of the first group of swaps: far from any seed of a data set
SWAP_GROUP_SIZE = 8  # people, and motions, in a group of swaps


@dataclass(frozen=True)
class Counterfactuals:
    """Every motion on every identity: what a swap of motion codes should give.

    Onset and apex differ by the motion alone: no head motion, no change of light. The ``clean`` frames have no sensor
    noise and no JPEG either. I identities, M motions.
    """

    onset: np.ndarray  # uint8 [I, SIZE, SIZE, 3]
    onset_clean: np.ndarray
    apex: np.ndarray  # uint8 [I, M, SIZE, SIZE, 3]
    apex_clean: np.ndarray
    emotions: tuple[str, ...]  # of the motions [M]; of single action units their names, such as "AU12"
    action_units: np.ndarray  # of the motions, float32 [M, len(ACTION_UNITS), 2]
    landmarks: np.ndarray  # on the onsets, float32 [I, 5, 2]


def make_counterfactuals(
    preset: str = "standard", seed: int = 0, identities: int = 16, motions: int = 8, domain: str = "casme3"
) -> Counterfactuals:
    """Render every motion on every identity, with and without camera noise.

    The identities are in none of the data sets; all of them use their muscles in the same, average way, so that a
    motion is the same motion on each.

    Parameters
    ----------
    preset, seed, domain
        As for :func:`make_dataset`.
    identities, motions : int
        How many. The motions go through the emotions in turn.

    Raises
    ------
    DataError
        Unknown preset or domain, or fewer than one identity or motion.
    """
    settings = get_settings(preset, domain)
    if identities < 1 or motions < 1:
        raise DataError("there must be an identity and a motion", "make_counterfactuals", "ask for 1 or more of each")
    check_seed(seed)
    emotions = tuple(EMOTIONS[m % len(EMOTIONS)] for m in range(motions))
    style = Style.neutral()
    units = [sample_action_units(e, style, settings, clip_rng(seed, FIRST_IDENTITY, m)) for m, e in enumerate(emotions)]
    return _render_motions(seed, identities, emotions, units, settings)


def make_unit_counterfactuals(
    preset: str = "standard", seed: int = 0, identities: int = 16, domain: str = "casme3"
) -> Counterfactuals:
    """Render each action unit alone on every identity, on both sides, as strong as the preset's median clip.

    The identities are those of :func:`make_counterfactuals` with the same seed.

    Parameters
    ----------
    preset, seed, identities, domain
        As for :func:`make_counterfactuals`.

    Raises
    ------
    DataError
        Unknown preset or domain, or fewer than one identity.
    """
    settings = get_settings(preset, domain)
    if identities < 1:
        raise DataError("there must be an identity", "make_unit_counterfactuals", "ask for 1 or more")
    check_seed(seed)
    units = [to_intensity({unit: settings.intensity}) for unit in ACTION_UNITS]
    return _render_motions(seed, identities, tuple(f"AU{unit}" for unit in ACTION_UNITS), units, settings)


def _render_motions(
    seed: int, identities: int, names: tuple[str, ...], units: list[np.ndarray], settings: Settings
) -> Counterfactuals:
    """Render the motions of the given action units on every identity."""
    identity_numbers = range(FIRST_IDENTITY, FIRST_IDENTITY + identities)
    rows = [_render_identity(seed, number, units, settings) for number in identity_numbers]
    return Counterfactuals(
        **{name: np.stack([row[name] for row in rows]) for name in rows[0]},
        emotions=names,
        action_units=np.stack(units).astype(np.float32),
    )


def _render_identity(seed: int, number: int, units: list[np.ndarray], settings: Settings) -> dict[str, np.ndarray]:
    """Return one identity's onset and apexes, noisy and clean, and its landmarks."""
    face = make_subject(seed, number, settings).face
    muscles, rng = Muscles(face.anatomy), clip_rng(seed, number, 0)
    at = sample_pose(settings, rng)
    rendered = [face.frame(muscles.expression(u), at) for u in [np.zeros_like(units[0]), *units]]
    clean = [take_picture(image, settings, None) for image in rendered]
    noisy = [take_picture(image, settings, rng) for image in rendered]
    return {
        "onset": noisy[0],
        "onset_clean": clean[0],
        "apex": np.stack(noisy[1:]),
        "apex_clean": np.stack(clean[1:]),
        "landmarks": face.landmarks(at),
    }


@dataclass(frozen=True)
class Swaps:
    """Groups of people who all show the same motions: counterfactuals for training, with other people.

    Fields as in :class:`Counterfactuals`, with a first axis for the group.
    """

    onset: np.ndarray  # uint8 [G, I, SIZE, SIZE, 3]
    onset_clean: np.ndarray
    apex: np.ndarray  # uint8 [G, I, M, SIZE, SIZE, 3]
    apex_clean: np.ndarray
    action_units: np.ndarray  # float32 [G, M, len(ACTION_UNITS), 2]


def make_swaps(
    preset: str = "standard", groups: int = 60, n_jobs: int = 1, domain: str = "casme3", progress: bool = False
) -> Swaps:
    """Render groups of eight people who show the same eight motions, or load them if they were rendered before.

    Parameters
    ----------
    preset, n_jobs, domain, progress
        As for :func:`make_dataset`.
    groups : int
        60 are 480 people, 480 motions and 3840 apexes, in about two minutes on two cores.

    Raises
    ------
    DataError
        Unknown preset or domain, or no group.
    """
    settings = get_settings(preset, domain)
    if groups < 1:
        raise DataError(f"{groups} groups of swaps", "make_swaps", "ask for one or more")
    names = [field.name for field in fields(Swaps)]

    def render() -> dict[str, np.ndarray]:
        jobs = (delayed(_render_group)(preset, FIRST_SWAP_SEED + group, domain) for group in range(groups))
        rendered = parallel(n_jobs=n_jobs, return_as="generator")(jobs)
        parts = list(tqdm(rendered, f"rendering {preset} swaps", total=groups, unit="group", disable=hidden(progress)))
        return {name: np.stack([getattr(group, name) for group in parts]) for name in names}

    inputs = [
        *(asdict(settings), groups, FIRST_SWAP_SEED, SWAP_GROUP_SIZE, RENDERER_VERSION, CACHE_VERSION),
        "action units",
    ]
    path = cache_path(f"{preset}-{domain}-swaps-{groups}", inputs)
    axes = {name: (-3, -2) for name in names if name != "action_units"}
    return Swaps(**load_or_render(path, axes, render))


def _render_group(preset: str, seed: int, domain: str) -> Counterfactuals:
    with one_cv2_thread():
        return make_counterfactuals(preset, seed, SWAP_GROUP_SIZE, SWAP_GROUP_SIZE, domain)
