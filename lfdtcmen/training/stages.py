"""The three training stages (4.4): what each one trains, freezes and weighs."""

from dataclasses import dataclass, fields, replace

import pandas as pd
from torch import nn

from lfdtcmen.config import Config, LossWeights
from lfdtcmen.modules.network import LFDTCMEN


@dataclass(frozen=True)
class Stage:
    """One stage: the parts of the network that learn, and what the forward pass has to make."""

    trains: tuple[str, ...]
    reconstruct: bool
    classify: bool
    identity: bool  # encode who the faces are


STAGES = {
    1: Stage(("drl",), reconstruct=True, classify=False, identity=True),  # disentangle; TCME frozen
    2: Stage(("tcme",), reconstruct=False, classify=True, identity=False),  # classify; encoders and generator frozen
    3: Stage(("drl", "tcme"), reconstruct=True, classify=True, identity=True),  # fine-tune everything with all losses
}


def stage_weights(model: LFDTCMEN, config: Config, stage: int) -> LossWeights:
    """Return the stage's loss weights without the losses for which an ablated network has no ingredients."""
    weights = config.stage_weights(stage)
    lacking = set()
    if model.drl is None or model.drl.identity_encoder is None:
        lacking |= {"orthogonality", "contrastive"}
    if model.drl is None or model.drl.generator is None:
        lacking |= {"reconstruction", "cycle", "consistency", "change"}
    if model.drl is None or model.drl.narrow is None:
        lacking |= {"rest"}
    return replace(weights, **dict.fromkeys(lacking, 0.0))


def has_losses(weights: LossWeights) -> bool:
    """Return whether any loss has a weight: a stage without one is skipped (stage 1 of Table 4, setting I)."""
    return any(getattr(weights, f.name) for f in fields(weights))


def set_trainable(model: LFDTCMEN, stage: int) -> None:
    """Freeze and unfreeze the parts of the network for a stage.

    Frozen means two things: no gradient (``requires_grad``), and ``eval`` mode, since batch normalisation would
    otherwise go on moving its running statistics without any gradient.
    """
    for name, part in model.named_children():
        learns = name in STAGES[stage].trains
        part.requires_grad_(learns).train(learns)


def check_frozen(model: LFDTCMEN, stage: int) -> None:
    """Refuse to go on after a backward pass that reached a part which the stage holds frozen."""
    for name, part in model.named_children():
        reached = any(p.grad is not None for p in part.parameters())
        if reached and name not in STAGES[stage].trains:
            raise RuntimeError(f"stage {stage} must not train {name}, but a gradient reached it")


def components(model: LFDTCMEN) -> dict[str, nn.Module]:
    """Return the paper's components by name, those that this setting has."""
    found = {}
    if model.drl is not None:
        found["motion encoder"] = model.drl.motion_encoder
        if model.drl.identity_encoder is not None:
            found["identity encoder"] = model.drl.identity_encoder
        if model.drl.generator is not None:
            found["generator"] = model.drl.generator
    if model.tcme.motion_branch is not None:
        found["motion branch"] = model.tcme.motion_branch
    if model.tcme.flow_branch is not None:
        found["flow branch"] = model.tcme.flow_branch
    found["classifier"] = model.tcme.classifier
    return found


def audit(model: LFDTCMEN) -> pd.DataFrame:
    """Return, per component: parameters, trainable ones, gradient norm of the last backward pass, mode.

    Use it after ``backward()``; a frozen component shows 0 trainable parameters, no gradient (NaN) and ``eval``.
    """
    rows = []
    for name, part in components(model).items():
        parameters = list(part.parameters())
        gradients = [p.grad for p in parameters if p.grad is not None]
        rows.append(
            {
                "component": name,
                "parameters": sum(p.numel() for p in parameters),
                "trainable": sum(p.numel() for p in parameters if p.requires_grad),
                "gradient": sum(g.double().square().sum().item() for g in gradients) ** 0.5 if gradients else None,
                "mode": "train" if part.training else "eval",
            }
        )
    return pd.DataFrame(rows).astype({"gradient": float})
