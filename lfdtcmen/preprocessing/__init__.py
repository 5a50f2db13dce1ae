"""Frames become what the network takes: alignment (3.1.1), optical flow and strain (3.3.2)."""

from lfdtcmen.preprocessing.flow import strain, to_streams, tvl1

__all__ = ["strain", "to_streams", "tvl1"]
