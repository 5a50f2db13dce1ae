"""``lfdtcmen evaluate``: models compared on the same folds of subjects."""

from typing import Annotated

import typer

from lfdtcmen.cli.options import (
    Epochs,
    Folds,
    Jobs,
    Name,
    Prepared,
    Profile,
    Protocol,
    Recipe,
    Runs,
    Scheduler,
    Seeds,
    Settings,
    ShareStage1,
    Subjects,
    Tests,
    build_config,
)
from lfdtcmen.cli.output import echo, echo_remarks, short_path, typed_command
from lfdtcmen.errors import DataError


def evaluate(
    models: Annotated[
        list[str] | None, typer.Argument(help="Models to compare; all by default.", show_default=False)
    ] = None,
    data: Prepared = None,
    profile: Profile = None,
    recipe: Recipe = None,
    seeds: Seeds = 3,
    folds: Folds = None,
    epochs: Epochs = None,
    subjects: Subjects = None,
    imbalance: Annotated[
        str | None,
        typer.Option(
            help="class_weights, focal, logit_adjusted or balanced_sampling: for rare classes, not in the paper."
        ),
    ] = None,
    settings: Settings = None,
    protocol: Protocol = "kfold",
    test: Tests = None,
    validation: Annotated[
        float,
        typer.Option(help="Share of the training subjects kept apart to choose the epoch; 0: no choice, all epochs."),
    ] = 0.0,
    share_stage1: ShareStage1 = False,
    jobs: Jobs = 1,
    scheduler: Scheduler = None,
    name: Name = "evaluate",
    runs: Runs = None,
) -> None:
    """Compare models on the same folds of subjects: UF1 and UAR with intervals.

    Writes predictions.csv and metrics.json to runs/NAME. A fold whose result file exists is not computed again.

    Models: majority (always the most frequent class), logistic-regression and linear-svm (on flow and strain),
    difference-svm (on the apex frame minus the onset frame), apex-svm (on the apex frame alone), action-units (the true
    ones of synthetic faces), flow-branch (of the network, alone), motion-branch (the network without its flow branch),
    lfd-tcmen (the network), and motion-branch-stages12 and lfd-tcmen-stages12 (both without stage 3). The last four
    load the same trained stage 1. Without --validation and --share-stage1, lfd-tcmen and motion-branch also load stage
    2 of their `-stages12` model. The minutes per fold do not include stages that were loaded.

    **Examples**

    - `lfdtcmen evaluate`: all models, 5 folds, 3 seeds (hours on a laptop)

    - `lfdtcmen evaluate majority logistic-regression --seeds 1`: a minute

    - `lfdtcmen evaluate logistic-regression --set preset=hard --set label_map=7class`: any field of the config

    - `lfdtcmen evaluate logistic-regression lfd-tcmen --data data/prepared/casme3 --protocol loso`

    - `lfdtcmen evaluate logistic-regression flow-branch --protocol holdout --jobs 2`: seven classes, test A and B

    - `lfdtcmen evaluate --scheduler tcp://192.168.1.5:8786`: on more than one machine
    """
    given = {"subjects": subjects, "folds": folds, "epochs": epochs, "imbalance": imbalance}
    config = build_config(profile, settings, data, recipe, protocol, **given)
    from lfdtcmen import experiments
    from lfdtcmen.evaluation.protocol import cross_validate
    from lfdtcmen.evaluation.results import readable, score_table, to_records
    from lfdtcmen.files import run_folder

    run_dir = run_folder(name, "evaluate", runs)
    known = list(experiments.models(config, run_dir))
    if data is not None:
        known.remove("action-units")  # only synthetic faces have true action units
    if unknown := [model for model in models or () if model not in known]:
        raise DataError(f"unknown model {unknown[0]!r}", fix=f"use one of {', '.join(known)}")
    pairs, splits = experiments.pairs_and_folds(protocol, config, data, test or [])
    echo_remarks(pairs.manifest.attrs)
    groups = experiments.groups_for_stage1(config, pairs, splits) if share_stage1 else None
    by_name = experiments.models(config, run_dir, groups, validation)
    backend = connect(scheduler)
    predictions = {}
    for model in models or known:
        echo(f"{model}: {len(splits)} folds, {seeds} seeds")
        predictions[model] = cross_validate(
            by_name[model], pairs, splits, range(seeds), run_dir / model, jobs, backend, progress=True
        )
    about = {"protocol": protocol, "validation": validation, "share_stage1": share_stage1}
    recorded = experiments.recorded_settings(config, pairs, data)
    scores = []
    for part, shown in experiments.by_part(protocol, pairs, predictions):
        table = score_table(shown).assign(part=part)
        scores += to_records(table)
        echo(f"{part}\n{readable(table).to_string()}".strip())
    record = {"config": recorded, "made_by": "evaluate", **about, "scores": scores}
    experiments.write_run(run_dir, predictions, typed_command(), record)
    echo(f"predictions.csv and metrics.json are in {short_path(run_dir)}")


def connect(scheduler: str | None) -> str:
    """Return the backend of cross-validation; open a client of the Dask scheduler where one is given."""
    if scheduler is None:
        return "loky"
    from lfdtcmen.experiments import connect_dask

    echo(f"{connect_dask(scheduler)} Dask workers run the folds")
    return "dask"
