"""Prepare a data set on disk, from frames as filmed to the network's input: ``lfdtcmen data prepare``.

Each clip is one job and one file, so that an interrupted run loses nothing and the result does not depend on the number
of workers.
"""

import hashlib
import json
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from joblib import delayed
from joblib.externals.loky.process_executor import TerminatedWorkerError
from tqdm.auto import tqdm

from lfdtcmen.datasets.frames import is_video, list_frames, read_frames, video_info
from lfdtcmen.datasets.manifest import LABEL_MAPS, check_manifest
from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.datasets.people import describe_alike
from lfdtcmen.datasets.preparation import note_alignment
from lfdtcmen.errors import DataError
from lfdtcmen.files import atomic_path, load_npz, make_folder, save_npz_atomic
from lfdtcmen.preprocessing import align, flow
from lfdtcmen.preprocessing.align import check_method
from lfdtcmen.preprocessing.faces import Detector, find_detector
from lfdtcmen.preprocessing.geometry import CANONICAL, check_same_geometry
from lfdtcmen.preprocessing.pair import pair_from_frames
from lfdtcmen.progress import hidden
from lfdtcmen.threads import one_cv2_thread
from lfdtcmen.workers import parallel

CACHE_VERSION = "2"  # increase when this module or lfdtcmen.preprocessing gives other numbers
# array of a prepared clip -> its dtype and shape
CLIP_PARTS = {
    "onset": ("uint8", (align.SIZE, align.SIZE, 3)),
    "apex": ("uint8", (align.SIZE, align.SIZE, 3)),
    "landmarks": ("float32", (5, 2)),
    "flow": ("float16", (2, align.SIZE, align.SIZE)),
    "streams": ("float32", (3, flow.STREAM_SIZE, flow.STREAM_SIZE)),
}
SEARCH_SECONDS = 1.0  # after the onset, in which an apex is spotted if the offset is not annotated (assumed)


def prepare_clips(
    manifest: pd.DataFrame,
    out: Path | str,
    label_map: str = "3class",
    n_jobs: int = 1,
    detector: Path | str | None = None,
    progress: bool = False,
    alignment: str = "similarity",
) -> tuple[PairSet, pd.DataFrame]:
    """Align the clips of a manifest, spot what apex is missing, and compute flow and streams (3.1.1, 3.3.2).

    Parameters
    ----------
    manifest : DataFrame
        Result of a loader: ``path`` leads to the frames, an empty ``apex`` is spotted between onset and offset.
    out : path
        Folder of the results. A clip that is in it already, made from the same frames, is not made again.
    label_map : {"3class", "4class", "7class", "7class_casme3", "raw"}
        The one that the manifest was loaded with.
    n_jobs : int, default 1
        Processes; -1 for all cores. The result has the same bytes for any number.
    detector : path, optional
        ONNX file of YuNet; MTCNN by default.
    progress : bool, default False
        Show a progress bar with rate and time left.
    alignment : {"similarity", "nose"}
        How the head's motion is removed: ``method`` of :func:`~lfdtcmen.preprocessing.align.align_faces`.

    Returns
    -------
    pairs : PairSet
        Aligned onset and apex, TV-L1 flow and streams, as :func:`~lfdtcmen.datasets.preparation.prepare_pairs` has.
    failures : DataFrame
        Columns subject, clip, path, reason: clips that could not be prepared. The others are complete.

    Raises
    ------
    DataError
        No rows or a bad row, an unknown label map or labels of another one, unknown ``alignment``, no clip that could
        be prepared, a folder that cannot be written to, no detector, a worker that was killed. Clips that were done
        before are kept.
    """
    manifest = _check(manifest, label_map)
    if n_jobs == 0:
        raise DataError("there is no work with 0 processes", "n_jobs", "give 1 or more, or -1 for all cores")
    check_method(alignment)
    find_detector(detector)  # fails here and once, not in each worker
    out = Path(out)
    make_folder(out / "clips")

    results = _run_jobs(manifest, out, n_jobs, detector, progress, alignment)
    failed = np.array(["reason" in result for result in results])
    failures = manifest.loc[failed, ["subject", "clip", "path"]].reset_index(drop=True)
    failures["reason"] = [result["reason"] for result in results if "reason" in result]
    _write_csv(failures, out / "failures.csv")
    (out / "about.json").unlink(missing_ok=True)  # without it the folder is no data set: it is written last
    if failed.all():
        first = failures["reason"][0]
        raise DataError(f"none of {len(manifest)} clips could be prepared: {first}", f"{out / 'failures.csv'}")

    prepared = note_alignment(manifest[~failed].reset_index(drop=True), alignment)
    _write_manifest(prepared, [result for result in results if "reason" not in result], label_map, out)
    return load_prepared(out), failures


