"""A trained network of random pairs, and a synthetic clip filmed as a video: what all tests of a prediction share."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lfdtcmen import load_config
from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.datasets.synthetic import make_clip
from lfdtcmen.predict.clip import newest_checkpoint, predict_clip
from lfdtcmen.training import checkpoint_file, stage_checkpoint
from tests.predict.films import NAMES, scene, write_video


@pytest.fixture(scope="session")
def runs(tmp_path_factory) -> Path:
    """A folder of runs with the checkpoints of all three stages, of a network that has seen nine random pairs."""
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 256, (2, 9, 32, 32, 3), dtype=np.uint8)
    manifest = pd.DataFrame({"dataset": "synthetic", "subject": [f"synthetic/s{k % 3}" for k in range(9)], "fps": 30.0})
    streams = rng.standard_normal((9, 3, 28, 28)).astype(np.float32)
    pairs = PairSet(manifest, *frames, np.arange(9) % 3, NAMES, streams=streams)
    config = load_config("smoke", epochs=(1, 2, 1), perceptual_taps=("relu1_2",), vgg_weights="random")
    folder = tmp_path_factory.mktemp("project") / "runs"
    stage_checkpoint(3, config, pairs, folder / "tiny", progress=False)
    for stage, time in {1: 3e8, 2: 1e8, 3: 2e8}.items():  # stage 1 was written last, as where another run has begun
        os.utime(checkpoint_file(stage, config, pairs, folder / "tiny"), (time, time))
    return folder


@pytest.fixture(scope="session")
def checkpoint(runs) -> Path:
    return newest_checkpoint(runs)


@pytest.fixture(scope="session")
def clip():
    """A synthetic clip with a strong expression."""
    return make_clip(seed=5, subject=7, clip=1, preset="easy", emotion="surprise", fps=30)


@pytest.fixture(scope="session")
def filmed(clip):
    return scene(clip.frames)


@pytest.fixture(scope="session")
def video(filmed, tmp_path_factory) -> Path:
    return write_video(tmp_path_factory.mktemp("clips") / "a clip.mp4", filmed)


@pytest.fixture(scope="session")
def predicted(video, checkpoint):
    return predict_clip(video, checkpoint)
