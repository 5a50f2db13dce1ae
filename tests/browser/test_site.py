"""The site in a real browser: width, dark mode, keyboard, search, and what WCAG 2 AA asks for (axe-core).

The site is built once, anew, as `make site` builds it: a warning or a broken link fails it. `make test` looks at some
pages; `make site-test` looks at all (it sets ``ALL_PAGES=1``), which takes minutes, and leaves screenshots of some of
them in ``runs/browser/site``. Skipped where the extra "site", playwright or Chromium is missing.
"""

import importlib
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from lfdtcmen.datasets.synthetic.action_units import to_intensity
from lfdtcmen.notebooks import find_notebooks
from lfdtcmen.preprocessing.flow import to_streams

sphinx = pytest.importorskip("sphinx", reason="Sphinx is missing: pip install 'lfdtcmen[site]'")
pytest.importorskip("onnxscript", reason="onnxscript is missing: pip install 'lfdtcmen[site]'")
axe = pytest.importorskip("axe_playwright_python.base", reason="axe-playwright-python is missing")

ROOT = Path(__file__).resolve().parents[2]
SCREENSHOTS = ROOT / "runs" / "browser" / "site"
PHONE, LAPTOP = {"width": 390, "height": 844}, {"width": 1280, "height": 800}
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"], "resultTypes": ["violations"]}
# Figures of notebooks have no alt text yet; False as soon as they have
ALT_TEXTS_ARE_TO_COME = True
PICTURED = ["README", "notebooks/00_tour", "notebooks/02_drl_training", "notebooks/05_confusion_matrices"]
PICTURED += [
    "docs/demo",
    "docs/teaching",
    "docs/ledger",
    "docs/claims",
    "docs/paper",
    "docs/glossary",
    "docs/api/lfdtcmen.modules.drl",
]
SOME = ["README", "docs/demo", "notebooks/05_confusion_matrices", "docs/glossary", "docs/api/lfdtcmen.modules.drl"]
# of the demo: action units and pixels; together they use each unit
EXPRESSIONS = [
    {6: 1.0, 12: 1.5},
    {1: 1.5, 2: 1.5, 5: 1.0, 26: 2.0},
    {4: 1.5, 7: 0.8, 9: 1.0, 10: 1.0, 15: 1.0, 20: 1.0},
]


@pytest.fixture(scope="module")
def built(tmp_path_factory, browser) -> Path:
    """Build the site as `make site` does (after the browser: without one there is no need)."""
    folder = tmp_path_factory.mktemp("site")
    recipe = (ROOT / "Makefile").read_text(encoding="utf-8")
    (options,) = re.findall(r"-m sphinx (.*) -d build/doctrees \. build/site\n", recipe)
    places = ["-d", str(folder / "doctrees"), ".", str(folder / "html")]
    command = [sys.executable, "-m", "sphinx", *options.split(), *places]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr[-5000:]
    return folder / "html"


