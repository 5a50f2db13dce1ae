"""What the notebooks claim from long runs: each claim with its number, its run, and the cell in which a reader sees it.

`make site` fills docs/claims.md from CLAIMS. No result is typed here: every number is read from the shipped tables in
experiments/results, in the way in which the cell reads it, and tests/test_claims.py compares it with what the cell
shows. What a run is (its date, its faces, which notebooks read it) stands in experiments/README.md alone.

The numbers themselves are read by claim_numbers.py. To add a claim, add one to CLAIMS.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import claim_numbers as read
import numpy as np
from claim_numbers import Number

from lfdtcmen.evaluation.intervals import difference_in_words
from lfdtcmen.results import EARLIER_FACES, find

ROOT = Path(__file__).resolve().parents[1]
INTERVAL, VALUE, FIGURE = "number and interval", "number", "figure"  # what the cell shows of a claim's numbers
MEASURES = "disentanglement/measures.csv"


@dataclass(frozen=True)
class Claim:
    """One sentence of the page; a sentence with a difference is followed by what its interval allows to say of it."""

    notebook: str  # its number
    cell: str  # id of the cell that shows the numbers: its output, or its text where it is Markdown
    table: str  # run/file in experiments/results
    sentence: str  # one {} for each number
    numbers: Callable[[], list[Number]]
    form: str = ".3f"  # of numbers, with as many decimals as the cell shows; with +: a difference
    shows: str = INTERVAL

    @property
    def run(self) -> str:
        return self.table.partition("/")[0]


# fmt: off
CLAIMS = (
    Claim("02", "0a584484", "strong_motion/gain.csv",
          "Trained on noise-free motions of strength 8 (the farthest point moves 12 pixels), the paper's DRL ends with "
          "a motion gain of {} on new combinations of face and motion; of strength 2, {}.",
          lambda: [read.last_gain(8), read.last_gain(2)], ".2f", VALUE),
    Claim("02", "5d20c7a1", "long_stage1/measures.csv",
          "After 34 epochs of the paper's stage 1, the generated apex is {} times as far from the true one as a copy "
          "of the onset is, and the motion gain across identities is {}.",
          lambda: [read.after_epochs(34, metric) for metric in ("error relative to copying, absolute",
                                                                "motion gain, across identities")], shows=VALUE),

    Claim("04", "ft-long", "compared/predictions.csv",
          "After two epochs of stage 3, minus after stage 2: UF1 {}; UAR {}.",
          lambda: [read.difference("compared", "lfd-tcmen", "lfd-tcmen-stages12", m) for m in ("UF1", "UAR")],
          "+.3f"),

    Claim("05", "9aa1a2ba", "loso/predictions.csv",
          "The UF1 of one leave-one-subject-out run is {} if all folds are pooled, and {} as a mean over folds in "
          "which an absent class counts 0.",
          lambda: [read.pooled_uf1("loso", "flow-branch"), read.uf1_over_folds("loso", "flow-branch")], shows=VALUE),
    Claim("05", "fe2ba1a7", "compared/predictions.csv",
          "UF1 of the full network minus that of a logistic regression on flow: {}.",
          lambda: [read.difference("compared", "lfd-tcmen", "logistic-regression")], "+.3f"),
    Claim("05", "fe2ba1a7", "compared/predictions.csv",
          "UF1 of the full network minus that of its flow branch alone: {}.",
          lambda: [read.difference("compared", "lfd-tcmen", "flow-branch")], "+.3f"),
    Claim("05", "3ae7bd1f", "compared/predictions.csv",
          "The motion branch alone has a UF1 of {}; always predicting the most frequent class has {}.",
          lambda: [read.score("compared", m) for m in ("motion-branch-stages12", "majority")], shows=FIGURE),
    Claim("05", "f003242b", "compared/predictions.csv",
          "The full network finds {} of the *positive* clips and {} of the *negative* ones.",
          lambda: [read.recall("compared", "lfd-tcmen", c) for c in ("positive", "negative")], ".2f", FIGURE),
    Claim("05", "44aeb7f8", "dfme/predictions.csv",
          "Of seven emotions, on test set A, the flow branch finds {} of *surprise* and {} of *anger*.",
          lambda: [read.recall("dfme", "flow-branch", c, "test_a") for c in ("surprise", "anger")], ".2f", FIGURE),

    Claim("07", "measure-76", MEASURES,
          "The motion gain across identities is {} after the paper's recipe and {} after the repaired one.",
          lambda: [read.measure(r, "motion gain, across identities") for r in ("paper", "repaired")], ".2f", VALUE),
    Claim("07", "measure-76", MEASURES,
          "From all positions of the motion code, a probe names {} of the people after the paper's recipe, and {} "
          "after the repaired one.",
          lambda: [read.measure(r, "subject from mo(apex), all positions") for r in ("paper", "repaired")],
          ".2f", VALUE),

    Claim("08", "repair-26", "stage1_choices/measures.csv",
          "With skips of the motion encoder in the place of the identity encoder's, stage 1 of the paper's recipe has "
          "a motion gain of {} on the own face and of {} across identities, where the change error is {} of a copy's.",
          lambda: [read.with_motion_skips(metric)
                   for metric in ("motion gain, same identity", "motion gain, across identities",
                                  "change error relative to copying, across identities")], ".3f", VALUE),
    Claim("08", "repair-61b", "two_by_two/measures.csv",
          "Pretrained alike on micro-expressions, a generator that warps has a motion gain across identities of {} "
          "with own pairs and of {} with swaps, the paper's of {} and {} (one seed).",
          lambda: [read.one("two_by_two/measures.csv", read.pretrained(generator, supervision, 2000))
                   for generator in ("warp", "image") for supervision in ("own pairs", "swaps")], ".2f"),
    Claim("08", "repair-64", "without_parts/measures.csv",
          "Trained on own pairs for four epochs, the repaired recipe without pretraining has a motion gain across "
          "identities of {}; with the paper's generator in the place of the one that warps, {}.",
          lambda: [read.measure(recipe, "motion gain, across identities", "without_parts")
                   for recipe in ("repaired, no pretraining", "without warp")], ".2f", VALUE),
    Claim("08", "repair-64", "without_parts/measures.csv",
          "With the paper's losses, a generator that warps has a motion gain across identities of {}; without the "
          "cycle loss, {}.",
          lambda: [read.measure(f"paper with warp{which}", "motion gain, across identities", "without_parts")
                   for which in ("", ", without cycle")], ".2f", VALUE),
    Claim("08", "repair-66", MEASURES,
          "Pretrained on swaps, the repaired recipe has a motion gain across identities of {}.",
          lambda: [read.measure("repaired", "motion gain, across identities")], ".2f", VALUE),
    Claim("08", "repair-66", "two_by_two/measures.csv",
          "Pretrained for 144 steps in the place of 2,000, three networks that warp have a mean motion gain across "
          "identities of {} with own pairs and of {} with swaps.",
          lambda: [read.mean("two_by_two/measures.csv", read.pretrained("warp", supervision, 144))
                   for supervision in ("own pairs", "swaps")], ".2f", VALUE),
    Claim("08", "repair-66", MEASURES,
          "Trained on own pairs for 55 epochs (1,980 steps) without pretraining, one network of the repaired recipe "
          "has a motion gain across identities of {}.",
          lambda: [read.measure("repaired, no pretraining, 55 epochs", "motion gain, across identities")],
          ".2f", VALUE),
    Claim("08", "repair-final", "final_test/criteria.csv",
          "There, the paper's recipe has a motion gain of {} to {} in its two trainings; of the change that its "
          "generator makes, {} to {} depends on the driver, of the repaired recipe's {} to {}, more than was allowed.",
          lambda: [read.one("final_test/criteria.csv", f"criterion.str.startswith('{name}') and recipe == '{recipe}'",
                            end)
                   for name, recipe in (("gain", "paper"), ("share of the driver", "paper"),
                                        ("share of the driver", "repaired"))
                   for end in ("least", "greatest")], ".3f", VALUE),
    Claim("08", "repair-final-units", "final_test/criteria.csv",
          "On people and motions that no development run has used, the repaired recipe's motion gain is {} in the "
          "weakest of five trainings and {} in the strongest, less than was asked for.",
          lambda: [read.one("final_test/criteria.csv", "criterion == 'gain 0.7 or more' and recipe == 'repaired'", end)
                   for end in ("least", "greatest")], ".2f", VALUE),
    Claim("08", "repair-final-scores", "final_test/scores.csv",
          "On these people, UF1 of both branches of the repaired recipe minus that of its flow branch: {}; minus that "
          "of a logistic regression on flow: {}.",
          lambda: [read.one("final_test/scores.csv",
                            f"model == 'repaired' and metric == 'UF1' and against == '{other}'")
                   for other in ("repaired, flow branch", "logistic-regression")], "+.3f"),

    Claim("09", "abl-42", "ablations/predictions.csv",
          "UF1 of the flow branch alone minus that of the full network: {} with the paper's recipe, {} with the "
          "repaired one.",
          lambda: [read.beside_full("flow-branch", recipe) for recipe in ("paper", "repaired")], "+.3f"),
    Claim("09", "abl-62", "ablations/predictions.csv",
          "Table 6, UF1 with the motion branch minus that of the encoder's features, with the repaired recipe: {}.",
          lambda: [read.ablation_step("table6", "II", "repaired")], "+.3f"),
    Claim("09", "abl-50", "ablations/predictions.csv",
          "Table 5, UF1 of three streams of the flow branch minus that of one, with the paper's recipe: {}.",
          lambda: [read.ablation_step("table5", "triple")], "+.3f", FIGURE),
    Claim("09", "abl-62", "ablations/predictions.csv",
          "Table 6, UF1 with the flow branch minus that without, with the paper's recipe: {}.",
          lambda: [read.ablation_step("table6", "III")], "+.3f"),
    Claim("09", "abl-62", "ablations/predictions.csv",
          "Of {} differences between neighbouring settings of Tables 4 to 7, in both scores, {} are still found after "
          "Holm's correction.",
          read.ablation_tests, ".0f", VALUE),
    Claim("09", "abl-74", "disentanglement/measures.csv",
          "Of a motion, the motion code carries a gain of {} to another face with the paper's recipe, and of {} with "
          "the repaired one.",
          lambda: [read.measure(recipe, "motion gain, across identities") for recipe in ("paper", "repaired")],
          ".3f", VALUE),

    Claim("10", "look-70", "inside/attribution.csv",
          "HiResCAM of the flow branch lays {} and {} of its weight on moving skin (one seed each), a uniform map {}.",
          lambda: [*(read.on_motion("value", seed) for seed in range(2)), read.on_motion("uniform map", 0)], ".2f"),

    Claim("11", "honest-37", "inflation/loso.csv",
          "Choosing each person's best of 200 epochs on the test clips reports a UF1 of {}; the same models have {} on "
          "fresh people.",
          lambda: [read.selected("best", column) for column in ("reported", "fresh")], shows=VALUE),
    Claim("11", "honest-37", "inflation/loso.csv",
          "The reported UF1 minus that on fresh people is {} for the best epochs, and {} for the last one.",
          lambda: [read.selected(choice, "optimism") for choice in ("best", "last")], "+.3f"),
    Claim("11", "honest-54", "inflation/apart.csv",
          "In five folds of people, the best epoch on the test fold adds {} to UF1; all four practices together add "
          "{}.",
          lambda: [read.inflated(name) for name in ("best epoch on the test fold", "all four together")],
          "+.3f", VALUE),
    Claim("11", "honest-47", "inflation/real_habits.csv",
          "Real people of three public data sets have label habits of {} (0: none, 1: everybody shows one class).",
          lambda: [read.one("inflation/real_habits.csv", "data == 'together'", "habit")], ".2f", VALUE),
    Claim("11", "honest-51", "inflation/habits.csv",
          "Where everybody shows one class, splitting clips at random adds {} to UF1 from apex frames; where the "
          "habits are about as strong as real ones, {}.",
          lambda: [read.one("inflation/habits.csv", f"input == 'apex frame' and strength == {s}", "added")
                   for s in (1, 0.5)], "+.2f"),
    Claim("11", "honest-owed-1", "entangled/scores.csv",
          "Where each person shows one class alone, and looks go with emotions, a linear model of the apex owes {} of "
          "its UF1 to knowing the people, one of flow {}.",
          lambda: [read.owed(model) for model in ("apex-svm", "logistic-regression")], "+.2f"),
    Claim("11", "honest-owed-1", "entangled/scores.csv",
          "There, the motion branch of the paper's recipe owes {} of its UF1 to knowing the people, that of the "
          "repaired recipe {}.",
          lambda: [read.owed(f"motion branch, {recipe}") for recipe in ("paper", "repaired")], "+.2f"),
    Claim("11", "honest-owed-1", "entangled/predictions.csv.gz",
          "From independent looks and emotions to one class a person, what the paper's motion branch owes to knowing "
          "the people grows by UF1 {}; its score on new people changes by {}, the repaired one's by {}.",
          lambda: [read.entanglement_slope("motion branch, paper", "owed"),
                   *(read.entanglement_slope(f"motion branch, {recipe}", "new") for recipe in ("paper", "repaired"))],
          "+.2f"),
    Claim("11", "honest-69", "coverage/coverage.csv",
          "With 10 people, {} of the 95 % intervals of a difference in UF1 contain the true one; with 100, {}.",
          lambda: [read.one("coverage/coverage.csv",
                            f"subjects == {people} and metric == 'uf1' and of == 'difference'", "coverage")
                   for people in (10, 100)]),

    Claim("12", "nb12c045", "compared/predictions.csv",
          "UF1 of Dual-Inception minus that of a logistic regression on flow: {}.",
          lambda: [read.difference("compared", "dual-inception", "logistic-regression")], "+.3f", FIGURE),
    Claim("12", "nb12c045", "compared/predictions.csv",
          "UF1 of DiSTLBP-RIP minus that of a logistic regression on flow: {}.",
          lambda: [read.difference("compared", "distlbp-rip", "logistic-regression")], "+.3f", FIGURE),
    Claim("12", "nb12c045", "compared/predictions.csv",
          "UF1 of the full network minus that of a logistic regression on flow: {} in the paper's recipe, {} in the "
          "repaired one.",
          lambda: [read.difference("compared", m, "logistic-regression") for m in ("lfd-tcmen", "lfd-tcmen-repaired")],
          "+.3f", FIGURE),
    Claim("12", "nb12c063", "compared/predictions.csv",
          "UF1 of STSTNet with DRL's motion code minus that of STSTNet alone: {} in the paper's recipe, {} in the "
          "repaired one.",
          lambda: [read.difference("compared", m, "ststnet") for m in ("ststnet+drl", "ststnet+drl-repaired")],
          "+.3f"),
    Claim("12", "nb12c053", "dfme/predictions.csv",
          "With seven emotions, on test set A, UF1 of the flow branch is {}, that of a logistic regression on flow {}.",
          lambda: [read.score("dfme", model, part="test_a") for model in ("flow-branch", "logistic-regression")]),
    Claim("12", "nb12c065", "transfer/scores.csv",
          "Trained on the preset `wild` and scored in another synthetic world without training, the full network has a "
          "UF1 of {} in the repaired recipe and of {} in the paper's; a logistic regression on flow has {}.",
          lambda: [read.carried("transfer", m) for m in ("lfd-tcmen-repaired", "lfd-tcmen", "logistic-regression")]),
    Claim("12", "nb12c081", "transfer/scores.csv",
          "UF1 there of the repaired recipe's full network minus that of the logistic regression, one of many such "
          "differences, and not corrected for their number: {}.",
          lambda: [read.carried("transfer", "lfd-tcmen-repaired", "logistic-regression")], "+.3f", FIGURE),
    Claim("12", "nb12c065", "carried/scores.csv",
          "Of the compared methods measured there, OFF-ApexNet has a UF1 of {}, LBP-TOP of {}.",
          lambda: [read.carried("carried", model) for model in ("off-apexnet", "lbp-top")]),

    Claim("13", "nb13c059d", MEASURES,
          "On the own face, the motion gain is {} after the paper's recipe and {} after the repaired one.",
          lambda: [read.measure(r, "motion gain, same identity") for r in ("paper", "repaired")], ".2f", VALUE),

    Claim("14", "apex-49", "apex/errors.csv",
          "In a known interval, on `standard`, the pulse is {} frames from the true apex in the mean, the largest "
          "flow {}.",
          lambda: [read.apex_error("standard", method) for method in ("pulse", "flow")], ".2f", VALUE),
    Claim("14", "apex-51", "apex/errors.csv",
          "Mean error of a constant (the best of other clips) minus that of the pulse, in frames: {} on `standard`, "
          "{} on `hard`.",
          lambda: [read.apex_gain(setting, "best share") for setting in ("standard", "hard")], "+.2f", FIGURE),
    Claim("14", "apex-67", "apex/errors.csv",
          "Where nothing is known and half of the clips are empty, F1 of the pulse's intervals is {}, that of always "
          "reporting the middle {}.",
          lambda: [read.spotted(method, "F1") for method in ("pulse", "midpoint")], ".2f"),
    Claim("14", "apex-67", "apex/errors.csv",
          "The pulse reports an expression in {} of the empty clips.",
          lambda: [read.spotted("pulse", "false alarms")], ".2f", VALUE),
    Claim("14", "apex-75", "apex/emotions.csv",
          "A linear SVM on the flow to the annotated apex has a UF1 of {}; to the apex that the pulse finds, {}.",
          lambda: [read.one("apex/emotions.csv", f"apex == '{apex}'", "UF1") for apex in ("annotated", "pulse")],
          ".2f"),

    Claim("15", "own-23", "alignment/clips.csv",
          "What alignment by similarity leaves of head motion at the landmarks is at most {} pixels in 95 % of the "
          "cases; a shift by the nose tip leaves {}.",
          lambda: [read.one("alignment/clips.csv", f"preset == 'standard' and method == '{way}'", "landmarks, p95")
                   for way in ("similarity", "nose")], ".2f", VALUE),

    Claim("16", "7f0dcf24", "imbalance/predictions.csv",
          "UAR with logit adjustment minus that without: {}.",
          lambda: [read.remedy("logit adjustment", "UAR")], "+.3f"),
    Claim("16", "7f0dcf24", "imbalance/predictions.csv",
          "UF1 with logit adjustment minus that without: {}.",
          lambda: [read.remedy("logit adjustment", "UF1")], "+.3f"),
    Claim("16", "8736c2b3", "imbalance/predictions.csv",
          "Plainly trained, the flow branch finds {} of the *positive* clips; with logit adjustment, {}.",
          lambda: [read.recall_of(read.imbalance("3class")[loss], "positive")
                   for loss in ("plain cross-entropy", "logit adjustment")], ".2f", VALUE),
    Claim("16", "b76bd66d", "imbalance/predictions.csv",
          "At equal false alarms, recall over all classes minus the plain network's: {} with logit adjustment, {} with "
          "the true muscle actions.",
          lambda: [read.at_equal_alarms(m) for m in ("logit adjustment", "linear model of muscle actions")], "+.3f"),
    Claim("16", "6de69f57", "imbalance/predictions.csv",
          "Of *contempt*, the rarest of seven classes, plain training finds {}, logit adjustment {}, the true muscle "
          "actions {}.",
          lambda: [read.recall_of(table, "contempt") for table in read.imbalance("7class").values()], ".2f", VALUE),
)
# fmt: on


def rounded(x: float, form: str) -> str:
    """Return a number as text, rounded as pandas rounds it (0.325 is 0.32, 0.335 is 0.34), without -0.00."""
    decimals = int(form.strip("+.f%")) + (2 if form.endswith("%") else 0)
    return f"{np.round(x, decimals):{form.replace('.', 'z.')}}".replace("%", " %")


def as_text(number: Number, form: str) -> str:
    """Return a number in bold with its interval, as Markdown; of a difference, also what the interval allows to say."""
    value, low, high = (rounded(x, form) for x in number)
    if np.isnan(number.low):
        return f"**{value}**"
    verdict = f"; {difference_in_words(number.low, number.high)}" if form.startswith("+") else ""
    return f"**{value}** ({low} to {high}{verdict})"


def sections() -> dict[str, list[dict]]:
    """Return number of a notebook -> its claims for the page: sentence, run, facts, earlier, link and heading."""
    found: dict[str, list[dict]] = {}
    for claim in CLAIMS:
        name = next((ROOT / "notebooks").glob(f"{claim.notebook}_*.ipynb")).stem
        numbers = read.shipped(claim.numbers)
        row = {"sentence": claim.sentence.format(*(as_text(number, claim.form) for number in numbers))}
        row |= {"run": claim.run, "facts": facts(claim.table), "earlier": has_earlier_faces(claim.table)}
        row |= {"link": f"{name}.html#{anchors(claim.notebook)[claim.cell]}", "heading": heading(name, claim.cell)}
        found.setdefault(claim.notebook, []).append(row)
    return found


def anchors(number: str) -> dict[str, str]:
    """Return the id of each cell of a notebook that a claim leads to -> its anchor on the notebook's page."""
    return {claim.cell: f"cell-{claim.cell}" for claim in CLAIMS if claim.notebook == number}


