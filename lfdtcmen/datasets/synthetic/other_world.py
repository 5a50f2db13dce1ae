"""Another world of synthetic faces: a stand-in for real people, on whom a network is scored without training.

**Nothing may be tuned on it.** It is held out from development: whoever chooses a training, a loss or a preset by the
scores of this set has no stand-in left. Everything that can differ between two data sets differs from the other
synthetic faces: proportions, skin, hair and glasses, room and light, a grey camera of 200 frames a second without JPEG,
crops, amplitudes, how people use their muscles, and which units come with which emotion. All of it is assumed.
"""

from dataclasses import replace

import numpy as np

from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.datasets.synthetic.action_units import Muscles
from lfdtcmen.datasets.synthetic.dataset import Contents, check_label_map, make_contents
from lfdtcmen.datasets.synthetic.emotions import EMOTIONS, Prototypes
from lfdtcmen.datasets.synthetic.identity import Identity, sample_identity
from lfdtcmen.datasets.synthetic.plan import OTHER_WORLD_BLOCK, SUBJECTS_PER_BLOCK, check_subjects, plan_clips
from lfdtcmen.datasets.synthetic.randomness import check_seed, subject_rng
from lfdtcmen.datasets.synthetic.renderer import Face
from lfdtcmen.datasets.synthetic.sequences import Subject, sample_style
from lfdtcmen.datasets.synthetic.settings import Settings
from lfdtcmen.datasets.synthetic.surface import Studio

CLIPS_PER_PERSON = 6
# more negative than positive and surprise, as in all real sets, but less than in CAS(ME)^3
SHARES = dict(zip(EMOTIONS, (0.22, 0.18, 0.06, 0.22, 0.08, 0.14, 0.10), strict=True))

OTHER_SETTINGS = Settings(
    intensity=0.42,
    intensity_spread=0.75,
    style_gain=0.60,
    style_rotation=0.30,
    style_width=0.25,
    asymmetry=0.28,
    extra_units=0.05,
    label_noise=0.03,
    shift=0.7,
    rotation=0.4,
    scale=0.008,
    yaw=1.4,
    pitch=0.6,
    blinks=0.06,
    glances=0.25,
    flicker=0.004,
    flicker_gradient=0.012,
    zoom=1.12,
    sensor_noise=0.030,
    resolution=120,
    jpeg=0,
    blur=0.7,
    colour=0.0,
    gain=0.9,
    gamma=1.25,
    fps=200.0,
    crop_shift=1.1,
    crop_rotation=1.8,
    crop_scale=0.03,
    turn=3.0,
    light_level=0.08,
    light_gradient=0.12,
    tone=(0.20, 0.70),
    studio=Studio(background=(0.20, 0.20, 0.20), ambient=0.48, side_light=0.7, light_y=-0.65, clutter=0.04),
)

# emotion -> {action unit: (how often it is shown, how strong it is relative to the others)}
OTHER_PROTOTYPES: Prototypes = {
    "happiness": {12: (0.75, 1.0), 6: (0.40, 1.0), 7: (0.30, 0.6), 14: (0.10, 0.6), 10: (0.06, 0.5)},
    "surprise": {1: (0.70, 0.9), 2: (0.75, 1.0), 5: (0.40, 0.7), 25: (0.15, 0.8), 26: (0.10, 0.7), 4: (0.06, 0.5)},
    "sadness": {1: (0.40, 1.0), 4: (0.60, 0.8), 15: (0.40, 0.9), 17: (0.45, 0.9), 14: (0.15, 0.7), 24: (0.10, 0.6)},
    "disgust": {4: (0.65, 0.8), 7: (0.45, 0.9), 9: (0.25, 0.9), 10: (0.35, 1.0), 17: (0.20, 0.8), 6: (0.06, 0.5)},
    "anger": {4: (0.85, 1.0), 7: (0.40, 0.6), 5: (0.10, 0.7), 23: (0.20, 0.9), 24: (0.30, 0.8), 17: (0.25, 0.7)},
    "fear": {1: (0.55, 1.0), 2: (0.50, 0.7), 4: (0.50, 0.9), 5: (0.20, 0.8), 20: (0.35, 1.0), 25: (0.20, 0.5)},
    "contempt": {14: (0.80, 0.9), 12: (0.15, 0.7), 17: (0.15, 0.5), 2: (0.06, 0.5)},
}