@pytest.fixture(scope="module")
def address(built) -> Iterator[str]:
    """Serve the site on this machine."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=built)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@contextmanager
def watched(browser, address: str, **options) -> Iterator:
    """Open an empty page; at its end, no request has left this machine and no script has failed."""
    context = browser.new_context(base_url=address, reduced_motion="reduce", **options)
    asked, failed = [], []
    page = context.new_page()
    page.on("request", lambda question: asked.append(question.url))
    page.on("pageerror", lambda error: failed.append(str(error)))
    yield page
    context.close()
    assert [url for url in asked if not url.startswith((address, "data:", "blob:"))] == []
    assert failed == []


@pytest.fixture(params=["light", "dark"])
def page(request, browser, address):
    """An empty page on a laptop, watched."""
    with watched(browser, address, viewport=LAPTOP, color_scheme=request.param) as page:
        page.scheme = request.param
        yield page


def pages(built: Path) -> list[str]:
    """Return every page that Sphinx wrote, and two of the source pages, which are all made in one way; or some."""
    if os.environ.get("ALL_PAGES") != "1":
        return SOME
    names = [page.relative_to(built).with_suffix("").as_posix() for page in sorted(built.rglob("*.html"))]
    others = [name for name in names if not name.startswith(("source/", "_static/"))]
    return [*others, "source/lfdtcmen/config", "source/tests/paper/test_ledger"]


def open_page(page, name: str) -> None:
    page.goto(f"/{name}.html")
    page.wait_for_function("!window.MathJax || !MathJax.startup || MathJax.startup.promise.then(() => true)")


def faults(page, name: str) -> list[str]:
    """Return what axe-core finds on a page: rule, element, and why.

    The thousands of coloured words of code take most of its time: they are looked at on source pages only.
    """
    page.evaluate(axe.AXE_SCRIPT)
    context = {} if name.startswith("source/") else {"exclude": [".highlight pre"]}
    found = page.evaluate(f"axe.run({json.dumps({'include': ['html'], **context})}, {json.dumps(RULES)})")["violations"]
    if ALT_TEXTS_ARE_TO_COME:
        found = [fault for fault in found if fault["id"] != "image-alt"]
    nodes = [(fault["id"], node) for fault in found for node in fault["nodes"]]
    return [f"{rule}: {node['html'][:150]}: {node['failureSummary'][:200]}" for rule, node in nodes]


def test_every_notebook_is_in_the_course_in_order(built):
    home = (built / "index.html").read_text(encoding="utf-8")
    links = list(dict.fromkeys(re.findall(r'href="notebooks/(\w+)\.html"', home)))
    assert links == [notebook.stem for notebook in find_notebooks(ROOT / "notebooks")]


def test_no_page_shows_a_widget_without_its_kernel(built):
    for page in (built / "notebooks").glob("*.html"):
        assert not re.search(r"VBox\(|HBox\(|IntSlider\(|interactive\(children", page.read_text(encoding="utf-8")), page


def test_every_row_of_the_ledger_leads_to_code_and_tests(built):
    text = (built / "docs" / "ledger.html").read_text(encoding="utf-8")
    rows = [row for row in re.findall(r"<tr.*?</tr>", text, flags=re.DOTALL) if "<td" in row]
    assert len(rows) > 100
    for row in rows:
        assert "../source/lfdtcmen/" in row and "../source/tests/" in row, row


def test_no_page_has_a_fault_or_scrolls_sideways(built, page):
    found = {}
    for name in pages(built):
        if name.startswith("docs/api/") and page.scheme == "dark" and name not in PICTURED:
            continue  # they look alike; one is enough for the colours
        open_page(page, name)
        wrong = faults(page, name)
        for size in (LAPTOP, PHONE):
            page.set_viewport_size(size)
            wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            if wide > 0:
                wrong.append(f"{wide} px too wide at {size['width']} px")
            if name in PICTURED and os.environ.get("ALL_PAGES") == "1":
                file = SCREENSHOTS / f"{name.replace('/', '_')}_{size['width']}_{page.scheme}.png"
                page.wait_for_timeout(500)  # the side bars slide away
                page.screenshot(path=file)
        page.set_viewport_size(LAPTOP)
        if wrong:
            found[name] = wrong
    assert found == {}, json.dumps(found, indent=1)[:20000]


def test_search_finds_a_word(page):
    open_page(page, "README")
    page.keyboard.press("Control+k")
    page.keyboard.type("orthogonality")
    page.keyboard.press("Enter")
    page.locator("#search-results li a").first.wait_for()
    assert page.locator("#search-results li a", has_text="orthogonality_loss").count()


def test_everything_is_reached_with_the_tab_key(page):
    open_page(page, "notebooks/05_confusion_matrices")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent.trim()") == "Skip to main content"
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#main-content"
    page.reload()
    reachable = """[...document.querySelectorAll('a[href], button, input, summary, [tabindex="0"]')].filter(
        element => element.checkVisibility({visibilityProperty: true}) && !element.disabled && element.tabIndex >= 0)"""
    count = page.evaluate(f"{reachable}.length")
    page.evaluate("window.reached = new Set(); addEventListener('focusin', event => reached.add(event.target))")
    for _ in range(count + 20):
        page.keyboard.press("Tab")
    missed = f"{reachable}.filter(element => !reached.has(element)).map(element => element.outerHTML)"
    assert page.evaluate(missed) == []
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    page.keyboard.press("Tab")
    assert page.evaluate(f"{outline} !== 'none' || getComputedStyle(document.activeElement).boxShadow !== 'none'")


def test_headings_are_in_order_and_one_is_the_title(built):
    for name in pages(built):
        text = (built / f"{name}.html").read_text(encoding="utf-8")
        main = text[text.index('id="main-content"') :].split("<footer")[0]
        levels = [int(level) for level in re.findall(r"<h([1-6])[ >]", main)]
        assert levels[0] == 1 and all(after - before <= 1 for before, after in pairwise(levels)), name


def test_how_many_figures_lack_alt_text(built):
    """To be 0 once the notebooks have alt texts."""
    missing = 0
    for page in (built / "notebooks").glob("*.html"):
        images = re.findall(r"<img[^>]*>", page.read_text(encoding="utf-8").split('id="main-content"')[1])
        missing += sum(not re.search(r'alt="(?!\.\./_images|_images)[^"]+"', image) for image in images)
    print(f"{missing} images of notebooks without alt text")
    assert ALT_TEXTS_ARE_TO_COME or missing == 0


# ---------------------------------------------------------------- the demo: the network in the page


@pytest.fixture(scope="module")
def maker():
    """docs/demo.py, which made the demo's files."""
    sys.path.insert(0, str(ROOT / "docs"))
    try:
        return importlib.import_module("demo")
    finally:
        sys.path.remove(str(ROOT / "docs"))


@pytest.fixture(scope="module")
def demo(browser, address):
    """The demo on a phone, its network loaded by the keyboard."""
    with watched(browser, address, viewport=PHONE) as page:
        open_demo(page)
        page.get_by_role("button", name="Load the network").focus()
        page.keyboard.press("Enter")
        page.get_by_role("status").get_by_text("The network's answer").wait_for()
        yield page


