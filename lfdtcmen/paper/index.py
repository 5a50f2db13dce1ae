"""Where each section, equation, figure and table of the paper is in the notebooks.

The rows are in ``index.csv`` beside this file. An item may have several rows; one that no notebook treats has a row
without a notebook. A test looks for each heading in its notebook.
"""

from pathlib import Path

import pandas as pd

TABLE = Path(__file__).with_name("index.csv")


def rows(kind: str = "") -> pd.DataFrame:
    """Return the index of the paper.

    Parameters
    ----------
    kind : {"section", "equation", "figure", "table"}, optional
        All of them by default.

    Returns
    -------
    DataFrame
        Columns kind, number, title (in our words), notebook (file without ending, empty where there is none), heading
        (the Markdown heading's text).
    """
    table = pd.read_csv(TABLE, dtype=str, keep_default_na=False)
    return table[table["kind"].str.startswith(kind)].reset_index(drop=True)


def markdown(kind: str = "") -> str:
    """Return the index as a Markdown table whose cells link to the notebooks, which lie in one folder.

    Parameters
    ----------
    kind : {"section", "equation", "figure", "table"}, optional
        All of them by default.
    """
    lines = ["| in the paper | about | notebook | heading |", "|---|---|---|---|"]
    for row in rows(kind).itertuples():
        link = f"[{row.notebook}]({row.notebook}.ipynb)" if row.notebook else "not treated"
        lines.append(f"| {row.kind.capitalize()} {row.number} | {row.title} | {link} | {row.heading} |")
    return "\n".join(lines)
