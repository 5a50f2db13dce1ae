"""A folder of clips becomes pairs: what is bad is named and left out, nothing is lost, and workers change no byte."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from skimage.data import astronaut

from lfdtcmen import DataError
from lfdtcmen.datasets import clips
from lfdtcmen.datasets.clips import load_prepared, prepare_clips
from lfdtcmen.datasets.synthetic import render_pair, warp_photograph
from lfdtcmen.preprocessing import pair
from lfdtcmen.preprocessing.align import CANONICAL, align_faces
from lfdtcmen.preprocessing.flow import to_streams, tvl1

LANDMARKS = np.array([[203.3, 101.0], [246.0, 102.7], [222.7, 126.7], [204.3, 140.0], [244.3, 140.7]])
ONSET = astronaut()[:250, 100:350]
APEX = warp_photograph(astronaut(), LANDMARKS, {12: 1.5})[0][:250, 100:350]
PEOPLE = 8


def write_frames(folder, frames, first=1, suffix=".png"):
    folder.mkdir(parents=True)
    for number, frame in enumerate(frames, first):
        Image.fromarray(frame).save(folder / f"{number:04d}{suffix}")
    return folder


def row(path, clip="a", **changes):
    return {
        "dataset": "mine",
        "subject": "mine/1",
        "clip": clip,
        "onset": 1,
        "apex": 2,
        "offset": None,
        "fps": 30.0,
        "emotion": "happiness",
        "label": 1,
        "path": str(path),
        **changes,
    }


def table(*rows):
    return pd.DataFrame(list(rows))


def files(folder):
    return {path.relative_to(folder): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """Good clips of synthetic faces."""
    root = tmp_path_factory.mktemp("tree")
    rows = []
    for subject in range(PEOPLE):
        emotion = ("disgust", "happiness", "surprise")[subject % 3]
        rendered = render_pair(0, subject, 0, emotion=emotion)
        folder = write_frames(root / f"s{subject}", [rendered.onset, rendered.apex])
        rows.append(row(folder, subject=f"mine/{subject}", emotion=emotion, label=subject % 3))
    return table(*rows)


@pytest.fixture(scope="module")
def prepared(tree, tmp_path_factory):
    """The folder, pairs and failures of the good clips, prepared in one process."""
    folder = tmp_path_factory.mktemp("prepared")
    return folder, *prepare_clips(tree, folder, n_jobs=1)


def test_pairs_are_aligned_and_have_their_flow(tree, prepared):
    folder, pairs, failures = prepared
    assert len(pairs) == PEOPLE and len(failures) == 0
    assert pairs.label_names == ("negative", "positive", "surprise")
    assert pairs.labels.tolist() == tree["label"].tolist()
    assert pairs.subjects.tolist() == tree["subject"].tolist()
    frames = [np.asarray(Image.open(Path(tree["path"][3]) / f"000{n}.png")) for n in (1, 2)]
    aligned = align_faces(frames)
    np.testing.assert_array_equal(pairs.onset[3], aligned.frames[0])
    np.testing.assert_array_equal(pairs.apex[3], aligned.frames[1])
    np.testing.assert_allclose(pairs.flow[3], tvl1(*aligned.frames), atol=2e-3)
    np.testing.assert_array_equal(pairs.streams[3], to_streams(tvl1(*aligned.frames)))
    again = load_prepared(folder)
    assert again.fingerprint == pairs.fingerprint
    pd.testing.assert_frame_equal(again.manifest, pairs.manifest)


def test_any_number_of_workers_gives_the_same_bytes(tree, prepared, tmp_path):
    prepare_clips(tree, tmp_path, n_jobs=2)
    assert len(files(prepared[0])) == PEOPLE + 3
    assert files(prepared[0]) == files(tmp_path)


def test_what_is_there_is_not_made_again_and_what_changed_is(tree, tmp_path):
    manifest = tree.head(3).copy()
    folder, out = write_frames(tmp_path / "c", [ONSET, APEX]), tmp_path / "out"
    manifest.loc[2, ["path", "subject"]] = [str(folder), "mine/c"]

    def written() -> set[str]:
        """Prepare the clips; return the subjects whose file is new or was written again."""
        before = {path: path.stat().st_mtime_ns for path in out.rglob("*.npz")}
        subjects = prepare_clips(manifest, out)[0].manifest.set_index("file")["subject"]
        after = {path: path.stat().st_mtime_ns for path in out.rglob("*.npz")}
        changed = [path for path in after if after[path] != before.get(path)]
        return {subjects[path.name] for path in changed}

    assert written() == {"mine/0", "mine/1", "mine/c"}
    assert written() == set()
    Image.fromarray(ONSET).save(folder / "0002.png")  # another frame
    assert written() == {"mine/c"}
    assert np.abs(prepare_clips(manifest, out)[0].flow[2]).max() < 0.1
    manifest.loc[1, "apex"] = 1  # another annotation
    assert written() == {"mine/1"}


def test_the_frame_rate_decides_where_an_apex_is_looked_for(tmp_path):
    folder = write_frames(tmp_path / "c", [ONSET, ONSET, APEX, APEX, ONSET, ONSET, ONSET, ONSET])
    names = set()
    for fps, frames in ((2.0, 3), (6.0, 7)):
        manifest = table(row(folder, apex=None, fps=fps))
        assert len(clips._find_frames(manifest.to_dict("records")[0])[0]) == frames
        names.add(prepare_clips(manifest, tmp_path / "out")[0].manifest["file"][0])
    assert len(names) == 2


def explode_on(name, align_faces):
    """Let the alignment of frames of 99 rows fail inside a library, with an error that is none of ours."""

    def explode(frames, *rest, **named):
        frames = list(frames)
        if len(frames[0]) == 99:
            raise np.linalg.LinAlgError(f"linear algebra of {name}")
        return align_faces(frames, *rest, **named)

    return explode


def test_each_bad_clip_is_named_and_the_others_go_on(tmp_path, monkeypatch):
    def broken(name, damage):
        folder = write_frames(tmp_path / name, [ONSET, APEX])
        damage(folder / "0002.png")
        return row(folder, name)

    video = tmp_path / "undecodable.mp4"
    video.write_bytes(b"no video" * 100)
    monkeypatch.setattr(pair, "align_faces", explode_on("exploding", pair.align_faces))
    bad = [
        (row(write_frames(tmp_path / "exploding", [ONSET[:99], APEX]), "exploding"), "linear algebra"),
        (broken("truncated", lambda file: os.truncate(file, 5000)), r"cannot be read.*0002\.png"),
        (broken("empty", lambda file: os.truncate(file, 0)), r"is empty.*0002\.png"),
        (broken("text", lambda file: file.write_text("hello")), r"not an image.*0002\.png"),
        (broken("missing", lambda file: file.unlink()), r"frame 2 is missing"),
        (broken("mixed", lambda file: Image.fromarray(APEX[:-9]).save(file)), r"250x241 where the first is 250x250"),
        (row(write_frames(tmp_path / "nobody", [np.full_like(ONSET, 99)] * 2), "nobody"), r"no face found.*frame 1"),
        (row(tmp_path / "gone", "gone"), r"no such folder"),
        (row(video, "video"), r"cannot be decoded.*undecodable\.mp4"),
        (row(write_frames(tmp_path / "twice", [ONSET, APEX]), "twice"), r"two images have the frame number 1"),
        (row(write_frames(tmp_path / "short", [ONSET]), "short", apex=None), r"there are 1 frames from 1 to 31"),
    ]
    Image.fromarray(ONSET).save(tmp_path / "twice" / "1.jpg")
    good = row(write_frames(tmp_path / "good", [ONSET, APEX]), "good")
    pairs, failures = prepare_clips(table(*(r for r, _ in bad), good), tmp_path / "out")
    assert pairs.manifest["clip"].tolist() == ["good"]
    assert failures["clip"].tolist() == [r["clip"] for r, _ in bad]
    for reason, (_, wanted) in zip(failures["reason"], bad, strict=True):
        assert pd.Series([reason]).str.contains(wanted).all(), reason
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "out" / "failures.csv"), failures)

    os.remove(tmp_path / "twice" / "1.jpg")  # mended
    pairs, failures = prepare_clips(table(*(r for r, _ in bad), good), tmp_path / "out")
    assert pairs.manifest["clip"].tolist() == ["twice", "good"] and "twice" not in failures["clip"].tolist()


def test_every_kind_of_frames_gives_the_same_pair(tmp_path):
    grey = cv2.cvtColor(ONSET, cv2.COLOR_RGB2GRAY), cv2.cvtColor(APEX, cv2.COLOR_RGB2GRAY)
    alpha = [np.dstack([frame, np.full(frame.shape[:2], 255, np.uint8)]) for frame in (ONSET, APEX)]
    gaps = write_frames(tmp_path / "frames with gaps", [ONSET, APEX], first=7)
    os.rename(gaps / "0008.png", gaps / "reg_img019.png")
    rows = [
        row(write_frames(tmp_path / "rgb", [ONSET, APEX]), "rgb"),
        row(write_frames(tmp_path / "rgba", alpha), "rgba"),
        row(gaps, "gaps", onset=7, apex=19),
        row(write_frames(tmp_path / "Ärger & Ünmut 表情", [ONSET, APEX], suffix=".bmp"), "unicode"),
        row(write_frames(tmp_path / "grey", grey), "grey"),
        row(write_frames(tmp_path / "deep", [frame.astype(np.uint16) * 257 for frame in grey]), "16 bit"),
    ]
    pairs, failures = prepare_clips(table(*rows), tmp_path / "out")
    assert len(failures) == 0
    for i in (1, 2, 3):
        np.testing.assert_array_equal(pairs.apex[i], pairs.apex[0])
    np.testing.assert_array_equal(pairs.apex[5], pairs.apex[4])
    assert np.abs(pairs.flow[4] - pairs.flow[0]).mean() < 0.05


def test_videos_are_read_and_a_missing_apex_is_spotted(tmp_path):
    strength = [0, 0.3, 0.7, 1.0, 0.8, 0.4, 0.0]
    frames = [warp_photograph(astronaut(), LANDMARKS, {12: 1.6 * s, 6: 1.2 * s})[0] for s in strength]
    path = tmp_path / "my video.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), 30.0, (512, 512))
    for frame in frames:
        writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
    writer.release()
    folder = write_frames(tmp_path / "frames", frames)
    rows = [
        row(path, "given", onset=0, apex=3),
        row(path, "spotted", onset=0, apex=None, offset=6),
        row(folder, "folder", onset=1, apex=None, offset=7),
        row(path, "no offset", onset=0, apex=None),
    ]
    pairs, failures = prepare_clips(table(*rows), tmp_path / "out")
    assert len(failures) == 0
    apex = pairs.manifest["apex"].astype(int).tolist()
    assert apex[0] == 3 and abs(apex[1] - 3) <= 1 and abs(apex[2] - 4) <= 1 and abs(apex[3] - 3) <= 1
    assert pairs.manifest["note"].tolist() == ["", "apex spotted", "apex spotted", "apex spotted"]


def test_a_full_disk_stops_the_run_and_is_no_fault_of_the_clips(tree, tmp_path, monkeypatch):
    def refuse(path, **arrays):
        raise DataError("cannot write the file (No space left on device)", str(path))

    monkeypatch.setattr(clips, "save_npz_atomic", refuse)
    with pytest.raises(DataError, match="No space left"):
        prepare_clips(tree, tmp_path)
    assert not (tmp_path / "failures.csv").exists()


def test_a_second_run_that_fails_leaves_no_older_set_behind(tree, tmp_path):
    prepare_clips(tree.head(2), tmp_path / "out")
    with pytest.raises(DataError, match="none of 1 clips"):
        prepare_clips(table(row(tmp_path / "gone")), tmp_path / "out")
    with pytest.raises(DataError, match="no prepared data set"):
        load_prepared(tmp_path / "out")


def test_a_killed_worker_is_one_error_and_the_next_run_goes_on(tree, tmp_path):
    code = (
        "import os, sys, pandas as pd\n"
        "from lfdtcmen.datasets.clips import prepare_clips\n"
        "def detector(path):\n"
        "    return None\n"
        "import lfdtcmen.datasets.clips as clips\n"
        "from lfdtcmen import DataError\n"
        "class Killer(str):\n"
        "    def __reduce__(self):\n"
        "        return os._exit, (9,)\n"
        "manifest = pd.read_csv(sys.argv[1])\n"
        "manifest['path'] = [Killer(p) if i == 5 else p for i, p in enumerate(manifest['path'])]\n"
        "try: prepare_clips(manifest, sys.argv[2], n_jobs=2)\n"
        "except DataError as error: print(error)\n"
    )
    tree.to_csv(tmp_path / "manifest.csv", index=False)
    command = [sys.executable, "-c", code, str(tmp_path / "manifest.csv"), str(tmp_path / "out")]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert "a process was killed" in result.stdout, result.stderr
    assert len(prepare_clips(tree, tmp_path / "out")[0]) == PEOPLE


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere file names are proper text")
def test_a_folder_whose_name_is_no_proper_text(tmp_path):
    folder = write_frames(tmp_path / os.fsdecode(b"b\xe4d"), [ONSET, APEX])
    pairs, failures = prepare_clips(table(row(folder)), tmp_path / "out")
    assert len(failures) == 0 and pairs.manifest["path"][0] == str(folder)


def test_the_data_folder_is_only_read(tree, tmp_path):
    folder = Path(tree["path"][0]).parent
    paths = [folder, *folder.rglob("*")]
    before = {path: path.stat().st_mtime_ns for path in paths}
    for path in paths:
        path.chmod(0o555)  # root may write all the same: so the times are looked at, too
    try:
        assert len(prepare_clips(tree.head(2), tmp_path)[0]) == 2
    finally:
        for path in paths:
            path.chmod(0o755)
    assert {path: path.stat().st_mtime_ns for path in [folder, *folder.rglob("*")]} == before


@pytest.mark.skipif(os.name != "posix", reason="kills a group of processes")
def test_a_kill_in_the_middle_loses_nothing(tree, prepared, tmp_path):
    manifest = tmp_path / "manifest.csv"
    tree.to_csv(manifest, index=False)
    code = (
        "import sys, time, pandas as pd\n"
        "from lfdtcmen.datasets import clips\n"
        "make = clips._make_clip\n"
        "clips._make_clip = lambda *all: (time.sleep(0.2), make(*all))[1]\n"
        "clips.prepare_clips(pd.read_csv(sys.argv[1]), sys.argv[2])\n"
    )
    out = tmp_path / "out"
    process = subprocess.Popen([sys.executable, "-c", code, str(manifest), str(out)], start_new_session=True)
    deadline = time.monotonic() + 120
    while len(list((out / "clips").glob("[0-9a-f]*.npz"))) < 3:
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    done = {path: path.stat().st_mtime_ns for path in (out / "clips").glob("[0-9a-f]*.npz")}
    assert 3 <= len(done) < PEOPLE
    pairs, failures = prepare_clips(tree, out)
    assert len(pairs) == PEOPLE and len(failures) == 0
    assert {path: path.stat().st_mtime_ns for path in done} == done  # gone on, not begun again
    unbroken = files(prepared[0])
    assert {name: content for name, content in files(out).items() if name in unbroken} == unbroken


def test_raw_emotions_are_classes_of_their_own(tree, tmp_path):
    manifest = tree.head(4).copy()
    manifest["emotion"] = ["others", "anger", "others", "fear"]
    manifest["label"] = [2, 0, 2, 1]
    manifest.loc[1, "path"] = str(tmp_path / "gone")  # the only anger: no class of what is left
    pairs, failures = prepare_clips(manifest, tmp_path, "raw")
    assert len(failures) == 1
    assert pairs.label_names == ("fear", "others")
    assert pairs.labels.tolist() == pairs.manifest["label"].tolist() == [1, 1, 0]


def test_texts_come_back_as_they_were_written(tree, tmp_path):
    manifest = tree.head(2).assign(subject=["01", "NA"], clip=["007", "null"], au=["12+R6", None], note=["", "None"])
    pairs, _ = prepare_clips(manifest, tmp_path)
    assert pairs.subjects.tolist() == ["01", "NA"]
    assert pairs.manifest["clip"].tolist() == ["007", "null"]
    assert pairs.manifest["au"].isna().tolist() == [False, True]
    assert pairs.manifest["note"].tolist() == ["", "None"]


def test_what_cannot_be_done_at_all_is_one_error(tree, tmp_path):
    with pytest.raises(DataError, match="no clips to prepare"):
        prepare_clips(tree.head(0), tmp_path)
    for bad in (tree.drop(columns="path"), tree.assign(label="happy"), tree.assign(label=3)):
        with pytest.raises(DataError, match="no path, or no label of 3class"):
            prepare_clips(bad, tmp_path)
    with pytest.raises(DataError, match="unknown label map '5class'"):
        prepare_clips(tree, tmp_path, "5class")
    with pytest.raises(DataError, match="0 processes"):
        prepare_clips(tree, tmp_path, n_jobs=0)
    with pytest.raises(DataError, match=r"none of 1 clips could be prepared: there is no such folder"):
        prepare_clips(table(row(tmp_path / "gone")), tmp_path)
    with pytest.raises(DataError, match="no such model file"):
        prepare_clips(tree, tmp_path, detector=tmp_path / "yunet.onnx")
    with pytest.raises(DataError, match="no prepared data set"):
        load_prepared(tmp_path / "nothing")


def test_a_damaged_result_is_named_on_loading_and_made_again(tree, tmp_path):
    pairs, _ = prepare_clips(tree.head(2), tmp_path)
    os.truncate(tmp_path / "clips" / pairs.manifest["file"][1], 1000)
    with pytest.warns(UserWarning, match="damaged"), pytest.raises(DataError, match="missing or damaged"):
        load_prepared(tmp_path)
    with pytest.warns(UserWarning, match="damaged"):
        again, _ = prepare_clips(tree.head(2), tmp_path)
    assert again.fingerprint == pairs.fingerprint


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_4k_video_takes_less_than_2_gb(tmp_path):
    path = tmp_path / "4k.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), 30.0, (3840, 2160))
    frame = np.zeros((2160, 3840, 3), np.uint8)
    frame[:, 800:2960] = cv2.resize(astronaut(), (2160, 2160))[..., ::-1]
    for _ in range(32):  # 0.8 GB, were it all in memory
        writer.write(frame)
    writer.release()
    code = (
        "import re, sys, pandas as pd\n"
        "from lfdtcmen.datasets.clips import prepare_clips\n"
        "prepare_clips(pd.read_csv(sys.argv[1]), sys.argv[2])\n"
        "# not getrusage, which counts the memory of the process that this one was forked from\n"
        "print(re.search(r'VmHWM:\\s+(\\d+) kB', open('/proc/self/status').read())[1])\n"
    )
    table(row(path, onset=0, apex=None, offset=31)).to_csv(tmp_path / "m.csv", index=False)
    command = [sys.executable, "-c", code, str(tmp_path / "m.csv"), str(tmp_path / "out")]
    result = subprocess.run(command, capture_output=True, text=True, timeout=200)
    assert result.returncode == 0, result.stderr
    assert int(result.stdout) < 1e6  # kB; 0.5 GB of them are Python, torch and OpenCV


def test_remarks_on_people_stay_with_the_prepared_set(tree, tmp_path):
    manifest = tree.iloc[:2].copy()
    manifest.attrs["remarks"] = ["1 and 01 are one subject: 1"]
    assert prepare_clips(manifest, tmp_path)[0].manifest.attrs["remarks"] == manifest.attrs["remarks"]


def test_a_set_that_an_earlier_version_prepared_is_looked_through(tree, tmp_path):
    manifest = tree.iloc[:2].assign(subject=["mine/1", "mine/01"])
    prepare_clips(manifest, tmp_path)
    about = json.loads((tmp_path / "about.json").read_text())
    del about["remarks"]
    (tmp_path / "about.json").write_text(json.dumps(about))
    (remark,) = load_prepared(tmp_path).manifest.attrs["remarks"]
    assert remark.startswith("mine/1 and mine/01 count as 2 people")


def test_a_set_that_was_changed_is_refused(tree, prepared, tmp_path):
    shutil.copytree(prepared[0], tmp_path, dirs_exist_ok=True)
    whole = (tmp_path / "manifest.csv").read_bytes()
    about = (tmp_path / "about.json").read_text()
    assert b",disgust,0," in whole
    (tmp_path / "manifest.csv").write_bytes(whole.replace(b",disgust,0,", b",disgust,1,", 1))
    with pytest.raises(DataError, match=r"manifest.csv is not what .*data prepare"):
        load_prepared(tmp_path)
    for content in ("[]", "{}", about[:30], about.replace('"label_names"', '"label_namez"')):
        (tmp_path / "about.json").write_text(content)
        with pytest.raises(DataError, match="no prepared data set"):
            load_prepared(tmp_path)
    (tmp_path / "manifest.csv").write_bytes(whole)
    (tmp_path / "about.json").write_text(about)
    file = next((tmp_path / "clips").iterdir())
    arrays = dict(np.load(file))
    nan = np.full_like(arrays["streams"], np.nan)
    changes = {"flow": arrays["flow"][:, :64], "onset": arrays["onset"].astype(float), "streams": nan}
    for changed in ({name: value} for name, value in changes.items()):
        np.savez(file, **{**arrays, **changed})
        with pytest.raises(DataError, match="missing or damaged"):
            load_prepared(tmp_path)
    np.savez(file, onset=arrays["onset"])
    with pytest.warns(UserWarning, match="is missing"), pytest.raises(DataError, match="missing or damaged"):
        load_prepared(tmp_path)
    again, _ = prepare_clips(tree, tmp_path)  # makes what is damaged again
    assert len(again) == len(load_prepared(tmp_path))


def test_a_set_of_an_earlier_version_is_still_loaded(prepared, tmp_path):
    shutil.copytree(prepared[0], tmp_path, dirs_exist_ok=True)
    about = json.loads((tmp_path / "about.json").read_text())
    del about["manifest"], about["geometry"]
    (tmp_path / "about.json").write_text(json.dumps(about))
    assert load_prepared(tmp_path).fingerprint == prepared[1].fingerprint


def test_clips_are_aligned_by_the_nose_where_that_is_asked_for(tree, tmp_path):
    usual, _ = prepare_clips(tree.head(2), tmp_path)
    nose, _ = prepare_clips(tree.head(2), tmp_path, alignment="nose")
    frames = [np.asarray(Image.open(Path(tree["path"][1]) / f"000{n}.png")) for n in (1, 2)]
    np.testing.assert_array_equal(nose.apex[1], align_faces(frames, method="nose").frames[1])
    assert set(load_prepared(tmp_path).manifest["alignment"]) == {"nose"}
    before = files(tmp_path / "clips")
    assert len(before) == 4  # none takes the place of another
    again, _ = prepare_clips(tree.head(2), tmp_path)
    assert again.fingerprint == usual.fingerprint and files(tmp_path / "clips") == before
    assert "alignment" not in again.manifest
    with pytest.raises(DataError, match="unknown method of alignment 'eyes'"):
        prepare_clips(tree.head(2), tmp_path, alignment="eyes")


def test_a_set_of_another_geometry_is_refused(tree, tmp_path):
    prepare_clips(tree.head(2), tmp_path)
    about = json.loads((tmp_path / "about.json").read_text())
    about["geometry"][0][0] += 4
    (tmp_path / "about.json").write_text(json.dumps(about))
    with pytest.raises(DataError, match=r"lie elsewhere than this version puts them.*data prepare"):
        load_prepared(tmp_path)


def test_a_tight_crop_is_prepared_and_half_a_face_reported(tree, tmp_path):
    rows = tree.head(2).copy()
    for row, name in zip(rows.index, ("tight", "half"), strict=True):
        (tmp_path / name).mkdir()
        for number in (rows["onset"][row], rows["apex"][row]):
            face = astronaut()[86:159, 188:261] if name == "tight" else astronaut()[86:159, 188:224]
            Image.fromarray(face).save(tmp_path / name / f"{number:04}.png")
        rows.loc[row, "path"] = str(tmp_path / name)
    pairs, failures = prepare_clips(rows, tmp_path / "out")
    assert len(pairs) == 1
    assert np.linalg.norm(pairs.landmarks[0, :2] - CANONICAL[:2], axis=1).max() < 4
    assert len(failures) == 1 and "face" in failures["reason"][0]
