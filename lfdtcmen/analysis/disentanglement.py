"""Does the motion code carry the motion, and nothing of who it is? Measures beside the losses of stage 1.

A low reconstruction loss says little here: onset and apex are so alike that a generator which ignores the motion code
scores well. So each measure below is held against something that needs no disentanglement at all: copying the onset,
an untrained network, chance. None of them is the paper's; all are ours.

The word *change* means the image with the apex's motion code minus the image with the onset's, everything else equal.
Changes are compared at half resolution, where less of them is camera noise.
"""

import copy
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import torch
from sklearn.base import BaseEstimator, clone
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn
from torch.nn import functional as F

from lfdtcmen.analysis import evaluation_mode
from lfdtcmen.beyond.extended_drl import generate_from
from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.errors import DataError

CHUNK = 32  # frames at a time
DONORS = (1, 5, 9)  # whose motion identity i is given: that of identities i + 1, i + 5, i + 9
PROBE_FOLDS = 5  # of subjects, for the probes that must work on other people
LOGISTIC = LogisticRegression(C=0.1, max_iter=2000)
RIDGE = RidgeCV(np.logspace(1, 6, 11))
RARE = 0.02  # an action unit that fewer clips show is not asked for
REPEATS = 1000  # of the bootstrap
CALIBRATION_BATCHES = 12  # of 32 frames, for the untrained network's batch normalisation


def disentanglement_report(model: nn.Module, pairs_test: PairSet, counterfactuals=None, seed: int = 0) -> pd.DataFrame:
    """Measure one model on subjects that it has not seen.

    Parameters
    ----------
    model : nn.Module
        Its ``drl`` is asked to ``encode`` and to ``generate`` (:class:`lfdtcmen.modules.drl.DRL`).
    pairs_test : PairSet
        Prepared pairs of held-out subjects.
    counterfactuals : Counterfactuals, optional
        Rendered truth of every motion on every identity
        (:func:`lfdtcmen.datasets.synthetic.make_counterfactuals`); left out for real faces, which have none.
    seed : int
        Of the untrained network, of the probe's split and of the bootstrap.

    Returns
    -------
    DataFrame
        Index: measure. Columns value, low, high (95 % interval over subjects or identities), reference (what to hold
        it against) and wanted (what success would be). :func:`lfdtcmen.viz.plots.report_forest` draws it.

    Raises
    ------
    DataError
        The model has no generator, or there are too few clips for the probe.
    """
    tables = [copy_baseline(model, pairs_test, seed), motion_gain(model, pairs_test, seed)]
    if counterfactuals is not None:
        tables += [noise_ceiling(counterfactuals, seed), cross_identity_gain(model, counterfactuals, seed)]
    untrained = untrained_like(model, pairs_test, seed)
    tables += [measure(model, pairs_test, seed, untrained) for measure in (identity_leak, readability)]
    return pd.concat(tables)


# ---------------------------------------------------------------- swaps


@torch.no_grad()
def swap(model: nn.Module, identities: np.ndarray, motions: np.ndarray, rests: np.ndarray | None = None) -> Tensor:
    """Draw each identity frame in the motion state of the motion frame beside it: G(id(a), mo(b)).

    Parameters
    ----------
    model : nn.Module
        Run in evaluation mode; left in the mode in which it came.
    identities, motions : ndarray
        uint8 [N, H, W, 3], row by row.
    rests : ndarray, optional
        Onsets of whoever lends the motion, uint8 [N, H, W, 3]: where a warp generator's motion begins. The identity
        frames where they are not given.

    Returns
    -------
    Tensor
        RGB in [0, 1], [N, 3, H, W], on the CPU.
    """
    _check_generator(model)
    images = []
    with evaluation_mode(model):
        for start in range(0, len(identities), CHUNK):
            rows = slice(start, start + CHUNK)
            identity, motion = (model.drl.encode(_to_tensor(f[rows], model)) for f in (identities, motions))
            rest = None if rests is None else model.drl.encode(_to_tensor(rests[rows], model), identity=False)
            images.append(generate_from(model.drl, identity, motion, rest).float().cpu())
    return torch.cat(images)


# ---------------------------------------------------------------- copying, and the motion code's own share


