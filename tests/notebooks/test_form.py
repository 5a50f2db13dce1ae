"""Notebooks in the form of the course: header, banner, map, budgets, captions, exercises with solutions.

A notebook that has been rewritten in this form is entered in ``REWRITTEN``. The counts themselves are tested on a
small notebook, so that they count while the list is empty.
"""

import importlib.util
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from lfdtcmen.course import BANNER, HEADER

HERE = Path(__file__).resolve().parent
NOTEBOOKS = HERE.parents[1] / "notebooks"
REWRITTEN = (
    "00_tour",
    "01_data_preparation",
    "02_drl_training",
    "03_tcme_training",
    "04_fine_tuning",
    "05_confusion_matrices",
    "06_complexity_analysis",
    "07_measuring_disentanglement",
    "08_repairing_disentanglement",
    "09_ablations",
    "10_interpretability",
    "11_honest_evaluation",
    "12_compared_methods",
    "13_fixed_against_learnable",
    "14_apex_spotting",
    "15_your_own_data",
    "16_class_imbalance",
)
MAX_WORDS, MAX_CELLS, MEDIAN_LINES = 2000, 90, 5
EXERCISES = range(3, 6)

specification = importlib.util.spec_from_file_location("counts", HERE / "counts.py")
counts = importlib.util.module_from_spec(specification)
specification.loader.exec_module(counts)

each_rewritten = pytest.mark.parametrize("name", REWRITTEN)


def read(name: str) -> nbformat.NotebookNode:
    return nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)


def missing_of_the_opening(notebook: nbformat.NotebookNode, number: str) -> list[str]:
    """Return what a notebook's opening lacks: lines of its header, the banner, the map."""
    title, *others = notebook.cells
    lines = title.source.splitlines()
    missing = [start for start in HEADER if not any(line.startswith(start) for line in lines)]
    if sum(cell.cell_type == "markdown" and cell.source.strip() == BANNER for cell in others) != 1:
        missing.append("the banner (lfdtcmen.course.BANNER) as a cell of its own, once")
    code = "\n".join(cell.source for cell in others if cell.cell_type == "code")
    missing += [call for call in (f"start_notebook({int(number)})", f'series("{number}")') if call not in code]
    return missing


def over_budget(notebook: nbformat.NotebookNode) -> list[str]:
    """Return what a notebook has too much or too little of."""
    found = counts.count(notebook)
    rules = {
        f"{found.words} words of prose": found.words <= MAX_WORDS,
        f"{found.cells} cells": found.cells <= MAX_CELLS,
        f"code cells of {found.median_lines} lines in the median": found.median_lines <= MEDIAN_LINES,
        f"{found.long_cells} code cells are too long": not found.long_cells,
        f"{found.neighbours} code cells follow another without a sentence": not found.neighbours,
        f"{found.captioned} of {found.figures} figures have a caption": found.figures == found.captioned > 0,
        f"{found.exercises} exercises with a check": found.exercises in EXERCISES,
        f"{found.solutions} solutions for {found.exercises} exercises": found.solutions >= found.exercises,
    }
    return [rule for rule, holds in rules.items() if not holds]


@each_rewritten
def test_it_opens_as_all_do(name):
    assert missing_of_the_opening(read(name), name[:2]) == []


@each_rewritten
def test_it_keeps_to_the_budgets(name):
    assert over_budget(read(name)) == []


@each_rewritten
def test_no_two_figures_have_the_same_caption(name):
    source = "\n".join(cell.source for cell in read(name).cells if cell.cell_type == "code")
    assert source.count("viz.show(") == counts.count(read(name)).captioned


def small() -> nbformat.NotebookNode:
    """Return a notebook that keeps to the form."""
    header = "# 02 · Title\n\n" + "\n\n".join(f"{start} something." for start in HEADER)
    figure = new_code_cell('viz.show(diagrams.series("02"), caption="The map.", alt="Boxes.")')
    element = '<figure><img alt="Boxes."><figcaption>Figure 2.1. The map.</figcaption></figure>'
    figure.outputs = [new_output("display_data", {"text/html": element, "text/plain": "Figure 2.1. The map."})]
    cells = [
        new_markdown_cell(header),
        new_code_cell("profile = None", metadata={"tags": ["parameters"]}),
        new_markdown_cell(BANNER),
        new_code_cell("viz.start_notebook(2)", metadata={"tags": ["nbval-check-output"]}),
        new_markdown_cell("Two words: $a = b$ and `code`, [link](https://example.org/a/b)."),
        figure,
    ]
    for k in range(1, 4):
        solution = new_code_cell("def f():\n    return 1", metadata={"tags": ["solution"]})
        cells += [
            new_markdown_cell("**Do.**"),
            solution,
            new_markdown_cell("Check."),
            new_code_cell(f'check("02.{k}", f)'),
        ]
    return new_notebook(cells=cells)


def test_a_notebook_in_the_form_passes():
    assert missing_of_the_opening(small(), "02") == over_budget(small()) == []
    found = counts.count(small())
    assert (found.figures, found.captioned, found.exercises, found.solutions, found.checked) == (1, 1, 3, 3, 1)
    assert counts.words(new_markdown_cell("Two words: $a = b$ and `code`, [link](https://example.org/a/b).")) == 6


def test_what_is_out_of_form_is_found():
    long = "\n".join(f"x = {k}" for k in range(16))
    bad = {
        "words": new_markdown_cell("word " * 2001),
        "too long": new_code_cell(long),
        "without a sentence": new_code_cell("x = 1"),
        "have a caption": new_code_cell("figure", outputs=[new_output("display_data", {"image/png": "x"})]),
        "exercises": new_code_cell('check("02.4", f); check("02.5", f); check("02.6", f)'),
    }
    for complaint, cell in bad.items():
        notebook = small()
        notebook.cells.append(cell)
        assert [rule for rule in over_budget(notebook) if complaint in rule], complaint
    notebook = small()
    notebook.cells[0].source = "# 02 · Title"
    notebook.cells[2].source = BANNER.replace("stated", "said")
    assert len(missing_of_the_opening(notebook, "03")) == len(HEADER) + 3


def test_a_class_may_be_longer_and_classes_and_steps_are_counted():
    body = "\n".join(f"    x{k} = {k}" for k in range(20))
    module = new_code_cell(f"class Encoder(nn.Module):\n{body}\n\noptimizer.step()")
    found = counts.count(new_notebook(cells=[module]))
    assert (found.long_cells, found.classes, found.optimiser_steps) == (0, 1, 1)


def test_the_table_has_every_notebook():
    assert list(counts.table().index) == sorted(path.stem for path in NOTEBOOKS.glob("[0-9]*.ipynb"))
