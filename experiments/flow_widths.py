"""Do wider flow streams recognise more than ours, which fit the paper's 7.92 M parameters?

    python experiments/flow_widths.py --presets standard easy hard --jobs 2

Our widths, (2, 4, 2) and (16, 32, 16) with reduction 4, give the network 7,923,360 parameters, which round to the
paper's 7.92 M; (8, 16, 8) and (16, 32, 16) with reduction 8 give 7,977,240. The flow branch alone is trained with each,
on the same folds of subjects and with the same seeds. Writes predictions.csv.gz and scores.csv (UF1 and UAR of each,
the parameters of the whole network, and the paired difference to ours with 95 % intervals over subjects) to OUT. A run
that was stopped goes on with the folds that are missing.
"""

import time
from collections.abc import Mapping
from dataclasses import replace

import pandas as pd
import torch
from common import make_parser, prepared_faces, write_about

from lfdtcmen.config import load_config
from lfdtcmen.datasets.splits import grouped_kfold
from lfdtcmen.evaluation.protocol import cross_validate
from lfdtcmen.evaluation.results import readable, score_table
from lfdtcmen.modules.flow_branch import REDUCTION, TSI, WIDTHS, Widths
from lfdtcmen.modules.network import LFDTCMEN
from lfdtcmen.training import LFDTCMENClassifier
from lfdtcmen.training.method import Method

STREAMS = {"ours": (WIDTHS, REDUCTION), "wide": (((8, 16, 8), (16, 32, 16)), 8)}


class StreamMethod(Method):
    """The paper's method with streams of other widths."""

    def __init__(self, widths: tuple[Widths, Widths], reduction: int):
        self.widths, self.reduction = widths, reduction

    def network(self, num_classes: int, settings: Mapping) -> LFDTCMEN:
        """Return an untrained network."""
        model = super().network(num_classes, settings)
        model.tcme.flow_branch = TSI(settings["flow"], self.widths, self.reduction)
        return model.to(memory_format=torch.channels_last)


class StreamClassifier(LFDTCMENClassifier):
    """The flow branch with streams of some width: a model for `cross_validate`."""

    @property
    def settings(self) -> dict:
        """The classifier's, and the widths."""
        return super().settings | {"widths": self.method.widths, "reduction": self.method.reduction}


def count_parameters(method: StreamMethod) -> int:
    """Return the number of parameters of the whole network for seven classes."""
    return sum(parameter.numel() for parameter in method.network(7, load_config("cpu").network).parameters())


def main() -> None:
    parser = make_parser(__doc__, "flow_widths")
    parser.add_argument("--presets", nargs="+", default=["standard"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--epochs", type=int, default=15, help="of stage 2")
    args = parser.parse_args()

    start = time.perf_counter()
    methods = {name: StreamMethod(*streams) for name, streams in STREAMS.items()}
    parameters = {name: count_parameters(method) for name, method in methods.items()}
    tables, scores = [], []
    for preset in args.presets:
        config = load_config("cpu", preset=preset)
        config = replace(config, drl=None, motion=None, epochs=(0, args.epochs, 0))
        pairs = prepared_faces(config, args.jobs)
        folds = list(grouped_kfold(pairs.subjects, pairs.labels, config.folds))
        predictions = {
            name: cross_validate(
                StreamClassifier(config, stages=2, method=method),
                *(pairs, folds, args.seeds, args.out / preset / name, args.jobs),
                progress=True,
            )
            for name, method in methods.items()
        }
        tables += [table.assign(preset=preset, model=name) for name, table in predictions.items()]
        table = score_table(predictions, "ours").query("model != against")
        table = table.drop(columns="minutes").assign(preset=preset, parameters=table["model"].map(parameters))
        scores.append(table)
        print(f"{preset}\n{readable(table).T.to_string()}", flush=True)
        pd.concat(tables).to_csv(args.out / "predictions.csv.gz", index=False, float_format="%.4f")
        pd.concat(scores).to_csv(args.out / "scores.csv", index=False, float_format="%.4f")
    write_about(args.out, start)


if __name__ == "__main__":
    main()
