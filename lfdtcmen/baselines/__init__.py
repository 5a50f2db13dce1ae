"""Compared methods under the shared protocol, one readable file each (the six simplest share ``simple``).

A new method is a file with a function ``fit_predict(train, test, seed) -> probabilities [N_test, C]`` and one
``Baseline(name, fit_predict)``; a method with settings of its own is a class like ``Baseline`` instead.
A file of a fold knows a ``Baseline`` by its name: whoever changes a method runs it with another ``--name``.
``hand_crafted`` has what the hand-crafted features share, ``networks`` and ``flow_networks`` what the networks share;
``plug_in`` puts DRL beside a network; ``compared`` is the table of all that are compared.
"""

from lfdtcmen.baselines.baseline import Baseline

__all__ = ["Baseline"]
