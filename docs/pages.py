"""What the site fills in: the ledger, claims, the paper's contradictions, source pages, tidied notebooks."""

import ast
import importlib
import inspect
import json
import re
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache, partial
from html import unescape
from pathlib import Path
from urllib.parse import unquote

import claims
import demo
import score_map
from docutils import nodes
from jinja2.bccache import Bucket, BytecodeCache
from jinja2.sandbox import SandboxedEnvironment
from numpydoc import docscrape_sphinx
from sphinx.application import Sphinx
from sphinx.errors import SphinxError

from lfdtcmen.notebooks import find_notebooks
from lfdtcmen.paper import ledger, numbers

ROOT = Path(__file__).resolve().parents[1]
PACKAGE, TESTS = ROOT / "lfdtcmen", ROOT / "tests"
WIDGET = "application/vnd.jupyter.widget-view+json"
PARTS = [("the paper", 0, 6), ("does it hold?", 7, 11), ("the others", 12, 13), ("beyond the paper", 14, 99)]
MOST_TESTS = 3  # linked from one row of the ledger


# ---------------------------------------------------------------- source pages: source/lfdtcmen/config.html#line-12


@cache
def source_files() -> list[Path]:
    return sorted([*PACKAGE.rglob("*.py"), *TESTS.rglob("*.py")])


def source_page(file: Path) -> str:
    """Return the page of a file, or of a package's ``__init__.py``."""
    file = file / "__init__.py" if file.is_dir() else file
    return f"source/{file.relative_to(ROOT).with_suffix('').as_posix()}"


def source_pages(app: Sphinx) -> Iterator[tuple[str, dict, str]]:
    """Yield one page for each file of the package and its tests, with an anchor for each line."""
    for file in source_files():
        code = app.builder.highlighter.highlight_block(file.read_text(encoding="utf-8"), "python", linespans="line")
        name = file.relative_to(ROOT).as_posix()
        yield source_page(file), {"title": name, "sidebars": [], "body": f"<h1>{name}</h1>\n{code}"}, "page.html"


def linkcode_resolve(domain: str, info: dict) -> str | None:
    """Return where the [source] link of a documented object leads, as seen from a page in docs/api."""
    thing = module = importlib.import_module(info["module"])
    for part in info["fullname"].split("."):
        thing = getattr(thing, part, None)
    try:
        line = inspect.getsourcelines(inspect.unwrap(getattr(thing, "fget", None) or thing))[1]
    except (TypeError, OSError):  # a field or a constant has no lines of its own
        return None
    return f"../../{source_page(Path(module.__file__))}.html#line-{line}"


# ---------------------------------------------------------------- the ledger and the paper


@cache
def definitions() -> dict[str, str]:
    """Return ``module.NAME``, ``Name`` and ``Config.field`` -> page and line of it, seen from the top of the site."""
    found = {}
    for file in sorted(PACKAGE.rglob("*.py")):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            link = f"{source_page(file)}.html#line-{node.lineno}"
            if isinstance(node, ast.Assign | ast.AnnAssign):
                target = node.targets[0] if isinstance(node, ast.Assign) else node.target
                found[f"{file.stem}.{getattr(target, 'id', '')}"] = link
            elif isinstance(node, ast.ClassDef | ast.FunctionDef):
                found[node.name] = link
            if isinstance(node, ast.ClassDef) and node.name == "Config":
                fields = (part for part in node.body if isinstance(part, ast.AnnAssign))
                found |= {f"Config.{part.target.id}": f"{source_page(file)}.html#line-{part.lineno}" for part in fields}
    return found


@cache
def test_texts() -> dict[Path, str]:
    return {file: file.read_text(encoding="utf-8") for file in sorted(TESTS.rglob("test_*.py"))}


def first_lines(folder: str, pattern: str, owner: str = "") -> list[tuple[str, str]]:
    """Return (name, link) of the tests that name the owner and that a pattern is found in, those of a folder first."""
    found = []
    for file, text in test_texts().items():
        mentioned = owner in text and re.search(rf"\b{owner}\b", text)  # the first is fast, and mostly says no
        place = re.search(pattern, text) if mentioned else None
        if place:
            line = text.count("\n", 0, place.start()) + 1
            found.append((file.relative_to(TESTS).as_posix(), f"{source_page(file)}.html#line-{line}"))
    return sorted(found, key=lambda test: not test[0].startswith(folder))[:MOST_TESTS]