def copy_baseline(model: nn.Module, pairs: PairSet, seed: int = 0) -> pd.DataFrame:
    """Compare the cross-combined apex I^_ap = G(id(I_on), mo(I_ap)) with simply showing the onset again.

    Both are held against the true apex, by mean absolute and by squared error (the latter at half resolution).
    Above 1, copying the onset would have been the better apex: the reconstruction loss (3.2.2) then rewards fine
    drawing, not motion.
    """
    onset, apex = _to_tensor(pairs.onset), _to_tensor(pairs.apex)  # [N, 3, H, W]
    generated = swap(model, pairs.onset, pairs.apex)  # [N, 3, H, W]
    absolute = np.stack([(image - apex).abs().mean((1, 2, 3)).numpy() for image in (generated, onset)], axis=1)
    squared = np.stack([_half(image - apex).square().mean((1, 2, 3)).numpy() for image in (generated, onset)], axis=1)
    rows = {
        "error over copy, absolute": (_ratio, absolute, 1.0, "< 1"),
        "error over copy, squared": (_ratio, squared, 1.0, "< 1"),
    }
    return _table(rows, pairs.subjects, seed)


def motion_gain(model: nn.Module, pairs: PairSet, seed: int = 0) -> pd.DataFrame:
    """Measure how much of the true motion appears when only the motion code is exchanged.

    With identity code and skips of the onset held fixed, the generated change is
    g = G(id(I_on), mo(I_ap)) - G(id(I_on), mo(I_on)) and the true change t = I_ap - I_on. Over all pairs,

    - motion gain = <g, t> / <t, t>: 1 when the code carries all of the motion, 0 when it does nothing;
    - motion cosine = <g, t> / (|g| |t|): is what it does of the right kind, however faint?

    Camera noise is part of t and cannot be predicted, so on noisy pairs the gain ends below 1
    (:func:`noise_ceiling`).
    """
    generated = swap(model, pairs.onset, pairs.apex) - swap(model, pairs.onset, pairs.onset)  # [N, 3, H, W]
    products = _products(generated, _to_tensor(pairs.apex) - _to_tensor(pairs.onset))  # [N, 3]
    rows = {"motion gain": (_ratio, products, 1.0, "1"), "motion cosine": (_cosine, products, 1.0, "1")}
    return _table(rows, pairs.subjects, seed)


def noise_ceiling(counterfactuals, seed: int = 0) -> pd.DataFrame:
    """Measure the gain that a perfect generator could reach on noisy pairs: the motion's share of their change.

    The clean change stands in for the generated one; the noisy change is the truth it is held against.
    """
    motions = counterfactuals.apex.shape[1]
    noisy, clean = (
        _to_tensor(_rows(apex)) - _to_tensor(onset.repeat(motions, axis=0))
        for apex, onset in (
            (counterfactuals.apex, counterfactuals.onset),
            (counterfactuals.apex_clean, counterfactuals.onset_clean),
        )
    )  # [I * M, 3, H, W]
    identity = np.repeat(np.arange(len(counterfactuals.onset)), motions)
    row = {"motion gain, perfect generator on noisy pairs": (_ratio, _products(clean, noisy), 1.0, "-")}
    return _table(row, identity, seed)


def cross_identity_gain(model: nn.Module, counterfactuals, seed: int = 0) -> pd.DataFrame:
    """Give each identity the motion of others and compare with the rendered truth, without camera noise.

    Identity i is drawn with the motion code of identity j's apex k and with that of j's onset. The difference of the
    two images is held against what motion k does on face i. Done for j = i ("same identity") and for others:

    - gain and cosine as in :func:`motion_gain`;
    - change error over copy = |g - t|^2 / |t|^2: 1 for a generator whose picture never moves.

    Parameters
    ----------
    model : nn.Module
    counterfactuals : Counterfactuals
        ``onset``, ``onset_clean`` uint8 [I, H, W, 3]; ``apex``, ``apex_clean`` uint8 [I, M, H, W, 3].
    seed : int
        Of the bootstrap over identities.
    """
    people = len(counterfactuals.onset)
    if people < 2:
        raise DataError("swaps need two identities or more", "cross_identity_gain")
    tables = []
    for name, steps in (("same identity", [0]), ("across identities", donor_steps(people))):
        i, products = swap_products(model, counterfactuals, steps)
        tables.append(_table(_swap_rows(name, products), i, seed))
    return pd.concat(tables)


