"""The ledger: every value that the paper's text states or leaves open, and what this package takes.

The text that we have of the paper lost its equations and most inline numbers. Nothing that we fill in may look like
the paper's own, so each such value stands here as "assumed", with the alternatives a reader may try.
"""

import pandas as pd

from lfdtcmen.config import load_config


def rows(section: str = "") -> pd.DataFrame:
    """Return the ledger, or the rows whose section starts with ``section``.

    Parameters
    ----------
    section : str
        A section of the paper: ``"3.2"`` gives all losses, ``"4.4"`` the training stages. ``"ours"``: what goes beyond
        the paper, and is off in its recipe.

    Returns
    -------
    DataFrame
        Columns: section, value (its name), taken (by the cpu profile), provenance (stated, assumed or ours),
        where (field or file), alternatives.
    """
    c, r = load_config("cpu"), load_config("cpu", recipe="repaired")
    table = [
        ("3.1.1", "frame size", "128x128 RGB", "assumed", "datasets", "any multiple of 32; the number is lost"),
        ("3.1.1", "alignment", "similarity on the nose region", "assumed", "preprocessing/align.py", "stated: nose"),
        ("3.1.1", "face detector", "MTCNN, five landmarks", "assumed", "preprocessing/faces.py", "YuNet, by its file"),
        ("3.1.1", "canonical face", "mean of the synthetic faces", "assumed", "preprocessing/align.py", ""),
        ("3.1.1", "encoder widths 1-3", "8, 16, 32", "stated", "modules/encoder.py", ""),
        ("3.1.1", "encoder widths 4-7", "32, 64, 64, 128", "assumed", "modules/encoder.py", "many fit the totals"),
        ("3.1.1", "code", "256 channels", "stated", "modules/encoder.py", ""),
        ("3.1.1", "strides", "2 at conv1, 2, 3, 5, 7", "assumed", "modules/encoder.py", "stated: progressive"),
        ("3.1.1", "end of conv8", "batch norm, no ReLU", "assumed", "modules/encoder.py", "ReLU: cos^2 starts at 0.8"),
        ("3.1.1", "skips after", "conv3, conv5", "stated", "modules/encoder.py", ""),
        ("3.1.2", "up-sampling stages", "5: 4x4 deconvolution, 3x3", "stated", "modules/generator.py", ""),
        ("3.1.2", "generator widths", "128, 64, 32, 16, 8", "assumed", "modules/generator.py", "many fit the totals"),
        ("3.1.2", "whose skips", c.skips, "assumed", "Config.skips", "motion, both, none"),
        ("3.1.2", "output", "sigmoid", "stated", "modules/generator.py", ""),
        (
            "3.2.1",
            "codes compared",
            "pooled over positions",
            "assumed",
            "losses/orthogonality_loss.py",
            "flattened: idle",
        ),
        ("3.2.2", "pixel loss", "L1", "assumed", "losses/reconstruction_loss.py", "L2; stated: per pixel"),
        ("3.2.2", "VGG-19 layers", ", ".join(c.perceptual_taps), "assumed", "Config.perceptual_taps", "also relu4_1"),
        ("3.2.2", "VGG-19 weights", c.vgg_weights, "assumed", "Config.vgg_weights", "download, random, a path"),
        ("3.2.2", "size before VGG-19", f"{c.perceptual_size}", "assumed", "Config.perceptual_size", "gpu: 128"),
        ("3.2.2", "layer weights w_i", "equal", "assumed", "losses/reconstruction_loss.py", "stated: layer-specific"),
        ("3.2.2", "perceptual weight", f"{c.perceptual_weight}", "assumed", "Config.perceptual_weight", "0 to 1"),
        ("3.2.3", "cycle terms", "as reconstruction", "stated", "losses/cycle_loss.py", ""),
        ("3.2.4", "consistency", "sum of four MSE", "stated", "losses/consistency_loss.py", ""),
        ("3.2.4", "targets detached", f"{c.detach_consistency}", "assumed", "Config.detach_consistency", "True"),
        ("3.2.5", "distance", "angle between unit vectors", "stated", "losses/contrastive_loss.py", ""),
        ("3.2.5", "margin", f"{c.margin} rad", "assumed", "Config.margin", "below 1.3, else always active"),
        ("3.2.5", "form", "theta^2 and hinge^2", "assumed", "losses/contrastive_loss.py", "first powers"),
        (
            "3.2.6",
            "against imbalance",
            f"{c.imbalance}",
            "assumed",
            "Config.imbalance",
            "four of ours, see notebook 16",
        ),
        ("3.3.1", "MAAG scale", "0.2", "stated", "modules/motion_branch.py", ""),
        ("3.3.1", "MAAG inner width", "32", "assumed", "modules/motion_branch.py", "16, 64"),
        ("3.3.1", "Adapter kernels", "3x3 twice", "assumed", "modules/motion_branch.py", "stated: two convolutions"),
        ("3.3.1", "MSFE kernels", "1, 3, 5", "assumed", "modules/motion_branch.py", "sizes lost; three stated"),
        ("3.3.1", "MSFE width", "128 each", "assumed", "modules/motion_branch.py", "many fit the totals"),
        ("3.3.1", "spatial feature", "256", "stated", "modules/motion_branch.py", ""),
        ("3.3.2", "flow", "TV-L1; U, V, strain", "stated", "preprocessing/flow.py", ""),
        ("3.3.2", "TV-L1 settings", "lambda 0.06, 4 scales", "assumed", "preprocessing/flow.py", "OpenCV's own"),
        ("3.3.2", "flow size", "28x28", "assumed", "modules/flow_branch.py", "number lost; usual in the field"),
        ("3.3.2", "3 channels of a stream", "one, repeated", "assumed", "modules/flow_branch.py", "colours; stated: 3"),
        ("3.3.2", "normalisation", "mean and std of training subjects", "assumed", "modules/flow_branch.py", ""),
        ("3.3.2", "micro-inception", "1x1, 3x3, 5x5, twice", "stated", "modules/flow_branch.py", ""),
        (
            "3.3.2",
            "its widths",
            "8, 16, 8 and 16, 32, 16",
            "assumed",
            "modules/flow_branch.py",
            "2, 4, 2 first and r = 4: 7.92 M, scores not distinguishable (experiments/flow_widths.py)",
        ),
        ("3.3.2", "attention", "7x7 spatial, channel r = 8", "assumed", "modules/flow_branch.py", "stated: both kinds"),
        ("3.3.2", "temporal feature", "256", "stated", "modules/flow_branch.py", ""),
        ("3.3", "fusion", "concatenate, ReLU, linear", "assumed", "modules/tcme.py", ""),
        ("4.2", "protocol", f"{c.folds} folds of subjects", "assumed", "Config.folds", "stated: leave one subject out"),
        ("4.2", "epoch", "the last one", "assumed", "LFDTCMENClassifier", "chosen on validation subjects"),
        ("4.2", "stage 1 of a fold", "its own", "assumed", "LFDTCMENClassifier", "shared by groups of subjects: ours"),
        ("4.2", "pooling", "all folds' predictions, one score", "assumed", "evaluation/results.py", "mean over folds"),
        ("4.2", "absent class", "counts 0", "assumed", "evaluation/metrics.py", "left out: higher scores"),
        ("4.2", "interval", "95 %, bootstrap over subjects", "assumed", "evaluation/intervals.py", "none is stated"),
        ("4.4", "stage 1 weights", _weights(c.stage1), "assumed", "Config.stage1", "stated: high rec., small orth."),
        ("4.4", "stage 2 weights", _weights(c.stage2), "stated", "Config.stage2", "emotion alone"),
        ("4.4", "stage 3 weights", _weights(c.stage3), "assumed", "Config.stage3", "stated: rec. below stage 1"),
        ("4.4", "epochs", _three(c.epochs), "assumed", "Config.epochs", "gpu: 40, 40, 20"),
        ("4.4", "batch sizes", _three(c.batch_sizes), "assumed", "Config.batch_sizes", ""),
        ("4.4", "onset and apex", "in one batch", "assumed", "modules/drl.py", "apart: batch norm takes motion away"),
        ("4.4", "learning rates", _three(c.learning_rates), "assumed", "Config.learning_rates", ""),
        ("4.4", "optimiser", "AdamW, warm-up, cosine", "assumed", "training/loop.py", ""),
        ("4.4", "weight decay", f"{c.weight_decay:g}", "assumed", "Config.weight_decay", ""),
        ("4.4", "warm-up", f"{c.warmup:.0%} of the steps", "assumed", "Config.warmup", ""),
        ("4.4", "bf16", c.mixed_precision, "assumed", "Config.mixed_precision", "on, off; generator and VGG-19"),
        ("4.4", "gradient clipping", f"norm {c.clip_norm}", "assumed", "Config.clip_norm", ""),
        ("4.4", "augmentation", f"mirror, shift to {c.max_shift} px", "assumed", "training/batches.py", "none"),
        ("4.7", "Grad-CAM layers", "MSFE; last inception", "assumed", "analysis/class_activation.py", ""),
        ("4.7", "two branches in one map", "mean, each sums to 1", "assumed", "analysis/attribution.py", "each alone"),
        ("6", "apex spotting", "pulse that explains most", "assumed", "preprocessing/apex.py", "flow, difference"),
        # beyond the paper: taken is what the paper's recipe has, alternatives what the recipe "repaired" has
        ("ours", "generator", c.generator, "ours", "Config.generator", f"{r.generator}, warp_multiscale"),
        ("ours", "bottleneck of the motion code", f"{c.bottleneck}", "ours", "Config.bottleneck", f"{r.bottleneck}"),
        ("ours", "contrast normalisation", f"{c.contrast_normalised}", "ours", "Config.contrast_normalised", "True"),
        ("ours", "normalised difference", f"{c.normalised_difference}", "ours", "Config.normalised_difference", "True"),
        ("ours", "fusion", c.fusion, "ours", "Config.fusion", r.fusion),
        ("ours", "change loss", "0", "ours", "Config.stage1", f"{r.stage1['change']:g}"),
        ("ours", "rest loss", "0", "ours", "Config.stage1", f"{r.stage1['rest']:g}"),
        ("ours", "change loss first", f"{c.change_first:.0%}", "ours", "Config.change_first", f"{r.change_first:.0%}"),
        ("ours", "pretraining on swaps", f"{c.pretraining} steps", "ours", "Config.pretraining", f"{r.pretraining}"),
        ("ours", "gain loss while pretraining", "none", "ours", "beyond/gain_loss.py", "as the change loss"),
        ("ours", "action units read while pretraining", "none", "ours", "beyond/pretraining.py", "as the change loss"),
    ]
    table = pd.DataFrame(table, columns=["section", "value", "taken", "provenance", "where", "alternatives"])
    return table[table["section"].str.startswith(section)].reset_index(drop=True)


def _weights(weights) -> str:
    names = {"reconstruction": "rec", "orthogonality": "orth", "consistency": "cons", "contrastive": "id"}
    return ", ".join(f"{names.get(name, name)} {value:g}" for name, value in weights.items() if value)


def _three(values: tuple) -> str:
    return ", ".join(f"{value:g}" for value in values)
