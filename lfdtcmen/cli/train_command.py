"""``lfdtcmen train``: the three stages on one split of the subjects, with a model card."""

import json
import shlex
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from lfdtcmen.cli.options import (
    AddSynthetic,
    Init,
    Jobs,
    LabelMap,
    Name,
    Prepared,
    Preset,
    Profile,
    Protocol,
    Recipe,
    Runs,
    Seed,
    Settings,
    Subjects,
    Tests,
    build_config,
)
from lfdtcmen.cli.output import echo_remarks, short_path
from lfdtcmen.config import Config
from lfdtcmen.errors import DataError


def train(
    data: Prepared = None,
    profile: Profile = None,
    recipe: Recipe = None,
    stage: Annotated[int, typer.Option(min=1, max=3, help="The last stage to train (4.4).")] = 3,
    preset: Preset = None,
    label_map: LabelMap = None,
    subjects: Subjects = None,
    seed: Seed = 0,
    init: Init = None,
    add_synthetic: AddSynthetic = None,
    settings: Settings = None,
    protocol: Protocol = "kfold",
    test: Tests = None,
    jobs: Jobs = -1,
    name: Name = "train",
    runs: Runs = None,
) -> None:
    """Train the network's stages on all but one fold of the subjects, and score it on that fold.

    With `--protocol loso` one subject is held out (--seed chooses which), with `holdout` whole test sets.

    A finished stage is loaded from runs/NAME/checkpoints, an interrupted one continues. runs/NAME/MODEL_CARD.md says
    what was trained on what, and how good it is.

    With `--init` the stages start from the weights of a checkpoint that was trained on other data, such as synthetic
    faces. All stages run as asked: `--set epochs=0,20,2` leaves out the first. Its network must have the same
    settings; where its classes are others, the classifier starts anew.

    With `--add-synthetic` synthetic faces are trained on as well, and never tested. `--set add_preset=standard`
    chooses which, `--set add_subjects=200` how many people, `--set add_repeats=3` how often each pair of the data
    comes while each added one comes once.

    **Examples**

    - `lfdtcmen train`: all three stages in the cpu profile

    - `lfdtcmen train --stage 1 --preset easy --name easy`: the disentanglement alone

    - `lfdtcmen train --set learning_rates=3e-4,1e-3,3e-4 --set stage1.cycle=2`: any value of the config

    - `lfdtcmen train --data data/prepared/casme3 --name casme3`: on a set that `lfdtcmen data prepare` made

    - `lfdtcmen train --data data/prepared/casme3 --init runs/train/checkpoints/stage3-0123abcd.safetensors`

    - `lfdtcmen train --data data/prepared/casme3 --add-synthetic 0.3`

    - `lfdtcmen train --protocol holdout --data data/prepared/dfme_train --test data/prepared/dfme_test_a --name dfme`
    """
    given: dict = {"preset": preset, "label_map": label_map, "subjects": subjects}
    given |= {"init": init, "add_synthetic": add_synthetic}
    config = build_config(profile, settings, data, recipe, protocol, seed=seed, **given)
    from lfdtcmen import experiments, transfer
    from lfdtcmen.beyond.method import EXTENDED
    from lfdtcmen.datasets.mixing import mix
    from lfdtcmen.evaluation.intervals import describe_interval
    from lfdtcmen.evaluation.results import readable, write_metrics
    from lfdtcmen.files import atomic_path, run_folder
    from lfdtcmen.predict.model_card import write_model_card
    from lfdtcmen.training import checkpoint_file, predict, stage_checkpoint
    from lfdtcmen.training.checkpoint import describe

    if not any(config.epochs[:stage]):
        raise DataError("no stage has any epochs", fix="give --set epochs=2,20,2, or a later --stage")
    run_dir = run_folder(name, "train", runs)
    pairs, train_pairs, held_out_pairs = experiments.one_split(protocol, config, data, test or [], jobs)
    echo_remarks(pairs.manifest.attrs)
    added = transfer.load_added(config, train_pairs, jobs)
    learned = train_pairs if added is None else mix(train_pairs, added, config.add_synthetic, config.add_repeats)
    recorded = experiments.recorded_settings(config, pairs, data)
    check_same_training(run_dir, {"config": recorded, "protocol": protocol})
    model, history = stage_checkpoint(stage, config, learned, run_dir, method=EXTENDED)
    files = {k: checkpoint_file(k, config, learned, run_dir) for k in range(1, stage + 1)}
    trained = [k for k, file in files.items() if file.exists()]  # a stage without epochs or losses has no file
    if not trained:
        raise DataError("this network has nothing to learn in these stages", fix="give a later --stage")
    stage = max(trained)
    with atomic_path(run_dir / "history.csv") as temporary:
        history.to_csv(temporary, index=False)
    typer.echo(f"checkpoints and history.csv are in {short_path(run_dir)}")
    try:
        report = experiments.measure_disentanglement(model, train_pairs, held_out_pairs, config, synthetic=data is None)
    except DataError as error:  # a handful of clips is too little to measure it on, and no reason to lose the rest
        typer.echo(f"disentanglement is not measured: {error}")
    else:
        with atomic_path(run_dir / "disentanglement.csv") as temporary:
            report.to_csv(temporary, index=False)
        typer.echo(readable(report, index="metric").to_string())
    predicted = None if stage == 1 else predict(model, held_out_pairs).argmax(1)  # stage 1 does not learn to classify
    held_out = experiments.held_out_scores(train_pairs, held_out_pairs, predicted)
    for part, scored in held_out.get("parts", {"": held_out}).items():
        for metric, score in scored.get("scores", {}).items():
            over = f"95 % interval over {scored['subjects']} subjects: "
            interval = describe_interval(score["low"], score["high"], name=over)
            typer.echo(f"{part} {metric} {score['value']:.3f} ({interval})".lstrip())
    command = _command(config, stage, data, protocol, test or [], settings or [], name)
    checkpoint = files[stage].name
    about = describe(config, stage, learned)
    record = {
        "made_by": "train",
        "protocol": protocol,
        "command": command,
        "date": f"{date.today()}",
        "config": recorded,
    }
    started = {"init": about["init"], "added": about["added"]}
    write_metrics({**record, **started, "checkpoint": checkpoint, "held_out": held_out}, run_dir)
    card = write_model_card(run_dir, about, checkpoint, held_out, command)
    typer.echo(f"what was trained, and how good it is: {short_path(card)}")


