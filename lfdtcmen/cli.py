"""The command line: ``lfdtcmen run | data | train | evaluate | ablate | predict | doctor``.

Each command imports what it needs when it is called, so that ``--help`` and ``doctor`` answer at once.
"""

import json
import os
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperGroup

from lfdtcmen.config import Config, load_config, to_dict
from lfdtcmen.errors import DataError

# torch's threads wait for each other in a loop that keeps a core busy: while another program wants that core, training
# is ten and more times as slow. With this short a loop it is three times as slow then, and a tenth slower on a quiet
# machine. Read when torch is imported, and inherited by the kernels of `run`.
os.environ.setdefault("GOMP_SPINCOUNT", "10000")

PROJECT = Path(__file__).resolve().parents[1]  # the clone; a wheel has no notebooks and takes folders by option


class OneLineErrors(TyperGroup):
    """The commands, where a user's mistake is one line on stderr and exit code 2 instead of a traceback."""

    def main(self, *args, **kwargs) -> None:
        try:
            code = super().main(*args, **{**kwargs, "standalone_mode": False})
        except DataError as error:
            typer.echo(f"lfdtcmen: {error}", err=True)
            code = 2
        except typer.TyperException as error:  # an unknown command or option, a value of the wrong type
            typer.echo(f"lfdtcmen: {error.format_message()} (--help shows what there is)", err=True)
            code = 2
        except typer.Abort:
            code = 1
        sys.exit(code)


app = typer.Typer(cls=OneLineErrors, add_completion=False, rich_markup_mode="markdown")

Profile = Annotated[
    str | None, typer.Option("-p", "--profile", help="smoke (seconds), cpu (a laptop), gpu (the paper's scale).")
]
Recipe = Annotated[
    str | None, typer.Option(help="paper, or repaired: what goes beyond it until it disentangles (notebook 08).")
]
Seed = Annotated[int, typer.Option(help="Seed of data, weights and training.")]
Preset = Annotated[str | None, typer.Option(help="easy, standard or hard faces.")]
LabelMap = Annotated[str | None, typer.Option(help="3class (CAS(ME)^3) or 7class (DFME).")]
Subjects = Annotated[int | None, typer.Option(help="How many people to draw.")]
Jobs = Annotated[int, typer.Option(help="Processes; -1 for all cores.")]
Name = Annotated[str, typer.Option(help="Results go to runs/NAME.")]
Seeds = Annotated[int, typer.Option(min=1, help="How many seeds: 0, 1, ...")]
Folds = Annotated[int | None, typer.Option(min=2, help="How many folds of subjects.")]
Epochs = Annotated[
    tuple[int, int, int] | None, typer.Option(help="Epochs of stages 1, 2, 3; the profile's by default.")
]
PerceptualSize = Annotated[
    int | None, typer.Option(min=16, help="Pixels a side before VGG-19, the costly part of stages 1 and 3.")
]
ShareStage1 = Annotated[
    bool,
    typer.Option("--share-stage1", help="Train stage 1 once a fold's group of subjects, for all seeds (see README)."),
]
Scheduler = Annotated[
    str | None, typer.Option(help="tcp://HOST:8786 of a Dask scheduler, whose workers take the folds.")
]
Prepared = Annotated[
    Path | None, typer.Option("--data", help="Folder that `data prepare` made; drawn faces without it.")
]
LOADERS = ("casme3", "dfme", "casme2", "samm", "smic", "megc", "folder")


