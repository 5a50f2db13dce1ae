"""docs/claims.py: each claim leads to a cell that shows its number, and experiments/README.md knows who reads what."""

import json
import re
import sys
from functools import cache
from html import unescape
from math import isfinite
from pathlib import Path

import pytest

from lfdtcmen.evaluation.comparisons import correct
from lfdtcmen.evaluation.results import read_table
from lfdtcmen.results import COMMANDS, EARLIER_FACES, find

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "docs"))
import claims  # noqa: E402 (where the site's pages are made)
import score_map  # noqa: E402

sys.path.remove(str(ROOT / "docs"))
NAMES = [f"{claim.notebook}-{claim.cell}-{k}" for k, claim in enumerate(claims.CLAIMS)]
each_claim = pytest.mark.parametrize("claim", claims.CLAIMS, ids=NAMES)


@cache
def cells(number: str) -> dict[str, dict]:
    """Return id -> cell of a notebook."""
    (notebook,) = (ROOT / "notebooks").glob(f"{number}_*.ipynb")
    return {cell["id"]: cell for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]}


@cache
def readers() -> dict[str, set[str]]:
    """Return run -> numbers of the notebooks that read it, as their code says."""
    found: dict[str, set[str]] = {name: set() for name in COMMANDS}
    for number in (path.stem[:2] for path in (ROOT / "notebooks").glob("[0-9]*.ipynb")):
        code = "\n".join("".join(cell["source"]) for cell in cells(number).values() if cell["cell_type"] == "code")
        for name in found:
            if re.search(rf'\b(?:find|read_run|kept_table|read_table)\(\s*"{name}"|\bread_{name}\(', code):
                found[name].add(number)
    return found


def shown(cell: dict) -> str:
    """Return the text that a cell shows: of its outputs, or its own where it is Markdown."""
    if cell["cell_type"] == "markdown":
        return "".join(cell["source"])
    texts = []
    for output in cell["outputs"]:
        data = output.get("data", {})
        page = re.sub(r"<style.*?</style>|<[^>]*>", " ", "".join(data.get("text/html", "")), flags=re.DOTALL)
        texts += ["".join(output.get("text", "")), "".join(data.get("text/plain", "")), unescape(page)]
    return "\n".join(texts)


def printed(text: str, form: str) -> set[float]:
    """Return the numbers in a text, with decimals where the form has some; percentages where it asks for them."""
    decimals = r"\.\d+" if int(form.strip("+.f%")) else r"(?!\.?\d)"
    pattern = rf"(?<![\d.])[-+]?\d+{decimals}" + (r"(?=\s?%)" if form.endswith("%") else "")
    return {float(number) for number in re.findall(pattern, text.replace("\N{MINUS SIGN}", "-"))}


def on_page(number: float, form: str) -> float:
    return float(claims.rounded(number, form).removesuffix(" %"))


@each_claim
def test_a_claim_has_a_run_that_its_notebook_reads_a_cell_and_finite_numbers(claim):
    assert claim.cell in cells(claim.notebook), f"notebook {claim.notebook} has no cell {claim.cell}"
    assert claim.notebook in readers()[claim.run]
    numbers = claims.read.shipped(claim.numbers)
    assert len(numbers) == claim.sentence.count("{}") and all(isfinite(number.value) for number in numbers)
    assert all(number.low <= number.value <= number.high for number in numbers if isfinite(number.low))
    assert not re.search(r"\d\.\d", claim.sentence), "a number with decimals was typed by hand"
    assert {"{}", "."} <= set(re.findall(r"\{\}|\.$", claim.sentence))


@each_claim
def test_its_cell_shows_the_same_numbers(claim):
    cell = cells(claim.notebook)[claim.cell]
    if claim.shows == claims.FIGURE:
        pictures = [
            output for output in cell["outputs"] if "<img" in "".join(output.get("data", {}).get("text/html", ""))
        ]
        assert pictures, "the cell shows no figure"
        return
    found = printed(shown(cell), claim.form)
    numbers = claims.read.shipped(claim.numbers)
    wanted = [number.value for number in numbers]
    if claim.shows == claims.INTERVAL:
        assert any(isfinite(number.low) for number in numbers)
        wanted = [x for number in numbers for x in number if isfinite(x)]
    missing = [x for x in wanted if on_page(x, claim.form) not in found]
    assert not missing, f"cell {claim.cell} shows {sorted(found)}"


