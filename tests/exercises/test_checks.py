"""Each check passes the right answer, and has a message of its own for each of the typical wrong ones."""

import math
import re

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from lfdtcmen import LFDTCMEN, DataError
from lfdtcmen.analysis.complexity import flop_table
from lfdtcmen.baselines import spotting
from lfdtcmen.evaluation.metrics import uar, uf1
from lfdtcmen.exercises import (
    check,
    find,
    hint,
    notebook01,
    notebook02,
    notebook03,
    notebook04,
    notebook05,
    notebook06,
    notebook11,
    notebook13,
    notebook14,
    notebook15,
)
from lfdtcmen.losses import identity_contrastive
from lfdtcmen.modules.flow_branch import WIDTHS
from lfdtcmen.preprocessing.align import align_faces
from lfdtcmen.preprocessing.apex import spot_interval
from lfdtcmen.training import set_trainable
from tests.exercises.answers import answer_tests, message

# ---- 01.1


def divergence(flow):
    return np.gradient(flow[0], axis=1) + np.gradient(flow[1], axis=0)


def divergence_of_swapped_axes(flow):
    return np.gradient(flow[0], axis=0) + np.gradient(flow[1], axis=1)


def curl(flow):
    return np.gradient(flow[1], axis=1) - np.gradient(flow[0], axis=0)


def without_sign(flow):
    return np.abs(divergence(flow))


# ---- 01.2


def robust_shift(flow, near, mean=None, length=None):
    mean = mean or (lambda flow, weight: (weight * flow).sum(axis=1) / weight.sum())
    length = length or (lambda flow, shift: np.hypot(*(flow - shift[:, None])))
    weight = near
    for _ in range(8):
        shift = mean(flow, weight)
        residual = length(flow, shift)
        weight = near / (1 + (residual / max(0.05, np.median(residual))) ** 2)
    return shift


def shift_with(mean=None, length=None):
    return lambda flow, near: robust_shift(flow, near, mean, length)


# ---- 01.3


def normalise(streams, train, axes=(0, 2, 3)):
    known = streams[train]
    return (streams - known.mean(axes, keepdims=True)) / known.std(axes, keepdims=True)


def normalise_test_by_itself(streams, train):
    result = normalise(streams, train)
    test = np.setdiff1d(np.arange(len(streams)), train)
    result[test] = normalise(streams, test)[test]
    return result


# ---- 02.1


def pixels_seen(strides):
    return 1 + 2 * sum(np.prod(strides[:k]) for k in range(len(strides)))


# ---- 02.2


def fair(pairs):
    return sum((a - b).square().mean() / b.square().mean() for a, b in pairs)


def by_cosine(pairs):
    return sum((1 - F.cosine_similarity(a.flatten(1), b.flatten(1))).mean() for a, b in pairs)


def fixed_targets(pairs):
    return fair([(a, b.detach()) for a, b in pairs])


def still_shrinks(pairs):
    return sum((a - b).square().mean() / b.square().mean().detach() for a, b in pairs)


def by_first_pair(pairs):
    return fair(pairs[:1])


# ---- 02.3


def gains(*values):
    return lambda: dict(zip(notebook02.GAINS, values, strict=True))


# ---- 02.4


def contrast(angle):
    def loss(features, subjects, margin):
        unit = F.normalize(features, dim=1)
        i, j = torch.triu_indices(len(unit), len(unit), offset=1)
        theta, same = angle((unit @ unit.T)[i, j]), subjects[i] == subjects[j]
        apart = F.relu(margin - theta[~same]).square()
        return theta[same].square().mean() + (apart.mean() if len(apart) else 0)

    return loss


# ---- 05.4


def clips(variance, whole=math.ceil):
    def needed(p_a, p_b):
        return whole(1.96**2 * variance(p_a * (1 - p_a), p_b * (1 - p_b)) / (p_a - p_b) ** 2)

    return needed


