"""A stand-in for a GPU, on a machine that has none: it refuses what CUDA would refuse.

Tensors "on" the stand-in lie in the CPU's memory, and their storage carries a mark. What CUDA refuses raises CUDA's own
error: an operation on tensors of both sides, `.numpy()` of a tensor on the device. What would make the CPU wait for the
device is counted. It shows nothing of speed, memory or kernels, and worker processes do not have it.

    with stand_in() as device: ...                  # a test
    IPYTHONDIR=folder, after write_start_up(folder)  # every kernel that starts
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from unittest.mock import patch

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

MIXED = "Expected all tensors to be on the same device, but found at least two devices, {} and cpu! (stand-in, in {})"
TO_NUMPY = "can't convert {} device type tensor to numpy. Use Tensor.cpu() to copy the tensor to host memory first."
NO_DOUBLE = "Cannot convert a MPS Tensor to float64 dtype as the MPS framework doesn't support float64. (stand-in)"
INDEXING = ("index", "index_put", "index_put_", "_index_put_impl_", "_unsafe_index")
GROUPS = "_group_tensors_by_device_and_dtype"
COPIES = ("copy_", "_to_copy", "set_")  # may have tensors of both sides
WAITS = ("_local_scalar_dense", "nonzero", "masked_select", "is_nonzero", "equal", "_unique2")  # need a value or a size


def is_on(tensor: torch.Tensor) -> bool:
    """Return whether a tensor is on the stand-in."""
    try:
        return getattr(tensor.untyped_storage(), "on_stand_in", False)
    except NotImplementedError:  # of the device "meta", which has no storage
        return False


def mark(result: object, on: bool = True) -> object:
    """Put all tensors of a result on the stand-in, or on the CPU."""
    for leaf in tree_leaves(result):
        if torch.is_tensor(leaf):
            leaf.untyped_storage().on_stand_in = on
    return result


class Operations(TorchDispatchMode):
    """Every operation, also those of backward passes and optimisers: refuses mixed devices, and marks results."""

    def __init__(self, device: torch.device):
        super().__init__()
        self.device, self.waits = device, []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func.overloadpacket.__name__
        tensors = [leaf for leaf in tree_leaves((args, kwargs)) if torch.is_tensor(leaf)]
        on = [tensor for tensor in tensors if is_on(tensor)]
        off = [tensor for tensor in tensors if not is_on(tensor) and tensor.dim() > 0 and tensor.device.type == "cpu"]
        if name in INDEXING and on and on[0] is tensors[0]:  # CUDA takes an index from the CPU
            off = [tensor for tensor in off if tensor.dtype not in (torch.int64, torch.bool)]
        if on and off and name not in COPIES:
            raise RuntimeError(MIXED.format(self.device, func))
        masked = name in ("index", "index_put_") and any(t.dtype == torch.bool for t in tensors[1:])
        if on and (name in WAITS or masked):
            self.waits.append(str(func))
        result = func(*args, **(kwargs or {}))
        if on and not (name == "copy_" and not is_on(args[0])):
            if self.device.type == "mps" and any(
                t.dtype == torch.float64 for t in tree_leaves(result) if torch.is_tensor(t)
            ):
                raise TypeError(NO_DOUBLE)
            mark(result)
        return result


class Calls(TorchFunctionMode):
    """What names a device: `.to`, `.cpu`, `.device`, `device=...`; and `.numpy()`."""

    def __init__(self, operations: Operations):
        super().__init__()
        self.operations, self.device = operations, operations.device

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs, name = dict(kwargs or {}), getattr(func, "__name__", "")
        own = args[0] if args and isinstance(args[0], torch.Tensor) else None
        asked = getattr(getattr(func, "__self__", None), "__name__", "") if name == "__get__" else name
        if own is not None and is_on(own):
            if asked in ("device", "is_cuda", "is_mps", "is_cpu"):
                return self.device if asked == "device" else asked == f"is_{self.device.type}"
            if asked in ("numpy", "__array__"):
                raise TypeError(TO_NUMPY.format(self.device))
            if asked == "__deepcopy__":
                return mark(func(*args, **kwargs))
            if asked == "tolist":
                self.operations.waits.append(asked)
        if own is not None and asked in ("to", "cpu", "cuda"):
            return self.move(func, own, asked, list(args[1:]), kwargs)
        if self.names(kwargs.get("device")):
            if asked in ("tensor", "as_tensor", "asarray"):  # made on the CPU, and copied
                self.operations.waits.append(asked)
            return mark(func(*args, **kwargs | {"device": "cpu"}))
        return func(*args, **kwargs)

    def names(self, device: object) -> bool:
        """Return whether a device is the stand-in's."""
        return device is not None and torch.device(device).type == self.device.type

    def move(self, func, tensor: torch.Tensor, asked: str, args: list, kwargs: dict) -> torch.Tensor:
        """Do what `.to`, `.cpu` or `.cuda` does: the dtype as usual, a copy where the side changes."""
        where = {"cpu": "cpu", "cuda": "cuda"}.get(asked, kwargs.pop("device", None))
        for value in args:
            if isinstance(value, torch.device | str):
                where = value
            elif isinstance(value, torch.Tensor):
                where, kwargs["dtype"] = self.device if is_on(value) else value.device, value.dtype
            elif isinstance(value, torch.dtype):
                kwargs["dtype"] = value
        waits_not = kwargs.pop("non_blocking", False) or any(value is True for value in args)
        was, on = is_on(tensor), is_on(tensor) if where is None else self.names(where)
        if was != on and (was or not waits_not):
            self.operations.waits.append(f"{asked}({where})")
        if not was and on and tensor.dtype == torch.float64 and "dtype" not in kwargs and self.device.type == "mps":
            raise TypeError(NO_DOUBLE)
        if kwargs.keys() & {"dtype", "memory_format"}:
            tensor = torch.Tensor.to(tensor, **kwargs) if asked == "to" else tensor
        return tensor if was == on else mark(tensor.clone(memory_format=torch.preserve_format), on)


