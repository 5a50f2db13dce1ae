"""``lfdtcmen ablate``: the settings of Tables 4 to 7 on the same folds."""

from typing import Annotated

import typer

from lfdtcmen.cli.evaluate_command import connect
from lfdtcmen.cli.options import (
    Epochs,
    Folds,
    Jobs,
    Name,
    Prepared,
    Profile,
    Protocol,
    Runs,
    Scheduler,
    Seeds,
    Settings,
    ShareStage1,
    Tests,
    build_config,
)
from lfdtcmen.cli.output import echo, echo_remarks, short_path, typed_command
from lfdtcmen.errors import DataError


def ablate(
    tables: Annotated[list[str], typer.Argument(help="table4, table5, table6, table7, or all.", show_default=False)],
    data: Prepared = None,
    profile: Profile = None,
    seeds: Seeds = 3,
    folds: Folds = None,
    epochs: Epochs = None,
    perceptual_size: Annotated[
        int | None,
        typer.Option(min=16, help="Side in pixels of the images for VGG-19, the costly part of stages 1, 3."),
    ] = None,
    settings: Settings = None,
    share_stage1: ShareStage1 = False,
    protocol: Protocol = "kfold",
    test: Tests = None,
    jobs: Jobs = 1,
    scheduler: Scheduler = None,
    name: Name = "ablate",
    runs: Runs = None,
) -> None:
    """Run every setting of Tables 4 to 7 on the same folds, show paired differences, and check the paper's order.

    Settings that several tables share run once, and those that differ in TCME alone share stage 1. Writes
    predictions.csv and metrics.json to runs/NAME; notebook 09 reads runs/ablations. A fold whose result
    file exists is not computed again.

    **Examples**

    - `lfdtcmen ablate table5`: three streams against one

    - `lfdtcmen ablate all --jobs 2 --name ablations`: all four tables, 5 folds, 3 seeds (most of a day on a laptop)

    - `lfdtcmen ablate all --jobs 2 --epochs 2 10 1 --perceptual-size 32 --share-stage1 --name ablations`: in two hours

    - `lfdtcmen ablate table6 --data data/prepared/casme3 --protocol loso --share-stage1 --name casme3-ablations`

    - `lfdtcmen ablate table5 --protocol holdout`: on test A and B of DFME, or with --data and --test on your own
    """
    from lfdtcmen.analysis import ablation

    tables = list(ablation.TABLES) if "all" in tables else tables
    settings_to_run = ablation.runs_of(tables)
    given = {"folds": folds, "epochs": epochs, "perceptual_size": perceptual_size}
    config = build_config(profile, settings, data, None, protocol, **given)
    if config.init is not None:
        raise DataError("the settings of an ablation are other networks than the checkpoint's", "init", "leave it out")
    if config.add_synthetic:
        raise DataError("ablate adds no synthetic faces", "add_synthetic", "leave it out, or use evaluate")
    from lfdtcmen import experiments
    from lfdtcmen.beyond.method import EXTENDED
    from lfdtcmen.evaluation.protocol import cross_validate
    from lfdtcmen.evaluation.results import readable, to_records
    from lfdtcmen.files import run_folder
    from lfdtcmen.training import LFDTCMENClassifier

    run_dir = run_folder(name, "ablate", runs)
    pairs, splits = experiments.pairs_and_folds(protocol, config, data, test or [])
    echo_remarks(pairs.manifest.attrs)
    groups = experiments.groups_for_stage1(config, pairs, splits) if share_stage1 else None
    backend = connect(scheduler)
    predictions = {}
    for setting in settings_to_run:
        echo(f"{setting}: {len(splits)} folds, {seeds} seeds")
        model = LFDTCMENClassifier(ablation.configure(config, setting), run_dir, stage1_groups=groups, method=EXTENDED)
        predictions[setting] = cross_validate(
            model, pairs, splits, range(seeds), run_dir / setting, jobs, backend, progress=True
        )
    scores: dict[str, list] = {table: [] for table in tables}
    for table in tables:
        for part, shown in experiments.by_part(protocol, pairs, predictions):
            found = ablation.ablation_table(table, shown).assign(part=part)
            scores[table] += to_records(found)
            title = f"{ablation.TITLES[table]}, {part}" if part else ablation.TITLES[table]
            echo(f"\n{title}\n{readable(found.drop(columns=['by_seed', 'degenerate'])).to_string()}")
            echo("\n".join(ablation.verdict(found, metric) for metric in ("UF1", "UAR")))
    about = {"protocol": protocol, "share_stage1": share_stage1, "tables": scores}
    record = {"config": experiments.recorded_settings(config, pairs, data), "made_by": "ablate", **about}
    experiments.write_run(run_dir, predictions, typed_command(), record)
    echo(f"predictions.csv and metrics.json are in {short_path(run_dir)}")