@app.callback(invoke_without_command=True)
def lfdtcmen(context: typer.Context) -> None:
    """LFD-TCMEN: learnable feature disentanglement for micro-expression recognition.

    Start with `lfdtcmen doctor`, then `lfdtcmen run`. Without `-p`, the profile is LFDTCMEN_PROFILE, else cpu.
    """
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command()
def run(
    profile: Profile = None,
    seed: Seed = 0,
    name: Annotated[str | None, typer.Option(help="Results go to runs/NAME; the profile's name by default.")] = None,
    notebooks: Annotated[Path, typer.Option(help="Folder of the series.", show_default="the project's")] = PROJECT
    / "notebooks",
) -> None:
    """Execute the notebook series into runs/NAME, with an index page.

    Goes on where it was stopped: a notebook is executed again only when it, its parameters or the package changed.

    **Examples**

    - `lfdtcmen run`: the whole series in the cpu profile, into runs/cpu

    - `lfdtcmen run -p smoke`: the same in a few minutes, to see that all works

    - `lfdtcmen run --seed 1 --name second`: another seed, beside the first run
    """
    config = load_config(profile, seed=seed)
    from lfdtcmen import notebooks as series

    series_files = series.find_notebooks(notebooks.resolve())
    run_dir = _run_dir(name or config.profile, notebooks.resolve().parent)
    parameters = {"profile": config.profile, "seed": seed, "run_dir": str(run_dir)}
    try:
        entries = series.run_series(series_files, run_dir, parameters, _echo)
    except series.NotebookFailed as error:
        typer.echo(f"lfdtcmen: {error}", err=True)
        typer.echo(
            "The executed copy in the run's folder shows it whole; the same command goes on from here.", err=True
        )
        raise typer.Exit(1) from None
    total = series.duration(sum(entry.seconds for entry in entries))
    typer.echo(f"{len(entries)} notebooks, {total}: open {_shown(run_dir / 'index.html')}")


data_app = typer.Typer(
    cls=OneLineErrors, rich_markup_mode="markdown", invoke_without_command=True, subcommand_metavar="[COMMAND]"
)
app.add_typer(data_app, name="data")


@data_app.callback()
def data(
    context: typer.Context,
    profile: Profile = None,
    preset: Preset = None,
    label_map: LabelMap = None,
    subjects: Subjects = None,
    seed: Seed = 0,
    jobs: Jobs = -1,
) -> None:
    """Draw and prepare the synthetic faces, and print their Table 1; `data prepare` takes a licensed set or your own.

    The drawn faces are cached under data/cache: notebooks, `train` and `evaluate` then start at once.

    **Examples**

    - `lfdtcmen data`: the set that the cpu profile uses

    - `lfdtcmen data --preset hard --label-map 7class --subjects 40`

    - `lfdtcmen data prepare casme3 --root data/casme3 --annotation data/casme3/labels.xlsx`
    """
    if context.invoked_subcommand is not None:
        given = [name for name in context.params if context.get_parameter_source(name).name == "COMMANDLINE"]
        if given:
            option = given[0].replace("_", "-")
            raise DataError(f"--{option} stands before {context.invoked_subcommand}", fix="write it behind")
        return
    config = _config(profile, seed, preset=preset, label_map=label_map, subjects=subjects)
    pairs = _pairs(config, jobs)
    from lfdtcmen.datasets.manifest import table1

    typer.echo(table1(pairs.manifest, config.label_map).to_string())


@data_app.command()
def prepare(
    dataset: Annotated[str, typer.Argument(help="casme3, dfme, casme2, samm, smic, megc, or folder for your own.")],
    root: Annotated[list[str], typer.Option(help="Folder of the data set; for megc SET=FOLDER, once for each set.")],
    annotation: Annotated[
        list[str] | None, typer.Option(help="Table of the clips, xlsx or csv; for megc SET=FILE. SMIC needs none.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Results go here; by default data/prepared/ and the set's or your folder's name."),
    ] = None,
    label_map: Annotated[
        str | None, typer.Option(help="3class, 7class or raw; 7class for dfme and 3class for the others by default.")
    ] = None,
    part: Annotated[str | None, typer.Option(help="Of dfme: train, test_a or test_b.")] = None,
    spot_apex: Annotated[
        bool, typer.Option("--spot-apex", help="Spot an apex that is missing, instead of leaving the clip out.")
    ] = False,
    detector: Annotated[Path | None, typer.Option(help="YuNet's ONNX file, instead of MTCNN.")] = None,
    jobs: Jobs = -1,
) -> None:
    """Turn a data set on your disk into aligned onset-apex pairs with their flow (3.1.1, 3.3.2).

    What the loader leaves out is in left_out.csv, clips that cannot be prepared are in failures.csv, each with its
    reason; the others go on. After an interruption, the same command goes on where it was.

    **Examples**

    - `lfdtcmen data prepare casme3 --root data/casme3 --annotation data/casme3/labels.xlsx`

    - `lfdtcmen data prepare folder --root recordings --annotation recordings/clips.csv --spot-apex`

    - `lfdtcmen train --data data/prepared/casme3`: train on the result
    """
    label_map = label_map or ("7class" if dataset == "dfme" else "3class")
    named = Path(root[0]).resolve().name if dataset == "folder" else f"{dataset}_{part}" if part else dataset
    out = (out or PROJECT / "data" / "prepared" / named).expanduser()
    detector = None if detector is None else detector.expanduser()
    manifest, report = _load(dataset, root, annotation or [], label_map, spot_apex, part)
    from lfdtcmen.datasets.clips import prepare_clips
    from lfdtcmen.datasets.manifest import table1
    from lfdtcmen.files import atomic_path

    with atomic_path(out / "left_out.csv") as temporary:
        report.to_csv(temporary, index=False)
    typer.echo(f"{len(manifest) + len(report)} rows: {len(manifest)} clips, {len(report)} left out")
    reasons = report["reason"].str.replace(r"\d+", "N", regex=True).value_counts()
    for reason, count in reasons.items():
        typer.echo(f"  {count:5d}  {reason}")
    try:
        pairs, failures = prepare_clips(manifest, out, label_map, jobs, detector, progress=True)
    except KeyboardInterrupt:
        typer.echo("stopped; the same command goes on from here", err=True)
        raise typer.Exit(130) from None
    notes = pairs.manifest["note"].str.replace(r"\d+", "N", regex=True)
    for note, count in notes[notes != ""].value_counts().items():
        typer.echo(f"  {count:5d}  kept: {note}")
    if len(failures):
        typer.echo(f"{len(failures)} clips could not be prepared, such as {failures['reason'][0]}")
    if absent := [name for k, name in enumerate(pairs.label_names) if k not in pairs.labels]:
        typer.echo(f"no clip of {', '.join(absent)}: to train on the set, prepare it with --label-map raw")
    typer.echo(table1(pairs.manifest).to_string())
    typer.echo(f"{len(pairs)} pairs are in {_shown(out)}")


