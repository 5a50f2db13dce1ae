"""Files are whole or not there; what is damaged is built again; what cannot be written is said."""

import errno
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pytest

from lfdtcmen import DataError, files

ROOT = Path(__file__).resolve().parents[1]


def test_arrays_come_back_as_they_were(tmp_path):
    arrays = {"a": np.arange(5, dtype=np.float16), "b": np.zeros((2, 3), np.uint8)}
    files.save_npz_atomic(tmp_path / "new" / "x.npz", **arrays)
    loaded = files.load_npz(tmp_path / "new" / "x.npz")
    assert loaded.keys() == arrays.keys()
    for name, value in arrays.items():
        assert loaded[name].dtype == value.dtype
        np.testing.assert_array_equal(loaded[name], value)
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["x.npz"]


def test_a_file_that_is_not_there_is_none_without_a_warning(tmp_path, recwarn):
    assert files.load_npz(tmp_path / "x.npz") is None
    assert not recwarn


@pytest.mark.parametrize("kept", [0, 10, 0.5, 0.99])
def test_a_truncated_file_is_none_with_a_warning(tmp_path, kept):
    path = tmp_path / "x.npz"
    files.save_npz_atomic(path, a=np.arange(1000))
    whole = path.read_bytes()
    path.write_bytes(whole[: kept if isinstance(kept, int) else int(kept * len(whole))])
    with pytest.warns(UserWarning, match="built again"):
        assert files.load_npz(path) is None


def test_flipped_bytes_are_noticed(tmp_path):
    path = tmp_path / "x.npz"
    files.save_npz_atomic(path, a=np.arange(1000))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255
    path.write_bytes(content)
    with pytest.warns(UserWarning, match="damaged"):
        assert files.load_npz(path) is None


def test_a_write_that_breaks_leaves_the_old_file_whole(tmp_path):
    path = tmp_path / "x.txt"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt), files.atomic_path(path) as temporary:
        temporary.write_text("ne")
        raise KeyboardInterrupt
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_a_file_has_the_rights_that_its_owner_gives_new_files(tmp_path, umask, mode):
    write = "import sys; from lfdtcmen.files import save_npz_atomic; save_npz_atomic(sys.argv[1])"
    subprocess.run([sys.executable, "-c", write, tmp_path / "x.npz"], check=True, umask=umask, cwd=ROOT)
    assert (tmp_path / "x.npz").stat().st_mode & 0o777 == mode


def test_a_full_disk_is_a_data_error_and_leaves_nothing(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(DataError, match=r"No space left.*x\.npz.*free some space"):
        files.save_npz_atomic(tmp_path / "x.npz", a=np.zeros(3))
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_place_of_the_folder_is_a_data_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot create the folder"):
        files.save_npz_atomic(tmp_path / "file" / "x.npz", a=np.zeros(3))


def test_the_environment_says_where(monkeypatch, tmp_path):
    monkeypatch.setenv("LFDTCMEN_CACHE", str(tmp_path))
    assert files.cache_dir() == tmp_path
    monkeypatch.delenv("LFDTCMEN_CACHE")
    assert files.cache_dir() == Path(files.__file__).parents[1] / "data" / "cache"  # run from a clone


def test_damaged_compressed_bytes_are_rebuilt_too(tmp_path):
    path = tmp_path / "x.npz"
    np.savez_compressed(path, frames=np.arange(20_000) % 251)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 40] = bytes(40)
    path.write_bytes(content)
    with pytest.warns(UserWarning, match="damaged"):
        assert files.load_npz(path) is None


def test_a_notebook_keeps_its_run_in_the_clone_whatever_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert files.lab_folder(None) == ROOT / "runs" / "lab"
    assert files.lab_folder("given") == tmp_path / "given"  # what the reader types starts where the reader is
    assert files.lab_folder(tmp_path / "given") == tmp_path / "given"
    monkeypatch.setenv("LFDTCMEN_RUNS", str(tmp_path / "elsewhere"))
    assert files.lab_folder(None) == tmp_path / "elsewhere" / "lab"


