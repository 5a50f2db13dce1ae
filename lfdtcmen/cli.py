"""The command line: ``lfdtcmen run | data | train | evaluate | doctor``.

Each command imports what it needs when it is called, so that ``--help`` and ``doctor`` answer at once.
"""

import sys
from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperGroup

from lfdtcmen.config import Config, load_config, to_dict
from lfdtcmen.errors import DataError

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
Seed = Annotated[int, typer.Option(help="Seed of data, weights and training.")]
Preset = Annotated[str | None, typer.Option(help="easy, standard or hard faces.")]
LabelMap = Annotated[str | None, typer.Option(help="3class (CAS(ME)^3) or 7class (DFME).")]
Subjects = Annotated[int | None, typer.Option(help="How many people to draw.")]
Jobs = Annotated[int, typer.Option(help="Processes; -1 for all cores.")]
Name = Annotated[str, typer.Option(help="Results go to runs/NAME.")]


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
    from lfdtcmen import series

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


@app.command()
def data(
    profile: Profile = None,
    preset: Preset = None,
    label_map: LabelMap = None,
    subjects: Subjects = None,
    seed: Seed = 0,
    jobs: Jobs = -1,
) -> None:
    """Draw and prepare the synthetic faces, and print their Table 1.

    Both are cached under data/cache: notebooks, `train` and `evaluate` then start at once.

    **Examples**

    - `lfdtcmen data`: the set that the cpu profile uses

    - `lfdtcmen data --preset hard --label-map 7class --subjects 40`
    """
    config = _config(profile, seed, preset=preset, label_map=label_map, subjects=subjects)
    pairs = _pairs(config, jobs)
    from lfdtcmen.datasets.manifest import table1

    typer.echo(table1(pairs.manifest, config.label_map).to_string())


@app.command()
def train(
    profile: Profile = None,
    stage: Annotated[int, typer.Option(min=1, max=3, help="The last stage to train (4.4).")] = 3,
    preset: Preset = None,
    label_map: LabelMap = None,
    subjects: Subjects = None,
    seed: Seed = 0,
    jobs: Jobs = -1,
    name: Name = "train",
) -> None:
    """Train the network's stages on all but one fold of the subjects, and score it on that fold.

    A finished stage is loaded from runs/NAME/checkpoints, a broken-off one is gone on with.

    **Examples**

    - `lfdtcmen train`: all three stages in the cpu profile

    - `lfdtcmen train --stage 1 --preset easy --name easy`: the disentanglement alone
    """
    config = _config(profile, seed, preset=preset, label_map=label_map, subjects=subjects)
    run_dir = _run_dir(name, PROJECT)
    pairs = _pairs(config, jobs)
    from lfdtcmen.datasets.splits import grouped_kfold
    from lfdtcmen.evaluation.metrics import METRICS, bootstrap_interval
    from lfdtcmen.training import predict, stage_checkpoint

    train_index, test_index = next(iter(grouped_kfold(pairs.subjects, pairs.labels, config.folds, seed)))
    test = pairs.subset(test_index)
    model, history = stage_checkpoint(stage, config, pairs.subset(train_index), run_dir)
    history.to_csv(run_dir / "history.csv", index=False)
    typer.echo(f"checkpoints and history.csv are in {_shown(run_dir)}")
    from lfdtcmen.analysis.disentanglement import disentanglement_report
    from lfdtcmen.datasets.synthetic import make_counterfactuals

    # a low loss does not say that the codes came apart: these stand beside every stage 1
    counterfactuals = make_counterfactuals(config.preset, seed, identities=8, motions=4)
    report = disentanglement_report(model, test, counterfactuals, seed)
    report.to_csv(run_dir / "disentanglement.csv")
    typer.echo(report.to_string(float_format="{:.3f}".format))
    if stage == 1:
        return  # nothing has learned to classify yet
    prediction = predict(model, test).argmax(1)
    for metric, score in METRICS.items():
        value = score(test.labels, prediction, test.num_classes)
        low, high = bootstrap_interval(test.labels, prediction, test.subjects, metric, test.num_classes)
        people = len(set(test.subjects))
        typer.echo(f"{metric.upper()} {value:.3f} (95 % interval over {people} subjects: {low:.3f} to {high:.3f})")


