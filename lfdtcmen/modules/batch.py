"""One batch of micro-expressions: the input of every module, loss and stage."""

from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

from lfdtcmen.errors import DataError

FROM_PAIRS = "make batches with PairSet.batch(index)"


@dataclass
class Batch:
    """Onset and apex frames of B micro-expressions with what is known of them.

    Parameters
    ----------
    onset, apex : Tensor
        Aligned frames, float32 [B, 3, H, W] in [0, 1]; H and W multiples of 32 (the encoder halves five times).
    flow : Tensor, optional
        U, V and strain in pixels, float32 [B, 3, 28, 28] (3.3.2). Needed by the optical flow branch only.
    label : Tensor, optional
        Emotion class, int64 [B].
    subject : Tensor, optional
        Number of the subject, int64 [B]: needed by the identity-aware contrastive loss (3.2.5) only.
    weight : Tensor, optional
        How much each pair counts in the emotion loss, float32 [B]; all alike without it.
    """

    onset: Tensor
    apex: Tensor
    flow: Tensor | None = None
    label: Tensor | None = None
    subject: Tensor | None = None
    weight: Tensor | None = None

    def __len__(self) -> int:
        return len(self.onset)

    def to(self, device: torch.device | str) -> "Batch":
        """Return the batch on another device."""
        parts = {f.name: getattr(self, f.name) for f in fields(self)}
        return replace(self, **{k: v.to(device, non_blocking=True) for k, v in parts.items() if v is not None})

    def check(self, values: bool = True) -> None:
        """Raise a DataError for frames or flows that the network cannot use.

        Parameters
        ----------
        values : bool
            Look at the values too, which waits for the device; else at shapes and dtypes alone.

        Raises
        ------
        DataError
            Wrong shape, size, dtype or range, or a value that is not finite.
        """
        for name in ("onset", "apex"):
            frame = getattr(self, name)
            if not isinstance(frame, Tensor):
                raise DataError(f"frames must be tensors, got {type(frame).__name__}", f"batch.{name}", FROM_PAIRS)
            if frame.ndim != 4 or frame.shape[1] != 3:
                raise DataError(f"frames must be [B, 3, H, W], got {list(frame.shape)}", f"batch.{name}", FROM_PAIRS)
            if not frame.shape[2] or not frame.shape[3] or frame.shape[2] % 32 or frame.shape[3] % 32:
                raise DataError(
                    f"frame size {frame.shape[2]}x{frame.shape[3]} is not a multiple of 32",
                    f"batch.{name}",
                    "resize the frames, to 128x128 as the notebooks do",
                )
            check_values(frame, f"batch.{name}", values)
            if values and len(frame):
                low, high = frame.aminmax()
                if low < 0 or high > 1:
                    raise DataError("pixel values lie outside [0, 1]", f"batch.{name}", "divide uint8 frames by 255")
        if self.onset.shape != self.apex.shape:
            raise DataError(
                f"onset is {list(self.onset.shape)} but apex is {list(self.apex.shape)}", "batch", "crop both alike"
            )
        if self.flow is not None:
            if self.flow.shape != (len(self), 3, 28, 28):
                raise DataError(
                    f"flow must be [{len(self)}, 3, 28, 28] (U, V, strain), got {list(self.flow.shape)}",
                    "batch.flow",
                    "make it with lfdtcmen.preprocessing.flow.to_streams",
                )
            check_values(self.flow, "batch.flow", values)
        for name in ("label", "subject"):
            value = getattr(self, name)
            if value is not None and (value.shape != (len(self),) or value.dtype != torch.int64):
                raise DataError(
                    f"must be int64 [{len(self)}], got {value.dtype} {list(value.shape)}", f"batch.{name}", FROM_PAIRS
                )
        weight = self.weight
        if weight is not None and (weight.shape != (len(self),) or not weight.is_floating_point()):
            what = f"must be float [{len(self)}], got {weight.dtype} {list(weight.shape)}"
            raise DataError(what, "batch.weight", FROM_PAIRS)


def check_values(tensor: Tensor, where: str, values: bool) -> None:
    """Raise a DataError for a tensor that is not floating point, or (with ``values``) not finite."""
    if tensor.dtype not in (torch.float32, torch.bfloat16, torch.float16):
        raise DataError(
            f"values must be floating point of 32 bits, got {tensor.dtype}",
            where,
            "convert with .float(); frames from uint8 with .float() / 255",
        )
    # minimum and maximum are NaN where any value is, and take a quarter of the time of isfinite on every value
    if values and tensor.numel() and not torch.isfinite(torch.stack(tensor.aminmax())).all():
        raise DataError("some values are NaN or infinite", where, "look for unreadable frames or a failed flow")
