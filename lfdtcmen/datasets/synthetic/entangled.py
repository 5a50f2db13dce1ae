"""Faces on which *who* and *what* are entangled by a known degree: the problem that the paper's separation is to solve.

On the other synthetic sets a person's looks say nothing about the emotion, so a method that learns the person instead
of the motion loses nothing there. In life it does: some people show one emotion more often than others, some look angry
or sad at rest, and one emotion is filmed in one session, in one light. Here all three grow with one number. A random
split into training and test then scores too high, since the people are known; a split by person does not.
"""

from dataclasses import dataclass

import numpy as np

from lfdtcmen.datasets.manifest import map_emotion
from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.datasets.synthetic.dataset import Contents, check_label_map, make_contents
from lfdtcmen.datasets.synthetic.emotions import EMOTIONS, sample_action_units
from lfdtcmen.datasets.synthetic.plan import (
    CASME3_SUBJECTS,
    ENTANGLED_BLOCK,
    SUBJECTS_PER_BLOCK,
    WILD_COUNTS,
    check_subjects,
    scale_counts,
)
from lfdtcmen.datasets.synthetic.randomness import check_seed, plan_rng, subject_rng
from lfdtcmen.datasets.synthetic.sequences import Subject, make_subject
from lfdtcmen.datasets.synthetic.settings import Settings, get_settings
from lfdtcmen.errors import DataError

REST = 3.0  # at degree 1, how many times stronger than a micro-expression a face at rest resembles an expression
SESSION_LIGHT = (0.10, 0.15, 0.15)  # at degree 1, spread of brightness and its two gradients between sessions


def make_entangled(
    degree: float,
    subjects: int = CASME3_SUBJECTS,
    label_map: str = "3class",
    seed: int = 0,
    n_jobs: int = 1,
    progress: bool = False,
) -> PairSet:
    """Render faces like those of the preset ``standard`` with who and what entangled, or load them from the cache.

    Parameters
    ----------
    degree : float
        0: independent, as in the other sets; 1: each person shows one class alone. Between them, this share of the
        clips is of the person's own class, the others are dealt at random. The face at rest of each person resembles
        some expression, whatever the own class is, and each session (the clips of one person and class) has its light;
        both grow with the degree.
    subjects : int
        How many people; none of them is in any other set. Each shows seven clips; the three classes are equally
        frequent.
    label_map, seed, n_jobs, progress
        As for :func:`lfdtcmen.datasets.synthetic.make_dataset`.

    Returns
    -------
    PairSet
        As of :func:`lfdtcmen.datasets.synthetic.make_dataset`; ``manifest`` says ``entangled`` as the data set.

    Raises
    ------
    DataError
        A degree that is not in [0, 1]; unknown label map; fewer than 2 subjects or more than 1000; a negative seed.
    """
    if not 0 <= degree <= 1:
        raise DataError(f"degree {degree!r} is not in [0, 1]", "make_entangled", "use 0 for none, 1 for all")
    check_label_map(label_map)
    check_subjects(subjects)
    check_seed(seed)
    first = ENTANGLED_BLOCK * SUBJECTS_PER_BLOCK
    plan = plan_entangled(degree, subjects, plan_rng(seed, first))
    contents = Contents(get_settings(), plan, seed, first, "entangled", Entangled(float(degree)))
    return make_contents(contents, f"entangled-{degree:g}", label_map, n_jobs, progress)


def plan_entangled(degree: float, subjects: int, rng: np.random.Generator) -> list[list[str]]:
    """Return the emotions of each person, of whose clips the share ``degree`` is of the own class.

    First each person has clips of one class alone, as far as the counts allow; then the other clips are exchanged at
    random among all people.
    """
    counts = scale_counts(WILD_COUNTS, subjects / CASME3_SUBJECTS)
    dealt = []
    for number in range(3):
        of_class = [e for e in EMOTIONS if map_emotion(e, "3class") == number for _ in range(counts[e])]
        dealt += rng.permutation(of_class).tolist()
    exchanged = np.flatnonzero(rng.random(len(dealt)) >= degree)
    clips = np.array(dealt)
    clips[exchanged] = clips[rng.permutation(exchanged)]
    people = np.array_split(clips, subjects)
    return [rng.permutation(people[k]).tolist() for k in rng.permutation(subjects)]


@dataclass(frozen=True)
class Entangled:
    """Makes the people of one degree: ``make_person`` of :class:`~lfdtcmen.datasets.synthetic.dataset.Contents`."""

    degree: float

    def __call__(self, seed: int, subject: int, settings: Settings) -> Subject:
        person = make_subject(seed, subject, settings)
        rng = np.random.default_rng([*subject_rng(seed, subject).integers(2**32, size=2), ENTANGLED_BLOCK])
        emotion = EMOTIONS[rng.integers(len(EMOTIONS))]
        person.rest = self.degree * REST * sample_action_units(emotion, person.muscles.style, settings, rng)
        lights = {k: self.degree * np.array(SESSION_LIGHT) * rng.standard_normal(3) for k in range(3)}
        person.lights = {e: tuple(lights[map_emotion(e, "3class")].tolist()) for e in EMOTIONS}
        return person
