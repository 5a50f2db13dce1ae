"""How emotions show: which action units each one uses, how often, and how strongly.

No table of how often each unit comes with each emotion is published; the shares below are assumed after the criteria
by which micro-expressions were labelled: Yan et al. 2014 (CASME II: happiness by 6 or 12; disgust by 9, 10 or 4+7;
surprise by 1+2, 2 or 25), and Davison, Merghani and Yap 2018 (objective classes of CASME II and SAMM, J. Imaging 4):
happiness 6, 12, 6+12, 7+12, 6+7+12; surprise 1+2, 5, 25, 1+2+25, 25+26, 5+24; anger 23, 4, 4+5, 4+7, 4+5+7, 4+6+7,
17+24; disgust 9, 10, 4+9, 7+10, 4+7+9, 4+7+10, 4+9+17, 4+5+7+9; sadness 1, 15, 1+4, 6+15, 15+17; fear 1+2+4, 20.
So 4 is the commonest unit of the negative class, and clips of a single unit are common.
"""

from collections.abc import Mapping

import numpy as np

from lfdtcmen.datasets.synthetic.action_units import ACTION_UNITS, INDEX, Style
from lfdtcmen.datasets.synthetic.settings import Settings

EMOTIONS = ("happiness", "disgust", "contempt", "surprise", "fear", "anger", "sadness")

# emotion -> {action unit: (how often it is shown, how strong it is relative to the others)}
Prototypes = Mapping[str, Mapping[int, tuple[float, float]]]
PROTOTYPES: Prototypes = {
    "happiness": {12: (0.85, 1.0), 6: (0.50, 0.8), 25: (0.08, 0.5), 7: (0.20, 0.5)},
    "surprise": {1: (0.80, 1.0), 2: (0.80, 1.0), 5: (0.30, 0.8), 25: (0.25, 0.7), 26: (0.20, 0.9)},
    "sadness": {
        1: (0.50, 0.8),
        4: (0.50, 0.8),
        15: (0.55, 1.0),
        17: (0.30, 0.8),
        6: (0.08, 0.5),
        7: (0.08, 0.5),
        14: (0.10, 0.5),
    },
    "disgust": {
        4: (0.55, 0.9),
        7: (0.40, 0.7),
        9: (0.35, 1.0),
        10: (0.40, 1.0),
        17: (0.12, 0.7),
        14: (0.10, 0.6),
        15: (0.08, 0.7),
        5: (0.06, 0.5),
    },
    "anger": {4: (0.80, 1.0), 7: (0.45, 0.8), 5: (0.20, 0.6), 23: (0.25, 0.8), 24: (0.20, 0.9), 17: (0.15, 0.6)},
    "fear": {
        1: (0.50, 0.9),
        2: (0.40, 0.8),
        4: (0.55, 0.8),
        5: (0.30, 0.9),
        20: (0.45, 0.9),
        25: (0.15, 0.6),
        7: (0.12, 0.6),
    },
    "contempt": {14: (0.75, 1.0), 12: (0.30, 0.8), 10: (0.12, 0.6)},
}
# at least one of these is always shown
CORE_UNITS = {
    "happiness": {12, 6},
    "surprise": {1, 2, 5, 25, 26},
    "sadness": {1, 15, 17},
    "disgust": {4, 9, 10},
    "anger": {4, 23, 24},
    "fear": {1, 5, 20},
    "contempt": {12, 14},
}


def sample_action_units(
    emotion: str, style: Style, settings: Settings, rng: np.random.Generator, prototypes: Prototypes = PROTOTYPES
) -> np.ndarray:
    """Sample how a subject shows an emotion this time.

    Parameters
    ----------
    emotion : str
        One of EMOTIONS.
    style : Style
        How the subject uses the muscles.
    settings : Settings
        How strong and how varied the data set's expressions are.
    rng : Generator
        Source of all randomness.
    prototypes : mapping
        Which units the subject uses for each emotion.

    Returns
    -------
    ndarray
        Intensity of each unit on the image-left and image-right side, pixels [len(ACTION_UNITS), 2].
    """
    level = settings.intensity * np.exp(settings.intensity_spread * rng.standard_normal())
    prototype = prototypes[emotion]
    shown: set[int] = set()
    while not shown & CORE_UNITS[emotion]:
        odds = {u: np.log(often / (1 - often)) + style.habit[INDEX[u]] for u, (often, _) in prototype.items()}
        shown = {u for u, o in odds.items() if rng.random() < 1 / (1 + np.exp(-o))}

    intensity = np.zeros((len(ACTION_UNITS), 2))
    for unit in sorted(shown):
        index = INDEX[unit]
        amount = level * prototype[unit][1] * np.exp(0.25 * rng.standard_normal()) * style.gain[index]
        amount = np.clip(amount, 0.10, 2.6)
        lean = np.clip(style.asymmetry[index] + settings.asymmetry * rng.standard_normal(), -0.6, 0.6)
        if unit in (25, 26):  # lips and jaw move as one
            lean = 0.0
        if emotion == "contempt" and unit in (12, 14):  # contempt is one-sided
            lean = rng.choice([-1, 1]) * rng.uniform(0.75, 1.0)
            intensity[index] = np.minimum([amount * (1 - lean), amount * (1 + lean)], 1.1 * amount)
        else:
            intensity[index] = amount * (1 - lean), amount * (1 + lean)
    for index in range(len(ACTION_UNITS)):
        value, amount, sides = rng.random(), level * rng.uniform(0.3, 1.0), 1 + 0.3 * rng.standard_normal(2)
        if value < settings.extra_units and not intensity[index].any():
            intensity[index] = amount * np.clip(sides, 0, 2)
    return np.clip(intensity, 0, 3.2)
