"""VGG-19 features for the perceptual part of the reconstruction loss (3.2.2), with or without ImageNet weights."""

import hashlib
import os
import re
import socket
import sys
from functools import cache, lru_cache
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lfdtcmen.errors import DataError, in_one_line

# torchvision's published checkpoint; the eight hex digits are the start of its SHA-256
VGG19_URL = "https://download.pytorch.org/models/vgg19-dcbb9e9d.pth"
LAYOUT = ((64, 64), (128, 128), (256,) * 4, (512,) * 4, (512,) * 4)  # widths of the convolutions, block by block
TAPS = ("relu1_2", "relu2_2", "relu3_1")
STAND_IN_SEED = 19
WORDS = ("auto", "download", "try_download", "random")  # weights are one of these, or a path
TIMEOUT = 30  # seconds in which the server must answer


def vgg_source(weights: str) -> str:
    """Return which weights ``VGG19(weights)`` takes on this machine, as a text for records; fetches nothing."""
    if weights == "random" or (weights in ("auto", "try_download") and not _hub_file().exists()):
        return f"seeded random stand-in (seed {STAND_IN_SEED})"
    if weights in WORDS:
        return f"ImageNet ({_hub_file().name})"
    file = Path(os.path.expanduser(weights))
    content = f", {_sha256(file, file.stat().st_mtime_ns)[:8]}" if file.is_file() else ""  # two files may have one name
    return f"ImageNet ({file.name}{content})"