@app.command()
def train(
    data: Prepared = None,
    profile: Profile = None,
    recipe: Recipe = None,
    stage: Annotated[int, typer.Option(min=1, max=3, help="The last stage to train (4.4).")] = 3,
    preset: Preset = None,
    label_map: LabelMap = None,
    subjects: Subjects = None,
    seed: Seed = 0,
    jobs: Jobs = -1,
    name: Name = "train",
) -> None:
    """Train the network's stages on all but one fold of the subjects, and score it on that fold.

    A finished stage is loaded from runs/NAME/checkpoints, a broken-off one is gone on with. runs/NAME/MODEL_CARD.md
    says what was trained on what, and how good it is.

    **Examples**

    - `lfdtcmen train`: all three stages in the cpu profile

    - `lfdtcmen train --stage 1 --preset easy --name easy`: the disentanglement alone

    - `lfdtcmen train --data data/prepared/casme3 --name casme3`: on a set that `lfdtcmen data prepare` made
    """
    drawn = {"preset": preset, "label_map": label_map, "subjects": subjects}
    config = _config(profile, seed, recipe=recipe, **drawn)
    run_dir = _own_run_dir(name, "train")
    pairs = _pairs(config, jobs, data, drawn)
    from lfdtcmen.datasets.splits import grouped_kfold
    from lfdtcmen.training import checkpoint_file, predict, stage_checkpoint

    train_index, test_index = next(iter(grouped_kfold(pairs.subjects, pairs.labels, config.folds, seed)))
    learned, test = pairs.subset(train_index), pairs.subset(test_index)
    model, history = stage_checkpoint(stage, config, learned, run_dir)
    history.to_csv(run_dir / "history.csv", index=False)
    typer.echo(f"checkpoints and history.csv are in {_shown(run_dir)}")
    from lfdtcmen.analysis.disentanglement import disentanglement_report
    from lfdtcmen.datasets.synthetic import make_counterfactuals
    from lfdtcmen.evaluation.results import readable

    # a low loss does not say that the codes came apart: these stand beside every stage 1
    counterfactuals = None if data else make_counterfactuals(config.preset, seed, identities=8, motions=4)
    try:
        report = disentanglement_report(model, test, counterfactuals, seed)
        report.to_csv(run_dir / "disentanglement.csv", index=False)
        typer.echo(readable(report, index="metric").to_string())
    except DataError as error:  # a handful of clips is too little to measure it on, and no reason to lose the rest
        typer.echo(f"disentanglement is not measured: {error}")
    # stage 1 has not learned to classify
    held_out = _held_out(learned, test, None if stage == 1 else predict(model, test).argmax(1))
    for metric, score in held_out.get("scores", {}).items():
        interval = f"95 % interval over {held_out['subjects']} subjects: {score['low']:.3f} to {score['high']:.3f}"
        typer.echo(f"{metric} {score['value']:.3f} ({interval})")
    from lfdtcmen.evaluation.results import write_metrics
    from lfdtcmen.training.checkpoint import describe
    from lfdtcmen.training.model_card import write_model_card

    options = f"--preset {config.preset} --label-map {config.label_map} --subjects {config.subjects}"
    options = f"--data {_shown(data.resolve())}" if data else options
    command = f"lfdtcmen train -p {config.profile} --recipe {config.recipe} --stage {stage} {options} --seed {seed}"
    checkpoint = checkpoint_file(stage, config, learned, run_dir).name
    settings = _settings(config, pairs, data)
    record = {"made_by": "train", "command": command, "date": f"{date.today()}", "config": settings}
    write_metrics({**record, "checkpoint": checkpoint, "held_out": held_out}, run_dir)
    card = write_model_card(run_dir, describe(config, stage, learned), checkpoint, held_out, command)
    typer.echo(f"what was trained, and how good it is: {_shown(card)}")


