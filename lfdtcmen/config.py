"""Every value that a run depends on, in one frozen dataclass and three profiles.

A profile changes sizes and epochs only (gpu also asks for VGG-19's real weights), never which code runs; a recipe
(:mod:`lfdtcmen.beyond.recipes`) changes that.
What the paper states and what is assumed is listed in :mod:`lfdtcmen.paper.ledger`.
"""

import os
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path

from lfdtcmen.beyond.recipes import RECIPES, SIZES
from lfdtcmen.errors import DataError

PAPER_LOSSES = ("reconstruction", "cycle", "orthogonality", "consistency", "contrastive", "emotion")  # SDO's six, 3.2
BEYOND_LOSSES = ("change", "rest")  # lfdtcmen/beyond


@dataclass(frozen=True)
class Config:
    """One run, resolved.

    Fields are grouped by who reads them: data, network, losses, training, evaluation.
    """

    profile: str = "cpu"
    recipe: str = "paper"  # paper, repaired, repaired_alone
    seed: int = 0

    # data
    preset: str = "standard"  # easy, standard, hard; wild to train on; other_world to score, and not to tune on
    label_map: str = "3class"  # 3class, 7class
    subjects: int = 100

    # network (3.1, 3.3)
    flow: str | None = "triple"  # triple, single, None            Table 5
    skips: str = "identity"  # identity, motion, both, none        Fig. 3
    drl: str | None = "full"  # full, encoders, motion, None       Table 4: settings III, II, I
    motion: str | None = "branch"  # branch, encoder, None         Table 6: settings II and III, I

    # losses (3.2)
    # weights of a stage's losses by name, 0 where none is given (values assumed, their order stated in 4.4)
    stage1: dict[str, float] = field(
        default_factory=lambda: {
            "reconstruction": 10.0,
            "cycle": 5.0,
            "orthogonality": 0.1,
            "consistency": 0.1,
            "contrastive": 0.1,
        }
    )
    stage2: dict[str, float] = field(default_factory=lambda: {"emotion": 1.0})
    stage3: dict[str, float] = field(
        default_factory=lambda: {
            "reconstruction": 1.0,
            "cycle": 0.5,
            "orthogonality": 0.1,
            "consistency": 0.1,
            "contrastive": 0.1,
            "emotion": 1.0,
        }
    )
    perceptual_weight: float = 0.1  # lambda_p of 3.2.2
    perceptual_size: int = 64  # frames are shrunk to this side before VGG-19
    perceptual_taps: tuple[str, ...] = ("relu1_2", "relu2_2", "relu3_1")  # layers of VGG-19
    vgg_weights: str = "auto"  # auto, download, try_download, random, or the path of torchvision's vgg19 checkpoint
    margin: float = 1.0  # of the contrastive loss, radians
    detach_consistency: bool = False

    # training (4.4)
    epochs: tuple[int, int, int] = (6, 20, 2)  # of stages 1, 2, 3
    batch_sizes: tuple[int, int, int] = (16, 32, 16)
    learning_rates: tuple[float, float, float] = (1e-3, 1e-3, 3e-4)
    weight_decay: float = 1e-2
    warmup: float = 0.05  # share of a stage's steps in which the learning rate rises
    clip_norm: float = 1.0  # longest gradient; 0: any
    max_shift: int = 3  # augmentation: whole-pixel shift of both frames
    flow_shift: int = 0  # augmentation: shift of a pair's flow, in cells of 28 x 28
    amplitude_jitter: float = 0.0  # augmentation: a pair's flow times exp(amplitude_jitter * n), n normal
    mixed_precision: str = "auto"  # auto, on, off: bf16 in generator and VGG-19

    # what training starts with, and what is added to the training pairs; nothing by default
    init: str | None = None  # checkpoint whose weights the stages start from: a path, or "shipped"
    add_synthetic: float = 0.0  # weight of the emotion loss of added synthetic faces, a pair of the data has 1; 0: none
    add_preset: str | None = None  # of the added faces; None: wild, or standard where there is no preset wild
    add_subjects: int = 100  # people of the added faces
    add_repeats: int = 3  # how often each pair of the data set comes in an epoch with added faces

    # evaluation (4.2)
    folds: int = 5

    # beyond the paper (lfdtcmen/beyond): none of it is on by default
    generator: str = "image"  # image, warp_difference, warp_multiscale
    bottleneck: int = 0  # channels of the motion code's bottleneck; 0: none
    contrast_normalised: bool = False  # frames of the motion encoder without skin colour and light
    normalised_difference: bool = False  # input of the motion branch: the scaled difference of the motion codes
    fusion: str = "concatenate"  # concatenate, late
    imbalance: str | None = None  # class_weights, focal, logit_adjusted, balanced_sampling
    change_first: float = 0.0  # share of stage 1 in which the change loss works alone, before all others join
    pretraining: int = 0  # steps of pretraining on synthetic swaps, before stage 1; 0: none
    pretraining_groups: int = 60  # of eight people and eight motions
    pretraining_rate: float = 2e-3  # learning rate
    pretraining_preset: str = "standard"  # of the synthetic people in the swaps, whatever preset is used afterwards
    pretraining_variation: float = 0.0  # strength of random changes of the frames
    freeze_motion_branch: bool = False  # in stage 2, after pretraining: only its classifier learns

    def stage_weights(self, stage: int) -> dict[str, float]:
        """Return the loss weights of stage 1, 2 or 3."""
        return (self.stage1, self.stage2, self.stage3)[stage - 1]

    @property
    def network(self) -> dict:
        """What builds the network: the paper's settings by name, and those beyond it that are switched on."""
        beyond = [name for name in (*BEYOND_DRL, *BEYOND_TCME) if getattr(self, name) != getattr(Config, name)]
        return {name: getattr(self, name) for name in (*NETWORK_FIELDS, *beyond)}

    @property
    def tcme_fields(self) -> set[str]:
        """The fields that stage 1, which trains DRL alone, does not depend on."""
        pretrained = self.pretraining and self.init is None  # through the motion branch
        return {*TCME_FIELDS} - ({"motion", "normalised_difference"} if pretrained else set())

    @property
    def is_paper(self) -> bool:
        """Whether nothing beyond the paper is switched on."""
        weights = [*self.stage1.items(), *self.stage2.items(), *self.stage3.items()]
        losses = {name for name, weight in weights if weight}
        return losses <= {*PAPER_LOSSES} and all(getattr(self, name) == getattr(Config, name) for name in BEYOND)


