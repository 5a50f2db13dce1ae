"""The three training stages of 4.4, their checkpoints, and the classifier that runs them in a row."""

from lfdtcmen.training.checkpoint import load_model
from lfdtcmen.training.classifier import LFDTCMENClassifier, build_model, checkpoint_file, stage_checkpoint
from lfdtcmen.training.prediction import predict
from lfdtcmen.training.stages import STAGES, audit, set_trainable, train_stage

__all__ = [
    "STAGES",
    "LFDTCMENClassifier",
    "audit",
    "build_model",
    "checkpoint_file",
    "load_model",
    "predict",
    "set_trainable",
    "stage_checkpoint",
    "train_stage",
]