@cache
def cells_of(name: str) -> list[dict]:
    return json.loads((ROOT / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]


def heading(name: str, cell: str) -> str:
    """Return the section of a notebook that a cell is in."""
    cells = cells_of(name)
    place = next(k for k, other in enumerate(cells) if other["id"] == cell)
    texts = ["".join(other["source"]) for other in cells[:place] if other["cell_type"] == "markdown"]
    own = "".join(cells[place]["source"])
    texts += [own.split("\n")[0]] if cells[place]["cell_type"] == "markdown" else []  # it may begin a section
    return re.findall(r"^##? (.+)$", "\n\n".join(texts), flags=re.MULTILINE)[-1]


# ---------------------------------------------------------------- what experiments/README.md says of a run


@cache
def readme() -> str:
    return (ROOT / "experiments" / "README.md").read_text(encoding="utf-8")


def run_row(run: str) -> list[str]:
    """Return command, tables, notebooks, date and minutes of a run."""
    (row,) = re.findall(rf"^\| `{run}` \|(.*)\|$", readme(), flags=re.MULTILINE)
    return [cell.strip() for cell in row.split(" | ")]


def has_earlier_faces(table: str) -> bool:
    """Return whether a table (run/file) was made with the faces that the package had before."""
    return table.partition("/")[0] in EARLIER_FACES


def made_on(table: str) -> str:
    """Return the date of a table (run/file): its own where it has one, else its run's."""
    run, _, file = table.partition("/")
    made = run_row(run)[3]
    return re.search(rf"`{re.escape(file)}`: (\S+),", f"{made}; `{file}`: {made}")[1]


def facts(table: str) -> list[str]:
    """Return the date of a table, and how many seeds and people it has, where it or its run says so."""
    run = table.partition("/")[0]
    rows, about = read.shipped(lambda: (read.table(table), record(run)))
    found = [made_on(table)]
    people = about.get("config", about).get("subjects") or about.get("people")
    if "seed" in rows or "runs" in rows:
        count = rows["seed"].nunique() if "seed" in rows else rows["runs"].max()
        found.append(f"{count} seeds" if count > 1 else "1 seed")
    if "subject" in rows:
        people = rows["subject"].nunique()
    elif "people" in rows:  # each row has a number of its own
        people = None
    elif stated := re.search(r"--subjects (\d+)", about.get("command", "")):
        people = stated[1]
    return [*found, f"{people} people"] if people else found


def record(run: str) -> dict:
    """Return what a run says about itself; nothing of runs before there was such a file."""
    for name in ("about.json", "metrics.json"):
        if (ROOT / "experiments" / "results" / run / name).exists():
            return json.loads(find(run, name).path(name).read_text(encoding="utf-8"))
    return {}