def tests_of(file: Path, codes: list[str]) -> list[tuple[str, str]]:
    """Return the tests that name a value of a row, else that import its file, use its names, or are in its folder."""
    folder = file.relative_to(PACKAGE).parts[0] + "/"
    for code in codes:
        owner, name, is_parameter = re.fullmatch(r"(\w+)[.(](\w+)(\)?)", code).groups()
        pattern = rf"\b{owner}\(.*\b{name}=" if is_parameter else rf"\b{name}\b"
        if found := first_lines(folder, pattern, owner):
            return found
    package, module = ".".join(file.relative_to(ROOT).parent.parts), file.stem
    imports = rf"{re.escape(package)}\.{module}\b|from {re.escape(package)} import .*\b{module}\b"
    page = f"{source_page(file)}.html"
    own = [name for name, link in definitions().items() if link.startswith(page)]
    uses = rf"\b({'|'.join(name for name in own if '.' not in name)})\b"
    return first_lines(folder, imports) or first_lines(folder, uses) or first_lines(folder, ".")


def ledger_sections() -> dict[str, list[dict]]:
    """Return section -> rows; a row has the ledger's columns, with links in ``code`` and ``tests``."""
    sections: dict[str, list[dict]] = {}
    for row in ledger.rows().to_dict("records"):
        where, codes = row["where"], [code for code in row["code"].split("; ") if code]
        file = PACKAGE / ("config.py" if where.startswith("Config.") else where)
        place = definitions()[where] if where.startswith("Config.") else f"{source_page(file)}.html"
        names = [(code, definitions()[re.sub(r"\(.*", "", code)]) for code in codes if code != where]
        row |= {"code": [(where, place), *names], "tests": tests_of(file, codes), "status": row["stated or assumed"]}
        sections.setdefault(row["section"], []).append(row)
    return sections


def fill_in(app: Sphinx, docname: str, source: list[str]) -> None:
    """Fill the Jinja fields of pages in docs, and tidy a notebook, before Sphinx reads them."""
    if docname == "docs/ledger":
        table = ledger.rows()
        counts = Counter(table["stated or assumed"])
        source[0] = render(app, source[0], sections=ledger_sections(), counts=counts, total=len(table))
    elif docname == "docs/paper":
        source[0] = render(app, source[0], numbers=numbers)
    elif docname == "docs/teaching":
        source[0] = render(app, source[0], course=timetable())
    elif docname == "docs/claims":
        rows = {timetable()[number]["title"]: claimed for number, claimed in claims.sections().items()}
        earlier = sum(row["earlier"] for claimed in rows.values() for row in claimed)
        scores = {"columns": score_map.MODELS, "scores": score_map.rows()}
        source[0] = render(app, source[0], claims=rows, earlier=earlier, total=len(claims.CLAIMS), **scores)
    elif docname == "docs/demo":
        source[0] = render(app, source[0], **demo.write(app.outdir / "_static" / "demo"))
    elif docname == "README":
        contents = (ROOT / "docs" / "contents.md.jinja").read_text(encoding="utf-8")
        source[0] += render(app, contents, parts=course())
    elif docname.startswith("notebooks/"):
        source[0] = tidy(source[0], claims.anchors(docname.removeprefix("notebooks/")[:2]))


def course() -> dict[str, list[Path]]:
    """Return the parts of the course and their notebooks, in the order of the series."""
    numbered = [(int(notebook.stem[:2]), notebook) for notebook in find_notebooks(ROOT / "notebooks")]
    return {
        f"The course: {name}": [notebook for number, notebook in numbered if first <= number <= last]
        for name, first, last in PARTS
    }


def timetable() -> dict[str, dict]:
    """Return number -> name, title, minutes to read (0: not stated) and machine time, from the title cells."""
    rows = {}
    for notebook in find_notebooks(ROOT / "notebooks"):
        head = "".join(json.loads(notebook.read_text(encoding="utf-8"))["cells"][0]["source"])
        title = head.splitlines()[0].removeprefix("# ")
        reading, machine = re.search(r"\*\*Time[^*]*\*\*\s*(?:(\d+) minutes to read; )?([^*]+)", head).groups()
        number, machine = notebook.stem[:2], " ".join(machine.split())
        row = {"number": number, "name": notebook.stem, "title": title, "reading": int(reading or 0)}
        rows[number] = row | {"machine": machine}
    return rows


def render(app: Sphinx, text: str, **values: object) -> str:
    return app.builder.templates.environment.from_string(text).render(values)


