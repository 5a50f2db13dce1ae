"""From pairs to a trained network: the three stages in a row, each one loaded where its checkpoint is there."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from lfdtcmen.config import Config
from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.modules.network import LFDTCMEN
from lfdtcmen.training.checkpoint import settings_key, stage_settings
from lfdtcmen.training.loop import predict, train_stage


def build_model(config: Config, num_classes: int) -> LFDTCMEN:
    """Return the untrained network of a config; the same seed gives the same weights.

    DRL is drawn first: networks that differ in TCME alone start from the same encoders and generator, and can
    share a stage-1 checkpoint.
    """
    with torch.random.fork_rng():
        torch.manual_seed(config.seed)
        model = LFDTCMEN(num_classes, config.flow, config.skips, config.drl, config.motion)
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
    """

    def __init__(self, config: Config, run_dir: Path | str | None = None, stages: int = 3):
        self.config, self.run_dir, self.stages = config, run_dir, stages

    def __call__(self, train: PairSet, test: PairSet, seed: int) -> np.ndarray:
        """Train on ``train`` and return probabilities for ``test``, float32 [N_test, C]."""
        model, _ = stage_checkpoint(self.stages, replace(self.config, seed=seed), train, self.run_dir, progress=False)
        return predict(model, test)