def test_outside_a_clone_a_notebook_keeps_its_run_beside_the_folder_of_notebooks(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "clone_dir", lambda: None)
    (tmp_path / "notebooks").mkdir()
    for folder in (tmp_path, tmp_path / "notebooks"):
        monkeypatch.chdir(folder)
        assert files.lab_folder(None) == tmp_path / "runs" / "lab"


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "-", "-x", "~", "~x", "a/b", "/", "a\\b", "a\nb", "\x1b[31m", "a\0", "x.", "x ", " x", " "],
)
def test_what_is_no_folders_name_is_refused_and_nothing_is_made(name, tmp_path):
    with pytest.raises(DataError, match=r"must be one folder's name.*use letters") as caught:
        files.run_folder(name, runs=tmp_path)
    assert list(tmp_path.iterdir()) == [] and "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["CON", "nul.txt", "com1", "Lpt9", "a:b", "what?", "x" * 256, "\udcff"])
def test_a_name_that_another_system_refuses_is_refused(name, tmp_path):
    with pytest.raises(DataError, match="must be one folder's name"):
        files.run_folder(name, runs=tmp_path)


@pytest.mark.parametrize("name", ["casme3-loso", "a b", "2026.11", "console", "vidéo", "表情", "x" * 255])
def test_a_folders_name_is_taken(name, tmp_path):
    assert files.run_folder(name, runs=tmp_path) == tmp_path / name


@pytest.mark.parametrize("text", ["", "  ", "-", "a\nb", "~nobody-of-this-name/x", "a\0b"])
def test_what_is_no_folder_is_refused(text):
    with pytest.raises(DataError, match="is no folder"):
        files.parse_folder(text)


def test_a_folder_is_taken_and_the_home_folder_written_in_full():
    assert files.parse_folder("~/x") == Path.home() / "x"
    assert files.parse_folder(".") == Path(".") and files.parse_folder("../a b") == Path("../a b")


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_flipped_bits_give_the_same_arrays_or_none(tmp_path, save):
    path, rng = tmp_path / "x.npz", np.random.default_rng(0)
    arrays = {"a": np.arange(30, dtype=np.float32), "b": np.zeros((2, 3), np.uint8)}
    save(path, **arrays)
    whole = np.fromfile(path, np.uint8)
    for _ in range(1000):
        damaged = whole.copy()
        for position in rng.integers(len(whole), size=rng.choice([1, 2, 8, 64])):
            damaged[position] ^= 1 << rng.integers(8)
        damaged.tofile(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            loaded = files.load_npz(path, arrays)
        if loaded is not None:
            for name, value in arrays.items():
                assert loaded[name].dtype == value.dtype and np.array_equal(loaded[name], value)


def test_a_file_without_an_array_that_is_needed_is_built_again(tmp_path):
    files.save_npz_atomic(tmp_path / "x.npz", a=np.zeros(3))
    with pytest.warns(UserWarning, match="b is missing"):
        assert files.load_npz(tmp_path / "x.npz", ["a", "b"]) is None


BUILD = """
import sys, time
from pathlib import Path
import numpy as np
from lfdtcmen.files import load_or_build

def build():
    with open(sys.argv[1] + ".built", "a") as file:
        file.write("x")
    time.sleep(float(sys.argv[2]))
    return {"a": np.arange(3)}

Path(sys.argv[1] + ".begun").touch()
assert load_or_build(Path(sys.argv[1]), ["a"], build)["a"].tolist() == [0, 1, 2]
"""


def start_to_build(path: Path, seconds: float) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-c", BUILD, str(path), str(seconds)], cwd=ROOT)


def wait_for(file: Path) -> None:
    deadline = time.monotonic() + 60
    while not file.exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_of_several_processes_one_builds_a_file(tmp_path):
    path = tmp_path / "set.npz"
    first = start_to_build(path, 3)
    wait_for(tmp_path / "set.npz.built")
    others = [start_to_build(path, 0) for _ in range(2)]
    assert [process.wait(60) for process in (first, *others)] == [0, 0, 0]
    assert (tmp_path / "set.npz.built").read_text() == "x"


def test_the_file_of_a_killed_process_is_built_by_the_next(tmp_path):
    path = tmp_path / "set.npz"
    first = start_to_build(path, 60)
    wait_for(tmp_path / "set.npz.built")
    first.kill()
    first.wait()
    assert files.load_or_build(path, ["a"], lambda: {"a": np.zeros(1)})["a"].tolist() == [0]


def test_a_disk_without_locks_is_no_hindrance(tmp_path, monkeypatch):
    def refuse(lock: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("lfdtcmen.files.FileLock.acquire", refuse)
    path = tmp_path / "set.npz"
    for _ in range(2):
        assert files.load_or_build(path, ["a"], lambda: {"a": np.ones(1)})["a"].tolist() == [1]
