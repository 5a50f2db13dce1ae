"""From pairs to a trained network: the three stages in a row; a stage whose checkpoint exists is loaded."""

import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from joblib import delayed
from sklearn.metrics import f1_score
from torch import Tensor

from lfdtcmen.config import Config, used_fields
from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.datasets.splits import Fold, check_shown, split_validation
from lfdtcmen.devices import find_device, side_by_side
from lfdtcmen.errors import DataError
from lfdtcmen.losses.perceptual import vgg_source
from lfdtcmen.modules.network import LFDTCMEN
from lfdtcmen.threads import one_thread
from lfdtcmen.training.checkpoint import (
    SUFFIX,
    load_history,
    load_model,
    load_shipped,
    settings_key,
    shipped_file,
    stage_settings,
)
from lfdtcmen.training.method import PAPER, Method
from lfdtcmen.training.prediction import predict
from lfdtcmen.training.stages import STAGES, settle_vgg, train_stage
from lfdtcmen.training.weights import SHIPPED, digest, find_weights


def build_model(config: Config, num_classes: int, method: Method = PAPER) -> LFDTCMEN:
    """Return the untrained network of a config, on the device that is found; the same seed gives the same weights.

    Raises
    ------
    DataError
        The config goes beyond the paper, and the method does not.
    """
    method.check(config)
    with torch.random.fork_rng():
        torch.manual_seed(config.seed)
        model = method.network(num_classes, config.network)
    return model.to(find_device()).eval()


def start_from(model: LFDTCMEN, config: Config, label_names: Sequence[str], method: Method = PAPER) -> str:
    """Copy the weights of the checkpoint ``config.init`` into an untrained network.

    All parts are copied. Where the checkpoint's classes are others than those of the data, the classifier, and what
    else belongs to the classes, stays as it is. The constants of the flow branch are replaced by those of the new
    training pairs when stage 2 begins.

    Returns
    -------
    str
        A line for the reader: that the classifier starts anew, or "".

    Raises
    ------
    DataError
        The file is missing or no checkpoint of stage 2 or 3, or its network has other settings: the first one is named.
    """
    assert config.init is not None
    path = find_weights(config.init, config.network)
    source, about = load_model(path, method)
    network = about["network"]
    for name in {**network, **config.network}:
        theirs, own = network.get(name, getattr(Config, name, None)), getattr(config, name, None)
        if theirs != own:
            raise DataError(
                f"the network of the checkpoint has {name}={theirs!r}, this run has {own!r}",
                str(path),
                f"use --set {name}={theirs} (or its recipe), or start from another checkpoint",
            )
    weights = source.state_dict()
    if tuple(about["label_names"]) == tuple(label_names):
        model.load_state_dict(weights)
        return ""
    parts = ("tcme.motion_branch.", "tcme.flow_branch.", "drl.")
    model.load_state_dict({name: value for name, value in weights.items() if name.startswith(parts)}, strict=False)
    theirs, own = ", ".join(about["label_names"]), ", ".join(label_names)
    return f"the classifier starts anew: the checkpoint has the classes {theirs}; the data have {own}"


def checkpoint_file(stage: int, config: Config, pairs: PairSet, run_dir: Path | str, weights: str = "train") -> Path:
    """Return where the checkpoint of a stage lies in a run's folder: the name depends on config and data.

    With ``weights="shipped"``, where :func:`stage_checkpoint` takes shipped weights: their file.
    """
    if weights == SHIPPED and (file := shipped_file(stage, config, pairs.fingerprint)):
        return file
    key = settings_key(stage_settings(config, stage, pairs.fingerprint))
    return Path(run_dir) / "checkpoints" / f"stage{stage}-{key}{SUFFIX}"


