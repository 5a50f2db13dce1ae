"""What goes beyond the paper, and is ours: built on the paper's classes, which know nothing of it.

``extended_drl``, ``extended_tcme`` and ``extended_network`` are the network with a warp generator, a bottleneck,
contrast normalisation, a normalised difference and late fusion. ``change_loss``, ``gain_loss`` and ``rest_loss`` are
further losses. ``imbalance`` answers rare classes. ``pretraining`` learns from swaps whose right answer is known.
``recipes`` lists what is switched on, and ``method`` trains with it: pass ``method=EXTENDED`` to what
:mod:`lfdtcmen.training` offers.
"""
