"""A GPU rehearsed: it refuses each kind of planted mistake, and nothing of ours."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STARTUP = Path(__file__).with_name("startup.py")
SMALL = ("-p", "smoke", "--set", "subjects=9", "--set", "epochs=1,1,1", "--set", "perceptual_taps=relu1_2")
long = pytest.mark.skipif("LFDTCMEN_REHEARSE_ALL" not in os.environ, reason="minutes: `make rehearsal` runs it")
PLANTED = {
    "mixed devices": ("network(torch.randn(2, 3))", "at least two devices"),
    "an array of a device's tensor": ("network(torch.randn(2, 3).to('cuda')).detach().numpy()", "to numpy"),
    "an array made by numpy": ("np.asarray(network.weight.detach())", "to numpy"),
    "a tensor made on the default device": ("network(torch.randn(2, 3).cuda()) + torch.zeros(2)", "two devices"),
    "a device's index for a tensor of the CPU": ("torch.zeros(3)[torch.ones(1, dtype=int, device='cuda')]", "devices"),
    "a target that stayed behind": ("F.cross_entropy(network(torch.randn(2, 3).cuda()), torch.zeros(2).long())", "two"),
}
ALLOWED = {
    "brought back": "network(torch.randn(2, 3).to('cuda')).detach().cpu().numpy()",
    "a number of the CPU": "network.weight * torch.tensor(2.0)",
    "the CPU's index for a tensor of the device": "network.weight[torch.tensor([0])]",
    "a step": "network(torch.randn(2, 3).cuda()).sum().backward(); torch.optim.AdamW([network.weight]).step()",
}


def python(code: str) -> subprocess.CompletedProcess:
    """Run code in a process with a rehearsed GPU."""
    lines = ("import numpy as np, torch, torch.nn.functional as F", "network = torch.nn.Linear(3, 2).to('cuda')", code)
    start = f"import runpy; runpy.run_path({str(STARTUP)!r})\n"
    return subprocess.run([sys.executable, "-c", start + "\n".join(lines)], capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize(("code", "message"), PLANTED.values(), ids=PLANTED)
def test_a_planted_mistake_is_refused(code, message):
    ended = python(code)
    assert ended.returncode == 1 and message in ended.stderr


@pytest.mark.parametrize("code", ALLOWED.values(), ids=ALLOWED)
def test_what_a_gpu_allows_passes(code):
    ended = python(f"print('on', network.weight.device, network.weight.is_cuda)\n{code}")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "on cuda:0 True\n", "")


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory):
    """Run a command of lfdtcmen, in one folder, in a process with a rehearsed GPU; return its output."""
    folder = tmp_path_factory.mktemp("rehearsed")

    def run(*arguments: str) -> str:
        command = [sys.executable, str(STARTUP), "lfdtcmen", *arguments]
        ended = subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=600)
        assert ended.returncode == 0, ended.stderr[-2000:]
        return ended.stdout

    return run


def test_the_command_line_finds_the_device(rehearsed):
    assert "device" in (said := rehearsed("doctor")) and "cuda (rehearsed GPU)" in said


@pytest.mark.parametrize("recipe", ["paper", "repaired"])
def test_training_and_prediction_keep_to_the_device(rehearsed, recipe):
    rehearsed("train", *SMALL, "--recipe", recipe, "--name", recipe, "--jobs", "1")
    clip = str(ROOT / "data" / "sample" / "clips" / "s007_surprise")
    assert "onset" in rehearsed("predict", clip, "--runs", f"runs/{recipe}")


@long
def test_cross_validation_keeps_to_the_device(rehearsed):
    models = ("logistic-regression", "lfd-tcmen")
    said = rehearsed("evaluate", *models, *SMALL, "--jobs", "1")
    assert all(name in said for name in models)


@long
def test_ablation_keeps_to_the_device(rehearsed):
    assert "UF1" in rehearsed("ablate", "table6", *SMALL, "--jobs", "1")


@long
def test_the_whole_series_keeps_to_the_device(tmp_path):
    startup = tmp_path / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    shutil.copy(STARTUP, startup / "00.py")
    text = (startup / "00.py").read_text(encoding="utf-8")
    (startup / "00.py").write_text(text.replace("Path(__file__).resolve().parents[2]", repr(ROOT)), encoding="utf-8")
    command = [sys.executable, "-m", "lfdtcmen", "run", "-p", "smoke", "--runs", str(tmp_path / "runs")]
    environment = os.environ | {"IPYTHONDIR": str(tmp_path / "ipython")}
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=1800)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    pages = (tmp_path / "runs" / "smoke").glob("00*.html")
    assert "device cuda" in next(pages).read_text(encoding="utf-8")
