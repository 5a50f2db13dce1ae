"""`lfdtcmen data | train | evaluate | doctor` and the help, on a few random pairs where data are needed."""

import json
import os
import shlex
import subprocess
import sys
from dataclasses import replace
from functools import cache, partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from distributed import LocalCluster, get_client
from typer.testing import CliRunner, Result

from lfdtcmen import doctor, experiments
from lfdtcmen.cli import SPIN_LIMIT, app
from lfdtcmen.cli.output import typed_command
from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.datasets.synthetic import make_counterfactuals
from lfdtcmen.losses import perceptual

ONE_BATCH = ("--set", "batch_sizes=24,24,24")  # an epoch


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A working directory of its own, and 24 random pairs of 8 subjects instead of synthetic faces."""
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 256, (2, 24, 32, 32, 3), dtype=np.uint8)
    manifest = pd.DataFrame({"subject": [f"s{i % 8}" for i in range(24)], "clip": [f"c{i}" for i in range(24)]})
    streams = rng.normal(size=(24, 3, 28, 28)).astype(np.float32)
    labels = rng.permutation([0] * 14 + [1] * 5 + [2] * 5)
    pairs = PairSet(manifest, *frames, labels, ("negative", "positive", "surprise"), streams=streams)
    monkeypatch.setattr(experiments, "load_pairs", lambda config, data=None, n_jobs=-1: pairs)
    few = partial(make_counterfactuals, identities=2, motions=2)
    monkeypatch.setattr(experiments, "make_counterfactuals", lambda preset, seed, **_: few(preset, seed))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_help_teaches_every_command_without_importing_torch_or_numpy():
    for command in ("run", "data", "data prepare", "train", "evaluate", "ablate", "predict"):
        result = run(*command.split(), "--help")
        assert result.exit_code == 0 and "Examples" in result.output
    code = (
        "import sys; from lfdtcmen.cli import app\n"
        "try: app(['--help'])\nexcept SystemExit: pass\nassert not {'torch', 'numpy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_threads_are_told_not_to_spin_before_torch_can_read_it():
    main = "import os, sys; from lfdtcmen.cli import main\ntry: main()\nexcept SystemExit: pass\n"
    code = f"{main}assert 'torch' not in sys.modules; print(os.environ['GOMP_SPINCOUNT'])"
    unset = {name: value for name, value in os.environ.items() if name != "GOMP_SPINCOUNT"}
    for given, expected in (({}, "3000"), ({"GOMP_SPINCOUNT": "7"}, "7")):
        told = subprocess.run(
            [sys.executable, "-c", code, "--help"], env=unset | given, check=True, capture_output=True, text=True
        )
        assert told.stdout.splitlines()[-1] == expected


def test_make_limits_the_spinning_of_threads_as_the_command_line_does():
    makefile = Path(__file__).resolve().parents[2] / "Makefile"
    assert f"export GOMP_SPINCOUNT ?= {SPIN_LIMIT}\n" in makefile.read_text(encoding="utf-8")


def test_without_a_command_the_help_is_shown():
    result = run()
    assert result.exit_code == 0 and "doctor" in result.output


def test_data_makes_a_small_set_and_prints_its_table_1(tmp_path, monkeypatch):
    monkeypatch.setenv("LFDTCMEN_CACHE", str(tmp_path))
    result = run("data", "-p", "smoke", "--subjects", "2", "--jobs", "1")
    assert result.exit_code == 0, result.output
    assert "synthetic" in result.stdout and "surprise" in result.stdout


def test_train_scores_held_out_subjects_and_a_second_call_loads_the_checkpoints(project):
    first = run("train", "-p", "smoke", *ONE_BATCH, "--name", "x")
    assert first.exit_code == 0, first.output
    assert "UF1 " in first.stdout and "(no interval: fewer than 6 subjects)" in first.stdout  # 4 are held out
    assert ", across identities" in first.stdout
    history = pd.read_csv(project / "runs" / "x" / "history.csv")
    assert set(history["stage"]) == {1, 2, 3}
    checkpoints = sorted((project / "runs" / "x" / "checkpoints").iterdir())
    written = [file.stat().st_mtime_ns for file in checkpoints]
    again = run("train", "-p", "smoke", *ONE_BATCH, "--name", "x").stdout.splitlines()
    assert again == [line for line in first.stdout.splitlines() if " trains " not in line]
    assert len(again) == len(first.stdout.splitlines()) - 3
    assert [file.stat().st_mtime_ns for file in checkpoints] == written


def test_set_reaches_any_field_and_the_recorded_command_makes_the_same_network(project):
    settings = ("--set", "stage1.reconstruction=5", "--set", "epochs=1,1,1", "--set", "flow=none", "--set", "seed=3")
    first = run("train", "-p", "smoke", "--stage", "2", *ONE_BATCH, *settings, "--name", "first")
    assert first.exit_code == 0, first.output
    record = json.loads((project / "runs" / "first" / "metrics.json").read_text())
    assert record["config"]["stage1"]["reconstruction"] == 5 and record["config"]["stage1"]["cycle"] == 5
    assert record["config"]["epochs"] == [1, 1, 1] and record["config"]["flow"] is None
    program, *arguments = shlex.split(record["command"])
    assert program == "lfdtcmen" and arguments[-2:] == ["--name", "first"]
    assert run(*arguments, "--runs", "again").exit_code == 0
    again = json.loads((project / "again" / "first" / "metrics.json").read_text())
    assert (again["command"], again["checkpoint"]) == (record["command"], record["checkpoint"])
    assert again["config"] == record["config"] and again["held_out"] == record["held_out"]


def test_a_training_keeps_the_scores_of_another_one_and_records_a_file_that_is_there(project):
    train = ("train", "-p", "smoke", *ONE_BATCH, "--set", "epochs=1,1,0", "--set", "drl=none", "--set", "motion=none")
    assert run(*train).exit_code == 0
    folder = project / "runs" / "train"
    record = json.loads((folder / "metrics.json").read_text())
    assert (folder / "checkpoints" / record["checkpoint"]).is_file() and record["checkpoint"].startswith("stage2-")
    assert run(*train).exit_code == 0  # the same training goes on where it was
    other = run(*train, "--seed", "1")
    assert other.exit_code == 2 and "the folder has the scores of another training" in other.output
    assert json.loads((folder / "metrics.json").read_text())["checkpoint"] == record["checkpoint"]
    nothing = run(*train, "--set", "epochs=0,0,0", "--name", "nothing")
    assert nothing.exit_code == 2 and "no stage has any epochs" in nothing.output
    nothing = run(*train, "--stage", "1", "--name", "nothing")  # there are no images
    assert nothing.exit_code == 2 and "has nothing to learn in these stages" in nothing.output


@pytest.mark.parametrize("jobs", ["0", "many"])
def test_a_number_of_processes_that_is_none_is_refused(project, jobs):
    found = run("evaluate", "majority", "-p", "smoke", "--jobs", jobs)
    assert found.exit_code == 2 and f"--jobs {jobs} is no number of processes" in found.output


@pytest.mark.parametrize(
    "option", [("--protocol", "loso"), ("--list",), ("--recipe", "repaired"), ("--scheduler", "tcp://nowhere:1")]
)
def test_options_of_training_are_refused_with_a_checkpoint(project, option):
    found = run("evaluate", "--checkpoint", "shipped", *option)
    assert found.exit_code == 2 and f"{option[0].removeprefix('--')} is for training" in found.output


def test_the_recorded_command_has_the_profile_of_the_environment(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["lfdtcmen", "evaluate", "majority"])
    monkeypatch.setenv("LFDTCMEN_PROFILE", "smoke")
    assert typed_command() == "LFDTCMEN_PROFILE=smoke lfdtcmen evaluate majority"
    monkeypatch.setattr(sys, "argv", ["lfdtcmen", "evaluate", "-p", "cpu"])
    assert typed_command() == "lfdtcmen evaluate -p cpu"


def test_the_names_of_scores_stand_over_them(project):
    lines = run("evaluate", "majority", "-p", "smoke", "--seeds", "1").stdout.splitlines()
    head = next(k for k, line in enumerate(lines) if "UF1" in line)
    assert lines[head].index("UF1") > lines[head + 2].index("majority") + len("majority")


def test_runs_go_to_the_working_directory_or_where_they_are_told_to(project, monkeypatch):
    command = ("evaluate", "majority", "-p", "smoke", "--seeds", "1")
    assert run(*command).exit_code == 0
    monkeypatch.setenv("LFDTCMEN_RUNS", str(project / "from environment"))
    assert run(*command).exit_code == 0
    option = run(*command, "--runs", "from option")
    assert "predictions.csv and metrics.json are in from option/evaluate" in option.stdout
    for folder in ("runs", "from environment", "from option"):
        assert (project / folder / "evaluate" / "metrics.json").is_file()


def test_a_run_keeps_the_scores_of_the_command_that_made_it(project):
    command = ("evaluate", "majority", "-p", "smoke", "--seeds", "1", "--name")
    (project / "runs" / "mine").mkdir(parents=True)
    kept = project / "runs" / "mine" / "metrics.json"
    kept.write_text('{"made_by": "train"}')  # `predict` reads it
    result = run(*command, "mine")
    assert result.exit_code == 2
    assert "has the scores of `lfdtcmen train`" in result.stderr and "choose another --name" in result.stderr
    assert kept.read_text() == '{"made_by": "train"}'
    assert run(*command, "other").exit_code == run(*command, "other").exit_code == 0
    assert run("train", "-p", "smoke", "--name", "other").exit_code == 2


def test_evaluate_compares_models_on_the_same_folds_and_records_how(project):
    result = run("evaluate", "majority", "linear-svm", "-p", "smoke", "--seeds", "2", "--name", "y")
    assert result.exit_code == 0, result.output
    predictions = pd.read_csv(project / "runs" / "y" / "predictions.csv")
    assert predictions.groupby(["model", "seed"]).size().tolist() == [24] * 4
    metrics = json.loads((project / "runs" / "y" / "metrics.json").read_text())
    (uar,) = [row for row in metrics["scores"] if row["model"] == "majority" and row["metric"] == "UAR"]
    assert uar["value"] == pytest.approx(1 / 3) and uar["part"] == uar["against"] == ""
    assert metrics["config"]["profile"] == "smoke" and metrics["command"] and metrics["date"]


def test_evaluate_lists_what_it_can_compare_and_trains_nothing(project):
    result = run("evaluate", "--list", "-p", "smoke", "--name", "listed")
    lines = {line.split()[0]: line for line in result.output.splitlines()[1:]}
    assert {"majority", "linear-svm", "flow-branch", "lfd-tcmen"} <= set(lines)
    assert "reference" in lines["majority"] and lines["lfd-tcmen"].split()[-1] == "7,921,308"
    assert "Liong et al., 2019, doi:" in lines["ststnet"] and lines["ststnet"].split()[-1] == "1,651"
    assert "Zhao and Pietikäinen, 2007" in lines["lbp-top"] and lines["psn"].split()[-1] == "279,907"
    assert not (project / "runs" / "listed").exists()


def test_evaluate_gives_clips_to_the_methods_that_need_them(project, monkeypatch):
    asked = []

    def add(pairs, preset, **options):
        asked.append(preset)
        clips = np.random.default_rng(0).integers(0, 255, (len(pairs), 11, 16, 16), dtype=np.uint8)
        return replace(pairs, clips=clips)

    monkeypatch.setattr("lfdtcmen.datasets.synthetic.add_clips", add)
    options = ("-p", "smoke", "--seeds", "1")
    assert run("evaluate", "lbp-sip", *options, "--name", "s").exit_code == 0 and asked == ["standard"]
    assert run("evaluate", "majority", *options, "--name", "m").exit_code == 0 and asked == ["standard"]
    refused = run("evaluate", "lbp-sip", *options, "--data", "mine", "--name", "d")
    assert refused.exit_code == 2 and "lbp-sip needs clips" in refused.stderr and asked == ["standard"]


def test_evaluate_leaves_one_subject_out_and_shares_stage_1(project, monkeypatch):
    pairs = experiments.load_pairs(None)
    monkeypatch.setattr(experiments, "load_pairs", lambda *_, **__: pairs.subset(pairs.subjects < "s5"))
    options = ("--set", "perceptual_size=32", "--epochs", "1", "1", "1", "--share-stage1", "--validation", "0.3")
    options += ONE_BATCH
    command = ("evaluate", "flow-branch", "lfd-tcmen", "-p", "smoke", "--seeds", "1", "--protocol", "loso", *options)
    result = run(*command, "--name", "l")
    assert result.exit_code == 0, result.output
    assert "5 folds, 1 seeds" in result.stdout
    assert len(list((project / "runs" / "l" / "checkpoints").iterdir())) == 2  # stages 1, one for each of two folds
    metrics = json.loads((project / "runs" / "l" / "metrics.json").read_text())
    assert metrics["protocol"] == "loso"
    assert {row["folds"] for row in metrics["scores"] if row["model"] == "lfd-tcmen"} == {5}


def test_evaluate_pretrains_once_for_all_folds_of_a_seed(project):
    options = (
        "-p",
        "smoke",
        "--recipe",
        "repaired",
        "--seeds",
        "1",
        "--epochs",
        "1",
        "1",
        "1",
        "--set",
        "pretraining=1",
    )
    result = run("evaluate", "lfd-tcmen-stages12", *options, "--name", "r")
    assert result.exit_code == 0, result.output
    assert len(list((project / "runs" / "r" / "checkpoints").glob("pretraining-*"))) == 1
    assert json.loads((project / "runs" / "r" / "metrics.json").read_text())["config"]["recipe"] == "repaired"


@pytest.fixture
def dfme(project, monkeypatch):
    """DFME's three parts, made of the random pairs."""
    pairs = experiments.load_pairs(None)
    parts = {"train": pairs.subset(pairs.subjects < "s4"), "test_a": pairs.subset(pairs.subjects > "s5")}
    parts["test_b"] = pairs.subset((pairs.subjects >= "s4") & (pairs.subjects <= "s5"))
    monkeypatch.setattr(experiments, "synthetic_dfme", lambda config, n_jobs: parts)
    return parts


