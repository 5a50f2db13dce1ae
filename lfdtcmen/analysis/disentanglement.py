"""Does the motion code carry the motion, and nothing of the identity? Measures that complement the losses of stage 1.

A low reconstruction loss is weak evidence: onset and apex are so alike that a generator which ignores the motion code
scores well. So each measure below is compared with a reference that needs no disentanglement: copying the onset,
an untrained network, or chance level. All these measures are ours, not the paper's.

The word *change* means the image with the apex's motion code minus the image with the onset's, everything else equal.
"""

import numpy as np
import pandas as pd
from torch import nn

from lfdtcmen.analysis.codes import encode_pairs, split_clips, to_tensor, untrained_like
from lfdtcmen.analysis.probes import action_unit_errors, emotion_hits, explained, subject_chance_level, subject_hits
from lfdtcmen.analysis.swaps import (
    CHANGE_ERROR,
    as_rows,
    at_half_resolution,
    change_error,
    change_products,
    cosine,
    driven_products,
    driver_steps,
    swap,
    swap_products,
)
from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.datasets.synthetic import Counterfactuals
from lfdtcmen.errors import DataError
from lfdtcmen.evaluation.intervals import Measure, measure, ratio
from lfdtcmen.evaluation.results import measure_table


def disentanglement_report(
    model: nn.Module,
    pairs_train: PairSet,
    pairs_test: PairSet,
    counterfactuals: Counterfactuals | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Measure one model on subjects that it has not seen.

    Parameters
    ----------
    model : nn.Module
        Its ``drl`` encodes and generates (:class:`lfdtcmen.modules.drl.DRL`).
    pairs_train : PairSet
        Pairs of the subjects that the model was trained on: they calibrate the untrained network that it is compared
        with (:func:`~lfdtcmen.analysis.codes.untrained_like`).
    pairs_test : PairSet
        Prepared pairs of held-out subjects.
    counterfactuals : Counterfactuals, optional
        Rendered frames of every motion on every identity
        (:func:`lfdtcmen.datasets.synthetic.make_counterfactuals`); None for real faces, which have none.
    seed : int
        Random seed of the untrained network, of the probe's split and of the bootstrap.

    Returns
    -------
    DataFrame
        Tidy rows (:data:`~lfdtcmen.evaluation.results.COLUMNS`), one per ``metric``, intervals over subjects or
        identities. Further columns: reference (the number to compare it with) and target (what success would be).

    Raises
    ------
    DataError
        The model has no generator, or there are too few clips for the probe.
    """
    tables = [copy_baseline(model, pairs_test, seed), motion_gain(model, pairs_test, seed)]
    if counterfactuals is not None:
        tables += [noise_ceiling(counterfactuals, seed), cross_identity_gain(model, counterfactuals, seed)]
    untrained = untrained_like(model, pairs_train, seed)
    tables += [identity_leak(model, pairs_test, untrained, seed), readability(model, pairs_test, untrained, seed)]
    return pd.concat(tables, ignore_index=True)


# ---------------------------------------------------------------- does the motion code move the face?


def copy_baseline(model: nn.Module, pairs: PairSet, seed: int = 0) -> pd.DataFrame:
    """Compare the cross-combined apex I^_ap = G(id(I_on), mo(I_ap)) with a copy of the onset.

    Each measure is the error of the generated apex divided by that of the copy: once the mean absolute error, once the
    mean squared error at half resolution. Above 1, the copy is closer to the true apex than the generated image.
    """
    onset, apex = to_tensor(pairs.onset), to_tensor(pairs.apex)  # [N, 3, H, W]
    generated = swap(model, pairs.onset, pairs.apex)  # [N, 3, H, W]
    errors = {
        "absolute": [(image - apex).abs() for image in (generated, onset)],
        "squared": [at_half_resolution(image - apex).square() for image in (generated, onset)],
    }
    measures = []
    for name, of_images in errors.items():
        sums = np.stack([error.mean((1, 2, 3)).numpy() for error in of_images], axis=1)  # [N, 2]
        measures.append(measure(f"error relative to copying, {name}", ratio, sums, pairs.subjects, seed, 1.0, "< 1"))
    return measure_table(measures)


def motion_gain(model: nn.Module, pairs: PairSet, seed: int = 0) -> pd.DataFrame:
    """Measure how much of the true motion appears when only the motion code is exchanged.

    With identity code and skips of the onset held fixed, the generated change is
    g = G(id(I_on), mo(I_ap)) - G(id(I_on), mo(I_on)) and the true change t = I_ap - I_on. Over all pairs,

    - motion gain = <g, t> / <t, t>: 1 when the generated change has the full size of the motion, 0 when there is none;
    - motion cosine = ``<g, t> / (|g| |t|)``: does the generated change have the right pattern, whatever its size?

    Camera noise is part of t and cannot be predicted, so on noisy pairs the gain stays below 1
    (:func:`noise_ceiling`).
    """
    generated = swap(model, pairs.onset, pairs.apex) - swap(model, pairs.onset, pairs.onset)  # [N, 3, H, W]
    products = change_products(generated, to_tensor(pairs.apex) - to_tensor(pairs.onset))  # [N, 3]
    gain = measure("motion gain", ratio, products, pairs.subjects, seed, 1.0, "1")
    return measure_table([gain, measure("motion cosine", cosine, products, pairs.subjects, seed, 1.0, "1")])


def noise_ceiling(counterfactuals: Counterfactuals, seed: int = 0) -> pd.DataFrame:
    """Measure the gain of a perfect generator on noisy pairs, which have camera noise in the true change.

    The noise-free change takes the part of the generated one, and is compared with the noisy change.
    """
    motions = counterfactuals.apex.shape[1]
    noisy, clean = (
        to_tensor(as_rows(apex)) - to_tensor(onset.repeat(motions, axis=0))
        for apex, onset in (
            (counterfactuals.apex, counterfactuals.onset),
            (counterfactuals.apex_clean, counterfactuals.onset_clean),
        )
    )  # [I * M, 3, H, W]
    identity = np.repeat(np.arange(len(counterfactuals.onset)), motions)
    name = "motion gain, perfect generator on noisy pairs"
    return measure_table([measure(name, ratio, change_products(clean, noisy), identity, seed, 1.0, "-")])


def cross_identity_gain(model: nn.Module, counterfactuals: Counterfactuals, seed: int = 0) -> pd.DataFrame:
    """Give each identity the motion of others and compare with the rendered truth, without camera noise.

    Identity i is generated with the motion code of identity j's apex k and with that of j's onset. The difference of
    the two images is compared with what motion k does on face i. Done for j = i ("same identity") and for others:

    - gain and cosine as in :func:`motion_gain`;
    - change error relative to copying = ``|g - t|^2 / |t|^2``: 1 for a generator whose image never changes.

    Parameters
    ----------
    model : nn.Module
    counterfactuals : Counterfactuals
        ``onset``, ``onset_clean`` uint8 [I, H, W, 3]; ``apex``, ``apex_clean`` uint8 [I, M, H, W, 3].
    seed : int
        Random seed of the bootstrap over identities.

    Raises
    ------
    DataError
        The model has no generator, or there is only one person.
    """
    people = len(counterfactuals.onset)
    if people < 2:
        raise DataError("swaps need two identities or more", "cross_identity_gain")
    measures = []
    # the driver is the person whose motion is used: oneself, or others
    for name, steps in (("same identity", [0]), ("across identities", driver_steps(people))):
        i, products = swap_products(model, counterfactuals, steps)
        measures += _swap_measures(name, products, i, seed)
    return measure_table(measures)


def photograph_gain(
    model: nn.Module, photographs: Counterfactuals, counterfactuals: Counterfactuals, seed: int = 0
) -> pd.DataFrame:
    """Swap motions between photographs and synthetic faces, in both directions, and compare with the noise-free truth.

    Gain, cosine and change error as in :func:`cross_identity_gain`. In "synthetic motion on photographs", generator and
    identity encoder get a photograph; in "photographs' motion on synthetic faces", the motion encoder does. Intervals
    are over the synthetic people, as photographs are few: they do not cover other photographs.

    Parameters
    ----------
    model : nn.Module
    photographs : Counterfactuals
        The motions of ``counterfactuals`` on photographs
        (:func:`lfdtcmen.datasets.synthetic.photograph_counterfactuals`).
    counterfactuals : Counterfactuals
        The same motions on synthetic people.
    seed : int
        Random seed of the bootstrap.

    Raises
    ------
    DataError
        Photographs that show other motions than the synthetic people.
    """
    if not np.array_equal(photographs.action_units, counterfactuals.action_units):
        raise DataError("the photographs show other motions than the synthetic people", "photograph_gain")
    people, motions = counterfactuals.apex.shape[:2]
    photo, person = np.divmod(
        np.arange(len(photographs.onset) * people), people
    )  # [P] each: all pairs of a photograph and a person
    on_photographs = driven_products(model, photographs, photo, counterfactuals, person)
    on_synthetic = driven_products(model, counterfactuals, person, photographs, photo)
    groups = np.repeat(person, motions)
    measures = _swap_measures("synthetic motion on photographs", on_photographs, groups, seed)
    measures += _swap_measures("photographs' motion on synthetic faces", on_synthetic, groups, seed)
    return measure_table(measures)


def _swap_measures(name: str, products: np.ndarray, groups: np.ndarray, seed: int) -> list[Measure]:
    """Return gain, cosine and change error of swaps from their change products [N, 3]."""
    return [
        measure(f"motion gain, {name}", ratio, products, groups, seed, 1.0, "1"),
        measure(f"motion cosine, {name}", cosine, products, groups, seed, 1.0, "1"),
        measure(f"{CHANGE_ERROR}, {name}", change_error, products, groups, seed, 1.0, "< 1"),
    ]


# ---------------------------------------------------------------- what information do the codes contain?


def identity_leak(model: nn.Module, pairs: PairSet, untrained: nn.Module, seed: int = 0) -> pd.DataFrame:
    """Measure how often a linear probe reads the subject from a motion code: its accuracy on held-out clips.

    Half of each subject's clips train a logistic regression on the codes, the other half tests it; subjects with a
    single clip are left out. The codes are mo(I) of single frames, averaged over the 4x4 map and at all its positions,
    and the averaged difference mo(I_ap) - mo(I_on). The probe is trained on codes of onsets and apexes and tested on
    those of apexes. Its accuracy is compared with chance level (always predicting the subject with the most clips) and
    with an untrained network (:func:`~lfdtcmen.analysis.codes.untrained_like`): identity that is readable there does
    not come from training.

    Raises
    ------
    DataError
        Fewer than two subjects with two clips.
    """
    train, test = split_clips(pairs.subjects, seed)
    tested = pairs.subjects[test]
    chance_level = subject_chance_level(tested)
    both = len(pairs) * np.arange(2)[:, None]  # rows of the onsets, then rows of the apexes
    rows = {}
    for name, network in (("", model), (", untrained", untrained)):
        codes = encode_pairs(network, pairs, identity=False)
        maps = [codes["mo(onset)"], codes["mo(apex)"]]  # [N, 256, h, w] each
        onset, apex = (m.mean((2, 3)) for m in maps)  # [N, 256] each
        for positions, frames in (("", (onset, apex)), (", all positions", [m.reshape(len(m), -1) for m in maps])):
            both_frames = (np.concatenate(frames), np.concatenate([pairs.subjects] * 2))
            hits = subject_hits(*both_frames, (train + both).ravel(), (test + both[1:]).ravel())
            rows[f"subject from mo(apex){positions}{name}"] = hits
        rows[f"subject from mo(apex) - mo(onset){name}"] = subject_hits(apex - onset, pairs.subjects, train, test)
    return measure_table(
        measure(name, ratio, hits, tested, seed, chance_level, "chance level") for name, hits in rows.items()
    )


def readability(model: nn.Module, pairs: PairSet, untrained: nn.Module, seed: int = 0) -> pd.DataFrame:
    """Measure how well probes read motion from the motion code, and emotion from the identity code.

    - *action units*: how much of the true intensities (synthetic faces only) a ridge regression reads from the
      difference mo(I_ap) - mo(I_on) at all positions of the map: R^2, 1 for a perfect prediction, 0 for
      predicting their mean;
    - *motion's share of mo*: the variance of motion codes between onset and apex of a clip, divided by that variance
      plus the variance between the onsets of clips, which differ in identity;
    - *emotion from id(apex)*: mean recall over emotions of a logistic regression on the identity code. An apex shows
      an emotion, and the identity code should not: the target is chance level.

    An untrained network is measured in the same way, as in :func:`identity_leak`. The probes are tested on people whom
    they have not seen.

    Raises
    ------
    DataError
        Fewer than two subjects.
    """
    if len(np.unique(pairs.subjects)) < 2:
        raise DataError("fewer than two subjects", "readability", "give more held-out pairs")
    classes = len(np.unique(pairs.labels))
    units, emotion, shares = {}, {}, {}
    for name, network in (("", model), (", untrained", untrained)):
        codes = encode_pairs(network, pairs)
        onset, apex = (codes[frame].reshape(len(pairs), -1) for frame in ("mo(onset)", "mo(apex)"))  # [N, 256 h w]
        within, between = ((apex - onset) ** 2).sum(1) / 2, ((onset - onset.mean(0)) ** 2).sum(1)
        shares[f"motion's share of mo{name}"] = np.stack([within, within + between], axis=1)
        if pairs.action_units is not None:
            units[f"action units from mo(apex) - mo(onset){name}"] = action_unit_errors(apex - onset, pairs)
        if classes > 1 and "id(apex)" in codes:
            emotion[f"emotion from id(apex){name}"] = emotion_hits(codes["id(apex)"].mean((2, 3)), pairs)
    measures = []
    for rows, statistic in ((units, explained), (shares, ratio)):
        for name, sums in rows.items():
            reference = float(statistic([*rows.values()][-1].sum(0)))  # the untrained network's
            measures.append(measure(name, statistic, sums, pairs.subjects, seed, reference, "1"))
    measures += [
        measure(n, ratio, sums, pairs.subjects, seed, 1 / classes, "chance level") for n, sums in emotion.items()
    ]
    return measure_table(measures)
