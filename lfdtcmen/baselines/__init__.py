"""Compared methods, each one a ``fit_predict`` function under the shared protocol."""
