"""The widgets in JupyterLab, in a real browser: all cells run, a moved slider changes its picture, no error occurs.

Skipped where playwright or Chromium is missing. Screenshots are left in ``runs/browser``.
"""

import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

ROOT = Path(__file__).resolve().parents[2]
SCREENSHOTS = ROOT / "runs" / "browser"
REAL = "11_honest_evaluation"  # the fastest one with a slider
# seconds, on a busy machine
START_TIMEOUT = 60  # until JupyterLab answers, and its kernel
RUN_TIMEOUT = 150  # for all cells of a notebook
MOVE_TIMEOUT = 15  # until a picture has changed
# each cell's last expression is a widget
CELLS = {
    "action units": """
from lfdtcmen.viz import widgets

widgets.action_unit_slider(subjects=2)
""",
    "motion swap": """
import torch
from lfdtcmen import LFDTCMEN
from lfdtcmen.datasets.synthetic import make_counterfactuals

torch.manual_seed(0)
widgets.motion_swap_slider(LFDTCMEN(3), make_counterfactuals("easy", identities=2, motions=2))
""",
    "loss weights": """
import numpy as np


losses = {"reconstruction": 0.2, "cycle": 0.3, "emotion": 1.1}
gradients = np.random.default_rng(0).normal(size=(3, 20))
widgets.loss_weight_sliders(losses, gradients, {"reconstruction": 1.0, "cycle": 0.5, "emotion": 1.0})
""",
    "fold explorer": """
from lfdtcmen.datasets.synthetic import make_dataset
from lfdtcmen.datasets.preparation import prepare_pairs

pairs = prepare_pairs(make_dataset("easy", "3class", subjects=3))
probabilities = np.random.default_rng(0).dirichlet(np.ones(3), len(pairs))
table = pairs.manifest[["subject", "clip"]].assign(label=pairs.labels, prediction=probabilities.argmax(1))
table = table.assign(**{f"p_{name}": probabilities[:, c] for c, name in enumerate(pairs.label_names)})
widgets.fold_explorer(pairs, table)
""",
    "apex timeline": """
from lfdtcmen.datasets.synthetic import make_clip
from lfdtcmen.preprocessing.align import align_clip

clip = make_clip(0, 5, preset="easy", emotion="surprise")
widgets.apex_timeline(align_clip(clip.frames, landmarks=clip.landmarks[0]), clip.fps, clip.apex)
""",
}


@dataclass
class Tab:
    """One browser page, its console errors, and its messages to and from the kernel."""

    page: Any  # of playwright
    console_errors: list[str] = field(default_factory=list)  # and uncaught exceptions
    sent: list[bytes] = field(default_factory=list)  # over the kernel's websocket
    received: list[bytes] = field(default_factory=list)

    def __post_init__(self):
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.console_errors.append(str(error)))
        self.page.on("websocket", self._listen)

    def failures(self) -> list[str]:
        """Return the errors that the kernel has sent: on the page they look like warnings."""
        failed = [frame for frame in self.received if re.search(rb'"msg_type": ?"error"', frame)]
        return [frame.decode(errors="replace") for frame in failed]

    def wait_until(self, condition: Callable[[], bool], seconds: float, what: str) -> None:
        for _ in range(round(10 * seconds)):
            if condition():
                return
            self.page.wait_for_timeout(100)
        pytest.fail(f"after {seconds} s it is not so that {what}")

    def _note(self, message) -> None:
        if message.type == "error":
            self.console_errors.append(f"{message.text} ({message.location['url']})")

    def _listen(self, socket) -> None:
        if "/channels" in socket.url:
            socket.on("framesent", lambda data: self.sent.append(as_bytes(data)))
            socket.on("framereceived", lambda data: self.received.append(as_bytes(data)))


def as_bytes(data: bytes | str) -> bytes:
    return data.encode() if isinstance(data, str) else data