def check_same_training(run_dir: Path, record: dict) -> None:
    """Refuse a folder with the scores and the model card of another training, which would be lost.

    Raises
    ------
    DataError
        Its ``metrics.json`` has another config or protocol.
    """
    try:
        earlier = json.loads((run_dir / "metrics.json").read_text(encoding="utf-8"))
        found = {name: earlier[name] for name in record}
    except (OSError, ValueError, KeyError, TypeError):  # none, or cut off by a kill
        return
    if found != json.loads(json.dumps(record)):
        raise DataError("the folder has the scores of another training", str(run_dir), "choose another --name")


def _command(
    config: Config, stage: int, data: Path | None, protocol: str, tests: list[Path], settings: list[str], name: str
) -> str:
    """Return the command that trains the same network again, whatever LFDTCMEN_PROFILE is set to."""
    words = ["lfdtcmen", "train", "-p", config.profile, "--recipe", config.recipe, "--stage", str(stage)]
    if data is None:
        words += ["--preset", config.preset, "--label-map", config.label_map, "--subjects", str(config.subjects)]
    else:
        words += ["--data", short_path(data)]
    words += ["--protocol", protocol, "--seed", str(config.seed)]
    if config.init is not None:
        words += ["--init", config.init]
    if config.add_synthetic:
        words += ["--add-synthetic", f"{config.add_synthetic:g}"]
    for test in tests:
        words += ["--test", short_path(test)]
    for text in settings:
        words += ["--set", text]
    words += ["--name", name]
    return shlex.join(words)
