"""The seeds of the final test: refused everywhere but where the test itself asks for them."""

import pickle
import re
from pathlib import Path

import numpy as np
import pytest

from lfdtcmen import load_config
from lfdtcmen.datasets.synthetic import (
    draw_face,
    final_test,
    make_clip,
    make_counterfactuals,
    make_dataset,
    make_dfme,
    make_entangled,
    make_other_world,
    make_unit_counterfactuals,
    render_pair,
)
from lfdtcmen.datasets.synthetic.recordings import everyday_film
from lfdtcmen.errors import DataError
from lfdtcmen.experiments import load_pairs

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    "render",
    [
        lambda seed: make_dataset(seed=seed, subjects=2),
        lambda seed: make_dataset("wild", seed=np.int64(seed), subjects=2),
        lambda seed: make_dfme(seed, (2, 2, 2)),
        lambda seed: make_entangled(0.5, 2, seed=seed),
        lambda seed: make_other_world(2, seed=seed),
        lambda seed: make_counterfactuals(seed=seed, identities=1, motions=1),
        lambda seed: make_unit_counterfactuals(seed=seed, identities=1),
        lambda seed: render_pair(seed, 0, 0),
        lambda seed: make_clip(seed),
        lambda seed: draw_face(seed=seed),
        lambda seed: everyday_film(seed),
        lambda seed: load_pairs(load_config("smoke", seed=seed), n_jobs=1),
    ],
)
@pytest.mark.parametrize("seed", [int(seed) for seed in final_test.SEEDS])
def test_a_plain_number_is_refused_with_the_reason(render, seed, tmp_path, monkeypatch):
    monkeypatch.setenv("LFDTCMEN_CACHE", str(tmp_path))
    with pytest.raises(DataError, match=f"seed {seed} is locked: its people and motions are kept for the final test"):
        render(seed)
    assert not [*tmp_path.rglob("*.npz")]


@pytest.fixture
def key(monkeypatch, tmp_path):
    """Another seed, locked for these tests: they need not show the people of the final test."""
    monkeypatch.setenv("LFDTCMEN_CACHE", str(tmp_path))
    monkeypatch.setattr(final_test, "SEEDS", (final_test.FinalTestSeed(5),))
    return final_test.SEEDS[0]


def test_the_constant_itself_opens_the_lock_and_what_was_rendered_stays_locked(key):
    pairs = make_dataset(seed=key, subjects=2)
    assert (pairs.manifest["seed"] == 5).all()
    with pytest.raises(DataError, match="seed 5 is locked"):
        make_dataset(seed=5, subjects=2)  # though its file is in the cache
    assert make_counterfactuals(seed=key, identities=1, motions=1).onset.shape == (1, 128, 128, 3)


def test_the_lock_changes_nothing_of_what_is_rendered(key, monkeypatch):
    locked = render_pair(key, 1, 0, subjects=2)
    monkeypatch.setattr(final_test, "SEEDS", ())
    np.testing.assert_array_equal(render_pair(5, 1, 0, subjects=2).apex, locked.apex)


def test_other_processes_may_render_for_the_final_test(key):
    copied = pickle.loads(pickle.dumps(key))
    assert draw_face(seed=copied).shape == (128, 128, 3)
    with pytest.raises(DataError, match="locked"):
        draw_face(subject=1, seed=5)


def test_nothing_but_the_final_test_asks_for_its_seeds():
    files = [f for f in ROOT.rglob("*") if f.suffix in {".py", ".ipynb"} and not {".git", ".venv", "runs"} & {*f.parts}]
    asks = re.compile(r"final_test\s+import\s+.*\b(SEEDS|FinalTestSeed)\b|final_test\.(SEEDS|FinalTestSeed)\b")
    found = {f.relative_to(ROOT).as_posix() for f in files if asks.search(f.read_text(encoding="utf-8"))}
    assert found <= {
        "experiments/final_test.py",
        "tests/datasets/test_final_test.py",
        "tests/test_final_test.py",
        "lfdtcmen/datasets/synthetic/randomness.py",
    }
    numbers = re.compile("|".join(f"{seed}|{seed:_}" for seed in map(int, final_test.SEEDS)))
    holds = {f.relative_to(ROOT).as_posix() for f in files if numbers.search(f.read_text(encoding="utf-8"))}
    assert holds == {"lfdtcmen/datasets/synthetic/final_test.py"}
