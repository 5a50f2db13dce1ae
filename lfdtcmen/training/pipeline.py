"""From pairs to a trained network: the three stages in a row, each one loaded where its checkpoint is there."""

import copy
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from joblib import Parallel, delayed
from sklearn.metrics import f1_score

from lfdtcmen.config import Config, to_dict
from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.datasets.splits import Fold, split_validation
from lfdtcmen.datasets.synthetic import make_swaps
from lfdtcmen.errors import DataError
from lfdtcmen.losses.perceptual import vgg_source
from lfdtcmen.modules.network import LFDTCMEN
from lfdtcmen.threads import one_thread
from lfdtcmen.training.checkpoint import NETWORK, settings_key, stage_settings
from lfdtcmen.training.loop import predict, train_stage
from lfdtcmen.training.pretrain import PRESET, pretrain


def build_model(config: Config, num_classes: int) -> LFDTCMEN:
    """Return the untrained network of a config; the same seed gives the same weights.

    DRL is drawn first: networks that differ in TCME alone start from the same encoders and generator, and can
    share a stage-1 checkpoint.
    """
    with torch.random.fork_rng():
        torch.manual_seed(config.seed)
        model = LFDTCMEN(num_classes, **{field: getattr(config, field) for field in NETWORK})
    return model.to("cuda" if torch.cuda.is_available() else "cpu").eval()


def checkpoint_file(stage: int, config: Config, pairs: PairSet, run_dir: Path | str) -> Path:
    """Return where the checkpoint of a stage lies in a run's folder: another config or other data, another name."""
    key = settings_key(stage_settings(config, stage, pairs.fingerprint))
    return Path(run_dir) / "checkpoints" / f"stage{stage}-{key}.pt"


def stage_checkpoint(
    stage: int, config: Config, pairs: PairSet, run_dir: Path | str | None = None, progress: bool = True
) -> tuple[LFDTCMEN, pd.DataFrame]:
    """Return the network after ``stage``, and the loss history of its stages so far.

    Each stage is loaded from ``run_dir/checkpoints`` if it is there and fits config and data, else trained (and
    saved there). So a notebook that begins with stage 3 runs alone, and a series does nothing twice.

    Parameters
    ----------
    stage : {1, 2, 3}
    config : Config
    pairs : PairSet
        Training subjects only.
    run_dir : path, optional
        Without it, nothing is saved.
    progress : bool
    """
    model = build_model(config, pairs.num_classes)
    if config.pretraining and model.drl is not None:
        pretrain(model, config, run_dir, progress)
    histories = []
    for number in range(1, stage + 1):
        file = None
        if run_dir is not None:
            file = checkpoint_file(number, config, pairs, run_dir)
        histories.append(train_stage(model, pairs, number, config, file, progress))
    return model, pd.concat([h for h in histories if len(h)] or [pd.DataFrame()], ignore_index=True)