def make_other_world(
    subjects: int = 100, label_map: str = "3class", seed: int = 0, n_jobs: int = 1, progress: bool = False
) -> PairSet:
    """Render the other world, or load it if it was rendered before. Nothing may be tuned on it: score it, once.

    Parameters
    ----------
    subjects : int
        How many people; none of them is in any other set. Each shows six clips on average.
    label_map, seed, n_jobs, progress
        As for :func:`lfdtcmen.datasets.synthetic.make_dataset`.

    Returns
    -------
    PairSet
        As of :func:`lfdtcmen.datasets.synthetic.make_dataset`; ``manifest`` says ``other_world`` as the data set.

    Raises
    ------
    DataError
        Unknown label map; fewer than 2 subjects or more than 1000; a seed that is negative.
    """
    check_label_map(label_map)
    check_subjects(subjects)
    check_seed(seed)
    first = OTHER_WORLD_BLOCK * SUBJECTS_PER_BLOCK
    counts = {emotion: max(1, round(share * CLIPS_PER_PERSON * subjects)) for emotion, share in SHARES.items()}
    plan = plan_clips(counts, subjects, seed, first)
    contents = Contents(OTHER_SETTINGS, plan, seed, first, "other_world", make_person)
    return make_contents(contents, "other_world", label_map, n_jobs, progress)


def make_person(seed: int, subject: int, settings: Settings) -> Subject:
    """Make one person of the other world."""
    rng = subject_rng(seed, subject)
    face = Face(_change_looks(sample_identity(rng, settings.tone), rng), settings.studio)
    return Subject(face, Muscles(face.anatomy, sample_style(settings, rng)), OTHER_PROTOTYPES)


def _change_looks(p: Identity, rng: np.random.Generator) -> Identity:
    """Return the looks with other proportions: wider faces and noses, fuller lips, other eyes, brows and skin."""

    def spread(value: float, factor: float, noise: float) -> float:
        return value * factor * float(np.exp(noise * rng.standard_normal()))

    return replace(
        p,
        face_width=spread(p.face_width, 1.04, 0.02),
        jaw=spread(p.jaw, 1.12, 0.05),
        chin=p.chin - 2 + 1.5 * rng.standard_normal(),
        eye_width=spread(p.eye_width, 1.06, 0.04),
        eye_height=spread(p.eye_height, 0.90, 0.10),
        eye_tilt=p.eye_tilt - 0.06,
        crease=0.5 * p.crease,
        brow_height=p.brow_height + 1.2 + 0.8 * rng.standard_normal(),
        brow_reach=p.brow_reach - 1.2,
        brow_thickness=spread(p.brow_thickness, 1.2, 0.15),
        nose_width=spread(p.nose_width, 1.16, 0.06),
        nose_height=spread(p.nose_height, 0.85, 0.10),
        nose_y=p.nose_y + 0.8 * rng.standard_normal(),
        mouth_y=p.mouth_y + 0.8 * rng.standard_normal(),
        upper_lip=spread(p.upper_lip, 1.25, 0.10),
        lower_lip=spread(p.lower_lip, 1.20, 0.10),
        mouth_width=spread(p.mouth_width, 1.05, 0.05),
        texture=p.texture + 0.8,
        freckles=0.0,
        moles=p.moles + int(rng.poisson(1.0)),
        oil=0.5 * p.oil,
        folds=p.folds + 0.3,
        hair_colour=int(rng.choice(4, p=[0.70, 0.15, 0.05, 0.10])),
        hairline=p.hairline - 2,
        asymmetry=p.asymmetry + 0.6,
    )
