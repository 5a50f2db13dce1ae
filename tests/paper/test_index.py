"""The index of the paper leads to headings that exist, and leaves out nothing of the paper."""

from pathlib import Path

import nbformat
import pytest

from lfdtcmen.paper import index

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
SECTIONS = "1 2.1 2.2 3 3.1 3.1.1 3.1.2 3.2 3.2.1 3.2.2 3.2.3 3.2.4 3.2.5 3.2.6 3.3 3.3.1 3.3.2".split()
SECTIONS += "4.1 4.2 4.3 4.4 4.5 4.6.1 4.6.2 4.6.3 4.6.4 4.7 4.8 5 6".split()


def headings(notebook: str) -> set[str]:
    cells = nbformat.read(NOTEBOOKS / f"{notebook}.ipynb", as_version=4).cells
    lines = [line for cell in cells if cell.cell_type == "markdown" for line in cell.source.splitlines()]
    return {line.lstrip("#").strip() for line in lines if line.startswith("#")}


@pytest.mark.parametrize("notebook", sorted(set(index.rows()["notebook"]) - {""}))
def test_every_heading_that_the_index_names_is_in_its_notebook(notebook):
    rows = index.rows()
    named = set(rows.loc[rows["notebook"].eq(notebook), "heading"])
    missing = named - headings(notebook)
    assert not missing, f"lfdtcmen/paper/index.csv names headings that {notebook} does not have: {missing}"


def test_nothing_of_the_paper_is_left_out():
    expected = {("section", number) for number in SECTIONS} | {("equation", "9")}
    expected |= {("figure", str(number)) for number in range(1, 10)} | {
        ("table", str(number)) for number in range(1, 9)
    }
    rows = index.rows()
    assert set(zip(rows["kind"], rows["number"], strict=True)) == expected
    assert (rows["notebook"].eq("") == rows["heading"].eq("")).all()
    assert not rows.duplicated().any()


def test_as_markdown_it_links_to_notebooks():
    lines = index.markdown("table").splitlines()
    assert len(lines) == 2 + 9  # Table 8 has two sections
    assert lines[-2] == (
        "| Table 8 | Complexity | [06_complexity_analysis](06_complexity_analysis.ipynb) | "
        "2. The whole network, and Table 8 |"
    )
    (line,) = [line for line in index.markdown("section").splitlines() if line.startswith("| Section 4.3 ")]
    assert "| not treated |" in line