@pytest.fixture(scope="module")
def lab(browser, tmp_path_factory) -> Iterator[str]:
    """Start JupyterLab on an empty folder with default settings; give its address, with {} for the notebook."""
    folder, home = tmp_path_factory.mktemp("notebooks"), tmp_path_factory.mktemp("jupyter")
    (folder / "notebooks").mkdir()  # the notebooks write next to the folder that they are in
    for name, sources in {"widgets": CELLS.values(), "wrong": ["1 / 0"]}.items():
        kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
        cells = [new_code_cell(source.strip()) for source in sources]
        nbformat.write(new_notebook(cells=cells, metadata=kernel), folder / "notebooks" / f"{name}.ipynb")
    shutil.copy(ROOT / "notebooks" / f"{REAL}.ipynb", folder / "notebooks")
    settings = {
        # all cells in the page at once: by default those out of sight are taken out of it, with their outputs
        "notebook-extension/tracker": '{"windowingMode": "none"}',
        "apputils-extension/notification": '{"fetchNews": "false"}',  # and no question about news
    }
    for name, text in settings.items():
        file = home / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True)
        file.write_text(text)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(16)
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--ServerApp.root_dir={folder}"]
    command += ["--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]
    command += [f"--IdentityProvider.token={token}"]
    command += ["--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]  # no question to the internet
    environment = os.environ | {
        "LFDTCMEN_PROFILE": "smoke",
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "IPYTHONDIR": str(home / "ipython"),
    }
    with open(home / "log", "wb") as log:
        server = subprocess.Popen(command, env=environment, cwd=folder, stdout=log, stderr=log)
    try:
        wait_for(f"http://127.0.0.1:{port}/api/status?token={token}", server, home / "log")
        yield f"http://127.0.0.1:{port}/lab/tree/notebooks/{{}}.ipynb?token={token}&reset"
    finally:
        server.terminate()  # it ends its kernels
        server.wait(30)


def wait_for(address: str, server: subprocess.Popen, log: Path) -> None:
    for _ in range(2 * START_TIMEOUT):
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except (urllib.error.URLError, TimeoutError):
            if server.poll() is not None:
                break
            time.sleep(0.5)
    pytest.fail(f"JupyterLab does not answer:\n{log.read_text()[-2000:]}")


@pytest.fixture
def tab(browser, lab) -> Iterator[Tab]:
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    yield Tab(page)
    page.context.close()


def run_all(tab: Tab, address: str) -> None:
    """Open a notebook and run all cells; wait for the last one, or for an error."""
    page, prompts = tab.page, "all => all.every(prompt => /\\[\\d+\\]/.test(prompt.textContent))"
    page.goto(address)
    page.locator(".jp-Notebook .jp-CodeCell").first.wait_for(timeout=1000 * START_TIMEOUT)
    # the page shows a kernel as idle before it has one, and would ask for it in a dialog
    tab.wait_until(
        lambda: any(b"kernel_info_reply" in frame for frame in tab.received), START_TIMEOUT, "the kernel answers"
    )
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    numbered = page.locator(".jp-CodeCell .jp-InputPrompt:not(.jp-Placeholder-prompt)")  # a hidden cell has no number
    tab.wait_until(lambda: tab.failures() or numbered.evaluate_all(prompts), RUN_TIMEOUT, "all cells have run")
    page.wait_for_timeout(300)  # the last cell's number may come before its output
    assert tab.failures() == []


def picture(image) -> str:
    """Return the picture that an image element shows now, as a data URL."""
    return image.evaluate(
        """async image => {
            const reader = new FileReader();
            reader.readAsDataURL(await (await fetch(image.src)).blob());
            await new Promise(done => reader.onload = done);
            return reader.result;
        }"""
    )


def move_slider(tab: Tab, output, number: int = 0) -> None:
    """Press the arrow key on a slider's handle; wait for another picture, which came from the kernel."""
    image = output.locator("img.widget-image").last
    source, before, sent, received = image.get_attribute("src"), picture(image), len(tab.sent), len(tab.received)
    handle = output.locator(".noUi-handle").nth(number)
    value = handle.get_attribute("aria-valuetext")
    handle.focus()
    handle.press("ArrowRight")
    tab.wait_until(lambda: image.get_attribute("src") != source, MOVE_TIMEOUT, "the picture has changed")
    assert handle.get_attribute("aria-valuetext") != value
    after = picture(image)
    assert after.startswith("data:image/png;base64,") and after != before
    for frames in (tab.sent[sent:], tab.received[received:]):
        assert any(b"comm_msg" in frame for frame in frames), "the picture did not come over the websocket"


def test_every_widget_follows_its_slider(lab, tab):
    run_all(tab, lab.format("widgets"))
    cells = tab.page.locator(".jp-CodeCell")
    assert cells.count() == len(CELLS)
    for k, name in enumerate(CELLS):
        output = cells.nth(k).locator(".jp-OutputArea")
        output.locator("img.widget-image").last.wait_for(timeout=1000 * MOVE_TIMEOUT)
        move_slider(tab, output)
        output.screenshot(path=SCREENSHOTS / f"{name.replace(' ', '_')}.png")
        if name == "fold explorer":  # its face flickers: onset and apex in turn
            face = output.locator("img.widget-image").first
            first = face.screenshot()
            tab.wait_until(lambda face=face, first=first: face.screenshot() != first, MOVE_TIMEOUT, "the face flickers")
    assert tab.failures() == [] and tab.console_errors == []


def test_a_notebook_of_the_series_runs_and_its_widget_works(lab, tab):
    run_all(tab, lab.format(REAL))
    output = tab.page.locator(".jp-CodeCell", has=tab.page.locator("img.widget-image")).first
    move_slider(tab, output)
    output.screenshot(path=SCREENSHOTS / f"{REAL}.png")
    assert tab.failures() == [] and tab.console_errors == []


def test_an_error_is_seen(lab, tab):
    with pytest.raises(AssertionError, match="ZeroDivisionError"):
        run_all(tab, lab.format("wrong"))
    tab.page.evaluate("console.error('something is wrong')")
    assert tab.console_errors and "something is wrong" in tab.console_errors[-1]