def open_demo(page) -> None:
    page.goto("/docs/demo.html")
    page.wait_for_function("window.demo?.milliseconds")


def ask(page, script: str, *given):
    """Return what a function of the page gives, once the demo is at rest; as JSON, which large arrays need."""
    page.wait_for_function("!window.demo.busy")
    plain = "(key, value) => ArrayBuffer.isView(value) ? [...value] : value"
    return json.loads(page.evaluate(f"async given => JSON.stringify(await ({script})(...given), {plain})", list(given)))


@pytest.mark.parametrize("units", EXPRESSIONS)
def test_the_demo_renders_faces_as_the_package_does(demo, maker, units):
    render = """(face, units) => {
        const {renderer} = window.demo, expression = renderer.expression(face, units);
        const flow = renderer.flow(face, expression);
        return {frame: renderer.frame(face, expression), flow, streams: renderer.streams(flow)};
    }"""
    for number, (face, muscles) in enumerate(maker.make_people()):
        expression = muscles.expression(to_intensity(units))
        frame = maker.take_picture(face.frame(expression, maker.AT), maker.SETTINGS, None)
        flow = face.flow(expression, maker.AT, maker.AT)
        shown = ask(demo, render, number, {str(unit): amount for unit, amount in units.items()})
        difference = np.abs(255 * np.reshape(shown["frame"], (3, 128, 128)) - frame.transpose(2, 0, 1))  # grey levels
        assert difference.mean() < 0.3 and np.quantile(difference, 0.999) < 3
        assert np.allclose(np.reshape(shown["flow"], (2, 128, 128)), flow, atol=0.01)
        assert np.allclose(np.reshape(shown["streams"], (3, 28, 28)), to_streams(flow), atol=0.01)


@pytest.mark.parametrize("units", EXPRESSIONS)
def test_the_demos_network_answers_as_pytorch_does(demo, maker, units):
    move = """async units => {
        await window.demo.show(units);
        const {onset, moved, flow, still} = window.demo.shown;
        const given = [onset, moved, window.demo.renderer.streams(flow), still];
        return {given, answer: await window.demo.network.ask(...given)};
    }"""
    shown = ask(demo, move, {str(unit): amount for unit, amount in units.items()})
    sizes = (128, 128, 28, 128)
    given = [torch.tensor(values).view(1, 3, size, size) for values, size in zip(shown["given"], sizes, strict=True)]
    with torch.no_grad():
        expected = dict(zip(maker.OUTPUTS, maker.Demo()(*given), strict=True))
    assert set(shown["answer"]) == set(expected)
    for name, values in expected.items():
        assert np.abs(values.numpy().ravel() - shown["answer"][name]).max() < 1e-4, name
    assert not torch.equal(expected["swapped"], given[3])  # the motion moves the other face


def test_the_demo_follows_the_keyboard_within_three_tenths_of_a_second(demo):
    status, smile = demo.get_by_role("status"), demo.get_by_role("slider", name="12 lip corner puller")
    demo.get_by_role("button", name="Brows up").press("Enter")
    status.get_by_text("surprise").wait_for()
    demo.get_by_role("button", name="At rest").press("Enter")
    smile.press("End")
    demo.wait_for_function("!window.demo.busy")  # not for a word: the answer to the face at rest may be the same
    assert "positive" in status.inner_text() and smile.get_attribute("aria-valuetext") == "3.0 px"
    processor = demo.context.new_cdp_session(demo)  # its time, as other processes may be busy
    processor.send("Performance.enable", {"timeDomain": "threadTicks"})
    spent = [busy_seconds(processor)]
    for _ in range(10):
        smile.press("ArrowLeft")
        demo.wait_for_function("!window.demo.busy")
        spent.append(busy_seconds(processor))
    moves = np.diff(spent)
    print(f"{np.median(moves):.3f} s a move")
    assert np.median(moves) < 0.3, moves
    assert demo.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    demo.screenshot(path=SCREENSHOTS / "demo_with_network.png", full_page=True)


def busy_seconds(processor) -> float:
    """Return how long the page's thread has run on the processor."""
    metrics = processor.send("Performance.getMetrics")["metrics"]
    return next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration")


def test_the_demo_says_what_is_missing(built, browser, address):
    with watched(browser, address, viewport=PHONE) as page:
        page.route("**/network.onnx", lambda route: route.abort())
        open_demo(page)
        page.get_by_role("button", name="Load the network").click()
        page.get_by_role("status").get_by_text("The faces and their flow work without it").wait_for()
        page.get_by_role("slider", name="26 jaw drop").press("End")
        page.get_by_text("26 jaw drop 3.0 px").wait_for()
    with watched(browser, address, viewport=PHONE) as page:
        page.route("**/faces.json", lambda route: route.fulfill(status=404))
        page.goto("/docs/demo.html")
        page.get_by_role("status").get_by_text("faces.json is not there").wait_for()
    page = browser.new_page()
    page.goto((built / "docs" / "demo.html").as_uri())
    page.get_by_role("status").get_by_text("python -m http.server").wait_for()
    page.close()