NETWORK_FIELDS = ("flow", "skips", "drl", "motion")  # the paper's settings of the network
# fields that go beyond the paper, by the part of the network that they change
BEYOND_DRL = ("generator", "bottleneck", "contrast_normalised")
BEYOND_TCME = ("normalised_difference", "fusion")
BEYOND_TRAINING = (
    *("imbalance", "change_first", "pretraining", "pretraining_groups", "pretraining_rate"),
    *("pretraining_preset", "pretraining_variation", "freeze_motion_branch"),
)
BEYOND = (*BEYOND_DRL, *BEYOND_TCME, *BEYOND_TRAINING)
# fields of what TCME alone is made of and learns from
TCME_FIELDS = ("flow", "motion", "imbalance", "flow_shift", "amplitude_jitter", "freeze_motion_branch", *BEYOND_TCME)

PROFILES: dict[str, dict] = {
    "smoke": {
        "subjects": 8,
        "add_subjects": 8,
        "epochs": (1, 2, 1),
        "batch_sizes": (8, 8, 8),
        "perceptual_size": 32,
        "folds": 2,
    },
    "cpu": {},
    "gpu": {
        "epochs": (40, 40, 20),
        "batch_sizes": (32, 32, 32),
        "perceptual_size": 128,
        "vgg_weights": "try_download",
    },
}

CHOICES: dict[str, tuple] = {
    "preset": ("easy", "standard", "hard", "wild", "other_world"),
    "flow": ("triple", "single", None),
    "skips": ("identity", "motion", "both", "none"),
    "drl": ("full", "encoders", "motion", None),
    "motion": ("branch", "encoder", None),
    "label_map": ("3class", "7class"),
    "mixed_precision": ("auto", "on", "off"),
    "generator": ("image", "warp_difference", "warp_multiscale"),
    "fusion": ("concatenate", "late"),
    "imbalance": (None, "class_weights", "focal", "logit_adjusted", "balanced_sampling"),
}

CHOICES["pretraining_preset"] = CHOICES["preset"][:-1]  # the other world is only ever scored

VGG_WEIGHTS = ("auto", "download", "try_download", "random")  # or a path

# the least that a number may be, or each number of a tuple
LEAST: dict[str, float] = {
    "seed": 0,
    "subjects": 1,
    "add_synthetic": 0,
    "add_subjects": 2,
    "add_repeats": 1,
    "perceptual_size": 16,
    "perceptual_weight": 0,
    "margin": 0,
    "bottleneck": 0,
    "change_first": 0,
    "pretraining": 0,
    "pretraining_groups": 1,
    "pretraining_rate": 0,
    "pretraining_variation": 0,
    "epochs": 0,
    "batch_sizes": 1,
    "learning_rates": 0,
    "weight_decay": 0,
    "warmup": 0,
    "clip_norm": 0,
    "max_shift": 0,
    "flow_shift": 0,
    "amplitude_jitter": 0,
    "folds": 2,
}
SHARES = ("warmup", "change_first")  # at most 1
PER_STAGE = ("epochs", "batch_sizes", "learning_rates")