@app.command()
def evaluate(
    models: Annotated[
        list[str] | None, typer.Argument(help="Which models to compare; all without a name.", show_default=False)
    ] = None,
    data: Prepared = None,
    profile: Profile = None,
    recipe: Recipe = None,
    seeds: Seeds = 3,
    folds: Folds = None,
    epochs: Epochs = None,
    perceptual_size: PerceptualSize = None,
    preset: Preset = None,
    label_map: LabelMap = None,
    subjects: Subjects = None,
    imbalance: Annotated[
        str | None,
        typer.Option(help="class_weights, focal, logit_adjusted or balanced_sampling; the paper has none of them."),
    ] = None,
    protocol: Annotated[
        str, typer.Option(help="kfold, loso (leave one subject out), or holdout (DFME's: train, test A, test B).")
    ] = "kfold",
    test: Annotated[
        list[Path] | None, typer.Option(help="For holdout with --data: prepared test set; once for each.")
    ] = None,
    validation: Annotated[
        float, typer.Option(help="Share of the training subjects on whom the epoch is chosen; 0: fixed epochs.")
    ] = 0.0,
    share_stage1: ShareStage1 = False,
    jobs: Jobs = 1,
    scheduler: Scheduler = None,
    name: Name = "evaluate",
) -> None:
    """Compare models on the same folds of subjects: UF1 and UAR with intervals.

    Writes predictions.csv and metrics.json to runs/NAME. A fold that is there is not computed again.

    Models: majority, linear-svm, apex-svm, action-units (of drawn faces), flow-branch, lfd-tcmen-stages12, lfd-tcmen,
    motion-branch-stages12, motion-branch. The last four share what stages they can (stage 1, and a network's own
    earlier stages): a row's minutes are those that it trained itself.

    **Examples**

    - `lfdtcmen evaluate`: all models, 5 folds, 3 seeds (hours on a laptop)

    - `lfdtcmen evaluate majority linear-svm --seeds 1`: a minute

    - `lfdtcmen evaluate linear-svm lfd-tcmen --data data/prepared/casme3 --protocol loso --name casme3-loso`

    - `lfdtcmen evaluate linear-svm flow-branch --protocol holdout --jobs 2 --name dfme`: seven classes, test A and B

    - `lfdtcmen evaluate --scheduler tcp://192.168.1.5:8786`: on more than one machine
    """
    drawn = {"preset": preset, "label_map": label_map, "subjects": subjects}
    config = _config(
        profile,
        0,
        **drawn,
        folds=folds,
        epochs=epochs,
        perceptual_size=perceptual_size,
        imbalance=imbalance,
        recipe=recipe,
    )
    if protocol == "holdout" and data is None:
        config = replace(config, label_map="7class")  # DFME's
    run_dir = _own_run_dir(name, "evaluate")
    known = _models(config, run_dir)
    if data is not None:
        del known["action-units"]  # true intensities are known of drawn faces only
    if unknown := [model for model in models or () if model not in known]:
        raise DataError(f"unknown model {unknown[0]!r}", fix=f"use one of {', '.join(known)}")
    pairs, splits = _protocol(protocol, config, data, test or [], drawn)
    for model in known.values():
        if hasattr(model, "validation"):
            model.validation = validation
            model.stage1_groups = _groups(config, pairs, splits) if share_stage1 else None
    from lfdtcmen.evaluation.results import readable, score_table, to_records

    predictions = {}
    backend = _connect(scheduler)
    for model in models or known:
        predictions[model] = _cross_validate(model, known[model], pairs, splits, seeds, run_dir, jobs, backend)
    parts = list(pairs.manifest["part"].unique())[1:] if protocol == "holdout" else [""]  # the first is trained on
    scores = []
    for part in parts:
        shown = {m: table[table["part"] == part] if part else table for m, table in predictions.items()}
        table = score_table(shown).assign(part=part)
        scores += to_records(table)
        typer.echo(f"{part}\n{readable(table).to_string()}".strip())
    about = {"protocol": protocol, "validation": validation, "share_stage1": share_stage1, "scores": scores}
    _write_run(run_dir, predictions, _settings(config, pairs, data), {"made_by": "evaluate", **about})