def _replaced(kind: str) -> dict[str, object]:
    """Return the functions of torch.cuda, or of torch.backends.mps, that say what the device is."""
    if kind == "mps":
        return {"backends.mps.is_available": lambda: True, "accelerator.synchronize": lambda *_: None}
    answers = {"is_available": True, "device_count": 1, "current_device": 0, "get_device_name": "stand-in"}
    answers |= {"is_bf16_supported": True, "mem_get_info": (2**36, 2**36), "max_memory_reserved": 2**30}
    silent = ("synchronize", "manual_seed_all", "set_rng_state", "reset_peak_memory_stats", "empty_cache")
    found = {f"cuda.{name}": lambda *_, answer=answer, **__: answer for name, answer in answers.items()}
    found |= {f"cuda.{name}": lambda *_, **__: None for name in silent}
    found |= {"cuda.get_rng_state": lambda *_, **__: torch.get_rng_state()}
    return found | {"accelerator.synchronize": lambda *_: None}


@contextmanager
def stand_in(kind: str = "cuda") -> Iterator[Operations]:
    """Let torch have a device of a kind, "cuda" or "mps", within the block.

    Yields
    ------
    Operations
        Its ``device``; and its ``waits``, what would have made the CPU wait for the device until now.
    """
    operations, start = Operations(torch.device(kind, 0)), torch.autocast.__init__
    group = getattr(torch.nn.utils.clip_grad, GROUPS, None)

    def autocast(self, device_type: str, *args, **kwargs) -> None:
        start(self, "cpu" if device_type == kind else device_type, *args, **kwargs)

    def grouped(lists: list, *args) -> dict:  # in C++, which sees the CPU
        of = {True: operations.device, False: torch.device("cpu")}
        return {(of[is_on(found[0][0])], dtype): (found, at) for (_, dtype), (found, at) in group(lists, *args).items()}

    with ExitStack() as stack:
        for name, function in _replaced(kind).items():
            stack.enter_context(patch(f"torch.{name}", function))
        stack.enter_context(patch.object(torch.autocast, "__init__", autocast))
        stack.enter_context(patch.object(torch.nn.utils.clip_grad, GROUPS, grouped, create=True))
        stack.enter_context(Calls(operations))
        stack.enter_context(operations)
        yield operations


def write_start_up(folder: Path) -> None:
    """Write the file with which each kernel begins whose environment has this folder as IPYTHONDIR."""
    start_up = folder / "profile_default" / "startup"
    start_up.mkdir(parents=True)
    code = f"import runpy\n_stand_in = runpy.run_path({__file__!r})['stand_in']()\n_stand_in.__enter__()\n"
    (start_up / "00-stand-in.py").write_text(code, encoding="utf-8")
