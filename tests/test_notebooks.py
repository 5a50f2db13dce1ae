"""The index page of a run: one card for each notebook, and nothing in a title or a score can write into the page."""

import json
import re

import nbformat
from matplotlib.figure import Figure
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from lfdtcmen import viz
from lfdtcmen.notebooks import Entry, headline_scores, write_index


def test_the_index_escapes_titles_states_and_scores(tmp_path):
    nbformat.write(new_notebook(cells=[new_markdown_cell("# A <script> & more")]), tmp_path / "00_first.ipynb")
    (tmp_path / "metrics.json").write_text(json.dumps({"<b>": {"UF1": 0.5}}))
    entry = Entry(tmp_path / "00_first.ipynb", tmp_path / "run" / "00_first.ipynb", state="failed: <i>")
    write_index(tmp_path, [entry], {"profile": "smoke", "run_dir": "not shown"})
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "A &lt;script&gt; &amp; more" in page and "failed: &lt;i&gt;" in page and "<th>&lt;b&gt;</th>" in page
    assert "<script>" not in page and "not shown" not in page and "{{" not in page
    assert "00_first.html" not in page  # a notebook that has not run has no page to open


def test_a_card_shows_the_figure_of_the_tagged_cell_also_where_it_is_an_svg_in_html(tmp_path, monkeypatch):
    shown: list[dict[str, str]] = []
    monkeypatch.setattr(viz.figures, "_display", shown.append)
    viz.start_notebook(0)
    for width in (2, 3):
        figure = Figure(figsize=(width, 2))
        figure.subplots().plot([1, 2])
        viz.show(figure, caption=f"A line {width} wide.", alt="A line that rises.")
    cells = [new_code_cell(outputs=[new_output("display_data", data)]) for data in shown]
    cells[1].metadata["tags"] = ["thumbnail"]
    entry = Entry(tmp_path / "00_first.ipynb", tmp_path / "run" / "00_first.ipynb", seconds=1.0)
    entry.executed.parent.mkdir()
    nbformat.write(new_notebook(cells=[new_markdown_cell("# A"), *cells]), entry.executed)
    write_index(tmp_path, [entry], {})
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    first, second = (re.search(r'src="(data:[^"]+)"', data["text/html"])[1] for data in shown)
    assert f'src="{second}"' in page and first not in page and second.startswith("data:image/svg+xml")


def test_the_keys_that_lead_to_a_number_name_its_score(tmp_path):
    content = {
        "full": {"UF1": 0.5, "pairs": 1200, "final": True, "config": {"seed": 3}},
        "ablated": {"I": {"UAR": 0.25}},
    }
    (tmp_path / "some_metrics.json").write_text(json.dumps(content))
    assert headline_scores(tmp_path) == {"full": {"UF1": "0.500", "pairs": "1,200"}, "ablated / I": {"UAR": "0.250"}}