def test_evaluate_holds_out_the_parts_of_dfme(project, dfme):
    result = run("evaluate", "linear-svm", "--protocol", "holdout", "-p", "smoke", "--seeds", "2", "--name", "h")
    assert result.exit_code == 0, result.output
    predictions = pd.read_csv(project / "runs" / "h" / "predictions.csv")
    sizes = {"test_a": len(dfme["test_a"]), "test_b": len(dfme["test_b"])}
    assert predictions.groupby("part").size().to_dict() == {part: 2 * size for part, size in sizes.items()}
    scores = json.loads((project / "runs" / "h" / "metrics.json").read_text())["scores"]
    assert {row["part"] for row in scores} == set(sizes)


def test_ablate_holds_out_the_parts_of_dfme(project, dfme):
    options = ("-p", "smoke", "--seeds", "1", "--epochs", "1", "1", "1", "--perceptual-size", "32", "--share-stage1")
    result = run("ablate", "table5", "--protocol", "holdout", *options, "--name", "a")
    assert result.exit_code == 0, result.output
    assert "full: 1 folds" in result.stdout
    assert [line for line in result.stdout.splitlines() if line.startswith("Table 5")] == [
        "Table 5: streams of the optical flow branch, test_a",
        "Table 5: streams of the optical flow branch, test_b",
    ]
    metrics = json.loads((project / "runs" / "a" / "metrics.json").read_text())
    assert metrics["protocol"] == "holdout" and metrics["config"]["label_map"] == "7class"
    assert {row["part"] for row in metrics["tables"]["table5"]} == {"test_a", "test_b"}


