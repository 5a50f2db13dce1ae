"""The teacher's guide and the exam fit the notebooks, and the answers are where no student is sent."""

import re
import sys
from pathlib import Path

import nbformat
import pytest

from lfdtcmen.exercises import find
from lfdtcmen.exercises.student import solution_lines

ROOT = Path(__file__).resolve().parents[1]
GUIDE = (ROOT / "docs" / "teaching.md").read_text(encoding="utf-8")
EXAM = (ROOT / "teaching" / "exam.md").read_text(encoding="utf-8")
ANSWERS = (ROOT / "teaching" / "exam_answers.md").read_text(encoding="utf-8")
ALL_PAGES = ["docs/teaching.md", *(path.relative_to(ROOT).as_posix() for path in (ROOT / "teaching").iterdir())]
QUESTIONS = re.findall(
    r"^## (\d+)\. ([^\n]+?) \((\d\d_[^\n]+)\)\n(.*?)(?=^## |\Z)", EXAM, flags=re.MULTILINE | re.DOTALL
)
SOLUTIONS = re.findall(r"^## (\d+)\. ([^\n]+)\n(.*?)(?=^## |\Z)", ANSWERS, flags=re.MULTILINE | re.DOTALL)


def sections(source: str) -> dict[str, list[str]]:
    """Return notebook -> headings of "00_tour: 5. Who, and how; 6. The paper's answer; 15_some: 1. Another"."""
    found: dict[str, list[str]] = {}
    for part in source.split("; "):
        if named := re.match(r"(\d\d_\w+): ", part):
            headings = found.setdefault(named[1], [])
        headings.append(part.removeprefix(named[0] if named else ""))
    return found


def read(name: str) -> nbformat.NotebookNode:
    return nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4)


def printed(name: str) -> set[str]:
    """Return the lines that a notebook's cells show, without the spaces around them."""
    outputs = [output for cell in read(name).cells for output in cell.get("outputs", [])]
    texts = [output.get("text") or output.get("data", {}).get("text/plain", "") for output in outputs]
    return {line.strip() for text in texts for line in text.splitlines()}


def points(text: str) -> int:
    return sum(int(found) for found in re.findall(r"\((\d)\)$", text, flags=re.MULTILINE))


def test_ten_questions_of_ten_points_each_with_an_answer():
    assert [number for number, *_ in QUESTIONS] == [str(k) for k in range(1, 11)]
    assert [(number, title) for number, title, *_ in SOLUTIONS] == [(n, title) for n, title, *_ in QUESTIONS]
    assert [points(text) for *_, text in QUESTIONS] == [10] * 10


@pytest.mark.parametrize(("question", "answer"), list(zip(QUESTIONS, SOLUTIONS, strict=True)), ids=range(1, 11))
def test_a_question_is_about_sections_and_its_answer_about_outputs_of_a_notebook(question, answer):
    asked = sections(question[2])
    for name, headings in asked.items():
        markdown = [cell.source for cell in read(name).cells if cell.cell_type == "markdown"]
        found = re.findall(r"^##+ (.+)$", "\n".join(markdown), flags=re.MULTILINE)
        assert set(headings) <= set(found), name
    quoted = re.findall(r"^    +(\S.*)$", answer[2], flags=re.MULTILINE)
    outputs = set().union(*map(printed, asked))
    assert quoted and not [line for line in quoted if line.strip() not in outputs]


def test_no_page_of_the_site_shows_the_exam_or_links_to_it():
    matching = pytest.importorskip("sphinx.util.matching", reason="sphinx is missing: pip install 'lfdtcmen[site]'")
    settings = (ROOT / "docs" / "conf.py").read_text(encoding="utf-8")
    patterns = re.findall(r'"([^"]+)"', re.search(r"include_patterns = \[(.*?)\]", settings)[1])
    taken = {name: any(matching.patmatch(name, pattern) for pattern in patterns) for name in ALL_PAGES}
    assert taken == {name: name == "docs/teaching.md" for name in ALL_PAGES}
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]  # Sphinx copies a file that is linked
    assert not [page.name for page in pages if re.search(r"\]\([^)]*teaching/", page.read_text(encoding="utf-8"))]


def test_no_page_that_is_handed_out_shows_a_solution():
    names = [path.stem for path in (ROOT / "notebooks").glob("[0-9]*.ipynb")]
    lines = set().union(*(solution_lines(read(name)) for name in names))
    for page in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")):
        text = page.read_text(encoding="utf-8")
        assert not [line for line in lines if line in text], page.name


def test_the_guides_exercises_targets_and_links_are_there():
    for number, first, last in re.findall(r"\b(\d\d)\.(\d) to \1\.(\d)\b", GUIDE):
        assert [find(f"{number}.{k}") for k in range(int(first), int(last) + 1)]
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in set(re.findall(r"\bmake (\w+)`|^make (\w+)$", GUIDE, flags=re.MULTILINE)):
        assert re.search(rf"^{''.join(target)}:", makefile, flags=re.MULTILINE), target
    links = [link for link in re.findall(r"\]\(([^)]+)\)", GUIDE) if "{" not in link]
    assert links and not [link for link in links if not (ROOT / "docs" / link).exists()]
    numbers = {
        number
        for names in re.findall(r"(?:books|week)\(\[([^\]]+)\]\)", GUIDE)
        for number in re.findall(r"\d\d", names)
    }
    assert {path.name[:2] for path in (ROOT / "notebooks").glob("[0-9]*.ipynb")} <= numbers


def test_the_timetable_is_what_the_title_cells_say(monkeypatch):
    for name in ("sphinx", "onnxscript"):
        pytest.importorskip(name, reason=f"{name} is missing: pip install 'lfdtcmen[site]'")
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    import pages

    rows = pages.timetable()
    for name in ("pages", "demo"):
        monkeypatch.delitem(sys.modules, name)
    for row in rows.values():
        head = read(row["name"]).cells[0].source
        assert head.startswith(f"# {row['title']}\n") and "minute" in row["machine"], row
        stated = re.search(r"(\d+) minutes to read", head)
        assert row["reading"] == (int(stated[1]) if stated else 0), row
    assert rows["05"]["machine"] == "2 minutes for a laptop (`cpu` profile)."