@pytest.mark.parametrize("run", COMMANDS)
def test_the_notebooks_of_a_run_are_those_that_read_it_and_each_has_a_claim_from_it(run):
    column = claims.run_row(run)[2]
    assert set(re.findall(r"\d\d", column)) == readers()[run] and (readers()[run] or column == "none")
    claimed = {claim.notebook for claim in claims.CLAIMS if claim.run == run}
    assert claimed == readers()[run]


@pytest.mark.parametrize("run", COMMANDS)
def test_the_date_of_a_run_is_the_one_that_it_has_recorded(run):
    recorded = claims.read.shipped(lambda: claims.record(run)).get("date")
    assert recorded is None or claims.run_row(run)[3].startswith(recorded)


def test_a_table_says_how_many_seeds_and_people_it_has_and_may_have_a_date_of_its_own():
    assert claims.facts("compared/predictions.csv")[1:] == ["3 seeds", "100 people"]
    assert claims.facts("transfer/scores.csv")[1:] == ["3 seeds", "100 people"]
    assert claims.facts("alignment/clips.csv")[1:] == ["16 people"]
    assert len(claims.facts("inflation/real_habits.csv")) == 1  # its people are not the synthetic ones
    assert len(claims.facts("recipes/costs.csv")) == 1
    errors, emotions = (claims.made_on(f"apex/{file}.csv") for file in ("errors", "emotions"))
    assert emotions > errors and claims.run_row("apex")[3].startswith(errors)


def test_the_readme_of_the_runs_names_the_same_earlier_faces():
    readme = claims.readme()
    lists = re.search(r"^\*\*The faces have changed since\.\*\*\n\n(.*?)\n\n", readme, re.MULTILINE | re.DOTALL)[1]
    now, without, before = re.split(r"^- ", lists, flags=re.MULTILINE)[1:]
    assert set(re.findall(r"`([a-z0-9_]+)`", now + without)) == set(COMMANDS) - EARLIER_FACES
    assert set(re.findall(r"`([a-z0-9_]+)`", before)) == EARLIER_FACES
    assert not claims.has_earlier_faces("apex/errors.csv")


def test_numbers_are_rounded_as_pandas_does_and_a_difference_says_what_its_interval_allows():
    number = claims.Number
    assert claims.as_text(number(0.325), ".2f") == "**0.32**" and claims.as_text(number(-0.0004), ".3f") == "**0.000**"
    assert claims.as_text(number(0.1234), ".1%") == "**12.3 %**"
    assert claims.as_text(number(0.5, 0.4, 0.6), ".1f") == "**0.5** (0.4 to 0.6)"
    assert claims.as_text(number(0.5, 0.4, 0.6), "+.1f") == "**+0.5** (+0.4 to +0.6; higher)"
    assert claims.as_text(number(0.5, -0.4, 0.6), "+.1f").endswith("; not distinguishable)")


def test_a_readers_own_run_is_not_on_the_page(tmp_path, monkeypatch):
    monkeypatch.setenv("LFDTCMEN_RUNS", str(tmp_path))
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes" / "costs.csv").write_text("recipe,minutes per fold\npaper,1\n")
    assert find("recipes", "costs.csv").folder == tmp_path / "recipes"
    folder = claims.read.shipped(lambda: find("recipes", "costs.csv").folder)
    assert folder == ROOT / "experiments" / "results" / "recipes"
    assert find("recipes", "costs.csv").folder == tmp_path / "recipes"


def test_the_page_has_each_claim_with_its_run_and_section(monkeypatch):
    for name in ("sphinx", "onnxscript"):
        pytest.importorskip(name, reason=f"{name} is missing: pip install 'lfdtcmen[site]'")
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    import pages

    sections = claims.sections()
    assert sum(map(len, sections.values())) == len(claims.CLAIMS)
    for number, rows in sections.items():
        (notebook,) = (ROOT / "notebooks").glob(f"{number}_*.ipynb")
        places = json.loads(pages.tidy(notebook.read_text(encoding="utf-8"), claims.anchors(number)))["cells"]
        ids = [cell["id"] for cell in places]
        text = "".join("".join(cell["source"]) for cell in places)
        for row in rows:
            page, _, place = row["link"].partition(".html#")
            assert page == notebook.stem and places[ids.index(place)]["source"] == f'<div id="{place}"></div>'
            assert ids[ids.index(place) + 1] == place.removeprefix("cell-")
            assert f"# {row['heading']}\n" in text and "{}" not in row["sentence"] and "**" in row["sentence"]


