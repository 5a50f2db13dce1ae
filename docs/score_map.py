"""Which score is which: UF1 of the same models in each long run, for the page of claims."""

from dataclasses import dataclass

import claim_numbers as read
import claims

from lfdtcmen.evaluation.results import score_table

MODELS = {  # column of the page -> what the runs call the model, in the order in which to look for it
    "flow branch": ("flow-branch", "flow", "cross_entropy"),
    "full network": ("lfd-tcmen", "both"),
    "logistic regression": ("logistic-regression",),
    "linear SVM": ("linear-svm",),
}


@dataclass(frozen=True)
class Setting:
    """Rows of one run's predictions, and how their models were trained and tested."""

    run: str
    words: str
    rows: str = ""  # a query
    suffix: str = ""  # of the networks' names

    @property
    def table(self) -> str:
        return f"{self.run}/predictions.csv"


SETTINGS = (
    Setting("compared", "`standard`, 5 folds"),
    *(
        Setting("branches", f"{words}, repaired recipe", f"preset == '{preset}'")
        for preset, words in {
            "easy": "`easy`, 5 folds",
            "standard": "`standard`, 5 folds",
            "hard": "`hard`, 5 folds",
            "quarter": "`standard`, 5 folds, trained on a quarter of the people",
            "foreign": "trained on `standard`, tested on people of another camera",
        }.items()
    ),
    Setting("loso", "`standard`, one person left out at a time, short training"),
    Setting("imbalance", "`standard`, 5 folds, 8 epochs", "label_map == '3class'"),
    Setting("dfme", "seven classes, test A", "part == 'test_a'"),
    Setting("dfme", "seven classes, test B", "part == 'test_b'"),
    Setting("transfer", "trained on `wild`, tested in the other world", "how == 'as it is' and part == 'other_world'"),
    Setting(
        "transfer",
        "trained on `wild`, tested in the other world, repaired recipe",
        "how == 'as it is' and part == 'other_world'",
        "-repaired",
    ),
    Setting("mixed", "the other world, 5 folds", "how == 'alone' and part == 'other_world'"),
)


def rows() -> list[dict]:
    """Return the rows of the page: words, run, its date and seeds, earlier, and UF1 of the models, with intervals."""
    return [
        {"words": setting.words, "run": setting.run, "facts": claims.facts(setting.table)[:2]}
        | {"earlier": claims.has_earlier_faces(setting.table)}
        | {"scores": [claims.as_text(found[name], ".3f").replace("**", "") if name in found else "" for name in MODELS]}
        for setting in SETTINGS
        if (found := scores_of(setting))
    ]


def scores_of(setting: Setting) -> dict[str, read.Number]:
    """Return the UF1 of the models of MODELS that a run has in these rows."""
    table = read.shipped(lambda: read.table(setting.table))
    table = table.query(setting.rows) if setting.rows else table
    known = dict(tuple(table.groupby("option" if "option" in table else "model")))
    found = {}
    for column, names in MODELS.items():
        spelled = [name + setting.suffix for name in names] + list(names)
        if name := next((name for name in spelled if name in known), None):
            rows = score_table({name: known[name].dropna(axis=1, how="all")})
            found[column] = read.row_of(rows, name, "UF1", "")
    return found
