"""How much faster is a training step of the flow branch than that of its plain form?

    python benchmarks/flow_branch.py
    python benchmarks/flow_branch.py --rounds 60 --out benchmarks/results/flow_branch.csv

Plain: convolution, batch normalisation and ReLU of each kernel size by themselves. Both run the same weights forward
and backward, in turn, on one thread. Measured is the processor's time of this thread: other programs count less.
"""

import argparse
import copy
import time
from pathlib import Path

import pandas as pd
import torch
from torch import Tensor

from lfdtcmen.modules.flow_branch import TSI, MicroInception
from lfdtcmen.threads import one_thread


class PlainInception(MicroInception):
    """A micro-inception that runs one branch after the other."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([branch(x) for branch in self.branches], dim=1)


def milliseconds(branch: TSI, flow: Tensor) -> float:
    """Return the time of one step forward and backward."""
    branch.zero_grad()
    start = time.thread_time()
    branch(flow).square().mean().backward()
    return 1000 * (time.thread_time() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=64, help="of a step")
    parser.add_argument("--rounds", type=int, default=30, help="how many")
    parser.add_argument("--out", type=Path, help="write the table to this file")
    args = parser.parse_args()

    torch.manual_seed(0)
    ours = TSI().to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # as in the network
    plain = copy.deepcopy(ours)
    for block in plain.modules():
        if isinstance(block, MicroInception):
            block.__class__ = PlainInception
    flow = torch.randn(args.pairs, 3, 28, 28)
    torch.testing.assert_close(ours(flow), plain(flow), rtol=1e-4, atol=1e-4)
    with one_thread():
        rows = [{"plain": milliseconds(plain, flow), "ours": milliseconds(ours, flow)} for _ in range(args.rounds + 2)]
    times = pd.DataFrame(rows[2:])  # the first rounds warm up
    times["plain / ours"] = times["plain"] / times["ours"]
    table = times.quantile([0.5, 0.25, 0.75]).T.set_axis(["median", "low", "high"], axis=1).rename_axis("step")
    print(f"{args.pairs} pairs, {args.rounds} rounds, milliseconds; low and high: quartiles")
    print(table.round(2).to_string())
    if args.out:
        table.to_csv(args.out, float_format="%.3f")


if __name__ == "__main__":
    main()
