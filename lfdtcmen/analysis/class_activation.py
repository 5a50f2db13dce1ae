"""Grad-CAM (4.7): which positions of the last feature maps raise a class's logit. And HiResCAM, to compare with."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lfdtcmen.analysis.codes import evaluation_mode
from lfdtcmen.modules.batch import Batch
from lfdtcmen.modules.network import LFDTCMEN


def gradcam(model: LFDTCMEN, batch: Batch, classes: Tensor | None = None) -> dict[str, Tensor]:
    """Return a Grad-CAM of each branch that the network has (4.7).

    Each channel is weighted by the gradient of the class's logit, averaged over the positions of the map; the weighted
    channels are summed, and negative values become 0. The paper does not say of which layer its Grad-CAM is.
    Assumed: the last convolutions of each branch, which are MSFE's fusion in the motion branch (conv8 of the motion
    encoder in Table 6's setting I, onset and apex summed) and the second micro-inceptions of the flow branch, its
    streams summed.

    Parameters
    ----------
    model : LFDTCMEN
        Left in the mode in which it came. Frozen parts do not matter.
    batch : Batch
        Moved to the network's device.
    classes : Tensor, optional
        Class to explain of each pair, int64 [B]; the predicted one by default.

    Returns
    -------
    dict
        "motion" [B, h, w] (4x4 for frames of 128x128) and "flow" [B, 14, 14], those that are there, on the CPU. Values
        from 0 up, without unit: positions of one map can be compared, two maps cannot.
    """
    return _maps(model, batch, classes, lambda gradient, feature: gradient.mean((2, 3), keepdim=True) * feature)


def hirescam(model: LFDTCMEN, batch: Batch, classes: Tensor | None = None) -> dict[str, Tensor]:
    """Return a HiResCAM of each branch: gradient times feature at each position, summed over channels. Not the paper's.

    Grad-CAM averages the gradient over positions first, as if the classifier saw each channel's mean alone. The flow
    branch flattens its maps, so that each position has weights of its own, which the average mixes up (Draelos and
    Carin, arXiv:2011.08891).

    Parameters and returned maps as for :func:`gradcam`.
    """
    return _maps(model, batch, classes, lambda gradient, feature: gradient * feature)


def _maps(
    model: LFDTCMEN, batch: Batch, classes: Tensor | None, weigh: Callable[[Tensor, Tensor], Tensor]
) -> dict[str, Tensor]:
    """Return the maps of each branch, of its last features weighed by their gradients."""
    layers: dict[str, list[nn.Module]] = {}
    if model.tcme.motion_branch is not None:
        layers["motion"] = [model.tcme.motion_branch.msfe]
    elif model.tcme.motion == "encoder" and model.drl is not None:
        layers["motion"] = [model.drl.motion_encoder.conv8]
    if model.tcme.flow_branch is not None:
        layers["flow"] = [stream.get_submodule("inception2") for stream in model.tcme.flow_branch.streams]

    features: dict[nn.Module, Tensor] = {}

    def keep(layer: nn.Module, _, output: Tensor) -> Tensor:
        features[layer] = output.detach().requires_grad_()  # a leaf: no backward pass through the layers before it
        return features[layer]

    batch = batch.to(next(model.parameters()).device)
    hooks = [layer.register_forward_hook(keep) for parts in layers.values() for layer in parts]
    try:
        with evaluation_mode(model), torch.enable_grad():
            logits = model(batch, identity=False).logits  # [B, C]
            classes = logits.argmax(1) if classes is None else classes
            classes = classes.to(logits.device)
            gradients = torch.autograd.grad(logits.gather(1, classes[:, None]).sum(), list(features.values()))
    finally:
        for hook in hooks:
            hook.remove()

    weighted = {}
    for (layer, feature), gradient in zip(features.items(), gradients, strict=True):
        # [B, h, w]; conv8 sees onset and apex: [2B, h, w]
        weighted[layer] = weigh(gradient, feature.detach()).sum(1)
    return {
        name: F.relu(sum(part for layer in parts for part in weighted[layer].split(len(batch)))).cpu()  # [B, h, w]
        for name, parts in layers.items()
    }