def load_config(profile: str | None = None, recipe: str = "paper", **overrides) -> Config:
    """Return the config of a profile and a recipe, with fields replaced by name.

    Parameters
    ----------
    profile : {"smoke", "cpu", "gpu"}, optional
        ``LFDTCMEN_PROFILE`` where it is not given, and ``cpu`` where that is not set.
    recipe : {"paper", "repaired", "repaired_alone"}
        The paper's own; the one that collects what made it disentangle (notebook 08); the same without pretraining.
    **overrides
        Any field of :class:`Config`. ``LFDTCMEN_VGG_WEIGHTS`` stands for ``vgg_weights`` where that is not given.

    Raises
    ------
    DataError
        Unknown profile, recipe or field, a word that is none of a field's choices, a number that is too small or too
        large, other than three numbers for the three stages, no file at the path of VGG-19's weights, or fields that do
        not go together.
    """
    profile = profile or os.environ.get("LFDTCMEN_PROFILE") or "cpu"
    if weights := os.environ.get("LFDTCMEN_VGG_WEIGHTS"):
        overrides = {"vgg_weights": weights} | overrides
    if profile not in PROFILES:
        raise DataError(f"unknown profile {profile!r}", "load_config", f"use one of {', '.join(PROFILES)}")
    if recipe not in RECIPES:
        raise DataError(f"unknown recipe {recipe!r}", "load_config", f"use one of {', '.join(RECIPES)}")
    known = {f.name for f in fields(Config)}
    if unknown := sorted(set(overrides) - known):
        raise DataError(
            f"unknown config field {unknown[0]!r}", "load_config", f"known fields: {', '.join(sorted(known))}"
        )
    sizes = PROFILES[profile] | RECIPES[recipe] | SIZES.get(recipe, {}).get(profile, {})
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in overrides.items()}
    config = replace(Config(profile=profile, recipe=recipe), **{**sizes, **values})
    for name in PER_STAGE:
        value = getattr(config, name)
        if not isinstance(value, tuple) or len(value) != 3:
            raise DataError(f"{name} must be three numbers, got {value!r}", "load_config", "give one for each stage")
    for name, choices in CHOICES.items():
        if getattr(config, name) not in choices:
            use = f"use one of {', '.join(str(choice) for choice in choices)}"
            raise DataError(f"unknown {name} {getattr(config, name)!r}", "load_config", use)
    for name, least in LEAST.items():
        value = getattr(config, name)
        if min(value if isinstance(value, tuple) else (value,)) < least:
            raise DataError(f"{name} must be {least} or more, got {value!r}", "load_config", "give a larger number")
    for name in SHARES:
        if getattr(config, name) > 1:
            raise DataError(f"{name} must be at most 1, got {getattr(config, name)!r}", "load_config", "give a share")
    if not config.perceptual_taps:
        raise DataError("the perceptual loss has no layer", "perceptual_taps", "give one layer of VGG-19 or more")
    if config.vgg_weights not in VGG_WEIGHTS and not Path(os.path.expanduser(config.vgg_weights)).is_file():
        use = f"use {', '.join(VGG_WEIGHTS)}, or the path of torchvision's vgg19 checkpoint"
        raise DataError(f"there is no file {config.vgg_weights!r}", "vgg_weights", use)
    if config.pretraining and config.network.keys() == {*NETWORK_FIELDS}:
        raise DataError("the paper's network cannot be pretrained", "pretraining", "use recipe='repaired'")
    if config.pretraining and not config.stage1.get("change"):
        raise DataError("pretraining without a change loss", "load_config", "give stage1 a weight for it")
    if config.freeze_motion_branch and not config.pretraining:
        raise DataError("an untrained motion branch would be frozen", "freeze_motion_branch", "give pretraining steps")
    if config.change_first and not config.stage1.get("change"):
        raise DataError("change_first without a change loss", "load_config", "give stage1 a weight for it")
    return config


def used_fields(config: Config) -> dict:
    """Return the config as plain values, without the fields of a start or of added faces that are switched off.

    What depends on the config is known by these: a file from before there were such fields stays valid.
    """
    values = to_dict(config)
    unused = {"init"} if config.init is None else set()
    if not config.add_synthetic:
        unused |= {name for name in values if name.startswith("add_")}
    return {name: value for name, value in values.items() if name not in unused}


def to_dict(config: Config) -> dict:
    """Return the config as plain values, for JSON and for comparison with a checkpoint's."""
    return asdict(config)