def stage_checkpoint(
    stage: int,
    config: Config,
    pairs: PairSet,
    run_dir: Path | str | None = None,
    progress: bool = True,
    method: Method = PAPER,
    weights: str = "train",
) -> tuple[LFDTCMEN, pd.DataFrame]:
    """Return the network after ``stage``, and the loss history of its stages so far.

    Checkpoints in ``run_dir/checkpoints`` that fit config and data are loaded; other stages are trained, and saved
    there. So a notebook that begins with stage 3 runs alone, and no stage of a series is trained twice. A later stage's
    checkpoint holds all of the network: where there is one, the stages before it are not loaded.

    Parameters
    ----------
    stage : {1, 2, 3}
    config : Config
        With ``init``, the first stage starts from that checkpoint's weights (:func:`start_from`), and what a method
        does before stage 1 is left out.
    pairs : PairSet
        Training subjects only.
    run_dir : path, optional
        Without it, nothing is saved.
    progress : bool
    method : Method
        The paper's, or what goes beyond it.
    weights : {"train", "shipped"}
        shipped: take the weights that come with the package (in half precision), if they are of this very training: the
        same stage, config and data; else train.

    Raises
    ------
    DataError
        As :func:`~lfdtcmen.training.stages.train_stage`; unknown ``weights``; a class without training pairs is refused
        before stage 1.
    """
    if stage not in STAGES:
        raise DataError(f"there is no stage {stage}", "stage_checkpoint", "use 1, 2 or 3")
    if weights not in ("train", SHIPPED):
        raise DataError(f"unknown weights {weights!r}", "stage_checkpoint", f"use train or {SHIPPED}")
    if stage >= 2:  # stage 1 uses no labels, but is not worth training for a stage 2 that will be refused
        check_shown(pairs.labels, pairs.label_names, "training pairs")
    config = settle_vgg(config)
    model = build_model(config, pairs.num_classes, method)
    if weights == SHIPPED and (shipped := load_shipped(stage, config, pairs.fingerprint, model)):
        if progress:
            print(f"the weights of {shipped[0].name}, which come with the package; weights='train' trains here")
        return model, pd.DataFrame(shipped[1])
    files: dict[int, Path] = {}
    if run_dir is not None:
        files = {number: checkpoint_file(number, config, pairs, run_dir) for number in range(1, stage + 1)}
    kept = [number for number, file in files.items() if file.exists()]
    first = max(kept, default=1)
    if first == 1 and config.init is not None:
        line = start_from(model, config, pairs.label_names, method)
        if progress and line:
            print(line)
    elif first == 1:
        method.before_stages(model, config, run_dir, progress)
    histories = [pd.DataFrame(load_history(files[number])) for number in kept if number < first]
    for number in range(first, stage + 1):
        histories.append(train_stage(model, pairs, number, config, files.get(number), progress, method=method))
    return model, pd.concat([h for h in histories if len(h)] or [pd.DataFrame()], ignore_index=True)


