"""Lengths of the synthetic faces compared with those of adults.

The norms are those of young North American adults, 109 men and 200 women of 18 to 30 years (Farkas, Anthropometry of
the Head and Face, 2nd edition, Raven 1994; Farkas et al., International anthropometric study of facial morphology,
Journal of Craniofacial Surgery 16, 2005), men and women in equal parts. Other populations differ by up to two of their
standard deviations (nose and lips; Virdi, Wertheim and Naini, Maxillofacial Plastic and Reconstructive Surgery 41,
2019). A face's own unit is the distance between its pupils, which counts as 63 mm.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from lfdtcmen.datasets.synthetic.anatomy import find_anchors
from lfdtcmen.datasets.synthetic.canvas import MIDDLE
from lfdtcmen.datasets.synthetic.identity import Identity, sample_identity
from lfdtcmen.datasets.synthetic.randomness import subject_rng

PUPIL_DISTANCE = 63.0  # mm, of an adult

FARKAS = "Farkas 1994; Farkas et al. 2005"
ASSUMED = "assumed: beyond the outer corner of the eye"


class Norm(NamedTuple):
    """Length in adults, mm: mean and standard deviation of men and of women."""

    men: tuple[float, float]
    women: tuple[float, float]
    source: str = FARKAS

    @property
    def mean(self) -> float:
        """Mean of men and women in equal parts."""
        return (self.men[0] + self.women[0]) / 2

    @property
    def spread(self) -> float:
        """Standard deviation of men and women in equal parts."""
        within = (self.men[1] ** 2 + self.women[1] ** 2) / 2
        return float(np.sqrt(within + (self.men[0] - self.women[0]) ** 2 / 4))


# in brackets: the landmarks of anthropometry
NORMS = {
    "width of the face (zy-zy)": Norm((139.1, 5.3), (130.0, 4.6)),
    "between the inner corners of the eyes (en-en)": Norm((33.3, 2.7), (31.8, 2.3)),
    "between the outer corners of the eyes (ex-ex)": Norm((91.2, 3.0), (87.8, 3.2)),
    "width of an eye (en-ex)": Norm((31.3, 1.2), (30.7, 1.2)),
    "width of the nose (al-al)": Norm((34.9, 2.1), (31.4, 2.0)),
    "width of the mouth (ch-ch)": Norm((54.5, 3.0), (50.2, 3.5)),
    "hairline to root of the nose (tr-n)": Norm((67.1, 7.5), (63.0, 6.0)),
    "height of the nose (n-sn)": Norm((54.8, 3.3), (50.6, 3.1)),
    "height of the upper lip (sn-sto)": Norm((22.3, 2.1), (20.1, 2.0)),
    "nose to chin (sn-gn)": Norm((72.6, 4.5), (64.3, 4.0)),
    "height of the face (n-gn)": Norm((124.7, 5.7), (111.4, 4.8)),
    "midline to outer end of the brow": Norm((50.4, 3.0), (50.4, 3.0), ASSUMED),
}


def measure_lengths(p: Identity) -> dict[str, float]:
    """Return the lengths of a face that NORMS has, in mm where its pupils are 63 mm apart."""
    anchors = find_anchors(p)
    nasion, subnasal = anchors["nasion", 0][1], anchors["subnasal", 0][1]
    outer = anchors["eye outer", 1][0] - MIDDLE
    eye = 2 * p.eye_width
    pixels = (
        *(2 * p.face_width, 2 * (outer - eye), 2 * outer, eye, 2 * p.nose_width, 2 * p.mouth_width),
        *(nasion - p.hairline, subnasal - nasion, p.mouth_y - subnasal, p.chin - subnasal, p.chin - nasion),
        anchors["brow outer", 1][0] - MIDDLE,
    )
    scale = PUPIL_DISTANCE / (2 * p.eye_x)
    return {name: scale * length for name, length in zip(NORMS, pixels, strict=True)}


def proportion_table(people: int = 200, seed: int = 0) -> pd.DataFrame:
    """Compare the synthetic faces with adults.

    Parameters
    ----------
    people : int
        How many synthetic faces are measured.
    seed : int
        Seed of the data set whose first subjects they are.

    Returns
    -------
    DataFrame
        One row a length. ``length``; ``synthetic`` and ``synthetic_sd``, mean and standard deviation of the synthetic
        faces; ``norm`` and ``norm_sd``, those of adults, all in mm where pupils are 63 mm apart; ``in_eye_distances``,
        the mean of the synthetic faces in units of the distance between the pupils; ``difference``, of the means, in
        standard deviations of adults; ``source``.
    """
    faces = [measure_lengths(sample_identity(subject_rng(seed, number))) for number in range(people)]
    ours = pd.DataFrame(faces)
    mean, spread = ours.mean().to_numpy(), ours.std(ddof=0).to_numpy()
    norms = list(NORMS.values())
    norm, norm_spread = np.array([n.mean for n in norms]), np.array([n.spread for n in norms])
    return pd.DataFrame(
        {
            "length": list(NORMS),
            "synthetic": mean,
            "synthetic_sd": spread,
            "norm": norm,
            "norm_sd": norm_spread,
            "in_eye_distances": mean / PUPIL_DISTANCE,
            "difference": (mean - norm) / norm_spread,
            "source": [n.source for n in norms],
        }
    )