# ---- 03.2: weights of a stream's three kernel sizes for one input channel
FOR_ONE_CHANNEL = sum(width * kernel**2 for width, kernel in zip(WIDTHS[0], (1, 3, 5), strict=True))


def weights(number):
    return lambda: number


# ---- 03.3


class FrozenForGood(nn.Module):
    def __init__(self, module):
        super().__init__()
        self.module = module.requires_grad_(False)
        self.train()

    def forward(self, x):
        return self.module(x)

    def train(self, mode=True):
        return super().train(False)


def freeze_in_place(module):
    module.requires_grad_(False).eval()
    module.train = lambda mode=True: module
    return module


def freeze_in_each_layer(module):
    for part in module.requires_grad_(False).eval().modules():
        part.train = lambda mode=True, part=part: part
    return module


class FrozenWithGradient(FrozenForGood):
    def __init__(self, module):
        super().__init__(module)
        module.requires_grad_(True)


class FrozenInPart(FrozenForGood):
    def __init__(self, module):
        super().__init__(module)
        for name, parameter in module.named_parameters():
            parameter.requires_grad_("bias" in name)


class FrozenOnTop(FrozenForGood):
    def train(self, mode=True):  # of itself alone, not of its parts
        self.training = False
        return self


class FrozenForNow(FrozenForGood):
    def train(self, mode=True):
        return super(FrozenForGood, self).train(mode)


class FrozenWithoutForward(FrozenForGood):
    def forward(self, x):
        return None


def freeze_statistics(module):
    for part in module.requires_grad_(False).modules():
        if isinstance(part, nn.BatchNorm2d):
            part.momentum = 0.0
    return module


def freeze_by_the_batch(module):
    for part in module.requires_grad_(False).modules():
        if isinstance(part, nn.BatchNorm2d):
            part.track_running_stats = False
    return module


def freeze_resets(module):
    for parameter in module.requires_grad_(False).parameters():
        parameter.zero_()
    return module


# ---- 03.4


def turned(u, v, strain, axes=(2, 3)):
    return lambda streams: streams.flip(*axes) * torch.tensor([u, v, strain])[:, None, None]


# ---- 04


def shares(*values):
    return lambda: dict(zip(notebook04.SHARES, values, strict=True))


def surgery(keep=True, times=1.0):
    def without_conflict(gradient, emotion):
        product = gradient @ emotion
        if keep and product >= 0:
            return gradient
        return gradient - times * product / (emotion @ emotion) * emotion

    return without_conflict


def start(model, rate):
    set_trainable(model, 3)
    return torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], rate)


def start_too_late(model, rate):
    optimiser = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], rate)
    set_trainable(model, 3)
    return optimiser


def start_half_frozen(model, rate):
    return torch.optim.AdamW(model.requires_grad_(True).parameters(), rate)


# ---- 05


def recalls(matrix):
    return np.diag(matrix) / np.maximum(matrix.sum(1), 1)


def pooled_uf1(folds, num_classes):
    return uf1(*(np.concatenate(part) for part in zip(*folds, strict=True)), num_classes)


def pooled_uar(folds, num_classes):
    return uar(*(np.concatenate(part) for part in zip(*folds, strict=True)), num_classes)


def mean_uf1(folds, num_classes):
    return np.mean([uf1(*fold, num_classes) for fold in folds])


def pooled_accuracy(folds, num_classes):
    return np.mean([truth == predicted for truth, predicted in folds])


# ---- 06


def growth(*factors):
    return lambda: dict(zip(notebook06.GROWTH, factors, strict=True))


# ---- 13


def minimised(of_low_rank, of_entries):
    return lambda low_rank, sparse, weight: of_low_rank(low_rank) + weight * of_entries(sparse).sum()


def ranks(*values):
    return lambda: dict(zip(notebook13.RANKS, values, strict=True))


