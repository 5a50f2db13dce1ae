"""``lfdtcmen evaluate``: models compared on the same folds of subjects."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from lfdtcmen.cli.options import (
    AddSynthetic,
    Epochs,
    Folds,
    Jobs,
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
from lfdtcmen.config import Config
from lfdtcmen.errors import DataError


def evaluate(
    models: Annotated[
        list[str] | None, typer.Argument(help="Models to compare; all by default.", show_default=False)
    ] = None,
    data: Prepared = None,
    checkpoint: Annotated[
        list[str] | None,
        typer.Option(
            help="Score this trained network on the set, without any training; once for each. shipped: the package's.",
            metavar="PATH|shipped",
        ),
    ] = None,
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
    add_synthetic: AddSynthetic = None,
    settings: Settings = None,
    protocol: Protocol = "kfold",
    test: Tests = None,
    validation: Annotated[
        float,
        typer.Option(
            min=0,
            max=0.5,
            help="Share of the training subjects kept apart to choose the epoch; 0: no choice, all epochs.",
        ),
    ] = 0.0,
    share_stage1: ShareStage1 = False,
    jobs: Jobs = 1,
    scheduler: Scheduler = None,
    name: Annotated[
        str | None, typer.Option(help="Results go to runs/NAME.", show_default="evaluate, or score with --checkpoint")
    ] = None,
    runs: Runs = None,
    list_models: Annotated[
        bool, typer.Option("--list", help="Only list the models: kind, source, parameters.")
    ] = False,
) -> None:
    """Compare models on the same folds of subjects: UF1 and UAR with intervals.

    Writes predictions.csv and metrics.json to runs/NAME. A fold whose result file exists is not computed again.

    Models (--list shows their sources and parameters): majority (always the most frequent class), logistic-regression
    and linear-svm (on flow and strain), difference-svm (on the apex frame minus the onset frame), apex-svm (on the apex
    frame alone), action-units (the true ones of synthetic faces), lbp-top, lbp-sip, mdmo, distlbp-rip and bi-woof
    (published hand-crafted features), psn (a network on what moves in a clip), alexnet, off-apexnet, ststnet,
    dual-inception, rcn and htnet (published networks on flow), micro-bert (a published network on the frames),
    ststnet+drl, off-apexnet+drl and dual-inception+drl (with the motion code of stage 1 beside them), flow-branch (of
    the network, alone), motion-branch (the network without its flow branch), lfd-tcmen (the network), and
    motion-branch-stages12 and lfd-tcmen-stages12 (both without stage 3). The last four and those with +drl load the
    same trained stage 1. Without --validation and --share-stage1, lfd-tcmen and motion-branch also load stage 2 of
    their `-stages12` model. The minutes per fold do not include stages that were loaded.

    lbp-top, lbp-sip, distlbp-rip and psn need clips, which only synthetic faces have: they are rendered once (about 0.4
    s a clip).

    With --checkpoint nothing is trained: the network predicts the whole set, and precision, recall and F1 of each
    class are shown as well; confusion.csv has the confusion matrix. People whom it has seen in training are refused.

    With --add-synthetic, faces are added to the training pairs of each fold (see `lfdtcmen train --help`); models that
    cannot weigh their pairs are left out. `--set init=PATH` lets the networks start from a checkpoint in each fold.

    **Examples**

    - `lfdtcmen evaluate`: all models, 5 folds, 3 seeds (hours on a laptop)

    - `lfdtcmen evaluate majority logistic-regression --seeds 1`: a minute

    - `lfdtcmen evaluate logistic-regression --set preset=hard --set label_map=7class`: any field of the config

    - `lfdtcmen evaluate logistic-regression lfd-tcmen --data data/prepared/casme3 --protocol loso`

    - `lfdtcmen evaluate logistic-regression flow-branch --protocol holdout --jobs 2`: seven classes, test A and B

    - `lfdtcmen evaluate --data data/prepared/mine --checkpoint runs/train/checkpoints/stage3-0123abcd.safetensors`

    - `lfdtcmen evaluate linear-svm lfd-tcmen --data data/prepared/casme3 --add-synthetic 0.3 --name mixed`

    - `lfdtcmen evaluate --scheduler tcp://192.168.1.5:8786`: on more than one machine
    """
    given = {"folds": folds, "epochs": epochs, "imbalance": imbalance, "add_synthetic": add_synthetic}
    config = build_config(profile, settings, data, recipe, protocol, subjects=subjects, **given)
    if checkpoint:
        other = {"models": models, "test": test, "validation": validation, "share-stage1": share_stage1, **given}
        other |= {"recipe": recipe, "protocol": protocol != "kfold", "scheduler": scheduler, "list": list_models}
        if unused := [name for name, value in other.items() if value]:
            what = f"{unused[0].replace('_', '-')} is for training, and --checkpoint trains nothing"
            raise DataError(what, "--checkpoint", "leave one of them out")
        score(checkpoint, config, data, "score" if name is None else name, runs)
        return
    from lfdtcmen import experiments, transfer
    from lfdtcmen.baselines.compared import describe_models, needs_clips
    from lfdtcmen.datasets.manifest import LABEL_MAPS
    from lfdtcmen.datasets.synthetic import add_clips
    from lfdtcmen.evaluation.protocol import cross_validate
    from lfdtcmen.evaluation.results import readable, score_table, to_records
    from lfdtcmen.files import run_folder

    if list_models:
        listed = experiments.models(config, Path())
        echo(describe_models(listed, len(LABEL_MAPS[config.label_map])).to_string(index=False))
        return
    run_dir = run_folder("evaluate" if name is None else name, "evaluate", runs)
    known = list(experiments.models(replace(config, init=None), run_dir))
    if data is not None:
        known.remove("action-units")  # only synthetic faces have true action units
    if unknown := [model for model in models or () if model not in known]:
        raise DataError(f"unknown model {unknown[0]!r}", fix=f"use one of {', '.join(known)}")
    pairs, splits = experiments.pairs_and_folds(protocol, config, data, test or [])
    echo_remarks(pairs.manifest.attrs)
    groups = experiments.groups_for_stage1(config, pairs, splits) if share_stage1 else None
    added = transfer.load_added(config, pairs, jobs)
    by_name = experiments.models(config, run_dir, groups, validation, added)
    if unfit := [model for model in models or () if model not in by_name]:
        why = "is another network than that of init" if config.init else "cannot weigh its training pairs"
        raise DataError(f"{unfit[0]} {why}", "--set init" if config.init else "--add-synthetic", "leave the model out")
    if config.init and not models:
        echo(f"left out, as other networks than that of init: {', '.join(n for n in known if n not in by_name)}")
    backend = connect(scheduler)
    if not models:
        models = [name for name in known if name in by_name and not (data and needs_clips(by_name[name]))]
    if data is None and any(needs_clips(by_name[name]) for name in models):
        pairs = add_clips(pairs, config.preset, n_jobs=-1, progress=True)
    predictions = {}
    for model in models:
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
        echo(f"{part}\n" * bool(part) + readable(table).to_string())
    record = {"config": recorded, "made_by": "evaluate", **about, "scores": scores}
    experiments.write_run(run_dir, predictions, typed_command(), record)
    echo(f"predictions.csv and metrics.json are in {short_path(run_dir)}")


def score(checkpoints: list[str], config: Config, data: Path | None, name: str, runs: Path | None) -> None:
    """Score trained networks on a set without training, and write what `evaluate` writes, and confusion.csv.

    Raises
    ------
    DataError
        The set cannot be read, a network does not fit it, or has seen somebody in it.
    """
    from lfdtcmen import experiments, transfer
    from lfdtcmen.evaluation.audit import check_label_leak
    from lfdtcmen.evaluation.results import readable, score_table, to_records
    from lfdtcmen.files import atomic_path, run_folder

    run_dir = run_folder(name, "evaluate --checkpoint", runs)
    pairs = experiments.load_pairs(config, data)
    echo_remarks(pairs.manifest.attrs)
    check_label_leak(pairs)
    predictions, about = transfer.predict_without_training(checkpoints, pairs)
    scores, classes = score_table(predictions), transfer.class_table(predictions, pairs.label_names)
    counts = transfer.confusion_table(predictions, pairs.label_names)
    with atomic_path(run_dir / "confusion.csv") as temporary:
        counts.to_csv(temporary, index=False)
    echo(readable(scores.drop(columns=["sd", "runs", "folds", "minutes"])).to_string())
    for model, table in classes.groupby("model", sort=False):
        echo(f"{model}, trained on: {about[str(model)]['trained_on']}")
        by_class = table.assign(model=table["part"]).drop(columns="samples")  # a row for each class
        echo(readable(by_class).rename_axis("class").to_string())
    echo(counts.to_string(index=False))
    recorded = experiments.recorded_settings(config, pairs, data)
    kept = {name: recorded[name] for name in ("data", "fingerprint", "label_names") if name in recorded}
    kept = kept or {name: recorded[name] for name in (*experiments.SYNTHETIC_FIELDS, "seed")}
    record: dict = {
        "config": kept,
        "made_by": "evaluate --checkpoint",
        "protocol": "without training",
        "checkpoints": about,
    }
    record |= {"scores": to_records(scores), "classes": to_records(classes)}
    experiments.write_run(run_dir, predictions, typed_command(), record)
    echo(f"predictions.csv, confusion.csv and metrics.json are in {short_path(run_dir)}")


def connect(scheduler: str | None) -> str:
    """Return the backend of cross-validation; open a client of the Dask scheduler where one is given."""
    if scheduler is None:
        return "loky"
    from lfdtcmen.experiments import connect_dask

    echo(f"{connect_dask(scheduler)} Dask workers run the folds")
    return "dask"