class LFDTCMENClassifier:
    """The three stages as a model of the evaluation protocol (:class:`lfdtcmen.evaluation.protocol.Model`).

    Parameters
    ----------
    config : Config
        Its seed is replaced by the one that the protocol gives.
    run_dir : path, optional
        Folder of the checkpoints, where a killed run finds them again. With ``stage1_groups`` or ``validation``, only
        stage 1 and what comes before it are kept.
    stages : {1, 2, 3}
        The last stage to train; the ones before it are trained, too.
    stage1_groups : mapping, optional
        Subject -> number of its group. Stage 1 is then trained once per group (:meth:`prepare`), with the config's own
        seed, and shared by all folds and seeds that test somebody of the group: it is trained on nobody of that
        group, and so never on a tested subject. Without it, each fold and seed has its own stage 1.
    validation : float
        Share of the training subjects to keep apart, on whom the epoch of stages 2 and 3 with the best macro F1 is
        chosen; 0 trains on all of them for the config's epochs. A shared stage 1 uses no labels, but is trained on them
        as well.
    method : Method
        The paper's, or what goes beyond it.
    """

    def __init__(
        self,
        config: Config,
        run_dir: Path | str | None = None,
        stages: int = 3,
        stage1_groups: Mapping[str, int] | None = None,
        validation: float = 0.0,
        method: Method = PAPER,
    ):
        method.check(config)
        self.config, self.run_dir, self.stages, self.method = config, run_dir, stages, method
        self.stage1_groups, self.validation = stage1_groups, validation
        self.shared: dict[
            int, dict[str, dict[str, Tensor]]
        ] = {}  # group -> part of the network -> weights after stage 1

    @property
    def settings(self) -> dict:
        """Everything on which the predictions depend, apart from data and seed, as plain values."""
        init, groups = self.config.init, self.stage1_groups
        return {
            **used_fields(self.config),
            **({} if init is None else {"init": digest(find_weights(init, self.config.network))}),
            "vgg_weights": vgg_source(settle_vgg(self.config).vgg_weights),
            "stages": self.stages,
            "stage1_groups": None if groups is None else {str(who): int(group) for who, group in groups.items()},
            "validation": self.validation,
        }

    def prepare(self, pairs: PairSet, folds: Iterable[Fold], seeds: Iterable[int], jobs: int = 1) -> None:
        """Train once what folds share, in parallel: what comes before stage 1, and the stage 1 of each tested group.

        Parameters
        ----------
        pairs : PairSet
            All samples; the indices of the folds refer to their order.
        folds : iterable of (train_index, test_index)
            A group that no fold tests needs no stage 1.
        seeds : iterable of int
            As the protocol gives them.
        jobs : int
            Processes; -1 for all cores.

        Raises
        ------
        DataError
            A subject without a group, a fold that tests subjects of several groups, or one whose training subjects are
            too few to keep some apart for validation: said before anything is trained.
        """
        folds, seeds = list(folds), list(seeds)
        if self.validation:
            for seed in dict.fromkeys(seeds):
                for train, _ in folds:
                    self._split_validation(pairs.subset(train), seed)
        self.config = settle_vgg(self.config)  # here and once, not in each worker
        if self.config.drl is None:
            return
        seeds = [self.config.seed] if self.stage1_groups is not None else dict.fromkeys(seeds)
        if self.config.init is None:
            self.method.prepare([replace(self.config, seed=seed) for seed in seeds], self.run_dir, jobs)
        if self.stage1_groups is None:
            return
        if unknown := sorted({*pairs.subjects} - self.stage1_groups.keys()):
            raise DataError(f"subject {unknown[0]} has no group", "stage1_groups", "number the groups of all subjects")
        tested = sorted({self.group_of(pairs.subset(test)) for _, test in folds})
        group = np.array([self.stage1_groups[subject] for subject in pairs.subjects])  # [N]
        train = delayed(_stage1_in_one_thread)
        weights = side_by_side(
            (train(self.config, pairs.subset(group != number), self.run_dir, self.method) for number in tested), jobs
        )
        self.shared = dict(zip(tested, weights, strict=True))

    def group_of(self, test: PairSet) -> int:
        """Return the one group of ``stage1_groups`` that the test subjects are of.

        Raises
        ------
        DataError
            They are of several, or of none.
        """
        assert self.stage1_groups is not None
        groups = {self.stage1_groups.get(subject) for subject in test.subjects}
        if len(groups) > 1:
            raise DataError(
                f"the test subjects are of {len(groups)} groups of stage 1",
                "stage1_groups",
                "let each fold test subjects of one group only",
            )
        group = groups.pop()
        if group is None:
            raise DataError("the test subjects have no group", "stage1_groups", "number the groups of all subjects")
        return group

    def __call__(self, train: PairSet, test: PairSet, seed: int) -> np.ndarray:
        """Train on ``train`` and return probabilities for ``test``, float32 [N_test, C].

        Raises
        ------
        DataError
            The test subjects are of several groups of ``stage1_groups`` or of none, or :meth:`prepare` has not
            trained their stage 1.
        """
        config = replace(self.config, seed=seed)
        if self.stage1_groups is None and not self.validation:
            model, _ = stage_checkpoint(self.stages, config, train, self.run_dir, progress=False, method=self.method)
            return predict(model, test)
        weights = None if self.stage1_groups is None or config.drl is None else self._shared_stage1(test)
        on_epoch, best = None, BestEpoch()
        if self.validation:
            fit_index, validation_index = self._split_validation(train, seed)
            train, validation = train.subset(fit_index), train.subset(validation_index)
            on_epoch = partial(best.update, validation)
        if weights is None:
            weights = _stage1_weights(config, train, self.run_dir, self.method)
        model = build_model(config, train.num_classes, self.method)
        if config.init is not None:
            start_from(model, config, train.label_names, self.method)
        for name, state in weights.items():
            model.get_submodule(name).load_state_dict(state)
        for stage in range(2, self.stages + 1):
            train_stage(model, train, stage, config, progress=False, on_epoch=on_epoch, method=self.method)
        if best.weights is not None:
            model.load_state_dict(best.weights)
        return predict(model, test)

    def after_stage1(self, train: PairSet, test: PairSet, seed: int) -> LFDTCMEN:
        """Return the network of a fold after stage 1, which has not seen the test subjects.

        It is loaded where it is in ``run_dir``, or shared by folds (``stage1_groups``); else trained on all of
        ``train``, whatever ``validation`` is.

        Raises
        ------
        DataError
            As :meth:`__call__`.
        """
        config = replace(self.config, seed=seed)
        if self.stage1_groups is None:
            return stage_checkpoint(1, config, train, self.run_dir, progress=False, method=self.method)[0]
        model = build_model(config, train.num_classes, self.method)
        for name, state in self._shared_stage1(test).items():
            model.get_submodule(name).load_state_dict(state)
        return model

    def _split_validation(self, train: PairSet, seed: int) -> tuple[np.ndarray, np.ndarray]:
        return split_validation(train.subjects, train.labels, self.validation, seed, train.label_names)

    def _shared_stage1(self, test: PairSet) -> dict[str, dict[str, Tensor]]:
        group = self.group_of(test)
        if group not in self.shared:
            raise DataError(f"stage 1 of group {group} is not trained", "LFDTCMENClassifier", "call prepare first")
        return self.shared[group]


class BestEpoch:
    """The weights of the epoch with the best macro F1 on validation subjects; the first of equal ones."""

    def __init__(self):
        self.score, self.weights = -1.0, None

    def update(self, validation: PairSet, epoch: int, model: LFDTCMEN) -> None:
        """Score the network on the validation pairs, and keep its weights if it is the best so far."""
        classes, y_pred = range(validation.num_classes), predict(model, validation).argmax(1)
        score = f1_score(validation.labels, y_pred, labels=classes, average="macro", zero_division=0)
        if score > self.score:
            self.score, self.weights = score, copy.deepcopy(model.state_dict())


def _stage1_weights(
    config: Config, pairs: PairSet, run_dir: Path | str | None, method: Method
) -> dict[str, dict[str, Tensor]]:
    """Train stage 1, and return the weights that the later stages begin with, on the CPU, by the part's name."""
    model, _ = stage_checkpoint(1, config, pairs, run_dir, progress=False, method=method)
    parts = {name: model.get_submodule(name) for name in method.shared_parts(config)}
    return {name: {key: value.cpu() for key, value in part.state_dict().items()} for name, part in parts.items()}


def _stage1_in_one_thread(config: Config, pairs: PairSet, run_dir: Path | str | None, method: Method) -> dict:
    with one_thread():
        return _stage1_weights(config, pairs, run_dir, method)