def test_train_holds_out_the_parts_of_dfme_and_the_recorded_command_does_it_again(project, dfme):
    result = run("train", "-p", "smoke", "--stage", "2", "--protocol", "holdout", "--name", "t")
    assert result.exit_code == 0, result.output
    for part in ("test_a", "test_b"):
        assert f"{part} UF1 " in result.stdout
    record = json.loads((project / "runs" / "t" / "metrics.json").read_text())
    assert record["protocol"] == "holdout" and set(record["held_out"]["parts"]) == {"test_a", "test_b"}
    assert record["held_out"]["subjects"] == 4 and record["held_out"]["parts"]["test_b"]["subjects"] == 2
    card = (project / "runs" / "t" / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "| test_a | 2 | " in card and "| test_b | 2 | " in card
    again = run(*shlex.split(record["command"])[1:], "--name", "again")
    assert again.exit_code == 0, again.output
    repeated = json.loads((project / "runs" / "again" / "metrics.json").read_text())
    assert repeated["held_out"] == record["held_out"] and repeated["checkpoint"] == record["checkpoint"]


SHORT = ("--set", "epochs=1,1,1", "--set", "perceptual_size=32", "--set", "perceptual_taps=relu1_1", "--set", "folds=2")
SHORT += ONE_BATCH
TRAINING = (("train", "--stage", "1"), ("evaluate", "lfd-tcmen", "--seeds", "1"), ("ablate", "table5", "--seeds", "1"))


@pytest.fixture
def unreachable(tmp_path, monkeypatch):
    """No real weights of VGG-19 on this machine, and none to be had; the attempts are counted."""
    attempts = []

    def refuse(url, *arguments, **options):
        attempts.append(url)
        raise TimeoutError("timed out")

    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    monkeypatch.setattr(torch.hub, "download_url_to_file", refuse)
    for function in (perceptual._download, perceptual._say_stand_in):
        monkeypatch.setattr(perceptual, function.__name__, cache(function.__wrapped__))
    return attempts


@pytest.mark.parametrize("command", TRAINING, ids=lambda command: command[0])
def test_the_gpu_profile_says_loudly_when_it_has_no_real_vgg_weights(project, unreachable, command):
    result = run(*command, "-p", "gpu", *SHORT, "--name", "g")
    assert result.exit_code == 0, result.output
    assert len(unreachable) == 1 and result.stderr.count("REAL WEIGHTS CANNOT BE HAD (TimeoutError: timed out)") == 1
    config = json.loads((project / "runs" / "g" / "metrics.json").read_text())["config"]
    assert config["vgg_weights"] == "try_download" and config["vgg19"] == "seeded random stand-in (seed 19)"


@pytest.mark.parametrize("command", TRAINING, ids=lambda command: command[0])
def test_real_vgg_weights_can_be_chosen_where_something_is_trained(project, unreachable, command):
    file = project / "mine.pth"
    blocks = [(64, 64), (128, 128), (256,) * 4, (512,) * 4, (512,) * 4]
    widths = [3, *(width for block in blocks for width in block)]
    weights = {}
    for number, (a, b) in enumerate(pairwise(widths)):
        weights |= {
            f"features.{number}.weight": torch.full((b, a, 3, 3), 0.01),
            f"features.{number}.bias": torch.zeros(b),
        }
    torch.save(weights, file)
    result = run(*command, "-p", "smoke", *SHORT, "--set", f"vgg_weights={file}", "--name", "v")
    assert result.exit_code == 0, result.output
    config = json.loads((project / "runs" / "v" / "metrics.json").read_text())["config"]
    assert config["vgg19"].startswith("ImageNet (mine.pth, ") and not unreachable
    strict = run(*command, "-p", "smoke", *SHORT, "--set", "vgg_weights=download", "--name", "d")
    assert strict.exit_code == 2 and strict.stderr.count("\n") == 1
    assert "cannot be downloaded (TimeoutError: timed out)" in strict.stderr and len(unreachable) == 1


def test_what_trains_no_image_loss_asks_for_no_weights(project, unreachable):
    result = run("evaluate", "majority", "flow-branch", "-p", "gpu", *SHORT, "--seeds", "1", "--name", "n")
    assert result.exit_code == 0, result.output
    assert not unreachable and "REAL WEIGHTS" not in result.stderr


def test_ablate_runs_each_setting_once_prints_tables_and_verdicts_and_goes_on(project):
    options = ("-p", "smoke", "--seeds", "1", "--epochs", "1", "1", "1", "--perceptual-size", "32", "--share-stage1")
    options += ONE_BATCH
    result = run("ablate", "table5", "table6", *options, "--name", "a")
    assert result.exit_code == 0, result.output
    assert result.stdout.count("full: 2 folds") == 1
    assert "Table 5: streams" in result.stdout and "UF1, I < II < III: " in result.stdout
    predictions = pd.read_csv(project / "runs" / "a" / "predictions.csv")
    assert set(predictions["model"]) == {"full", "table5-single", "table6-I", "table6-II"}
    assert len(list((project / "runs" / "a" / "checkpoints").iterdir())) == 2  # all of them share stage 1
    written = {file: file.stat().st_mtime_ns for file in (project / "runs" / "a").glob("*/*.json")}
    assert len(written) == 8
    again = run("ablate", "table5", "table6", *options, "--name", "a")
    assert again.stdout.splitlines()[-8:] == result.stdout.splitlines()[-8:]
    assert {file: file.stat().st_mtime_ns for file in written} == written


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["ablate", "table3"], "use one of table4, table5, table6, table7"),
        (["ablate", "table5", "--protocol", "random"], "use kfold, loso or holdout"),
        (["ablate", "table5", "--protocol", "holdout", "--data", "x"], "nothing to test on"),
        (["train", "--protocol", "random"], "use kfold, loso or holdout"),
        (["train", "--test", "x"], "--test is for --protocol holdout"),
        (["train", "--protocol", "holdout", "--label-map", "3class"], "with seven classes"),
        (["evaluate", "majority", "--protocol", "holdout", "--set", "label_map=3class"], "with seven classes"),
        (["evaluate", "majority", "--protocol", "random"], "use kfold, loso or holdout"),
        (["evaluate", "majority", "--test", "x"], "--test is for --protocol holdout"),
        (["evaluate", "majority", "--protocol", "holdout", "--data", "x"], "nothing to test on"),
        (["evaluate", "majority", "--imbalance", "magic"], "unknown imbalance 'magic'"),
        (["evaluate", "magic"], "unknown model 'magic'; use one of majority"),
        (["evaluate", "majority", "--folds", "9"], "cannot make 9 folds of 8 subjects"),
        (["train", "--stage", "4"], "--stage"),
        (["train", "--set", "magic=1"], "unknown config field 'magic' [--set]; known fields: seed, preset"),
        (["evaluate", "majority", "--set", "subjects=many"], "subjects takes a whole number"),
        (["ablate", "table5", "--set", "preset=odd"], "unknown preset 'odd'"),
        (["data", "--set", "stage1.cycle"], "'stage1.cycle' is not field=value"),
        (["data", "--set", "subjects=2", "prepare", "folder", "--root", "x"], "--set stands before prepare"),
        (["train", "--data", "gone", "--set", "preset=hard"], "preset describes synthetic faces [--data]"),
        (
            ["train", "--set", "vgg_weights=downlod"],
            "there is no file 'downlod' [vgg_weights]; use auto, download, try",
        ),
        (["run", "--vgg-weights", "gone.pth"], "there is no file 'gone.pth' [vgg_weights]"),
        (["train", "-p", "huge"], "unknown profile 'huge'"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(project, arguments, message):
    result = run(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr and result.stderr.count("\n") == 1


def test_an_unknown_preset_or_label_map_is_one_line_and_exit_code_2():
    for option in ("--preset", "--label-map"):
        result = run("data", option, "odd")
        assert result.exit_code == 2
        assert "odd" in result.stderr and result.stderr.count("\n") == 1


def test_doctor_finds_this_machine_fit():
    result = run("doctor")
    assert result.exit_code == 0, result.output
    assert "[FAIL]" not in result.stdout
    for name in (
        "Python",
        "packages",
        "imports",
        "notebooks",
        "scale",
        "OpenCV",
        "torch",
        "threads",
        "device",
        "disk",
        "VGG-19",
        "data sets",
    ):
        assert f"[OK]   {name}" in result.stdout


def test_doctor_fails_on_an_old_and_on_a_missing_package(monkeypatch):
    monkeypatch.setattr(doctor.importlib.metadata, "requires", lambda name: ["numpy>=999", "no-such-package>=1"])
    result = run("doctor")
    assert result.exit_code == 1
    assert "[FAIL] numpy" in result.stdout and "[FAIL] no-such-package" in result.stdout


def test_doctor_fails_where_installed_packages_cannot_be_imported(tmp_path):
    raised = {
        "cv2": "ImportError('libGL.so.1: cannot open shared object file: No such file or directory')",
        "matplotlib": "RuntimeError('two\\nlines')",
        "openpyxl": "ImportError('libodd.so.3: cannot open shared object file')",
        "torch": "OSError('libgomp.so.1: cannot open shared object file')",
        "papermill": "ValueError('half installed')",
    }
    result = run_with_broken(raised, tmp_path, "-m", "lfdtcmen", "doctor")
    assert result.returncode == 1 and "Traceback" not in result.stderr
    lines = {line.split()[1]: line for line in result.stdout.splitlines() if line.startswith("[FAIL]")}
    assert lines["cv2"] == (
        "[FAIL] cv2          cannot be imported (ImportError: libGL.so.1: cannot open shared object file: No such "
        "file or directory); on Debian and Ubuntu: apt-get install libgl1"
    )
    assert "(RuntimeError: two lines); pip install --force-reinstall matplotlib" in lines["matplotlib"]
    assert "install the system package that has libodd.so.3" in lines["openpyxl"]
    assert "apt-get install libgomp1" in lines["torch"]
    assert "papermill cannot be imported (ValueError: half installed)" in lines["notebooks"]


def run_with_broken(raised: dict[str, str], folder, *program: str) -> subprocess.CompletedProcess:
    """Run Python where importing some modules raises an exception."""
    for module, error in raised.items():
        (folder / f"{module}.py").write_text(f"raise {error}")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])}
    return subprocess.run([sys.executable, *program], env=environment, cwd=folder, capture_output=True, text=True)