@app.command()
def ablate(
    tables: Annotated[list[str], typer.Argument(help="table4, table5, table6, table7, or all.", show_default=False)],
    data: Prepared = None,
    profile: Profile = None,
    seeds: Seeds = 3,
    folds: Folds = None,
    epochs: Epochs = None,
    perceptual_size: PerceptualSize = None,
    share_stage1: ShareStage1 = False,
    protocol: Annotated[str, typer.Option(help="kfold, or loso (leave one subject out).")] = "kfold",
    preset: Preset = None,
    label_map: LabelMap = None,
    subjects: Subjects = None,
    jobs: Jobs = 1,
    scheduler: Scheduler = None,
    name: Name = "ablate",
) -> None:
    """Take the network apart as Tables 4 to 7 do: every setting on the same folds, paired, and does the order hold?

    Settings that several tables share run once, and those that differ in TCME alone share stage 1. Writes
    predictions.csv and metrics.json to runs/NAME; notebook 09 reads runs/ablations. A fold that is there is not
    computed again.

    **Examples**

    - `lfdtcmen ablate table5`: three streams against one

    - `lfdtcmen ablate all --jobs 2 --name ablations`: all four tables, 5 folds, 3 seeds (most of a day on a laptop)

    - `lfdtcmen ablate all --jobs 2 --epochs 2 10 1 --perceptual-size 32 --share-stage1 --name ablations`: in two hours

    - `lfdtcmen ablate table6 --data data/prepared/casme3 --protocol loso --share-stage1 --name casme3-ablations`
    """
    from lfdtcmen.analysis import ablation

    tables = list(ablation.TABLES) if "all" in tables else tables
    runs = ablation.runs_of(tables)
    if protocol not in ("kfold", "loso"):
        raise DataError(f"unknown protocol {protocol!r}", fix="use kfold or loso")
    drawn = {"preset": preset, "label_map": label_map, "subjects": subjects}
    config = _config(profile, 0, **drawn, folds=folds, epochs=epochs, perceptual_size=perceptual_size)
    run_dir = _own_run_dir(name, "ablate")
    pairs, splits = _protocol(protocol, config, data, [], drawn)
    groups = _groups(config, pairs, splits) if share_stage1 else None
    backend = _connect(scheduler)
    from lfdtcmen.evaluation.results import readable, to_records
    from lfdtcmen.training import LFDTCMENClassifier

    predictions = {}
    for run in runs:
        model = LFDTCMENClassifier(ablation.configure(config, run), run_dir, stage1_groups=groups)
        predictions[run] = _cross_validate(run, model, pairs, splits, seeds, run_dir, jobs, backend)
    scores = {}
    for table in tables:
        found = ablation.ablation_table(table, predictions)
        scores[table] = to_records(found)
        typer.echo(f"\n{ablation.TITLES[table]}\n{readable(found).to_string()}")
        typer.echo("\n".join(ablation.verdict(found, metric) for metric in ("UF1", "UAR")))
    about = {"protocol": protocol, "share_stage1": share_stage1, "tables": scores}
    _write_run(run_dir, predictions, _settings(config, pairs, data), {"made_by": "ablate", **about})