def test_the_map_of_scores_has_the_scores_of_the_claims():
    of_run, *_ = (score_map.scores_of(s) for s in score_map.SETTINGS if s.run == "compared")
    paper, repaired = (score_map.scores_of(s) for s in score_map.SETTINGS if s.run == "transfer")
    numbers = claims.read.shipped(
        lambda: [claims.read.score("compared", "flow-branch"), claims.read.carried("transfer", "lfd-tcmen-repaired")]
    )
    assert of_run["flow branch"] == numbers[0]
    assert repaired["full network"] == pytest.approx(numbers[1], abs=6e-5)  # its table has four digits
    assert repaired["logistic regression"] == paper["logistic regression"]  # it has no recipe


def rows_of_page(head: str, name: str = "trials") -> list[list[str]]:
    """Return the cells of each row of the table of a page of docs/ whose head begins so."""
    page = (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")
    lines = page[page.index(head) :].split("\n\n")[0].splitlines()
    return [line.strip("| ").split(" | ") for line in lines[2:]]


def test_the_parts_of_the_flow_branchs_training_have_the_numbers_of_their_table():
    scores = read_table(ROOT / "experiments" / "results" / "flow_training" / "scores.csv")
    first, *others = rows_of_page("| training of the flow branch")
    assert {first[0], *(row[0] for row in others)} == set(scores["model"]) - {"logistic-regression"}
    for model, *cells in (first, *others):
        for task, cell in zip(("easy", "standard", "hard", "few", "foreign", "wild"), cells, strict=True):
            for metric, text in zip(("UF1", "UAR"), cell.split(" / "), strict=True):
                asked = scores[(scores[["model", "task", "metric"]] == [model, task, metric]).all(axis=1)]
                row = asked[asked["against"] == ("" if model == first[0] else first[0])].iloc[0]
                assert f"{row['value']:{'.3f' if model == first[0] else '+.3f'}}" == text.strip("*")
                assert text.startswith("**") == (model != first[0] and (row["low"] > 0 or row["high"] < 0))


def test_what_both_branches_gain_has_the_numbers_of_its_table():
    scores = read_table(ROOT / "experiments" / "results" / "branches" / "scores.csv")
    against = ("flow", "logistic-regression")
    scores = correct(scores[scores["model"].eq("both") & scores["against"].isin(against)])
    page = (ROOT / "docs" / "trials.md").read_text(encoding="utf-8")
    rows = {name.strip("`"): cells for name, *cells in rows_of_page("| task of both branches")}
    words = {"quarter": "a quarter of the people", "foreign": "another camera"}
    for preset in scores["preset"].unique():
        for other, cell in zip(against, rows[words.get(preset, preset)], strict=True):
            for metric, text in zip(("UF1", "UAR"), cell.split(" / "), strict=True):
                (asked,) = scores[
                    (scores[["against", "preset", "metric"]] == [other, preset, metric]).all(axis=1)
                ].itertuples()
                assert f"{asked.value:+.3f}" == text.strip("*") and text.startswith("**") == (asked.holm <= 0.05)
    counts = (
        (scores["value"] > 0).sum(),
        ((scores["low"] > 0) | (scores["high"] < 0)).sum(),
        (scores["holm"] <= 0.05).sum(),
    )
    assert counts == (18, 14, 3) and "18 are positive, the intervals of 14" in page and "and three (bold)" in page


def test_what_each_branch_gains_over_a_linear_model_has_the_numbers_of_its_table():
    scores = read_table(ROOT / "experiments" / "results" / "branches" / "scores.csv")
    scores = scores[scores["against"].eq("logistic-regression")].set_index(["preset", "model", "metric"])
    words = {"a quarter of the people": "quarter", "another camera": "foreign"}
    rows = rows_of_page("| task of one branch")
    assert len(rows) == scores.index.get_level_values("preset").nunique()
    for name, *cells in rows:
        for model, cell in zip(("flow", "motion"), cells, strict=True):
            for metric, text in zip(("UF1", "UAR"), cell.split(" / "), strict=True):
                asked = scores.loc[(words.get(name, name.strip("`")), model, metric)]
                assert f"{asked['value']:+.3f}" == text.strip("*")
                assert text.startswith("**") == (asked["low"] > 0 or asked["high"] < 0)


def test_scores_on_moved_photographs_are_those_of_their_table():
    scores = read_table(ROOT / "experiments" / "results" / "transfer" / "scores.csv")
    scores = scores[scores["part"].eq("photographs") & scores["how"].eq("as it is") & scores["against"].eq("")]
    scores = scores.set_index(["model", "metric"])["value"]
    models = {"logistic regression": "logistic-regression", "flow branch": "flow-branch"}
    models |= {"motion branch": "motion-branch", "whole network": "lfd-tcmen"}
    rows = rows_of_page("| trained on `wild`, tested on moved photographs")
    assert len(rows) == scores.index.get_level_values("model").nunique()
    for name, cell in rows:
        model = next(models[word] for word in models if name.startswith(word)) + "-repaired" * ("repaired" in name)
        assert cell == f"{scores[model, 'UF1']:.3f} / {scores[model, 'UAR']:.3f}"


def test_the_ways_of_training_in_another_world_have_the_numbers_of_their_table():
    ways = read_table(ROOT / "experiments" / "results" / "mixed" / "ways.csv").set_index(["model", "how", "metric"])
    words = {
        "logistic regression on flow": "logistic-regression",
        "flow branch, paper's recipe": "flow-branch",
        "flow branch, repaired recipe": "flow-branch-repaired",
        "whole network, paper's recipe": "lfd-tcmen",
        "motion branch, paper's recipe": "motion-branch",
        "motion branch, repaired recipe": "motion-branch-repaired",
        "whole network, repaired recipe": "lfd-tcmen-repaired",
    }
    rows = rows_of_page("| trained | on `wild` alone")
    assert {words[row[0]] for row in rows} == set(ways.index.get_level_values("model"))
    for name, *cells in rows:
        for how, cell in zip(("as it is", "alone", "added", "started"), cells, strict=True):
            if (words[name], how) not in ways.index.droplevel("metric"):
                assert cell == "-"
                continue
            for metric, text in zip(("UF1", "UAR"), cell.split(" / "), strict=True):
                found = ways.loc[[(words[name], how, metric)]].set_index("against")
                assert f"{found.loc['', 'value']:.3f}" == text.strip("*")
                difference = found.loc["alone"]
                assert text.startswith("**") == (difference["low"] > 0 or difference["high"] < 0)


def test_the_page_on_alignment_has_the_numbers_of_its_tables():
    def cells(row) -> str:
        return f"{row['median']:.2f} / {row['p95']:.2f}"

    folder = ROOT / "experiments" / "results" / "geometry"
    landmarks = read_table(folder / "landmarks.csv").set_index(["change", "source", "landmarks"])
    rows = rows_of_page("| changed picture", "alignment")
    columns = [(source, which) for source in ("photographs", "synthetic faces") for which in ("at first", "refined")]
    assert [row[0] for row in rows] == list(landmarks.index.unique("change"))
    for change, *shown_cells in rows:
        assert shown_cells == [cells(landmarks.loc[(change, *column)]) for column in columns]

    kinds = read_table(folder / "kinds.csv").astype(str)
    assert rows_of_page("| kind of crop", "alignment") == kinds.to_numpy().tolist()

    sizes = read_table(folder / "sizes.csv").set_index(["pixels", "motion", "of"])
    columns = [("head", "as filmed"), ("head", "left")]
    columns += [("expression", f"share, head {how}") for how in ("still", "aligned")]
    rows = rows_of_page("| pixels", "alignment")
    assert len(rows) == len(sizes.index.unique("pixels"))
    for pixels, *shown_cells in rows:
        assert shown_cells == [cells(sizes.loc[(float(pixels), *column)]) for column in columns]