def test_doctor_fails_where_opencv_lacks_the_contrib_modules(monkeypatch):
    import cv2

    monkeypatch.delattr(cv2, "optflow")
    result = run("doctor")
    assert result.exit_code == 1
    assert "[FAIL] OpenCV" in result.stdout and "reinstall opencv-contrib-python" in result.stdout


def test_doctor_says_what_needs_an_extra_that_is_not_installed(monkeypatch):
    version = doctor.importlib.metadata.version

    def without_papermill(name: str) -> str:
        if name == "papermill":
            raise doctor.importlib.metadata.PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr(doctor.importlib.metadata, "version", without_papermill)
    result = run("doctor")
    assert result.exit_code == 0
    (line,) = [line for line in result.stdout.splitlines() if "] " in line and "notebooks " in line]
    assert "papermill missing" in line and "`lfdtcmen run`" in line and "pip install 'lfdtcmen[notebooks]'" in line


BOTH = """
from lfdtcmen.cli import app
for command in (["data", "-p", "smoke"], ["predict", "clip.mp4"]):
    try:
        app(command)
    except SystemExit as ended:
        print(command[0], ended.code)
"""


def test_a_package_that_cannot_be_imported_is_one_line_in_other_commands(tmp_path):
    raised = {"cv2": "ImportError('libGL.so.1: cannot open shared object file')"}
    result = run_with_broken(raised, tmp_path, "-c", BOTH)  # in one process: each imports torch
    assert result.stdout == "data 2\npredict 2\n", result.stderr
    lines = result.stderr.splitlines()
    assert len(lines) == 2 and all("libGL.so.1" in line and "lfdtcmen doctor" in line for line in lines)


