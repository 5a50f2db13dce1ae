"""What the experiments have in common: options, data, tables that grow job by job, and a record of the run."""

import argparse
import json
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from lfdtcmen import __version__
from lfdtcmen.config import Config
from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.datasets.preparation import prepare_pairs
from lfdtcmen.datasets.splits import Fold
from lfdtcmen.datasets.synthetic import make_dataset
from lfdtcmen.errors import DataError
from lfdtcmen.files import atomic_path, parse_folder, runs_dir
from lfdtcmen.training import LFDTCMENClassifier, stage_checkpoint

BRANCHES = ("motion", "flow")  # in the order of a network's branch_logits


@dataclass(frozen=True)
class Branch:
    """One branch of a network with late fusion: a model for `cross_validate`.

    With late fusion each branch has its own classifier and its own loss, so it need not be trained again without the
    other one: the network's checkpoint in its run's folder serves both branches and the network itself.
    """

    network: LFDTCMENClassifier
    name: str

    @property
    def settings(self) -> Mapping:
        return {"branch": self.name} | self.network.settings

    def prepare(self, pairs: PairSet, folds: Iterable[Fold], seeds: Iterable[int], jobs: int) -> None:
        self.network.prepare(pairs, folds, seeds, jobs)

    def __call__(self, train: PairSet, test: PairSet, seed: int) -> np.ndarray:
        config = replace(self.network.config, seed=seed)
        model, _ = stage_checkpoint(
            self.network.stages, config, train, self.network.run_dir, progress=False, method=self.network.method
        )
        chunks = np.array_split(np.arange(len(test)), -(-len(test) // 64))
        device = next(model.parameters()).device
        with torch.no_grad():
            outputs = [model(test.batch(chunk).to(device), identity=False).branch_logits for chunk in chunks]
        return torch.cat([logits[BRANCHES.index(self.name)] for logits in outputs]).softmax(1).cpu().numpy()


def make_parser(doc: str, name: str) -> argparse.ArgumentParser:
    """Return a parser whose help is the script's docstring, with the options that every experiment has."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=1, help="processes; -1 for all cores")
    parser.add_argument(
        "--out", type=parse_folder, default=runs_dir() / name, help="folder of the tables and of what they need"
    )
    return parser


def prepared_faces(config: Config, jobs: int = -1) -> PairSet:
    """Return the synthetic faces of a config with their flow. Their seed is 0, whichever seed the training has."""
    faces = make_dataset(config.preset, config.label_map, config.subjects, n_jobs=jobs)
    return prepare_pairs(faces, n_jobs=jobs)


def other_people(config: Config, jobs: int = -1, domain: str = "casme3") -> PairSet:
    """Return as many other people with their flow; as their numbers are the same, they are named ``other/...``."""
    faces = make_dataset(config.preset, config.label_map, config.subjects, seed=1, n_jobs=jobs, domain=domain)
    pairs, prefix = prepare_pairs(faces, n_jobs=jobs), "foreign/" if domain == "dfme" else "other/"
    return replace(pairs, manifest=pairs.manifest.assign(subject=prefix + pairs.manifest["subject"]))


def foreign_people(config: Config, jobs: int = -1) -> PairSet:
    """Return other people in front of another camera (DFME's), with subjects named ``foreign/...``."""
    return other_people(replace(config, preset="standard"), jobs, domain="dfme")


def finished_jobs(table: Path, keys: Sequence[str]) -> set[tuple]:
    """Return the values of the key columns of each row of a table, as tuples; none where there is no table yet.

    Raises
    ------
    DataError
        The table has no such columns: an earlier version made it.
    """
    if not table.exists():
        return set()
    rows = pd.read_csv(table)
    if not set(keys) <= set(rows):
        raise DataError("the table has other columns: an earlier version made it", str(table), "give another --out")
    return set(rows[list(keys)].itertuples(index=False, name=None))


def check_same_settings(jobs: Iterable[tuple], done: set[tuple], keys: int, table: Path) -> None:
    """Refuse a job that is done with other settings: its old rows would count as those of this run.

    Parameters
    ----------
    jobs : iterable of tuple
        What is to run: what names a job, then its settings.
    done : set of tuple
        What has run, likewise.
    keys : int
        How many values name a job.
    table : path
        Where the rows are.

    Raises
    ------
    DataError
        A job of the same name has run with other settings.
    """
    settings = {job[:keys]: job[keys:] for job in done}
    for job in jobs:
        if (found := settings.get(job[:keys], job[keys:])) != job[keys:]:
            name, old, new = (", ".join(map(str, part)) for part in (job[:keys], found, job[keys:]))
            raise DataError(f"{name} was run with {old}, not {new}", str(table), "give another --out")


def append_rows(table: Path, rows: pd.DataFrame) -> None:
    """Add rows at the end of a CSV file, with the header where the file is new.

    Rows that stand there already are not added: a job that was killed before it was recorded as done comes again.
    """
    earlier = table.read_text(encoding="utf-8") if table.exists() else ""
    lines = rows.to_csv(header=not earlier, index=False, float_format="%.4f").splitlines(keepends=True)
    known = set(earlier.splitlines(keepends=True))
    with atomic_path(table) as temporary:  # whole rows only, where a kill or a full disk comes in between
        temporary.write_text(earlier + "".join(line for line in lines if line not in known), "utf-8")


def write_about(folder: Path, start: float, **facts: object) -> None:
    """Write about.json: the command, the date, the version, the minutes since ``start`` (`time.perf_counter`)."""
    about = {
        "command": " ".join(["python", *sys.argv]),
        "date": f"{date.today()}",
        "version": __version__,
        "minutes": round((time.perf_counter() - start) / 60, 1),
        **facts,
    }
    with atomic_path(folder / "about.json") as temporary:
        temporary.write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