def tidy(text: str, anchors: Mapping[str, str]) -> str:
    """Return a notebook's JSON as the site takes it.

    Outputs that need a kernel are left out (their static twin is an output of its own), and links from outputs, which
    Sphinx does not look at, lead to pages instead of notebooks. Cells that other pages link to (``anchors``: id of a
    cell -> its anchor) have an invisible cell with their anchor before them.
    """
    notebook = json.loads(text)
    cells, notebook["cells"] = notebook["cells"], []
    for cell in cells:
        if anchor := anchors.get(cell["id"]):
            place = {"id": anchor, "cell_type": "markdown", "metadata": {}, "source": f'<div id="{anchor}"></div>'}
            notebook["cells"].append(place)
        notebook["cells"].append(cell)
        if "outputs" in cell:
            outputs = [output for output in cell["outputs"] if WIDGET not in output.get("data", {})]
            cell["outputs"] = json.loads(re.sub(r"\b(\d\d_\w+)\.ipynb\b", r"\1.html", json.dumps(outputs)))
    return json.dumps(notebook)


def find_elsewhere(app: Sphinx, env, node: nodes.Element, contnode: nodes.Element) -> nodes.Element | None:
    """Lead a name that a package hands on (``lfdtcmen.viz.forest``) to its own page, a constant to its line."""
    module, _, name = node.get("reftarget", "").rpartition(".")
    if not module.startswith("lfdtcmen"):
        return None
    thing = getattr(importlib.import_module(module), name, None)
    if callable(thing) and getattr(thing, "__module__", module) != module:
        own = f"{thing.__module__}.{thing.__qualname__}"
        return env.domains["py"].resolve_xref(env, node["refdoc"], app.builder, "obj", own, node, contnode)
    link = definitions().get(f"{module.rpartition('.')[2]}.{name}")
    up = "../" * node["refdoc"].count("/")
    return nodes.reference("", "", contnode, internal=True, refuri=up + link) if link else None


# ---------------------------------------------------------------- finished pages


def check_links(app: Sphinx, exception: Exception | None) -> None:
    """Fail the build for a link inside the site whose page or place is not there (also in raw HTML and source pages).

    Raises
    ------
    SphinxError
        Names each page with its broken links.
    """
    if exception is not None:
        return
    pages = (page for page in app.outdir.rglob("*.html") if "_static" not in page.parts)  # there: pieces of the theme
    texts = {page.resolve(): page.read_text(encoding="utf-8") for page in pages}
    places = {page: set(re.findall(r'\sid="([^"]*)"', text)) for page, text in texts.items()}

    @cache  # every page of a folder has the same side bar
    def target_of(folder: Path, path: str) -> Path | None:
        target = (folder / path).resolve()
        return target if target.exists() else None

    broken = []
    for page, text in texts.items():
        for link in sorted(set(re.findall(r'\s(?:href|src)="([^"<]+)"', text))):
            path, _, place = unquote(unescape(link)).partition("#")
            if re.match(r"[a-z]+:", path):  # other sites, mail, data
                continue
            target = target_of(page.parent, path.partition("?")[0]) if path else page
            if target is None or (place and place not in places.get(target, {place})):
                broken.append(f"{page.relative_to(app.outdir)}: {link}")
    if broken:
        raise SphinxError("links that lead nowhere:\n" + "\n".join(broken))


def home(app: Sphinx, exception: Exception | None) -> None:
    """Make README's page the one that a web server shows first, with its pictures, which are raw HTML."""
    if exception is None:
        for picture in (ROOT / "docs").glob("*.svg"):
            shutil.copy(picture, app.outdir / "docs")
        shutil.copy(app.outdir / "README.html", app.outdir / "index.html")


class Compiled(BytecodeCache):
    """Compiled templates by their text: numpydoc compiles its template anew for every docstring, 5,000 times."""

    def __init__(self):
        self.code: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give a template its code, where it was compiled before."""
        if bucket.key in self.code:
            bucket.bytecode_from_string(self.code[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep a template's code."""
        self.code[bucket.key] = bucket.bytecode_to_string()


def setup(app: Sphinx) -> dict:
    docscrape_sphinx.SandboxedEnvironment = partial(SandboxedEnvironment, bytecode_cache=Compiled())
    # autosummary writes it anew: no page of a module that is gone
    shutil.rmtree(ROOT / "docs" / "api", ignore_errors=True)
    app.connect("source-read", fill_in)
    app.connect("missing-reference", find_elsewhere)
    app.connect("html-collect-pages", source_pages)
    app.connect("build-finished", home)
    app.connect("build-finished", check_links)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
