"""Scores, and the protocol by which they are measured (4.2)."""

from lfdtcmen.evaluation.intervals import holm
from lfdtcmen.evaluation.metrics import bootstrap_interval, confusion, paired_difference, permutation_test, uar, uf1
from lfdtcmen.evaluation.protocol import cross_validate
from lfdtcmen.evaluation.results import read_table, readable, score_table, write_metrics, write_predictions

__all__ = [
    "bootstrap_interval",
    "confusion",
    "cross_validate",
    "holm",
    "paired_difference",
    "permutation_test",
    "read_table",
    "readable",
    "score_table",
    "uar",
    "uf1",
    "write_metrics",
    "write_predictions",
]