def _run_jobs(
    manifest: pd.DataFrame, out: Path, n_jobs: int, detector: Path | str | None, progress: bool, alignment: str
) -> list[dict]:
    """Return what :func:`_prepare_clip` returned for each row."""
    jobs = (delayed(_prepare_clip)(row, out / "clips", detector, alignment) for row in manifest.to_dict("records"))
    results: list[dict] = []
    with tqdm(total=len(manifest), desc="align and flow", unit="clip", disable=hidden(progress), smoothing=0.05) as bar:
        try:
            for result in parallel(n_jobs=n_jobs, return_as="generator")(jobs):
                results.append(result)
                bar.update()
        except TerminatedWorkerError as error:
            advice = "use fewer --jobs; the same command continues from here"
            raise DataError("a process was killed, probably because memory ran out", str(out), advice) from error
    return results


def _write_manifest(prepared: pd.DataFrame, results: list[dict], label_map: str, out: Path) -> None:
    """Write manifest.csv, with the files, apexes and notes of the clips, and about.json."""
    prepared["file"] = [result["file"] for result in results]
    prepared["apex"] = pd.array([result["apex"] for result in results], dtype="Int64")
    earlier = prepared["note"].fillna("") if "note" in prepared else [""] * len(results)
    notes = zip(earlier, [result["note"] for result in results], strict=True)
    prepared["note"] = ["; ".join(filter(None, pair)) for pair in notes]
    if label_map == "raw":  # only the emotions of the clips that are there
        label_names = sorted(set(prepared["emotion"]))
        prepared["label"] = [label_names.index(emotion) for emotion in prepared["emotion"]]
    else:
        label_names = list(LABEL_MAPS[label_map])
    _write_csv(prepared, out / "manifest.csv")
    about = {
        "label_map": label_map,
        "label_names": label_names,
        "manifest": _digest(out / "manifest.csv"),
        "remarks": prepared.attrs.get("remarks", []),
        "geometry": CANONICAL.tolist(),
    }
    with atomic_path(out / "about.json") as temporary:
        temporary.write_text(json.dumps(about), encoding="utf-8")


def load_prepared(folder: Path | str) -> PairSet:
    """Return what :func:`prepare_clips` wrote to a folder.

    ``manifest.attrs["remarks"]`` lists what the reader should know of its subjects; :func:`prepare_clips` of earlier
    versions did not look for people with two names, so that they are looked for here.

    Raises
    ------
    DataError
        The folder holds no prepared data set, its faces lie elsewhere than this version puts them, or one of its files
        is missing, damaged or not of this data set.
    """
    folder = Path(folder)
    advice = "run `lfdtcmen data prepare` on it (again)"
    try:
        about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
        label_names, file = tuple(about["label_names"]), folder / "manifest.csv"
        if about.get("manifest") not in (None, _digest(file)):  # earlier versions wrote none
            raise DataError("manifest.csv is not what `lfdtcmen data prepare` wrote", str(file), advice)
        check_same_geometry(about.get("geometry"), str(folder), advice)
        # text stays as it was written, also a clip called NA; only numbers and action units may be missing
        manifest = pd.read_csv(file, dtype=str, keep_default_na=False, encoding_errors="surrogateescape")
        manifest = manifest.replace({name: {"": None} for name in ("offset", "fps", "au")})
        manifest["label"], files = manifest["label"].astype(np.int64), list(manifest["file"])
    except DataError:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError("there is no prepared data set in the folder", str(folder), advice) from error
    arrays: dict[str, np.ndarray] = {}
    for i, name in enumerate(files):
        clip = load_npz(folder / "clips" / name, CLIP_PARTS)
        if clip is None or not _is_clip(clip):
            raise DataError("the file of a clip is missing or damaged", str(folder / "clips" / name), advice)
        for part in CLIP_PARTS:
            if i == 0:  # filled in place: a list of clips, stacked at the end, would take the memory twice
                dtype = np.float32 if part == "flow" else clip[part].dtype
                arrays[part] = np.empty((len(manifest), *clip[part].shape), dtype)
            arrays[part][i] = clip[part]
    checked = check_manifest(manifest)
    checked.attrs["remarks"] = about["remarks"] if "remarks" in about else describe_alike(checked["subject"])
    return PairSet(
        manifest=checked,
        labels=manifest["label"].to_numpy(),
        label_names=label_names,
        **arrays,
    )


def _is_clip(clip: dict[str, np.ndarray]) -> bool:
    """Return whether arrays are those of a prepared clip, finite where they are used as they are."""
    if any((clip[name].dtype.name, clip[name].shape) != kind for name, kind in CLIP_PARTS.items()):
        return False
    return all(np.isfinite(clip[name]).all() for name in ("landmarks", "streams"))


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:16]