@pytest.mark.skipif(os.name != "posix", reason="Windows does not remove a folder in which a program runs")
def test_a_working_directory_that_is_gone_is_one_line(tmp_path):
    (tmp_path / "gone").mkdir()
    script = 'cd "$1" && rmdir "$1" && exec "$2" -m lfdtcmen doctor'
    command = ["sh", "-c", script, "sh", str(tmp_path / "gone"), sys.executable]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert result.returncode == 2 and not result.stdout
    assert result.stderr == "lfdtcmen: the working directory no longer exists; change to a folder that does\n"


def test_doctor_lists_data_sets_and_fails_without_space(tmp_path, monkeypatch):
    for folder in ("casme3", "cache", "sample", "weights"):
        (tmp_path / folder).mkdir()
    assert doctor.list_data_sets(tmp_path).detail.startswith("synthetic faces, casme3 (")
    assert doctor.list_data_sets(tmp_path / "none").ok
    monkeypatch.setattr(doctor, "FREE_GIGABYTES", 1e9)
    assert not doctor.check_disk(tmp_path / "none", "LFDTCMEN_RUNS").ok


def test_evaluate_sends_its_folds_to_a_dask_scheduler(project):
    command = ("evaluate", "majority", "-p", "smoke", "--folds", "2", "--seeds", "1")
    assert run(*command, "--name", "here").exit_code == 0
    here = {"processes": False, "protocol": "tcp"}  # the workers of test_protocol.py are processes of their own
    with LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None, **here) as cluster:
        there = run(*command, "--name", "there", "--scheduler", cluster.scheduler_address)
        get_client().close()
    assert there.exit_code == 0, there.output
    assert "1 Dask workers run the folds" in there.stdout
    tables = [pd.read_csv(project / "runs" / name / "predictions.csv") for name in ("here", "there")]
    pd.testing.assert_frame_equal(*(table.drop(columns="seconds") for table in tables))


