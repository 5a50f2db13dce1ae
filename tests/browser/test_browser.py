"""The widgets in JupyterLab, in a real browser: run all cells, move a slider, see another picture, find no error.

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
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install playwright")
CHROMIUM = next((path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: apt-get install chromium, or Google Chrome")

ROOT = Path(__file__).resolve().parents[2]
SCREENSHOTS = ROOT / "runs" / "browser"
REAL = "06_complexity_analysis"
START = 60  # seconds that JupyterLab may take to answer
RUN = 120_000  # milliseconds that all cells of a notebook may take
MOVE = 15_000  # milliseconds until a picture must have changed, on a machine that has other work too
ERRORS = '.jp-OutputArea-output[data-mime-type*="error"]'
# console errors that JupyterLab itself makes, each with its reason
JUPYTERLAB = []
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
from lfdtcmen.config import LossWeights

losses = {"reconstruction": 0.2, "cycle": 0.3, "emotion": 1.1}
gradients = np.random.default_rng(0).normal(size=(3, 20))
widgets.loss_weight_sliders(losses, gradients, LossWeights(reconstruction=1.0, cycle=0.5, emotion=1.0))
""",
    "fold explorer": """
from lfdtcmen.datasets.synthetic import make_dataset
from lfdtcmen.preprocessing import prepare

pairs = prepare(make_dataset("easy", "3class", subjects=3))
chances = np.random.default_rng(0).dirichlet(np.ones(3), len(pairs))
table = pairs.manifest[["subject", "clip"]].assign(label=pairs.labels, prediction=chances.argmax(1))
table = table.assign(**{f"p_{name}": chances[:, c] for c, name in enumerate(pairs.label_names)})
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
    """One browser page, and what it has said so far."""

    page: "playwright.Page"
    said: list[str] = field(default_factory=list)  # console errors and uncaught exceptions
    sent: list[bytes] = field(default_factory=list)  # over the kernel's websocket
    received: list[bytes] = field(default_factory=list)

    def __post_init__(self):
        self.page.on("console", lambda m: self.said.append(f"{m.text} ({m.location['url']})") if m.type == "error" else None)
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("websocket", self._listen)

    def _listen(self, socket) -> None:
        if "/channels" in socket.url:
            socket.on("framesent", lambda data: self.sent.append(as_bytes(data)))
            socket.on("framereceived", lambda data: self.received.append(as_bytes(data)))

    def errors(self) -> list[str]:
        """Return console errors but for those of JupyterLab itself."""
        return [text for text in self.said if not any(re.search(known, text) for known in JUPYTERLAB)]


def as_bytes(data: bytes | str) -> bytes:
    return data.encode() if isinstance(data, str) else data


@pytest.fixture(scope="module")
def lab(tmp_path_factory) -> Iterator[str]:
    """Start JupyterLab on copies of two notebooks, without anybody's settings; give its address with the token."""
    folder, home = tmp_path_factory.mktemp("notebooks"), tmp_path_factory.mktemp("jupyter")
    cells = [new_code_cell(source.strip()) for source in CELLS.values()]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(new_notebook(cells=cells, metadata=kernel), folder / "widgets.ipynb")
    shutil.copy(ROOT / "notebooks" / f"{REAL}.ipynb", folder)
    settings = {
        # all cells in the page at once: by default those out of sight are taken out of it, with their outputs
        "notebook-extension/tracker": '{"windowingMode": "none"}',
        "apputils-extension/notification": '{"fetchNews": "false"}',  # nor a question whether news are wanted
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
    surroundings = os.environ | {
        "LFDTCMEN_PROFILE": "smoke",
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "IPYTHONDIR": str(home / "ipython"),
    }
    with open(home / "log", "wb") as log:
        server = subprocess.Popen(command, env=surroundings, cwd=folder, stdout=log, stderr=log)
    try:
        wait_for(f"http://127.0.0.1:{port}/api/status?token={token}", server, home / "log")
        yield f"http://127.0.0.1:{port}/lab/tree/{{}}?token={token}&reset"
    finally:
        server.terminate()  # it ends its kernels
        server.wait(30)


def wait_for(address: str, server: subprocess.Popen, log: Path) -> None:
    for _ in range(2 * START):
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except (urllib.error.URLError, TimeoutError):
            if server.poll() is not None:
                break
            time.sleep(0.5)
    pytest.fail(f"JupyterLab does not answer:\n{log.read_text()[-2000:]}")


@pytest.fixture
def tab(lab) -> Iterator[Tab]:
    with playwright.sync_playwright() as driver:
        # Chromium's own sandbox does not work for root
        flags = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield Tab(browser.new_page(viewport={"width": 1280, "height": 1000}))
        browser.close()


def run_all(tab: Tab, address: str) -> None:
    """Open a notebook and run all cells; wait for the last one, or for an error."""
    page = tab.page
    page.goto(address)
    page.locator(".jp-Notebook .jp-CodeCell").first.wait_for(timeout=60_000)
    for _ in range(10 * START):  # what the page shows as idle may be a kernel that has not been asked for yet
        if any(b"kernel_info_reply" in frame for frame in tab.received):
            break
        page.wait_for_timeout(100)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    page.wait_for_function(
        """errors => document.querySelector(errors)
        || [...document.querySelectorAll(".jp-CodeCell .jp-InputPrompt")].every(p => /\\[\\d+\\]/.test(p.textContent))""",
        arg=ERRORS,
        timeout=RUN,
    )
    failed = [output.inner_text()[-1500:] for output in page.locator(ERRORS).all()]
    assert not failed, "\n".join(failed)


def picture(image) -> bytes:
    """Return the bytes of the picture that an image element shows now."""
    load = "async image => [...new Uint8Array(await (await fetch(image.src)).arrayBuffer())]"
    return bytes(image.evaluate(load))


def move_slider(tab: Tab, output, number: int = 0) -> None:
    """Press the arrow key on a slider's handle; wait for another picture, which came from the kernel."""
    image = output.locator("img.widget-image").last
    source, before, sent, received = image.get_attribute("src"), picture(image), len(tab.sent), len(tab.received)
    handle = output.locator(".noUi-handle").nth(number)
    value = handle.get_attribute("aria-valuetext")
    handle.focus()
    handle.press("ArrowRight")
    tab.page.wait_for_function(
        "([image, source]) => image.src !== source && image.complete && image.naturalWidth > 0",
        arg=[image.element_handle(), source],
        timeout=MOVE,
    )
    assert handle.get_attribute("aria-valuetext") != value
    after = picture(image)
    assert after.startswith(b"\x89PNG") and after != before
    for frames in (tab.sent[sent:], tab.received[received:]):
        assert any(b"comm_msg" in frame for frame in frames), "the picture did not come over the websocket"


def test_every_widget_follows_its_slider(lab, tab):
    run_all(tab, lab.format("widgets.ipynb"))
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    cells = tab.page.locator(".jp-CodeCell")
    assert cells.count() == len(CELLS)
    for k, name in enumerate(CELLS):
        output = cells.nth(k).locator(".jp-OutputArea")
        output.locator("img.widget-image").last.wait_for(timeout=MOVE)
        move_slider(tab, output)
        output.screenshot(path=SCREENSHOTS / f"{name.replace(' ', '_')}.png")
    assert tab.page.locator(ERRORS).count() == 0
    assert tab.errors() == []
