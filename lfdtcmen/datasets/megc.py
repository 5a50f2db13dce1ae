"""The composite of MEGC 2019: CASME II, SAMM and SMIC-HS as one set (See et al. 2019).

442 clips of 68 people in three classes, to be evaluated by leaving one person out, with UF1 and UAR:

======== ======== ===== ======== ======== ========
set      subjects clips negative positive surprise
======== ======== ===== ======== ======== ========
CASME II 24       145   88       32       25
SAMM     28       133   92       26       15
SMIC-HS  16       164   70       51       43
======== ======== ===== ======== ======== ========

Happiness is positive, surprise is surprise, and every other emotion is negative, CASME II's repression too. Left out
are the 'others', and of CASME II also fear, sadness and a few more clips: :data:`CASME2_CLIPS` lists those that remain.
"""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from lfdtcmen.datasets import casme2, samm, smic
from lfdtcmen.datasets.loaders.tables import same_name
from lfdtcmen.datasets.manifest import check_manifest
from lfdtcmen.errors import DataError

DATASETS = ("casme2", "samm", "smic")

#: The clips of CASME II in the composite, by subject, from the public list of the 442: no rule gives exactly these.
CASME2_CLIPS = {
    "sub01": "EP02_01f EP19_05f EP19_06f",
    "sub02": "EP01_11f EP02_04f EP03_02f EP06_01f EP06_02f EP09_01 EP11_01 EP13_04 EP14_01",
    "sub03": "EP01_2 EP07_04 EP09_03 EP18_06 EP19_08",
    "sub04": "EP12_02f EP13_06f",
    "sub05": "EP02_07 EP03_01 EP03_06 EP04_05 EP04_06 EP12_03f",
    "sub06": "EP01_01 EP02_31 EP15_02 EP16_05",
    "sub07": "EP01_01 EP06_02_01 EP06_02_02 EP08_02 EP15_01",
    "sub08": "EP13_01f",
    "sub09": "EP02_01f EP05_05 EP06_01f EP06_02f EP09_04 EP09_05 EP09f EP13_01 EP15_05 EP17_08",
    "sub11": "EP08_01f EP13_02f EP13_03f EP13_05f",
    "sub12": "EP01_02 EP02_05 EP03_04 EP04_16 EP06_06 EP08_01 EP08_03 EP08_07 EP09_02 EP09_06 EP16_02",
    "sub13": "EP03_01 EP09_10",
    "sub14": "EP09_03 EP09_04 EP09_06",
    "sub15": "EP03_02 EP04_02 EP08_02",
    "sub16": "EP01_05 EP01_08 EP04_02f",
    "sub17": (
        "EP01_06 EP01_13 EP01_15 EP02_01 EP02_03 EP02_11 EP02_18f EP03_02 EP03_09 EP05_02 EP05_03 "
        "EP05_03f EP05_04 EP05_09 EP05_10 EP06_04 EP06_07 EP06_08 EP07_01 EP08_02 EP10_06 EP11_01 "
        "EP11_02 EP12_03 EP13_03 EP13_04 EP13_06 EP13_09 EP15_04 EP16_01f EP18_07"
    ),
    "sub19": "EP01_01f EP01_02f EP02_01 EP06_01f EP08_02 EP11_04f EP13_01 EP16_01 EP16_02 EP19_02 EP19_03",
    "sub20": "EP01_03 EP06_03",
    "sub21": "EP05_02",
    "sub22": "EP01_12 EP13_08",
    "sub23": "EP02_01 EP03_14f EP04_03f EP05_24f EP05_25f EP12_02f EP12_03 EP13_04",
    "sub24": "EP01_08 EP02_02f EP18_03",
    "sub25": "EP09_02 EP10_01 EP10_10 EP12_01 EP18_04f",
    "sub26": "EP03_10 EP09_04 EP09_09 EP13_02 EP13_11 EP16_01 EP18_44 EP18_47 EP18_49 EP18_50 EP18_51",
}


def load(
    root: Mapping[str, Path | str],
    annotation: Mapping[str, Path | str],
    label_map: str = "3class",
    spot_apex: bool = False,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the composite's clips that can be used, and a report of the others.

    Parameters
    ----------
    root : mapping
        casme2, samm, smic -> folder, as their own loaders take it.
    annotation : mapping
        casme2, samm and, where there is a table for it, smic -> table, as their own loaders take it.
    label_map : {"3class"}
        The composite has no other.
    spot_apex : bool, default False
        Keep the clips of SAMM whose apex is wrong. They are among the 442: without it, a few are left out.

    Returns
    -------
    manifest : DataFrame
        Of all three; ``dataset`` says which, subjects are unique (``casme2/sub01``). After the columns of
        :mod:`lfdtcmen.datasets.manifest` come ``note`` (remarks) and ``annotated`` (the emotion before
        CASME II's repression became negative).
    report : DataFrame
        dataset, row, subject, clip, reason of each row that was left out; row counts in the table of its set.

    Raises
    ------
    DataError
        A set has no root, another label map, or what the set's own loader raises.

    Examples
    --------
    >>> manifest, report = megc.load(  # doctest: +SKIP
    ...     {"casme2": "data/casme2/Cropped", "samm": "data/samm/SAMM", "smic": "data/smic/SMIC_all_raw/HS"},
    ...     {"casme2": "data/casme2/CASME2-coding-20140508.xlsx", "samm": "data/samm/SAMM_Micro_FACS_Codes_v2.xlsx"},
    ... )
    """
    if label_map != "3class":
        raise DataError(f"the composite has no label map {label_map!r}", "megc", "use 3class")
    missing = [f"root[{name!r}]" for name in DATASETS if name not in root]
    missing += [f"annotation[{name!r}]" for name in ("casme2", "samm") if name not in annotation]
    if missing:
        raise DataError(f"the composite needs {', '.join(missing)}", "megc", f"give {', '.join(DATASETS)}")
    parts = {
        "casme2": _load_casme2(root["casme2"], annotation["casme2"], spot_apex),
        "samm": samm.load(root["samm"], annotation["samm"], label_map, spot_apex),
        "smic": smic.load(root["smic"], annotation.get("smic"), label_map, spot_apex),
    }
    manifest = pd.concat([part for part, _ in parts.values()], ignore_index=True)
    manifest["annotated"] = manifest["annotated"].fillna(manifest["emotion"])
    report = pd.concat([left_out.assign(dataset=name) for name, (_, left_out) in parts.items()], ignore_index=True)
    manifest = check_manifest(manifest)
    for name in ("remarks", "read"):
        manifest.attrs[name] = [text for part, _ in parts.values() for text in part.attrs[name]]
    return manifest, report[["dataset", "row", "subject", "clip", "reason"]]


def _load_casme2(root: Path | str, annotation: Path | str, spot_apex: bool) -> tuple[pd.DataFrame, pd.DataFrame]:
    table = casme2.read_annotation(annotation)
    members = {same_name(f"{subject}_{clip}") for subject, clips in CASME2_CLIPS.items() for clip in clips.split()}
    inside = table["clip"].map(same_name).isin(members)
    manifest, report = casme2.find_clips(table[inside], root, "3class", spot_apex)
    outside = table[~inside]
    others = pd.DataFrame(
        {
            "row": outside.index,
            "subject": "casme2/" + outside["subject"],
            "clip": outside["clip"],
            "reason": [f"not in the composite (annotated as {emotion or 'nothing'})" for emotion in outside["emotion"]],
        }
    )
    return manifest, pd.concat([report, others]).sort_values("row", ignore_index=True)
