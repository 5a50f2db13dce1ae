"""How much faster is a stage-1 step than the naive form of the same objective?

    python benchmarks/stage1_step.py
    python benchmarks/stage1_step.py --rounds 9 --out benchmarks/results/stage1_step.csv

Naive: NCHW, float32, one encoder call per frame, VGG features of the real frames computed for each loss that needs
them. Ours: channels-last, bf16 in generator and VGG-19 where the processor has it, one encoder call, shared targets.
Both minimise the same sum with the same weights (asserted in float32). They take turns; times are medians, and so are
the ratios of each round. Low and high are quartiles. Measured on one thread, in this thread's processor time, so that
other programs count less.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F

from lfdtcmen import LFDTCMEN, Batch, Config, load_config
from lfdtcmen.datasets.synthetic import make_dataset
from lfdtcmen.losses import (
    VGG19,
    SynergisticObjectives,
    consistency,
    identity_contrastive,
    soft_orthogonality,
)
from lfdtcmen.losses.orthogonality_loss import pool
from lfdtcmen.training.batches import augment
from lfdtcmen.training.stages import use_bf16


def naive_images(apex: torch.Tensor, onset: torch.Tensor, batch: Batch, vgg: VGG19, config: Config) -> torch.Tensor:
    """Return the image loss of two generated frames: pixels, and the mean square of each layer of VGG-19."""
    loss = torch.zeros(())
    for generated, real in ((apex, batch.apex), (onset, batch.onset)):
        layers = [F.mse_loss(one, other) for one, other in zip(vgg(generated), vgg(real), strict=True)]
        loss = loss + F.l1_loss(generated, real) + config.perceptual_weight * torch.stack(layers).mean()
    return loss


def naive_loss(model: LFDTCMEN, vgg: VGG19, batch: Batch, config: Config) -> torch.Tensor:
    """Return the stage-1 objective, written line by line as in the paper."""
    drl, weights = model.drl, config.stage1
    id_onset, skips_onset = drl.identity_encoder(batch.onset)
    id_apex, skips_apex = drl.identity_encoder(batch.apex)
    mo_onset, _ = drl.motion_encoder(batch.onset)
    mo_apex, _ = drl.motion_encoder(batch.apex)
    apex_hat = drl.generator(id_onset, mo_apex, skips_onset)
    onset_hat = drl.generator(id_apex, mo_onset, skips_apex)
    id_apex_hat, skips_apex_hat = drl.identity_encoder(apex_hat)
    id_onset_hat, skips_onset_hat = drl.identity_encoder(onset_hat)
    mo_apex_hat, _ = drl.motion_encoder(apex_hat)
    mo_onset_hat, _ = drl.motion_encoder(onset_hat)
    apex_tilde = drl.generator(id_apex_hat, mo_apex_hat, skips_apex_hat)
    onset_tilde = drl.generator(id_onset_hat, mo_onset_hat, skips_onset_hat)
    codes = [pool(code) for code in (id_onset, id_apex, id_onset_hat, id_apex_hat)]
    return (
        weights["reconstruction"] * naive_images(apex_hat, onset_hat, batch, vgg, config)
        + weights["cycle"] * naive_images(apex_tilde, onset_tilde, batch, vgg, config)
        + weights["orthogonality"] * soft_orthogonality(torch.cat([id_onset, id_apex]), torch.cat([mo_onset, mo_apex]))
        + weights["consistency"]
        * consistency(
            [(id_apex_hat, id_onset), (mo_apex_hat, mo_apex), (id_onset_hat, id_apex), (mo_onset_hat, mo_onset)]
        )
        + weights["contrastive"] * identity_contrastive(torch.cat(codes), batch.subject.repeat(4), config.margin)
    )


def ours_loss(model: LFDTCMEN, vgg: VGG19, batch: Batch, config: Config, bf16: bool) -> torch.Tensor:
    """Return the same objective, computed by the package."""
    objectives = SynergisticObjectives(config.stage1, vgg, config.perceptual_weight, config.margin)
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        return objectives(model(batch, reconstruct=True, classify=False), batch)[0]


def seconds(step: Callable[[], object]) -> float:
    start = time.thread_time()
    step()
    return time.thread_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="how many")
    parser.add_argument("--out", type=Path, help="write the table to this file")
    args = parser.parse_args()

    torch.set_num_threads(1)
    config = load_config("cpu")
    torch.manual_seed(0)
    pairs = make_dataset(config.preset, config.label_map, subjects=12, seed=0)
    index = np.arange(config.batch_sizes[0])
    rng = np.random.default_rng(0)
    batch = augment(pairs.batch(index), config.max_shift, rng)
    ours, naive = LFDTCMEN(3), LFDTCMEN(3)
    naive.load_state_dict(ours.state_dict())
    vgg, naive_vgg = (VGG19("random", config.perceptual_taps, config.perceptual_size) for _ in range(2))
    naive.to(memory_format=torch.contiguous_format), naive_vgg.to(memory_format=torch.contiguous_format)
    naive_batch = Batch(batch.onset.contiguous(), batch.apex.contiguous(), None, batch.label, batch.subject)

    # eval mode: in train mode one batch of both frames and two batches of one frame normalise differently
    with torch.no_grad():
        torch.testing.assert_close(
            ours_loss(ours.eval(), vgg, batch, config, False),
            naive_loss(naive.eval(), naive_vgg, naive_batch, config),
            rtol=1e-3,
            atol=1e-3,
        )
    ours.train(), naive.train()
    bf16 = use_bf16(config, torch.device("cpu"))
    steps = {
        "naive": lambda: naive_loss(naive, naive_vgg, naive_batch, config).backward(),
        "ours, float32": lambda: ours_loss(ours, vgg, batch, config, False).backward(),
        "ours": lambda: ours_loss(ours, vgg, batch, config, bf16).backward(),
        "loading": lambda: augment(pairs.batch(index), config.max_shift, rng),
    }
    rows = []
    for _ in range(args.rounds + 1):  # in turns: other work on the machine slows all of them alike
        rows.append({f"{name}, ms": 1000 * seconds(step) for name, step in steps.items()})
    times = pd.DataFrame(rows[1:])  # the first round warms up
    times["naive / ours"] = times["naive, ms"] / times["ours, ms"]
    times["naive / ours, float32"] = times["naive, ms"] / times["ours, float32, ms"]
    times["loading / ours"] = times["loading, ms"] / times["ours, ms"]
    table = times.quantile([0.5, 0.25, 0.75]).T.set_axis(["median", "low", "high"], axis=1).rename_axis("step")
    print(f"batch {len(index)}, bf16 {'on' if bf16 else 'off'}, {args.rounds} rounds")
    print(table.round(3).to_string())
    if args.out:
        table.to_csv(args.out, float_format="%.3f")


if __name__ == "__main__":
    main()