@app.command()
def evaluate(
    models: Annotated[
        list[str] | None, typer.Argument(help="Which models to compare; all without a name.", show_default=False)
    ] = None,
    profile: Profile = None,
    seeds: Annotated[int, typer.Option(min=1, help="How many seeds: 0, 1, ...")] = 3,
    folds: Annotated[int | None, typer.Option(min=2, help="How many folds of subjects.")] = None,
    epochs: Annotated[
        tuple[int, int, int] | None, typer.Option(help="Epochs of stages 1, 2, 3; the profile's by default.")
    ] = None,
    preset: Preset = None,
    label_map: LabelMap = None,
    subjects: Subjects = None,
    jobs: Jobs = 1,
    name: Name = "evaluate",
) -> None:
    """Compare models on the same folds of subjects: UF1 and UAR with intervals.

    Writes predictions.csv and metrics.json to runs/NAME. A fold that is there is not computed again.

    Models: majority, linear-svm, apex-svm, action-units, flow-branch, lfd-tcmen-stages12, lfd-tcmen,
    motion-branch-stages12, motion-branch. The last four share what stages they can (stage 1, and a network's own
    earlier stages): a row's minutes are those that it trained itself.

    **Examples**

    - `lfdtcmen evaluate`: all models, 5 folds, 3 seeds (hours on a laptop)

    - `lfdtcmen evaluate majority linear-svm --seeds 1`: a minute
    """
    config = _config(profile, 0, preset=preset, label_map=label_map, subjects=subjects, folds=folds, epochs=epochs)
    run_dir = _run_dir(name, PROJECT)
    known = _models(config, run_dir)
    if unknown := [model for model in models or () if model not in known]:
        raise DataError(f"unknown model {unknown[0]!r}", fix=f"use one of {', '.join(known)}")
    pairs = _pairs(config, -1)
    import pandas as pd

    from lfdtcmen.datasets.splits import grouped_kfold
    from lfdtcmen.evaluation.protocol import cross_validate
    from lfdtcmen.evaluation.results import score_table, write_metrics, write_predictions

    splits = list(grouped_kfold(pairs.subjects, pairs.labels, config.folds))
    predictions = {}
    for model in models or known:
        typer.echo(f"{model}: {len(splits)} folds, {seeds} seeds")
        fit_predict = known[model]
        settings = (
            to_dict(fit_predict.config) | {"stages": fit_predict.stages} if hasattr(fit_predict, "config") else None
        )
        predictions[model] = cross_validate(
            fit_predict, pairs, splits, range(seeds), run_dir / model, jobs, config=settings, progress=True
        )
    table = score_table(predictions).set_index("model")
    typer.echo(table.to_string(float_format="{:.3f}".format))
    write_predictions(pd.concat(predictions, names=["model", None]).reset_index("model"), run_dir)
    about = {"command": " ".join(["lfdtcmen", *sys.argv[1:]]), "date": f"{date.today()}", "config": to_dict(config)}
    write_metrics({**about, "models": table.to_dict("index")}, run_dir)
    typer.echo(f"predictions.csv and metrics.json are in {_shown(run_dir)}")


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


def _pairs(config: Config, jobs: int):
    from lfdtcmen.datasets.synthetic import make_dataset
    from lfdtcmen.preprocessing import prepare

    pairs = make_dataset(
        config.preset, config.label_map, subjects=config.subjects, seed=config.seed, n_jobs=jobs, progress=True
    )
    return prepare(pairs, n_jobs=jobs, progress=True)


def _models(config: Config, run_dir: Path) -> dict:
    """Return the models that `evaluate` knows: name -> fit_predict(train, test, seed).

    The networks keep their stages' checkpoints in one folder: stage 1 knows nothing of TCME, so those that differ
    there alone train it once a fold.
    """
    from dataclasses import replace

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


def _run_dir(name: str, root: Path) -> Path:
    from lfdtcmen.preprocessing.cache import make_folder

    if Path(name).name != name or name == "..":
        raise DataError(f"the name of a run must be one folder's name, got {name!r}", fix="use letters and digits")
    return make_folder(root / "runs" / name)


def _shown(path: Path) -> str:
    """Return a path as short as the reader can type it."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _echo(text: str, end_of_line: bool) -> None:
    typer.echo(text, nl=end_of_line)
    sys.stdout.flush()
