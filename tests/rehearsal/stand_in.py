"""A GPU rehearsed on a machine without one: what PyTorch code would do wrong there fails here.

``install()`` makes torch report a GPU. Its tensors stay in the processor's memory, but their storage carries a mark,
and what CUDA refuses is refused: an operation on tensors of both devices, the index of a GPU for a tensor of the CPU,
an array of a GPU's tensor. It says nothing of speed, memory or kernels, and does not see other processes.
"""

import functools
from typing import Any

import torch
import torch._dynamo  # lists functions of torch, and must do so before some are replaced
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten

NOTHING_TO_DO = ("synchronize", "empty_cache", "reset_peak_memory_stats", "manual_seed_all", "set_rng_state")
GPU, CPU = torch.device("cuda", 0), torch.device("cpu")
MIXED = "Expected all tensors to be on the same device, but found at least two devices, cuda:0 and cpu!"
NO_ARRAY = "can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu() to copy the tensor to host memory first."


def is_marked(tensor: Tensor) -> bool:
    """Return whether a tensor lies on the rehearsed GPU."""
    try:
        return getattr(tensor.untyped_storage(), "rehearsed", False)
    except NotImplementedError:  # a kind of tensor without a storage
        return False


def mark(tensors: Any, gpu: bool = True) -> Any:
    """Mark all tensors of a result, and return it."""
    for tensor in tree_flatten(tensors)[0]:
        if isinstance(tensor, Tensor):
            tensor.untyped_storage().rehearsed = gpu  # type: ignore[attr-defined]
    return tensors


def moved(tensor: Tensor, gpu: bool) -> Tensor:
    """Return a tensor on a device: itself where it is there already, else a copy."""
    return tensor if is_marked(tensor) == gpu else mark(tensor.clone(memory_format=torch.preserve_format), gpu)


def wants_gpu(device: Any) -> bool:
    """Return whether a device argument means the GPU."""
    return device is not None and str(device).startswith("cuda")


class Kernels(TorchDispatchMode):
    """Below autograd: refuses operations on both devices, and marks what an operation on the GPU returns."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        found = [x for x in tree_flatten((args, kwargs))[0] if isinstance(x, Tensor) and x.numel()]
        on = [x for x in found if is_marked(x)]
        off = [x for x in found if not is_marked(x) and x.dim()]  # numbers of the CPU go with any device
        name = str(func)
        copies = "copy_" in name or "set_" in name
        indexed = "index" in name and is_marked(args[0])  # by an index of the CPU: allowed
        if on and off and not copies and not indexed:
            shapes = [tuple(x.shape) for x in on], [tuple(x.shape) for x in off]
            raise RuntimeError(f"{MIXED} ({name}: {shapes[0]} on cuda, {shapes[1]} on cpu)")
        result = func(*args, **(kwargs or {}))
        return mark(result) if on and not ("copy_" in name and not is_marked(args[0])) else result


class Calls(TorchFunctionMode):
    """Above autograd: what code says about devices, by argument, method or attribute."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs, name = dict(kwargs or {}), getattr(func, "__name__", "")
        if name == "__get__":
            attribute = getattr(getattr(func, "__self__", None), "__name__", "")
            if attribute == "device":
                return GPU if is_marked(args[0]) else CPU
            if attribute == "is_cuda":
                return is_marked(args[0])
        elif name in ("numpy", "__array__") and is_marked(args[0]):
            raise TypeError(NO_ARRAY)
        elif name in ("cpu", "cuda"):
            return moved(args[0], name == "cuda")
        elif name == "to":
            return self.to(func, *args, **kwargs)
        elif wants_gpu(kwargs.get("device")):
            return mark(func(*args, **kwargs | {"device": CPU}))
        return func(*args, **kwargs)

    @staticmethod
    def to(func, tensor, *args, device=None, **kwargs):
        """Do what ``tensor.to`` does, in its own order: device, dtype or another tensor."""
        rest = []
        for argument in args:
            if isinstance(argument, Tensor):
                device = GPU if is_marked(argument) else CPU
                rest.append(argument.dtype)
            elif isinstance(argument, torch.device | str):
                device = argument
            elif isinstance(argument, torch.dtype):
                rest.append(argument)  # what is left out: non_blocking, copy, or no dtype
        result = func(tensor, *rest, **kwargs) if rest or kwargs else tensor
        return result if device is None else moved(result, wants_gpu(device))


def install() -> None:
    """Make torch report the rehearsed GPU, for the rest of the process."""
    replaced = {
        "is_available": lambda: True,
        "device_count": lambda: 1,
        "current_device": lambda: 0,
        "get_device_name": lambda *_: "rehearsed GPU",
        "is_bf16_supported": lambda *_, **__: True,
        "mem_get_info": lambda *_: (80 << 30, 80 << 30),
        "max_memory_reserved": lambda *_: 1 << 30,
        "get_rng_state": lambda *_: torch.get_rng_state(),
        **dict.fromkeys(NOTHING_TO_DO, lambda *_, **__: None),
    }
    for name, value in replaced.items():
        setattr(torch.cuda, name, value)
    autocast = torch.autocast.__init__

    @functools.wraps(autocast)
    def on_cpu(self, device_type, *args, **kwargs):
        autocast(self, "cpu" if wants_gpu(device_type) else device_type, *args, **kwargs)

    torch.autocast.__init__ = on_cpu  # type: ignore[method-assign]
    Calls().__enter__()
    Kernels().__enter__()