def _check(manifest: pd.DataFrame, label_map: str) -> pd.DataFrame:
    if label_map not in (*LABEL_MAPS, "raw"):
        known = ", ".join((*LABEL_MAPS, "raw"))
        raise DataError(f"unknown label map {label_map!r}", "prepare_clips", f"use one of {known}")
    manifest = check_manifest(manifest)
    if len(manifest) == 0:
        raise DataError("there are no clips to prepare", "manifest", "look at what the loader left out, and why")
    labels = pd.to_numeric(manifest["label"], errors="coerce")
    last = np.inf if label_map == "raw" else len(LABEL_MAPS[label_map]) - 1
    if manifest["path"].isna().any() or not labels.between(0, last).all():
        raise DataError(f"a clip has no path, or no label of {label_map}", "manifest", "use what a loader returned")
    return manifest.assign(label=labels.astype(np.int64))


def _prepare_clip(row: dict, folder: Path, detector: Path | str | None, alignment: str) -> dict:
    """Prepare one clip; return its file, apex and note, or the reason why it could not be done."""
    try:
        numbers, stats = _find_frames(row)
        file = folder / f"{_fingerprint(row, numbers, stats, detector, alignment)}.npz"
        clip = load_npz(file, [*CLIP_PARTS, "apex_number", "note"])
        if clip is not None and _is_clip(clip):
            return _describe(file, clip)
        with one_cv2_thread():
            clip = _make_clip(row, numbers, find_detector(detector), alignment)
    except (ValueError, OSError, cv2.error, MemoryError) as error:  # DataError is a ValueError
        return {"reason": str(error) or type(error).__name__}
    save_npz_atomic(file, **clip)  # not caught: a full disk is no fault of the clip and stops the run
    return _describe(file, clip)


def _describe(file: Path, clip: dict[str, np.ndarray]) -> dict:
    return {"file": file.name, "apex": int(clip["apex_number"]), "note": str(clip["note"])}


def _make_clip(row: dict, numbers: list[int], detector: Detector, alignment: str) -> dict[str, np.ndarray]:
    frames = (frame for _, frame in read_frames(row["path"], numbers))
    no_apex = pd.isna(row["apex"])
    pair = pair_from_frames(frames, detector, numbers, find_apex=no_apex, alignment=alignment)
    assert pair.landmarks is not None  # frames as filmed always have them
    return {
        "onset": pair.onset,
        "apex": pair.apex,
        "flow": pair.flow.astype(np.float16),
        "streams": pair.streams,
        "landmarks": pair.landmarks,
        "apex_number": np.array(numbers[pair.apex_index], np.int64),
        "note": np.array("; ".join(filter(None, (pair.note, "apex spotted" if no_apex else "")))),
    }


def _find_frames(row: dict) -> tuple[list[int], list]:
    """Return the numbers of the frames that a clip needs, and a list that changes when their files do.

    A clip needs onset and apex, or every frame that may be the apex.
    """
    path, onset = Path(row["path"]), int(row["onset"])
    folder = None if is_video(path) else list_frames(path)
    if not pd.isna(row["apex"]):
        numbers = sorted({onset, int(row["apex"])})
    else:
        fps = 30.0 if pd.isna(row["fps"]) else float(row["fps"])
        offset = onset + round(SEARCH_SECONDS * fps) if pd.isna(row["offset"]) else int(row["offset"])
        there = range(video_info(path)[0]) if folder is None else folder
        numbers = [number for number in there if onset <= number <= offset]
        if len(numbers) < 2:
            found = f"there are {len(numbers)} frames from {onset} to {offset}"
            raise DataError(found, str(path), "check the annotation")
    files = [path] if folder is None else [folder[number] for number in numbers if number in folder]
    return numbers, [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files if file.exists()]


def _fingerprint(row: dict, numbers: list[int], stats: list, detector: Path | str | None, alignment: str) -> str:
    """Sixteen hex digits that change with the frames of a clip, their numbers, the detector and the cache version."""
    model = None if detector is None else (Path(detector).name, Path(detector).stat().st_size)
    settings: tuple = (CACHE_VERSION, cv2.__version__, flow.TVL1_SETTINGS, model, CANONICAL.tolist())
    if alignment != "similarity":  # files from before there was a choice stay valid
        settings = (*settings, alignment)
    who = [str(row[name]) for name in ("dataset", "subject", "clip", "onset", "apex")]
    return hashlib.sha256(repr((settings, who, numbers, stats)).encode(errors="surrogateescape")).hexdigest()[:16]


def _write_csv(table: pd.DataFrame, path: Path) -> None:
    with atomic_path(path) as temporary:  # surrogateescape: the name of a folder may be no valid text
        table.to_csv(temporary, index=False, errors="surrogateescape")