class LFDTCMENClassifier:
    """The three stages behind the one seam of the evaluation protocol: ``fit_predict(train, test, seed)``.

    Parameters
    ----------
    config : Config
        Its seed is replaced by the one that the protocol gives.
    run_dir : path, optional
        Where stage checkpoints are kept, and found again after a kill.
    stages : {1, 2, 3}
        The last stage to train.
    stage1_groups : mapping, optional
        Subject -> number of its group. Stage 1 is then trained once a group, with the config's own seed, and shared by
        all folds and seeds that test somebody of it: it learns from nobody of that group, and so never from who is
        tested. Without it, each fold and seed has its own stage 1.
    validation : float
        Share of the training subjects to keep apart, on whom the epoch of stages 2 and 3 with the best macro F1 is
        chosen; 0 trains on all of them for the config's epochs. A shared stage 1, which knows no labels, sees them.
    """

    def __init__(
        self,
        config: Config,
        run_dir: Path | str | None = None,
        stages: int = 3,
        stage1_groups: Mapping[str, int] | None = None,
        validation: float = 0.0,
    ):
        self.config, self.run_dir, self.stages = config, run_dir, stages
        self.stage1_groups, self.validation = stage1_groups, validation

    @property
    def settings(self) -> dict:
        """Everything on which the predictions depend beside data and seed, as plain values."""
        return {
            **to_dict(self.config),
            "vgg_weights": vgg_source(self.config.vgg_weights),
            "stages": self.stages,
            "stage1_groups": None if self.stage1_groups is None else dict(self.stage1_groups),
            "validation": self.validation,
        }

    def pretrain(self, seeds: Iterable[int], n_jobs: int = 1) -> None:
        """Pretrain once a seed, where the config asks for it, so that no two folds do the same.

        Parameters
        ----------
        seeds : iterable of int
            As the protocol gives them; only the config's own with ``stage1_groups``.
        n_jobs : int
            Processes; -1 for all cores.
        """
        if not self.config.pretraining or self.config.drl is None or self.run_dir is None:
            return
        make_swaps(PRESET, self.config.pretraining_groups, n_jobs=n_jobs)  # drawn once, for all seeds
        seeds = [self.config.seed] if self.stage1_groups is not None else seeds
        train = delayed(_pretrain_alone)
        Parallel(n_jobs)(train(replace(self.config, seed=seed), self.run_dir) for seed in seeds)

    def train_stage1(self, pairs: PairSet, folds: Iterable[Fold], n_jobs: int = 1) -> None:
        """Train the shared stages 1 of all tested groups, in parallel, so that no two folds train the same one.

        Parameters
        ----------
        pairs : PairSet
            All samples, in the order in which the folds are taken from them.
        folds : iterable of (train_index, test_index)
            A group that no fold tests needs no stage 1.
        n_jobs : int
            Processes; -1 for all cores.
        """
        if self.config.drl is None:
            return
        group = np.array([self.stage1_groups[subject] for subject in pairs.subjects])  # [N]
        tested = np.unique([group[test[0]] for _, test in folds])
        train = delayed(_stage1_alone)
        Parallel(n_jobs)(train(self.config, pairs.subset(group != g), self.run_dir) for g in tested)

    def __call__(self, train: PairSet, test: PairSet, seed: int) -> np.ndarray:
        """Train on ``train`` and return probabilities for ``test``, float32 [N_test, C].

        Raises
        ------
        DataError
            The test subjects are of several groups of ``stage1_groups``, or somebody is of none.
        """
        config = replace(self.config, seed=seed)
        if self.stage1_groups is None and not self.validation:
            return predict(stage_checkpoint(self.stages, config, train, self.run_dir, progress=False)[0], test)
        shared = None if self.stage1_groups is None else self._without_group(train, test)
        on_epoch, best = None, {}
        if self.validation:
            learned, held = split_validation(train.subjects, train.labels, self.validation, seed)
            train, held = train.subset(learned), train.subset(held)
            on_epoch = partial(_keep_best, held, best)
        model = build_model(config, train.num_classes)
        if model.drl is not None:
            first = (config, train) if shared is None else (self.config, shared)
            source, _ = stage_checkpoint(1, *first, self.run_dir, progress=False)
            model.drl.load_state_dict(source.drl.state_dict())
            if config.pretraining and model.tcme.motion_branch is not None:
                model.tcme.motion_branch.load_state_dict(source.tcme.motion_branch.state_dict())
        for stage in range(2, self.stages + 1):
            train_stage(model, train, stage, config, progress=False, on_epoch=on_epoch)
        if best:
            model.load_state_dict(best["weights"])
        return predict(model, test)

    def _without_group(self, train: PairSet, test: PairSet) -> PairSet:
        """Return the training pairs of all subjects who are not in the test subjects' group."""
        everybody = set(train.subjects) | set(test.subjects)
        if unknown := sorted(everybody - self.stage1_groups.keys()):
            raise DataError(f"subject {unknown[0]} has no group", "stage1_groups", "number the groups of all subjects")
        tested = {self.stage1_groups[subject] for subject in test.subjects}
        if len(tested) > 1:
            raise DataError(
                f"the test subjects are of {len(tested)} groups of stage 1",
                "stage1_groups",
                "let each fold test subjects of one group only",
            )
        return train.subset([self.stage1_groups[subject] not in tested for subject in train.subjects])


def _pretrain_alone(config: Config, run_dir: Path | str) -> None:
    with one_thread():
        pretrain(build_model(config, num_classes=2), config, run_dir, progress=False)


def _stage1_alone(config: Config, pairs: PairSet, run_dir: Path | str) -> None:
    with one_thread():
        stage_checkpoint(1, config, pairs, run_dir, progress=False)


def _keep_best(held: PairSet, best: dict, epoch: int, model: LFDTCMEN) -> None:
    """Keep the weights of the epoch with the best macro F1 on held-out training subjects; of equals, the first."""
    called = predict(model, held).argmax(1)
    score = f1_score(held.labels, called, labels=range(held.num_classes), average="macro", zero_division=0)
    if score > best.get("score", -1):
        best |= {"score": score, "epoch": epoch, "weights": copy.deepcopy(model.state_dict())}