def whole_clips(clips, rng):
    names = np.unique(clips)
    return np.isin(clips, rng.permutation(names)[: len(names) // 2])


def first_half(clips, rng):
    """Cut the sorted frames in the middle of a clip."""
    mask = np.zeros(len(clips), bool)
    mask[np.argsort(clips, kind="stable")[: len(clips) // 2 + 3]] = True
    return mask


# ---- 11


def balanced(labels, test, rng, size=np.max, among=lambda test: np.flatnonzero(~test)):
    rest = among(test)
    each = size(np.bincount(labels[rest]))
    return np.concatenate([rng.choice(rest[labels[rest] == c], each) for c in range(3)])


def chosen_by(pick, scored=lambda validation, test: test):
    return lambda validation, test: scored(validation, test).mean(0)[pick(validation.mean(0), test.mean(0))]


# ---- 14


def iou(divide=lambda common, found, true: found + true - common, ends=1, least=0):
    def answer(found, true):
        common = max(least, min(found[1], true[1]) - max(found[0], true[0]) + ends)
        return common / divide(common, found[1] - found[0] + ends, true[1] - true[0] + ends)

    return answer


def contrast_with(rest=lambda curve, onset, offset: np.r_[curve[:onset], curve[offset + 1 :]], spread=np.std):
    return lambda curve, onset, apex, offset: (curve[apex] - curve[onset]) / spread(rest(curve, onset, offset))


def second_apex(frames, fps, from_start=True, best=max):
    first = spot_interval(frames, fps)
    sides = []
    for start, side in ((0, frames[: first.onset]), (first.offset + 1, frames[first.offset + 1 :])):
        found = spot_interval(side, fps)
        sides.append(
            (spotting.contrast(found.curve, found.onset, found.apex, found.offset), from_start * start + found.apex)
        )
    return best(sides)[1]


# ---- 15


def frame_number(zero=1, first=0, of=lambda seconds, own: seconds * own, whole=round):
    return lambda number, annotated, own: whole(of((number - zero) / annotated, own)) + first


def gate(percentile=99, least=0.2, lengths=lambda flow: np.hypot(*flow)):
    return lambda flow: np.percentile(lengths(flow), percentile) > least


def people_needed(of=lambda people, ratio: people * ratio**2, whole=math.ceil):
    return lambda people, width, target: whole(of(people, width / target))


TABLE = {
    "11.1": (
        lambda p, looks: 1 - (1 - p) ** looks,
        [
            lambda p, looks: p,
            lambda p, looks: p**looks,
            lambda p, looks: (1 - p) ** looks,
            lambda p, looks: p * looks,
        ],
    ),
    "11.2": (
        lambda subjects, train, test: np.isin(subjects[test], subjects[train]).mean(),
        [
            lambda subjects, train, test: np.isin(subjects[train], subjects[test]).mean(),
            lambda subjects, train, test: np.isin(np.unique(subjects[test]), subjects[train]).mean(),
            lambda subjects, train, test: 1 - np.isin(subjects[test], subjects[train]).mean(),
            lambda subjects, train, test: np.isin(subjects[test], subjects[train]).sum(),
            lambda subjects, train, test: np.isin(subjects[test], subjects[train]).sum() / len(subjects),
            lambda subjects, train, test: np.isin(test, train).mean(),
        ],
    ),
    "11.3": (
        balanced,
        [
            lambda labels, test, rng: balanced(labels, test, rng, among=lambda test: np.arange(len(test))),
            lambda labels, test, rng: balanced(labels, test, rng, np.min),
            lambda labels, test, rng: balanced(labels, test, rng, lambda counts: np.bincount(labels).max()),
            lambda labels, test, rng: np.flatnonzero(~test),
            lambda labels, test, rng: ~test,
        ],
    ),
    "11.4": (
        chosen_by(lambda validation, test: validation.argmax()),
        [
            chosen_by(lambda validation, test: test.argmax()),
            chosen_by(lambda validation, test: validation.argmax(), lambda validation, test: validation),
            chosen_by(lambda validation, test: -1),
            chosen_by(lambda validation, test: len(validation) - 1 - validation[::-1].argmax()),
        ],
    ),
    "01.1": (divergence, [divergence_of_swapped_axes, curl, without_sign, lambda flow: divergence(flow)[1:]]),
    "01.2": (
        robust_shift,
        [
            lambda flow, near: robust_shift(flow, near)[::-1],
            shift_with(lambda flow, weight: (weight * flow).mean(axis=1)),
            shift_with(lambda flow, weight: flow.mean(axis=1)),
            shift_with(length=lambda flow, shift: np.hypot(*flow)),
            shift_with(length=lambda flow, shift: np.abs(flow[0] - shift[0])),
            lambda flow, near: robust_shift(flow, near, lambda flow, weight: (weight * flow).sum(axis=1) / near.sum()),
            lambda flow, near: (near * flow).sum(axis=1) / near.sum(),
        ],
    ),
    "01.3": (
        normalise,
        [
            lambda streams, train: normalise(streams, slice(None)),
            lambda streams, train: normalise(streams, train, None),
            lambda streams, train: (streams - streams.mean((2, 3), keepdims=True)) / streams.std((2, 3), keepdims=True),
            lambda streams, train: normalise(streams, train, 0),
            normalise_test_by_itself,
            lambda streams, train: normalise(streams, train) + 1,
        ],
    ),
    "02.1": (
        pixels_seen,
        [
            lambda strides: 1 + 2 * len(strides),
            lambda strides: 1 + 2 * sum(np.prod(strides[: k + 1]) for k in range(len(strides))),
            lambda strides: np.prod(strides),
            lambda strides: 3 * pixels_seen(strides),
        ],
    ),
    "02.2": (
        fair,
        [
            lambda pairs: sum(F.mse_loss(a, b) for a, b in pairs),
            lambda pairs: 8 - by_cosine(pairs),
            lambda pairs: fair([(a.detach(), b) for a, b in pairs]),
            still_shrinks,
            by_first_pair,
            lambda pairs: fair(pairs) * 0,
        ],
    ),
    "02.3": (
        gains(0.5, 0, -1, 1),
        [gains(1, 0, -1, 1), gains(0.5, 1, -1, 1), gains(0.5, 0, 1, 1), gains(0.5, 0, -1, 5**0.5), lambda: {}],
    ),
    "02.4": (
        contrast(lambda cosine: torch.arccos(cosine.clamp(-1 + 1e-6, 1 - 1e-6))),
        [
            contrast(lambda cosine: torch.arccos(cosine.clamp(-1, 1))),
            contrast(lambda cosine: torch.arccos(cosine * 0.9)),
            contrast(lambda cosine: torch.arccos(cosine.clamp(-1 + 1e-6, 1 - 1e-6)).detach()),
        ],
    ),
    "03.1": (
        lambda code, attention: code * (1 + 0.2 * (2 * attention - 1)),
        [
            lambda code, attention: code * (1 + 0.2 * attention),
            lambda code, attention: code * (1 - 0.2 * (2 * attention - 1)),
            lambda code, attention: code * (1 + 0.2 * (attention - 0.5)),
            lambda code, attention: 1 + 0.2 * (2 * attention.mean() - 1),
        ],
    ),
    "03.2": (
        weights(6 * FOR_ONE_CHANNEL),
        [
            weights(2 * FOR_ONE_CHANNEL),
            weights(3 * FOR_ONE_CHANNEL),
            weights(6 * sum(width * kernel for width, kernel in zip(WIDTHS[0], (1, 3, 5), strict=True))),
            weights(6 * FOR_ONE_CHANNEL - 1),
            weights(100 * FOR_ONE_CHANNEL),
        ],
    ),
    "03.3": (
        FrozenForGood,
        [FrozenWithGradient, FrozenInPart, FrozenForNow, FrozenWithoutForward, freeze_resets, freeze_statistics],
    ),
    "03.4": (
        turned(-1.0, -1.0, 1.0),
        [
            turned(1.0, 1.0, 1.0),
            turned(-1.0, -1.0, -1.0),
            turned(-1.0, 1.0, 1.0),
            turned(-1.0, 1.0, 1.0, axes=[3]),
            turned(1.0, -1.0, 1.0, axes=[2]),
            lambda streams: streams,
        ],
    ),
    "04.1": (
        lambda values, weights: sum(weights[name] * values[name] for name in weights),
        [
            lambda values, weights: sum(values.values()),
            lambda values, weights: sum(weights[name] * values[name] for name in values),
            lambda values, weights: sum(weights.get(name, 1) * values[name] for name in values),
            lambda values, weights: sum(weights[n] * values[n] for n in weights) / sum(weights.values()),
        ],
    ),
    "04.2": (
        shares(0.25, 0.1, -0.5),
        [shares(0.75, 0.1, -0.5), shares(0.25, 0.25, -0.5), shares(0.25, 0.1, -0.25), shares(0.25, 0.1, 1), dict],
    ),
    "04.3": (
        surgery(),
        [
            surgery(keep=False),
            surgery(times=2),
            surgery(times=0.5),
            lambda gradient, emotion: gradient,
            lambda gradient, emotion: gradient * (gradient @ emotion >= 0),
        ],
    ),
    "04.4": (
        start,
        [
            start_too_late,
            start_half_frozen,
            lambda model, rate: torch.optim.AdamW(model.parameters(), rate),
            lambda model, rate: start(model, 1e-3),
            lambda model, rate: set_trainable(model, 3),
        ],
    ),
    "05.1": (
        lambda matrix: recalls(matrix).mean(),
        [
            lambda matrix: (np.diag(matrix) / np.maximum(matrix.sum(0), 1)).mean(),
            lambda matrix: np.trace(matrix) / matrix.sum(),
            lambda matrix: recalls(matrix).sum(),
            lambda matrix: recalls(matrix)[matrix.sum(1) > 0].mean(),
        ],
    ),
    "05.2": (
        lambda: [0, 0, 0, 0, 1, 1, 2, 2, 1, 2],
        [lambda: [0] * 10, lambda: [0] * 8 + [1, 2], lambda: [1, 2], lambda: [7] * 10],
    ),
    "05.3": (pooled_uf1, [pooled_uar, mean_uf1, pooled_accuracy, lambda folds, num_classes: 0.3]),
    "05.4": (
        clips(lambda a, b: a + b),
        [
            clips(lambda a, b: a),
            clips(lambda a, b: (math.sqrt(a) + math.sqrt(b)) ** 2),
            clips(lambda a, b: (a + b) / 1.96),
            clips(lambda a, b: (a + b) / 1.96**2),
            clips(lambda a, b: a + b, math.floor),
            lambda p_a, p_b: 41,
        ],
    ),
    "06.1": (lambda: 55_424, [lambda: 36_992, lambda: 55_296, lambda: 55_488, lambda: 10]),
    "06.2": (
        growth(4, 4, 1, 1),
        [growth(2, 4, 1, 1), growth(4, 1, 1, 1), growth(4, 4, 4, 1), growth(4, 4, 1, 4), lambda: {}],
    ),
    "06.3": (
        lambda k, c, out, side, stride: 2 * k * k * c * out * (-(-side // stride)) ** 2,
        [
            lambda k, c, out, side, stride: k * k * c * out * (-(-side // stride)) ** 2,
            lambda k, c, out, side, stride: 2 * k * k * c * out,
            lambda k, c, out, side, stride: 2 * k * k * c * out * side**2,
            lambda k, c, out, side, stride: 2 * k * c * out * (-(-side // stride)) ** 2,
        ],
    ),
    "13.1": (
        minimised(lambda low: np.linalg.norm(low, "nuc"), np.abs),
        [
            minimised(np.linalg.norm, np.abs),
            minimised(lambda low: np.linalg.norm(low, 2), np.abs),
            minimised(lambda low: np.linalg.norm(low, "nuc"), np.array),
            minimised(lambda low: np.linalg.norm(low, "nuc"), np.square),
            lambda low, sparse, weight: np.linalg.norm(low, "nuc") + np.abs(sparse).sum(),
            lambda low, sparse, weight: np.linalg.matrix_rank(low) + weight * np.abs(sparse).sum(),
            lambda low, sparse, weight: np.abs(low).sum() + weight * np.abs(sparse).sum(),
            lambda low, sparse, weight: 0,
        ],
    ),
    "13.2": (ranks(1, 1, 2, 3), [ranks(11, 1, 2, 3), ranks(1, 2, 2, 3), ranks(1, 1, 1, 3), ranks(1, 1, 2, 2), dict]),
    "13.3": (
        whole_clips,
        [
            lambda clips, rng: rng.random(len(clips)) < 0.5,
            lambda clips, rng: np.arange(len(clips)) % 2 == 0,
            lambda clips, rng: clips % 2 == 0,
            lambda clips, rng: clips >= 0,
            lambda clips, rng: np.flatnonzero(whole_clips(clips, rng)),
            lambda clips, rng: rng.random(len(np.unique(clips))) < 0.5,
            first_half,
        ],
    ),
    "14.1": (
        iou(),
        [
            iou(lambda common, found, true: true),
            iou(lambda common, found, true: found),
            iou(lambda common, found, true: found + true),
            iou(lambda common, found, true: (found + true) / 2),
            iou(ends=0),
            iou(least=-99),
        ],
    ),
    "14.2": (
        lambda onsets, apexes, offsets: np.median((apexes - onsets) / (offsets - onsets)),
        [
            lambda onsets, apexes, offsets: np.mean((apexes - onsets) / (offsets - onsets)),
            lambda onsets, apexes, offsets: (apexes - onsets).sum() / (offsets - onsets).sum(),
            lambda onsets, apexes, offsets: np.median(apexes / offsets),
            lambda onsets, apexes, offsets: np.median(apexes - onsets),
            lambda onsets, apexes, offsets: np.median(apexes - onsets) / np.median(offsets - onsets),
        ],
    ),
    "14.3": (
        contrast_with(),
        [
            contrast_with(lambda curve, onset, offset: curve),
            contrast_with(lambda curve, onset, offset: np.r_[curve[: onset + 1], curve[offset:]]),
            contrast_with(lambda curve, onset, offset: curve[:onset]),
            contrast_with(lambda curve, onset, offset: curve[offset + 1 :]),
            contrast_with(spread=np.var),
        ],
    ),
    "14.4": (
        second_apex,
        [
            lambda frames, fps: spot_interval(frames, fps).apex,
            lambda frames, fps: second_apex(frames, fps, from_start=False),
            lambda frames, fps: second_apex(frames, fps, best=min),
            lambda frames, fps: second_apex(frames, fps) + 0.5,
        ],
    ),
    "15.1": (
        frame_number(),
        [
            frame_number(zero=0),
            frame_number(first=1),
            lambda number, annotated, own: round((number - 1) * annotated / own),
            frame_number(whole=math.floor),
            frame_number(whole=float),
        ],
    ),
    "15.2": (
        gate(),
        [
            gate(99, 0.01),
            gate(100),
            lambda flow: np.hypot(*flow).mean() > 0.2,
            gate(lengths=lambda flow: np.abs(flow[0])),
            lambda flow: np.hypot(*flow) > 0.2,
        ],
    ),
    "15.3": (
        lambda onset, apex, detector: align_faces([onset, apex], detector).frames,
        [
            lambda onset, apex, detector: np.stack([align_faces([f], detector).frames[0] for f in (onset, apex)]),
            lambda onset, apex, detector: align_faces([apex, onset], detector).frames,
            lambda onset, apex, detector: align_faces([apex, onset], detector).frames[::-1],
            lambda onset, apex, detector: align_faces([onset, onset], detector).frames,
            lambda onset, apex, detector: align_faces([onset, apex], detector).frames[1],
            lambda onset, apex, detector: np.stack([onset, apex]),
            lambda onset, apex, detector: align_faces([onset, apex], detector, method="nose").frames,
        ],
    ),
    "15.4": (
        people_needed(),
        [
            people_needed(lambda people, ratio: people * ratio),
            people_needed(lambda people, ratio: people / ratio**2),
            people_needed(lambda people, ratio: people * (ratio**2 - 1)),
            people_needed(whole=math.floor),
            people_needed(whole=float),
        ],
    ),
}


def test_every_exercise_is_in_the_table():
    modules = (
        notebook01,
        notebook02,
        notebook03,
        notebook04,
        notebook05,
        notebook06,
        notebook11,
        notebook13,
        notebook14,
        notebook15,
    )
    assert set(TABLE) == {number for module in modules for number in module.EXERCISES}


test_the_right_answer_is_right, test_wrong_answers_get_messages_of_their_own = answer_tests(TABLE)


@pytest.mark.parametrize("answer", [by_cosine, fixed_targets])
def test_other_ways_to_a_fair_consistency_are_right(answer, capsys):
    assert message("02.2", answer, capsys) == "02.2: right."


@pytest.mark.parametrize("answer", [freeze_in_place, freeze_in_each_layer])
def test_other_ways_to_freeze_for_good_are_right(answer, capsys):
    assert message("03.3", answer, capsys) == "03.3: right."


def test_freezing_without_statistics_is_not_right(capsys):
    assert "other frames of its batch" in message("03.3", freeze_by_the_batch, capsys)


@pytest.mark.parametrize("answer", [FrozenForNow, FrozenOnTop])
def test_freezing_for_now_or_on_top_is_found_out(answer, capsys):
    assert "running statistics moved" in message("03.3", answer, capsys)


def test_no_message_and_no_hint_has_the_number_that_is_asked_for(capsys):
    texts = [message("03.2", answer, capsys) for answer in TABLE["03.2"][1]] + list(find("03.2").hints)
    assert not [text for text in texts if "2112" in text or "2,112" in text]
    texts = [message("02.3", answer, capsys) for answer in TABLE["02.3"][1]] + list(find("02.3").hints)
    assert not [text for text in texts if re.search(r"0\.5|\b-1\b", text.removeprefix("02.3: not yet. "))]


def undone():
    raise NotImplementedError


def broken(*anything):
    return 1 / 0


@pytest.mark.parametrize("number", TABLE)
def test_a_stub_a_result_and_a_broken_function_are_answers_too(number, capsys):
    assert "not done yet" in message(number, lambda *anything: undone(), capsys)
    assert "the function itself" in message(number, 3, capsys)
    assert "ZeroDivisionError" in message(number, broken, capsys)
    assert message(number, lambda *anything: None, capsys).startswith(f"{number}: not yet.")


def test_operations_grow_as_notebook06_says():
    network = LFDTCMEN()
    growth = flop_table(network, size=256)["recognition"] / flop_table(network)["recognition"]
    assert notebook06.GROWTH == {name: growth[name] for name in notebook06.GROWTH}


def test_hints_come_one_by_one_and_end(capsys):
    count = len(find("02.2").hints)
    for _ in range(count + 1):
        hint("02.2")
    lines = capsys.readouterr().out.splitlines()
    assert len(set(lines)) == count and lines[-1] == lines[-2] and lines[0].startswith("02.2, hint 1 of ")
    hint("02.2", n=1)
    assert capsys.readouterr().out.strip() == lines[0]
    with pytest.raises(DataError, match="hints, not 9"):
        hint("02.2", n=9)


@pytest.mark.parametrize("number", ["02.9", "77.1", "x"])
def test_an_exercise_that_is_not_there_is_an_error(number):
    with pytest.raises(DataError):
        check(number, pixels_seen)


def test_the_table_of_the_contrastive_loss_is_the_packages(capsys):
    features, subjects = torch.randn(6, 4), torch.tensor([0, 0, 1, 1, 2, 2])
    torch.testing.assert_close(TABLE["02.4"][0](features, subjects, 1.0), identity_contrastive(features, subjects))
