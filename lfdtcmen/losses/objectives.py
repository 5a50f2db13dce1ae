"""Synergistic Disentanglement Objectives (SDO, 3.2): a table of the losses, their weighted sum, and its log."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from lfdtcmen.errors import DataError
from lfdtcmen.losses.consistency_loss import consistency
from lfdtcmen.losses.contrastive_loss import active_fraction, identity_contrastive
from lfdtcmen.losses.cycle_loss import cycle_reconstruction
from lfdtcmen.losses.emotion_loss import emotion
from lfdtcmen.losses.orthogonality_loss import pool, soft_orthogonality
from lfdtcmen.losses.perceptual import VGG19
from lfdtcmen.losses.reconstruction_loss import reconstruction
from lfdtcmen.modules.batch import Batch
from lfdtcmen.modules.network import CYCLE, IDENTITY, Output


@dataclass(frozen=True)
class Objective:
    """One loss of the sum: a row of the table :data:`OBJECTIVES`.

    Parameters
    ----------
    name : str
        As in the weights and in the log.
    value : callable
        ``(output, batch, sdo) -> loss``, 0-d; ``sdo`` is the :class:`SynergisticObjectives` with its settings.
    needs : frozenset of str
        Fields of :class:`~lfdtcmen.modules.network.Output`, and ``label`` or ``subject`` of the batch, without which
        the loss cannot be computed. They decide which losses an ablated network lacks and, with ``uses``, whether the
        cycle is closed.
    uses : frozenset of str
        Fields that are used where the network makes them.
    """

    name: str
    value: Callable[[Output, Batch, "SynergisticObjectives"], Tensor]
    needs: frozenset[str]
    uses: frozenset[str] = frozenset()


def _reconstruction(output: Output, batch: Batch, sdo: "SynergisticObjectives") -> Tensor:
    apex_hat, onset_hat = output.take("apex_hat", "onset_hat")  # [B, 3, H, W] each
    return reconstruction(apex_hat, onset_hat, *sdo.targets(batch))


def _cycle(output: Output, batch: Batch, sdo: "SynergisticObjectives") -> Tensor:
    apex_tilde, onset_tilde = output.take("apex_tilde", "onset_tilde")  # [B, 3, H, W] each
    return cycle_reconstruction(apex_tilde, onset_tilde, *sdo.targets(batch))


def _orthogonality(output: Output, batch: Batch, sdo: "SynergisticObjectives") -> Tensor:
    identity = torch.cat(output.take("id_onset", "id_apex"))  # [2B, 256, h, w]
    return soft_orthogonality(identity, torch.cat(output.take("mo_onset", "mo_apex")))


def _consistency(output: Output, batch: Batch, sdo: "SynergisticObjectives") -> Tensor:
    generated = output.take("id_apex_hat", "mo_apex_hat", "id_onset_hat", "mo_onset_hat")  # [B, 256, h, w] each
    sources = output.take("id_onset", "mo_apex", "id_apex", "mo_onset")
    return consistency(zip(generated, sources, strict=True), sdo.detach_consistency)


def _contrastive(output: Output, batch: Batch, sdo: "SynergisticObjectives") -> Tensor:
    codes = [
        output.id_onset,
        output.id_apex,
        output.id_onset_hat,
        output.id_apex_hat,
    ]  # the paper's Fig. 4 has all four
    pooled = [pool(code) for code in codes if code is not None]  # [B, 256] each
    assert batch.subject is not None
    features, subjects = torch.cat(pooled), batch.subject.repeat(len(pooled))
    sdo.log["active_fraction"] = active_fraction(features, subjects, sdo.margin)
    return identity_contrastive(features, subjects, sdo.margin)


def _emotion(output: Output, batch: Batch, sdo: "SynergisticObjectives") -> Tensor:
    assert batch.label is not None
    return emotion(output.take("logits")[0], batch.label, batch.weight)


def table(*rows: Objective) -> dict[str, Objective]:
    """Return objectives by name."""
    return {row.name: row for row in rows}


OBJECTIVES = table(
    Objective("reconstruction", _reconstruction, frozenset({"apex_hat", "onset_hat"})),
    Objective("cycle", _cycle, frozenset({"apex_tilde", "onset_tilde"})),
    Objective("orthogonality", _orthogonality, IDENTITY | {"mo_onset", "mo_apex"}),
    Objective("consistency", _consistency, CYCLE - {"apex_tilde", "onset_tilde"} | IDENTITY),
    Objective("contrastive", _contrastive, IDENTITY | {"subject"}, uses=frozenset({"id_onset_hat", "id_apex_hat"})),
    Objective("emotion", _emotion, frozenset({"logits", "label"})),
)


class SynergisticObjectives:
    """L = sum of weight * loss over the losses whose weight is not zero.

    Parameters
    ----------
    weights : mapping
        Name of a loss -> its weight, of one training stage (4.4).
    vgg : VGG19, optional
        For the perceptual part of reconstruction and cycle.
    perceptual_weight, margin, detach_consistency
        See :func:`reconstruction`, :func:`identity_contrastive`, :func:`consistency`.
    objectives : mapping
        The table of losses.

    Raises
    ------
    DataError
        A weight for a loss that is not in the table.
    """

    def __init__(
        self,
        weights: Mapping[str, float],
        vgg: VGG19 | None = None,
        perceptual_weight: float = 0.1,
        margin: float = 1.0,
        detach_consistency: bool = False,
        objectives: Mapping[str, Objective] = OBJECTIVES,
    ):
        if unknown := sorted(weights.keys() - objectives.keys()):
            raise DataError(f"unknown loss {unknown[0]!r}", "weights", f"use {', '.join(objectives)}")
        self.weights = weights
        self.vgg = vgg
        self.perceptual_weight = perceptual_weight
        self.margin = margin
        self.detach_consistency = detach_consistency
        self.objectives = objectives
        self.log: dict[str, Tensor] = {}  # what losses report in addition to their value, of the last call
        self._features: list[Tensor] | None = None

    @property
    def active(self) -> list[Objective]:
        """The losses whose weight is not zero, in the table's order."""
        return [objective for name, objective in self.objectives.items() if self.weights.get(name)]

    def __call__(self, output: Output, batch: Batch) -> tuple[Tensor, dict[str, float]]:
        """Return the loss to minimise (0-d) and the value of each loss before its weight.

        Raises
        ------
        DataError
            As :meth:`on_device`.
        """
        total, values = self.on_device(output, batch)
        return total, {name: value.item() for name, value in values.items()}

    def on_device(self, output: Output, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the same without waiting for the device: the values are 0-d tensors there, without a graph.

        Raises
        ------
        DataError
            All weights are zero; or the output or the batch lacks a field that a loss needs.
        """
        self.log, self._features = {}, None
        losses = {}
        for objective in self.active:
            _check_needs(objective, output, batch)
            losses[objective.name] = objective.value(output, batch, self)
        if not losses:
            raise DataError("all loss weights are zero", "SynergisticObjectives", "give one loss a weight")
        total = torch.stack([self.weights[name] * value for name, value in losses.items()]).sum()
        return total, {name: value.detach() for name, value in losses.items()} | self.log

    def targets(self, batch: Batch) -> tuple[Tensor, Tensor, VGG19 | None, float, list[Tensor] | None]:
        """Return what reconstruction and cycle are compared with: both have the same targets.

        The real frames, VGG-19, the weight of the perceptual part, and the features of the real frames, computed once
        per call.
        """
        if self._features is None and self.vgg is not None and self.perceptual_weight:
            with torch.no_grad():
                self._features = self.vgg(torch.cat([batch.apex, batch.onset]))
        return batch.apex, batch.onset, self.vgg, self.perceptual_weight, self._features


def _check_needs(objective: Objective, output: Output, batch: Batch) -> None:
    for need in sorted(objective.needs):
        of_batch = need in ("label", "subject")
        where = "the batch" if of_batch else "the forward pass"
        if getattr(batch if of_batch else output, need) is None:
            raise DataError(
                f"the {objective.name} loss has a weight but {where} has no {need}",
                "SynergisticObjectives",
                "call the model with reconstruct/classify as the loss needs, or set its weight to 0",
            )