def test_a_scheduler_that_does_not_answer_or_has_no_workers_is_named(project):
    command = ("evaluate", "majority", "-p", "smoke", "--folds", "2", "--seeds", "1", "--scheduler")
    with LocalCluster(n_workers=0, dashboard_address=None) as cluster:
        idle = run(*command, cluster.scheduler_address)
        get_client().close()
    assert idle.exit_code == 2 and "has no workers" in idle.stderr
    nobody = run(*command, "somewhere")
    assert nobody.exit_code == 2 and "no Dask scheduler answers [somewhere]" in nobody.stderr


def test_a_scheduler_without_dask_names_the_extra(project, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    result = run("evaluate", "majority", "-p", "smoke", "--scheduler", "tcp://localhost:8786")
    assert result.exit_code == 2 and result.stderr.count("\n") == 1
    assert "--scheduler needs the extra \"scale\"; pip install 'lfdtcmen[scale]'" in result.stderr


@pytest.mark.parametrize("command", ["train", "evaluate", "ablate table5", "run"])
@pytest.mark.parametrize("name", ["", "-", "..", "a\nb"])
def test_a_name_that_is_no_folders_is_one_line(command, name, tmp_path, monkeypatch):
    monkeypatch.chdir(Path(experiments.__file__).parents[1])  # `run` looks for the notebooks first
    runs = tmp_path / "runs"
    result = CliRunner().invoke(app, [*command.split(), "-p", "smoke", f"--name={name}", "--runs", str(runs)])
    assert result.exit_code == 2 and "must be one folder's name" in result.stderr, result.output
    assert result.stderr.count("\n") == 1 and not runs.exists()


@pytest.mark.parametrize("command", ["train --runs=", "predict x.mp4 --runs=", "predict x.mp4 --out=", "run --runs="])
def test_a_folder_that_is_none_is_one_line(command):
    result = CliRunner().invoke(app, command.split())
    assert result.exit_code == 2 and "is no folder" in result.stderr, result.output
    assert result.stderr.count("\n") == 1