@lru_cache
def _sha256(file: Path, changed: int) -> str:
    """Return the SHA-256 of a file of half a gigabyte; it is read again after it has been written."""
    with open(file, "rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def obtain_vgg(weights: str) -> str:
    """Fetch the ImageNet checkpoint where ``weights`` asks for it, and return the weights to take from then on.

    Where ``"try_download"`` cannot have it, one line on stderr says so, and the stand-in is taken.

    Parameters
    ----------
    weights : str
        As for :class:`VGG19`.

    Returns
    -------
    str
        ``"auto"`` or ``"random"`` for the words that ask for a download; any other word or path as it was.

    Raises
    ------
    DataError
        ``"download"`` failed.
    """
    if weights not in ("download", "try_download"):
        return weights
    reason = None if _hub_file().exists() else _download()
    if reason is None:
        return "auto"
    if weights == "try_download":
        _say_stand_in(reason)
        return "random"
    raise DataError(
        f"the VGG-19 checkpoint cannot be downloaded ({reason})",
        VGG19_URL,
        f"download it elsewhere and put it into {_hub_file().parent}, or set vgg_weights=random",
    )


@cache  # once a process: later calls have the same answer without waiting
def _download() -> str | None:
    """Fetch the checkpoint into torch's hub folder; return why that failed, in one line, or None."""
    timeout = socket.getdefaulttimeout()
    socket.setdefaulttimeout(TIMEOUT)
    try:
        _hub_file().parent.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(VGG19_URL, str(_hub_file()), _hub_file().stem.split("-")[1], progress=False)
    except Exception as error:  # network, hash and disk errors have no common parent
        return f"{type(error).__name__}: {in_one_line(error)}"
    finally:
        socket.setdefaulttimeout(timeout)
    return None


@cache  # once a process
def _say_stand_in(reason: str) -> None:
    print(
        f"lfdtcmen: VGG-19's REAL WEIGHTS CANNOT BE HAD ({reason}): the perceptual loss uses a seeded random stand-in; "
        f"for the real ones put {_hub_file().name} into {_hub_file().parent}",
        file=sys.stderr,
    )


def _check_hash(file: Path) -> None:
    """Compare a file with the first digits of its SHA-256, where its name has them as torchvision's files do."""
    digits = re.search(r"-([0-9a-f]{8,})\.pth$", file.name)
    if digits and not _sha256(file, file.stat().st_mtime_ns).startswith(digits[1]):
        raise ValueError("the file is damaged: its SHA-256 is another")


def _hub_file() -> Path:
    return Path(torch.hub.get_dir()) / "checkpoints" / Path(VGG19_URL).name


class VGG19(nn.Module):
    """The convolutions of VGG-19 up to the deepest tap, frozen.

    Parameters
    ----------
    weights : str
        ``"auto"``: the ImageNet checkpoint if torch's hub folder has it, else the stand-in;
        ``"download"``: fetch it (548 MB, hash checked); ``"try_download"``: the same, but the stand-in where that
        fails; ``"random"``: the stand-in; else a path to the checkpoint.
        The stand-in is a VGG-19 of seeded random weights: of two changes of equal L1, a motion and a shift in
        brightness, its features respond several times more to the motion (measured in notebook 02).
    taps : tuple of str
        Layers to return, ``relu<block>_<convolution>`` (assumed; with relu4_1 a step costs 2.4 times as much).
    size : int, optional
        Frames are shrunk to this longer side first; None leaves them.

    Attributes
    ----------
    source : str
        Which weights were taken, for the record.

    Raises
    ------
    DataError
        Unknown tap, missing or unreadable checkpoint, failed download.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, weights: str = "auto", taps: tuple[str, ...] = TAPS, size: int | None = None):
        super().__init__()
        self.taps, self.size = taps, size
        places = [(block, number) for block, widths in enumerate(LAYOUT, 1) for number in range(1, len(widths) + 1)]
        names = ["relu{}_{}".format(*place) for place in places]
        if unknown := [tap for tap in taps if tap not in names]:
            raise DataError(f"unknown VGG-19 layer {unknown[0]!r}", "VGG19(taps=...)", "use names like relu3_1")
        weights = obtain_vgg(weights)
        self.source = vgg_source(weights)
        self.layers = nn.ModuleDict()  # relu names -> the convolution before them, pooling included
        in_channels = 3
        for name, (block, number) in zip(names[: max(map(names.index, taps)) + 1], places, strict=False):
            width = LAYOUT[block - 1][number - 1]
            convolution = nn.Conv2d(in_channels, width, 3, padding=1)
            pooled = block > 1 and number == 1  # halve the size between blocks
            self.layers[name] = nn.Sequential(nn.MaxPool2d(2), convolution) if pooled else convolution
            in_channels = width
        self._load(weights)
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406])[:, None, None])
        self.register_buffer("std", torch.tensor([0.229, 0.224, 0.225])[:, None, None])
        self.requires_grad_(False).eval()
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def convolutions(self) -> list[nn.Conv2d]:
        """Return the convolutions in order."""
        return [module for module in self.modules() if isinstance(module, nn.Conv2d)]

    def _load(self, weights: str) -> None:
        if "stand-in" in self.source:
            generator = torch.Generator().manual_seed(STAND_IN_SEED)
            for convolution in self.convolutions():
                nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu", generator=generator)
                convolution.get_parameter("bias").data.zero_()
            return
        try:
            file = _hub_file() if weights == "auto" else Path(os.path.expanduser(weights))
            _check_hash(file)
            state = torch.load(file, map_location="cpu", weights_only=True)
            values = [value for key, value in state.items() if key.startswith("features.")]
            if len(values) != 2 * sum(map(len, LAYOUT)):
                raise ValueError("another number of convolutions")
            for convolution, weight, bias in zip(self.convolutions(), values[::2], values[1::2], strict=False):
                for own, value in ((convolution.weight, weight), (convolution.get_parameter("bias"), bias)):
                    if own.shape != value.shape or own.dtype != value.dtype or not torch.isfinite(value).all():
                        raise ValueError("other shapes or dtypes, or values that are not finite")
                    own.data.copy_(value)
        except Exception as error:  # hub, pickle and shape errors have no common parent
            raise DataError(
                f"the VGG-19 checkpoint cannot be read ({type(error).__name__}: {f'{error}'.partition(chr(10))[0]})",
                f"vgg_weights={weights}",
                "give the path of torchvision's vgg19 checkpoint, or vgg_weights='random' for the stand-in",
            ) from error

    def forward(self, images: Tensor) -> list[Tensor]:
        """Return the tapped features of RGB images [N, 3, H, W] in [0, 1]."""
        longest = max(images.shape[-2:])
        if self.size is not None and self.size < longest:
            height, width = (max(1, round(side * self.size / longest)) for side in images.shape[-2:])
            images = F.interpolate(images, (height, width), mode="area")
        x = (images - self.mean) / self.std  # as its ImageNet weights expect (assumed)
        tapped = []
        for name, layer in self.layers.items():
            x = F.relu(layer(x), inplace=True)
            if name in self.taps:
                tapped.append(x)
        return tapped