@app.command()
def predict(
    clip: Annotated[Path, typer.Argument(help="Video file, or folder of frames.")],
    checkpoint: Annotated[
        Path | None, typer.Option(help="Of stage 2 or 3.", show_default="the newest one below runs")
    ] = None,
    onset: Annotated[int | None, typer.Option(help="Frame in which it begins; spotted by default.")] = None,
    apex: Annotated[int | None, typer.Option(help="Frame in which it is strongest; spotted by default.")] = None,
    start: Annotated[int | None, typer.Option(help="First frame to look at, of a long clip.")] = None,
    end: Annotated[int | None, typer.Option(help="Last frame to look at.")] = None,
    fps: Annotated[
        float | None, typer.Option(help="Frames a second, where the file does not tell (folders, slow motion).")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the report.", show_default="runs/predict/CLIP")] = None,
    detector: Annotated[Path | None, typer.Option(help="YuNet's ONNX file, instead of MTCNN.")] = None,
) -> None:
    """Say which micro-expression a clip shows, and write a page that shows why: report.html, report.json.

    The face is found and aligned, onset and apex are spotted, and the network reads the pair and the flow between
    them. Frames of a video are counted from 0, those of a folder by their names.

    **Examples**

    - `lfdtcmen predict clip.mp4`: with the network below runs that was trained last

    - `lfdtcmen predict frames/ --onset 46 --apex 59 --checkpoint runs/train/checkpoints/stage3-0123abcd.pt`

    - `lfdtcmen predict long.mp4 --start 300 --end 420`: four seconds of a long video
    """
    from lfdtcmen.prediction import newest_checkpoint, predict_clip, write_report

    chosen = checkpoint or newest_checkpoint(PROJECT / "runs")
    prediction = predict_clip(clip, chosen, onset, apex, start, end, fps, detector)
    page = write_report(prediction, out or PROJECT / "runs" / "predict" / prediction.clip)
    typer.echo(f"network: {_shown(chosen.resolve())}")
    for text in prediction.warnings:
        typer.echo(f"mind: {text}")
    spotted = "spotted" if prediction.spotted else "given"
    typer.echo(f"onset {prediction.onset}, apex {prediction.apex} ({spotted})")
    for name, value in sorted(zip(prediction.label_names, prediction.probabilities, strict=True), key=lambda x: -x[1]):
        typer.echo(f"{name:<12} {value:.2f}")
    typer.echo(f"open {_shown(page.resolve())}")


@app.command()
def doctor() -> None:
    """Check Python, packages, threads, device, disk, VGG-19 weights and data sets.

    Exit code 1 when something that a run needs is not there.
    """
    from lfdtcmen.doctor import examine

    failed = False
    for check in examine(PROJECT / "data"):
        typer.echo(check)
        failed |= not check.ok
    if failed:
        raise typer.Exit(1)


def _config(profile: str | None, seed: int, **given) -> Config:
    return load_config(profile, seed=seed, **{field: value for field, value in given.items() if value is not None})


def _load(
    dataset: str, roots: list[str], annotations: list[str], label_map: str, spot_apex: bool, part: str | None
) -> tuple:
    """Return manifest and report of a licensed set, or of the user's own recordings."""
    from importlib import import_module

    if dataset not in LOADERS:
        raise DataError(f"unknown data set {dataset!r}", fix=f"use one of {', '.join(LOADERS)}")
    loader = import_module(f"lfdtcmen.datasets.{dataset}")
    if dataset == "megc":
        for text in (*roots, *annotations):
            if "=" not in text:
                raise DataError(f"no data set is named in {text!r}", fix="write --root casme2=FOLDER, and so on")
        named = [dict(text.split("=", 1) for text in texts) for texts in (roots, annotations)]
        return loader.load(*named, label_map, spot_apex)
    if len(roots) != 1 or len(annotations) > 1 or (not annotations and dataset != "smic"):
        found = f"{len(roots)} roots and {len(annotations)} annotations"
        raise DataError(found, fix=f"{dataset} takes one --root and one --annotation")
    if part is not None and dataset != "dfme":
        raise DataError(f"{dataset} has no parts", fix="leave --part out")
    more = {} if part is None else {"part": part}
    return loader.load(roots[0], annotations[0] if annotations else None, label_map, spot_apex, **more)


def _pairs(config: Config, jobs: int, data: Path | None = None, drawn: dict | None = None):
    """Return prepared pairs: those of a folder, or drawn faces."""
    if data is not None:
        from lfdtcmen.datasets.clips import load_prepared

        if given := [name for name, value in drawn.items() if value is not None]:
            option = given[0].replace("_", "-")
            raise DataError(f"--{option} is of the drawn faces", fix="leave it out, or leave --data out")
        return load_prepared(data)
    from lfdtcmen.datasets.preparation import prepare_pairs
    from lfdtcmen.datasets.synthetic import make_dataset

    pairs = make_dataset(
        config.preset, config.label_map, subjects=config.subjects, seed=config.seed, n_jobs=jobs, progress=True
    )
    return prepare_pairs(pairs, n_jobs=jobs, progress=True)


def _connect(scheduler: str | None) -> str:
    """Return the backend of cross-validation; open a client of the Dask scheduler where one is given."""
    if scheduler is None:
        return "loky"
    try:
        from distributed import Client
    except ImportError as error:
        raise DataError("Dask is not installed", fix="pip install -e '.[scale]', here and for each worker") from error
    try:
        workers = len(Client(scheduler, timeout=10).nthreads())
    except (OSError, ValueError) as error:
        raise DataError("no Dask scheduler answers", scheduler, "start one with `dask scheduler`") from error
    if workers == 0:
        raise DataError("the Dask scheduler has no workers", scheduler, f"start some with `dask worker {scheduler}`")
    typer.echo(f"{workers} Dask workers take the folds")
    return "dask"


def _protocol(protocol: str, config: Config, data: Path | None, tests: list[Path], drawn: dict) -> tuple:
    """Return the pairs of a protocol and its folds."""
    from lfdtcmen.datasets.pairs import concatenate
    from lfdtcmen.datasets.splits import grouped_kfold, holdout, loso
    from lfdtcmen.evaluation.audit import check_label_leak

    if tests and (protocol != "holdout" or data is None):
        raise DataError("--test is for --protocol holdout with --data", fix="leave it out, or give the others")
    if protocol == "holdout":
        if data is not None and not tests:
            raise DataError("there is nothing to test on", fix="give --test and the folder of a prepared test set")
        given = {} if data is None else {path.name: _pairs(config, -1, path, drawn) for path in [data, *tests]}
        parts = given or _dfme(config)
        pairs = concatenate(parts)
        check_label_leak(pairs)
        return pairs, list(holdout(pairs.manifest["part"], next(iter(parts))))
    pairs = _pairs(config, -1, data, drawn)
    check_label_leak(pairs)
    if protocol == "kfold":
        return pairs, list(grouped_kfold(pairs.subjects, pairs.labels, config.folds))
    if protocol == "loso":
        return pairs, list(loso(pairs.subjects))
    raise DataError(f"unknown protocol {protocol!r}", fix="use kfold, loso or holdout")


def _dfme(config: Config) -> dict:
    """Draw and prepare DFME's three parts, with as many training subjects as the config has subjects."""
    from lfdtcmen.datasets.preparation import prepare_pairs
    from lfdtcmen.datasets.synthetic import make_dfme

    shares = (1, 0.3, 0.2)  # test A and B have that many subjects for one of the training set (assumed)
    subjects = tuple(max(2, round(share * config.subjects)) for share in shares)
    parts = make_dfme(config.seed, subjects, config.preset, n_jobs=-1, progress=True)
    return {part: prepare_pairs(drawn, n_jobs=-1, progress=True) for part, drawn in parts.items()}


def _groups(config: Config, pairs, splits: list) -> dict[str, int]:
    """Return the groups of subjects that share a stage 1: as many as there are folds of subjects, or fewer."""
    from lfdtcmen.datasets.splits import group_subjects

    if len(splits) == 1:  # a holdout: who is trained on, and who is tested
        return dict.fromkeys(pairs.subjects, 0) | dict.fromkeys(pairs.subjects[splits[0][0]], 1)
    return group_subjects(pairs.subjects, pairs.labels, config.folds)


def _cross_validate(name: str, fit_predict, pairs, splits: list, seeds: int, run_dir: Path, jobs: int, backend: str):
    """Run a model on all folds and seeds, into runs/NAME/<model>."""
    from lfdtcmen.evaluation.protocol import cross_validate

    typer.echo(f"{name}: {len(splits)} folds, {seeds} seeds")
    settings = getattr(fit_predict, "settings", None)
    if hasattr(fit_predict, "pretrain") and backend == "loky":
        fit_predict.pretrain(range(seeds), jobs)
        if fit_predict.stage1_groups is not None:
            fit_predict.train_stage1(pairs, splits, jobs)
    out_dir = run_dir / name
    return cross_validate(fit_predict, pairs, splits, range(seeds), out_dir, jobs, backend, settings, progress=True)


def _write_run(run_dir: Path, predictions: dict, config: dict, results: dict) -> None:
    """Write predictions.csv and metrics.json of a comparison."""
    import pandas as pd

    from lfdtcmen.evaluation.results import write_metrics, write_predictions

    write_predictions(pd.concat(predictions, names=["model", None]).reset_index("model"), run_dir)
    about = {"command": " ".join(["lfdtcmen", *sys.argv[1:]]), "date": f"{date.today()}", "config": config}
    write_metrics({**about, **results}, run_dir)
    typer.echo(f"predictions.csv and metrics.json are in {_shown(run_dir)}")


def _models(config: Config, run_dir: Path) -> dict:
    """Return the models that `evaluate` knows: name -> fit_predict(train, test, seed).

    The networks keep their stages' checkpoints in one folder: stage 1 knows nothing of TCME, so those that differ
    there alone train it once a fold.
    """
    from lfdtcmen.baselines import simple
    from lfdtcmen.training import LFDTCMENClassifier

    return {
        "majority": simple.majority,
        "linear-svm": simple.linear_svm,
        "apex-svm": simple.apex_svm,
        "action-units": simple.action_units,
        "flow-branch": LFDTCMENClassifier(replace(config, drl=None, motion=None)),
        "lfd-tcmen-stages12": LFDTCMENClassifier(config, run_dir, stages=2),
        "lfd-tcmen": LFDTCMENClassifier(config, run_dir),
        "motion-branch-stages12": LFDTCMENClassifier(replace(config, flow=None), run_dir, stages=2),
        "motion-branch": LFDTCMENClassifier(replace(config, flow=None), run_dir),
    }


def _settings(config: Config, pairs, data: Path | None) -> dict:
    """Return the config as it is recorded: of a set of the user's, with its name instead of the drawn faces' fields."""
    settings = to_dict(config)
    if data is not None:
        for field in ("preset", "subjects", "label_map"):
            del settings[field]
        settings |= {"data": data.name, "fingerprint": pairs.fingerprint, "label_names": list(pairs.label_names)}
    return settings


def _held_out(learned, test, predicted) -> dict:
    """Return what a model card says of the held-out subjects; without predictions, who they are."""
    import numpy as np

    from lfdtcmen.evaluation.metrics import METRICS, bootstrap_interval, confusion

    samples = {name: int((test.labels == k).sum()) for k, name in enumerate(test.label_names)}
    found = {"subjects": len(set(test.subjects)), "samples": samples}
    if predicted is None:
        return found
    classes = test.num_classes
    majority = np.full(len(test), np.bincount(learned.labels).argmax())
    found["scores"] = {}
    for metric, score in METRICS.items():
        low, high = bootstrap_interval(test.labels, predicted, test.subjects, metric, classes)
        found["scores"][metric.upper()] = {
            "value": score(test.labels, predicted, classes),
            "low": low,
            "high": high,
            "majority": score(test.labels, majority, classes),
        }
    hits = confusion(test.labels, predicted, classes).diagonal()
    found["recall"] = {n: int(hit) / samples[n] if samples[n] else None for n, hit in zip(samples, hits, strict=True)}
    return found


def _own_run_dir(name: str, command: str) -> Path:
    """Return runs/NAME; refuse one with another command's metrics.json, as `predict` reads the one of `train`."""
    run_dir = _run_dir(name, PROJECT)
    try:
        made_by = json.loads((run_dir / "metrics.json").read_text(encoding="utf-8")).get("made_by", command)
    except (OSError, ValueError):
        made_by = command
    if made_by != command:
        raise DataError(f"{_shown(run_dir)} has the scores of `lfdtcmen {made_by}`", fix="choose another --name")
    return run_dir


def _run_dir(name: str, root: Path) -> Path:
    from lfdtcmen.files import make_folder

    if Path(name).name != name or name == "..":
        raise DataError(f"the name of a run must be one folder's name, got {name!r}", fix="use letters and digits")
    return make_folder(root / "runs" / name)


def _shown(path: Path) -> str:
    """Return a path as short as the reader can type it."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _echo(text: str, end_of_line: bool) -> None:
    typer.echo(text, nl=end_of_line)
    sys.stdout.flush()