def donor_steps(people: int) -> list[int]:
    """Return who lends motions to identity i: identities i + step, up to three others."""
    return sorted({step % people for step in DONORS} - {0})


def swap_products(model: nn.Module, counterfactuals, steps: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Give each identity all motions of identities i + step; compare the change with the rendered one.

    Returns
    -------
    identity : ndarray
        Who is drawn, [people * steps * motions]: identity by identity, then lender by lender.
    products : ndarray
        <g, t>, <t, t> and <g, g> of each swap's change g and the true one t, float64 [people * steps * motions, 3].
    """
    people, motions = counterfactuals.apex.shape[:2]
    i = np.repeat(np.arange(people), len(steps))  # [P]: who is drawn
    j = (i + np.tile(steps, people)) % people  # [P]: whose motion
    return np.repeat(i, motions), _swap_products(model, counterfactuals, i, counterfactuals, j)


def photograph_gain(model: nn.Module, photographs, counterfactuals, seed: int = 0) -> pd.DataFrame:
    """Swap motions between photographs and drawn faces, both ways, and compare with the truth, without camera noise.

    Gain, cosine and change error as in :func:`cross_identity_gain`. On photographs, generator and identity encoder meet
    a real face; *from* photographs, the motion encoder does. Intervals are over the drawn people, as photographs are
    few: they say nothing about other photographs.

    Parameters
    ----------
    model : nn.Module
    photographs : Counterfactuals
        The motions of ``counterfactuals`` on photographs
        (:func:`lfdtcmen.datasets.synthetic.photograph_counterfactuals`).
    counterfactuals : Counterfactuals
        Of drawn people.
    seed : int
        Of the bootstrap.

    Raises
    ------
    DataError
        Photographs that show other motions than the drawn people.
    """
    units = photographs.action_units, counterfactuals.action_units
    if not np.array_equal(*units):
        raise DataError("the photographs show other motions than the drawn people", "photograph_gain")
    people, motions = counterfactuals.apex.shape[:2]
    photo, person = np.divmod(np.arange(len(photographs.onset) * people), people)  # [P] each: every pair of them
    onto = _swap_products(model, photographs, photo, counterfactuals, person)
    back = _swap_products(model, counterfactuals, person, photographs, photo)
    rows = _swap_rows("drawn motion on photographs", onto) | _swap_rows("photographs' motion on drawn faces", back)
    return _table(rows, np.repeat(person, motions), seed)


def _swap_rows(name: str, products: np.ndarray) -> dict[str, tuple[Callable, np.ndarray, float, str]]:
    """Return what is asked of swaps, for :func:`_table`."""
    return {
        f"motion gain, {name}": (_ratio, products, 1.0, "1"),
        f"motion cosine, {name}": (_cosine, products, 1.0, "1"),
        f"change error over copy, {name}": (_change_error, products, 1.0, "< 1"),
    }


def _swap_products(model: nn.Module, drawn, i: np.ndarray, lenders, j: np.ndarray) -> np.ndarray:
    """Give identities ``drawn[i]`` all motions of ``lenders[j]``, row by row; return :func:`_products`, [P * M, 3]."""
    motions = drawn.apex.shape[1]
    shown, lender = drawn.onset[i], lenders.onset[j]
    at_rest = swap(model, shown, lender, lender)  # [P, 3, H, W]
    moved = swap(model, *(shown.repeat(motions, axis=0), _rows(lenders.apex[j]), lender.repeat(motions, axis=0)))
    true = _to_tensor(_rows(drawn.apex_clean[i]))
    true = true - _to_tensor(drawn.onset_clean[i]).repeat_interleave(motions, 0)
    return _products(moved - at_rest.repeat_interleave(motions, 0), true)


# ---------------------------------------------------------------- who is it?


def identity_leak(model: nn.Module, pairs: PairSet, seed: int = 0, untrained: nn.Module | None = None) -> pd.DataFrame:
    """Ask a linear probe who a motion code shows: the share of held-out clips whose subject it names.

    Half of each subject's clips train a logistic regression on the codes, the other half tests it; subjects with a
    single clip are left out. The codes are mo(I) of single frames, averaged over the 4x4 map and at all its places, and
    the averaged difference mo(I_ap) - mo(I_on). Held against chance (always naming the subject with the most clips)
    and against an untrained network: identity that is readable there was never "left" in the code by training, it comes
    with any convolution. It is made here (:func:`untrained_like`) where it is not given.

    Raises
    ------
    DataError
        Fewer than two subjects with two clips.
    """
    train, test = _halves(pairs.subjects, seed)
    untrained = untrained_like(model, pairs, seed) if untrained is None else untrained
    chance = float(np.unique(pairs.subjects[test], return_counts=True)[1].max() / len(test))
    rows = {}
    for name, network in (("", model), (", untrained", untrained)):
        both = len(pairs) * np.arange(2)[:, None]  # rows of the onsets, then rows of the apexes
        maps = encode_pairs(network, pairs, identity=False)
        maps = [maps["mo(onset)"], maps["mo(apex)"]]  # [N, 256, h, w] each
        onset, apex = (m.mean((2, 3)) for m in maps)  # [N, 256] each
        for places, codes in (("", (onset, apex)), (", all places", [m.reshape(len(m), -1) for m in maps])):
            frames = (np.concatenate(codes), np.concatenate([pairs.subjects] * 2))
            right = _probe(*frames, (train + both).ravel(), (test + both[1:]).ravel())
            rows[f"subject from mo(apex){places}{name}"] = (_ratio, right, chance, "chance")
        right = _probe(apex - onset, pairs.subjects, train, test)
        rows[f"subject from mo(apex) - mo(onset){name}"] = (_ratio, right, chance, "chance")
    return _table(rows, pairs.subjects[test], seed)


def readability(model: nn.Module, pairs: PairSet, seed: int = 0, untrained: nn.Module | None = None) -> pd.DataFrame:
    """Ask what a code says that it should, and what it should not.

    - *action units*: how much of the true intensities (drawn faces only) a ridge regression reads off the difference
      mo(I_ap) - mo(I_on) at all places of the map: R^2, 1 for all of it, 0 for no more than their mean;
    - *motion's share of mo*: of the variance of motion codes at all places, how much lies between onset and apex of a
      clip rather than between the onsets of clips, which differ in who they show;
    - *emotion from id(apex)*: mean recall over emotions of a logistic regression on the identity code. An apex shows
      an emotion, and the identity code should not: wanted is chance.

    All are held against an untrained network, as in :func:`identity_leak`, and the probes are tested on people whom
    they have not seen.

    Raises
    ------
    DataError
        Fewer than two subjects.
    """
    if len(np.unique(pairs.subjects)) < 2:
        raise DataError("fewer than two subjects", "readability", "give more held-out pairs")
    untrained = untrained_like(model, pairs, seed) if untrained is None else untrained
    weight = 1 / np.bincount(pairs.labels)[pairs.labels]  # each emotion counts alike
    classes = len(np.unique(pairs.labels))
    units, emotion, shares = {}, {}, {}
    for name, network in (("", model), (", untrained", untrained)):
        codes = encode_pairs(network, pairs)
        onset, apex = (codes[frame].reshape(len(pairs), -1) for frame in ("mo(onset)", "mo(apex)"))  # [N, 256 h w]
        moved, differ = ((apex - onset) ** 2).sum(1) / 2, ((onset - onset.mean(0)) ** 2).sum(1)
        shares[f"motion's share of mo{name}"] = np.stack([moved, moved + differ], axis=1)
        if pairs.action_units is not None:
            units[name] = _read_action_units(apex - onset, pairs, RIDGE)
        if classes > 1 and "id(apex)" in codes:
            named = _name_emotion(codes["id(apex)"].mean((2, 3)), pairs, LOGISTIC)
            right = (named == pairs.labels) * weight
            emotion[f"emotion from id(apex){name}"] = (_ratio, np.stack([right, weight], axis=1), 1 / classes, "chance")
    rows = {}
    for name, sums in units.items():
        reference = float(_explained(units[", untrained"].sum(0)))
        rows[f"action units from mo(apex) - mo(onset){name}"] = (_explained, sums, reference, "1")
    reference = float(_ratio(shares["motion's share of mo, untrained"].sum(0)))
    rows |= {name: (_ratio, sums, reference, "1") for name, sums in shares.items()}
    return _table(rows | emotion, pairs.subjects, seed)


@torch.no_grad()
def encode_pairs(model: nn.Module, pairs: PairSet, identity: bool = True) -> dict[str, np.ndarray]:
    """Return both codes of both frames, whole maps, float32 [N, 256, h, w] each.

    Parameters
    ----------
    model : nn.Module
        Its ``drl`` is asked to ``encode``, in evaluation mode.
    pairs : PairSet
    identity : bool
        Encode who it is as well.

    Returns
    -------
    dict
        "mo(onset)", "mo(apex)", "id(onset)", "id(apex)"; without the latter two where they are not asked for or there
        is no identity encoder.
    """
    codes = {}
    with evaluation_mode(model):
        for frame, images in (("onset", pairs.onset), ("apex", pairs.apex)):
            chunks = [images[k : k + CHUNK] for k in range(0, len(images), CHUNK)]
            encoded = [model.drl.encode(_to_tensor(chunk, model), identity=identity) for chunk in chunks]
            for name, parts in (("mo", [e.motion for e in encoded]), ("id", [e.identity for e in encoded])):
                if parts[0] is not None:
                    codes[f"{name}({frame})"] = torch.cat(parts).float().cpu().numpy()
    return codes


def motion_codes(model: nn.Module, pairs: PairSet, pooled: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Return the motion codes of onsets and apexes, float32: averaged over the map [N, 256] or whole."""
    maps = encode_pairs(model, pairs, identity=False)
    maps = (maps["mo(onset)"], maps["mo(apex)"])
    return tuple(m.mean((2, 3)) if pooled else m.reshape(len(m), -1) for m in maps)


def untrained_like(model: nn.Module, pairs: PairSet, seed: int = 0) -> nn.Module:
    """Return a copy of the model with fresh weights, its batch statistics calibrated on the given frames.

    Without calibration, batch normalisation would still stand at mean 0 and variance 1, and the comparison with a
    trained network would be unfair. No label is used.
    """
    fresh = copy.deepcopy(model)
    order = np.random.default_rng(seed).permutation(len(pairs))[: CALIBRATION_BATCHES * CHUNK // 2]

    def encode(rows: np.ndarray) -> None:
        fresh.drl.encode(_to_tensor(np.concatenate([pairs.onset[rows], pairs.apex[rows]]), fresh))

    _start_afresh(fresh.drl, seed, encode, np.array_split(order, -(-len(order) * 2 // CHUNK)))
    return fresh.eval()


@torch.no_grad()
def _start_afresh(part: nn.Module, seed: int, run: Callable, batches: Sequence[np.ndarray]) -> None:
    """Draw the weights of a part of a network again; its batch statistics are those of ``run(rows)`` on the batches."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for module in part.modules():
            if hasattr(module, "reset_parameters"):
                module.reset_parameters()
    norms = [m for m in part.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    if not norms:
        return
    momentum = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = None  # torch's way to ask for a plain average over all batches
    part.train()
    for rows in batches:
        run(rows)
    for norm, value in zip(norms, momentum, strict=True):
        norm.momentum = value


def _read_action_units(codes: np.ndarray, pairs: PairSet, regressor: BaseEstimator) -> np.ndarray:
    """Return the squared errors of a probe and of the training subjects' mean, summed over units, [N, 2]."""
    truth = pairs.action_units.reshape(len(pairs), -1)
    truth = truth[:, (truth > 0).mean(0) > RARE]  # [N, units and sides that some show]
    read, mean = (
        cross_val_predict(reader, codes, truth, groups=pairs.subjects, cv=_probe_folds(pairs))
        for reader in (make_pipeline(StandardScaler(), regressor), DummyRegressor())
    )
    return np.stack([((truth - guess) ** 2).sum(1) for guess in (read, mean)], axis=1)


def _name_emotion(codes: np.ndarray, pairs: PairSet, classifier: BaseEstimator) -> np.ndarray:
    """Return the emotion that a probe names, trained on other people, int64 [N]."""
    probe = make_pipeline(StandardScaler(), clone(classifier).set_params(class_weight="balanced"))
    named = np.empty(len(pairs), np.int64)
    for train, test in _probe_folds(pairs).split(codes, groups=pairs.subjects):
        shown = np.unique(pairs.labels[train])
        one = len(shown) == 1  # of a handful of subjects, some may all show the same emotion
        named[test] = shown[0] if one else probe.fit(codes[train], pairs.labels[train]).predict(codes[test])
    return named


def _probe_folds(pairs: PairSet) -> GroupKFold:
    return GroupKFold(min(PROBE_FOLDS, len(np.unique(pairs.subjects))))


def _halves(subjects: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Split each subject's clips in two, at random; subjects with one clip go to neither half."""
    generator = np.random.default_rng(seed)
    train, test = [], []
    for subject in np.unique(subjects):
        clips = generator.permutation(np.flatnonzero(subjects == subject))
        if len(clips) > 1:
            train.append(clips[: len(clips) // 2])
            test.append(clips[len(clips) // 2 :])
    if len(train) < 2:
        raise DataError("fewer than two subjects have two clips", "identity_leak", "give more held-out pairs")
    return np.concatenate(train), np.concatenate(test)


def _probe(codes: np.ndarray, subjects: np.ndarray, train: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Return [N_test, 2]: 1 where the subject was named rightly, and the 1 that it counts."""
    probe = make_pipeline(StandardScaler(), clone(LOGISTIC))
    right = probe.fit(codes[train], subjects[train]).predict(codes[test]) == subjects[test]
    return np.stack([right, np.ones(len(test))], axis=1).astype(float)


# ---------------------------------------------------------------- sums, ratios and their intervals


def _products(generated: Tensor, true: Tensor) -> np.ndarray:
    """Return <g, t>, <t, t> and <g, g> of each image pair at half resolution, float64 [N, 3]."""
    g, t = (_half(change).flatten(1).double() for change in (generated, true))
    return torch.stack([(g * t).sum(1), (t * t).sum(1), (g * g).sum(1)], dim=1).numpy()


# each takes sums over the last axis's columns, so that it works on one total as on 1000 resampled ones
def _ratio(sums: np.ndarray) -> np.ndarray:
    return sums[..., 0] / sums[..., 1]


def _cosine(sums: np.ndarray) -> np.ndarray:
    # a generator that never moves has no direction: its cosine counts as 0
    return sums[..., 0] / np.sqrt(np.maximum(sums[..., 1] * sums[..., 2], 1e-20))


def _explained(sums: np.ndarray) -> np.ndarray:
    return 1 - sums[..., 0] / sums[..., 1]


def _change_error(sums: np.ndarray) -> np.ndarray:
    return (sums[..., 2] - 2 * sums[..., 0] + sums[..., 1]) / sums[..., 1]


def _table(rows: dict[str, tuple[Callable, np.ndarray, float, str]], groups: np.ndarray, seed: int) -> pd.DataFrame:
    """Evaluate each row's measure on all data, and on resampled groups (subjects) for its 95 % interval."""
    members = np.unique(groups, return_inverse=True)[1]
    count = members.max() + 1
    weights = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), REPEATS)  # [R, G]
    table = []
    for measure, sums, reference, wanted in rows.values():
        by_group = np.zeros((count, sums.shape[1]))
        np.add.at(by_group, members, sums)
        low, high = np.nanpercentile(measure(weights @ by_group), [2.5, 97.5])
        table.append((float(measure(by_group.sum(0))), low, high, reference, wanted))
    index = pd.Index(list(rows), name="measure")
    return pd.DataFrame(table, index=index, columns=["value", "low", "high", "reference", "wanted"])


# ---------------------------------------------------------------- small things


def _half(images: Tensor) -> Tensor:
    return F.avg_pool2d(images, 2)  # [N, 3, H/2, W/2]


def _rows(frames: np.ndarray) -> np.ndarray:
    return frames.reshape(-1, *frames.shape[2:])  # [A, B, H, W, 3] -> [A * B, H, W, 3]


def _to_tensor(frames: np.ndarray, model: nn.Module | None = None) -> Tensor:
    """Return uint8 frames [N, H, W, 3] as [N, 3, H, W] in [0, 1], on the model's device."""
    images = torch.from_numpy(np.ascontiguousarray(frames)).permute(0, 3, 1, 2).float().div_(255)
    weight = next(model.parameters(), None) if model is not None else None
    return images if weight is None else images.to(weight.device)


def _check_generator(model: nn.Module) -> None:
    if getattr(model, "drl", None) is None or getattr(model.drl, "generator", None) is None:
        raise DataError("the model has no generator to swap with", "swap", "build it with drl='full'")
