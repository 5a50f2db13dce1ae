"""From a clip to a page: video and folder agree, the page stands alone, and every mistake is one line."""

import json
import os
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.figure import Figure
from typer.testing import CliRunner

from lfdtcmen import DataError, load_config, prediction
from lfdtcmen.cli import app
from lfdtcmen.datasets.clips import prepare_clips
from lfdtcmen.datasets.frames import read_frames
from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.datasets.synthetic import make_clip
from lfdtcmen.prediction import newest_checkpoint, predict_clip, render_html, write_report
from lfdtcmen.training import checkpoint_file, stage_checkpoint
from lfdtcmen.viz import plots

NAMES = ("negative", "positive", "surprise")


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> Path:
    """A folder of runs with the checkpoints of all three stages, of a network that has seen nine random pairs."""
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 256, (2, 9, 32, 32, 3), dtype=np.uint8)
    manifest = pd.DataFrame({"dataset": "synthetic", "subject": [f"synthetic/s{k % 3}" for k in range(9)], "fps": 30.0})
    streams = rng.standard_normal((9, 3, 28, 28)).astype(np.float32)
    pairs = PairSet(manifest, *frames, np.arange(9) % 3, NAMES, streams=streams)
    config = load_config("smoke", epochs=(1, 2, 1), perceptual_taps=("relu1_2",), vgg_weights="random")
    folder = tmp_path_factory.mktemp("project") / "runs"
    stage_checkpoint(3, config, pairs, folder / "tiny", progress=False)
    for stage, time in {1: 3e8, 2: 1e8, 3: 2e8}.items():  # stage 1 was written last, as where another run has begun
        os.utime(checkpoint_file(stage, config, pairs, folder / "tiny"), (time, time))
    return folder


@pytest.fixture(scope="module")
def checkpoint(runs) -> Path:
    return newest_checkpoint(runs)


def scene(frames: np.ndarray) -> list[np.ndarray]:
    """Put 128x128 faces, three times as large, in the middle of frames of 640x480."""
    room = np.full((480, 640, 3), 90, np.uint8)
    filmed = []
    for frame in frames:
        filmed.append(room.copy())
        filmed[-1][48:432, 128:512] = cv2.resize(frame, (384, 384), interpolation=cv2.INTER_CUBIC)
    return filmed


def write_video(path: Path, frames: list[np.ndarray], fps: float = 30.0) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), fps, frames[0].shape[1::-1])
    for frame in frames:
        writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
    writer.release()
    return path


def write_folder(path: Path, frames: list[np.ndarray], first: int = 0) -> Path:
    path.mkdir()
    for number, frame in enumerate(frames, start=first):
        cv2.imwrite(str(path / f"{number:04d}.png"), cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
    return path


@pytest.fixture(scope="module")
def clip():
    """A drawn clip with a strong expression."""
    return make_clip(seed=5, subject=7, clip=1, preset="easy", emotion="surprise", fps=30)


@pytest.fixture(scope="module")
def filmed(clip):
    return scene(clip.frames)


@pytest.fixture(scope="module")
def video(filmed, tmp_path_factory) -> Path:
    return write_video(tmp_path_factory.mktemp("clips") / "a clip.mp4", filmed)


@pytest.fixture(scope="module")
def predicted(video, checkpoint):
    return predict_clip(video, checkpoint)


def correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Return the correlation of two flows [2, 128, 128] over the middle of the face."""
    return float(np.corrcoef(one[:, 24:104, 24:104].ravel(), other[:, 24:104, 24:104].ravel())[0, 1])


# ---------------------------------------------------------------- the way from clip to probabilities


def test_onset_and_apex_are_spotted_and_the_pair_moves(predicted, clip):
    assert predicted.spotted and abs(predicted.apex - clip.apex) <= 3
    assert clip.onset - 4 <= predicted.onset < predicted.apex
    assert predicted.onset_frame.shape == predicted.apex_frame.shape == (128, 128, 3)
    assert predicted.flow.shape == (2, 128, 128) and np.abs(predicted.flow).max() > 0.5
    assert len(predicted.curve) == len(predicted.numbers) == len(clip.frames)
    assert predicted.probabilities.sum() == pytest.approx(1, abs=1e-5)
    assert predicted.label == NAMES[predicted.probabilities.argmax()]
    assert predicted.maps["motion"].shape == (4, 4) and predicted.maps["flow"].shape == (14, 14)


def test_a_folder_of_a_videos_frames_gives_the_same_answer(predicted, video, checkpoint, tmp_path):
    decoded = write_folder(tmp_path / "decoded", [frame for _, frame in read_frames(video)])
    again = predict_clip(decoded, checkpoint)
    assert (again.onset, again.apex) == (predicted.onset, predicted.apex)
    np.testing.assert_array_equal(again.probabilities, predicted.probabilities)
    np.testing.assert_array_equal(again.curve, predicted.curve)


def test_compression_changes_little(predicted, filmed, checkpoint, tmp_path):
    sharp = predict_clip(write_folder(tmp_path / "sharp", filmed), checkpoint, predicted.onset, predicted.apex)
    np.testing.assert_allclose(sharp.probabilities, predicted.probabilities, atol=0.05)
    assert correlation(sharp.flow, predicted.flow) > 0.8


def test_the_flow_runs_from_onset_to_apex(clip, filmed, checkpoint, tmp_path):
    p = predict_clip(write_folder(tmp_path / "clip", filmed), checkpoint, clip.onset, clip.apex)
    assert correlation(p.flow, clip.flow) > 0.6


def test_the_pair_is_prepared_as_the_training_data_are(clip, filmed, checkpoint, tmp_path):
    folder = write_folder(tmp_path / "s1", filmed, first=40)
    row = {"dataset": "own", "subject": "own/s1", "clip": "s1", "emotion": "surprise", "label": 2, "path": str(folder)}
    onset, apex = 40 + clip.onset, 40 + clip.apex
    pairs, _ = prepare_clips(pd.DataFrame([row | {"onset": onset, "apex": apex}]), tmp_path / "out")
    p = predict_clip(folder, checkpoint, onset, apex)
    np.testing.assert_array_equal(p.onset_frame, pairs.onset[0])
    np.testing.assert_array_equal(p.apex_frame, pairs.apex[0])
    assert list(p.numbers) == list(range(40, 40 + len(filmed))) and not p.spotted


def test_a_section_of_a_long_clip(video, clip, checkpoint, predicted, monkeypatch):
    monkeypatch.setattr(prediction, "MAX_FRAMES", 20)
    with pytest.raises(DataError, match=r"more than 20 frames.*--start and --end"):
        predict_clip(video, checkpoint)
    part = predict_clip(video, checkpoint, predicted.onset, predicted.apex, start=4, end=23)
    assert list(part.numbers) == list(range(4, 24))
    np.testing.assert_array_equal(part.probabilities, predicted.probabilities)


def test_a_clip_in_which_nothing_is_spotted_is_refused(video, checkpoint, monkeypatch):
    nothing = SimpleNamespace(onset=3, apex=3, curve=np.zeros(30))
    monkeypatch.setattr(prediction, "spot_interval", lambda frames, fps: nothing)
    with pytest.raises(DataError, match="no movement was spotted"):
        predict_clip(video, checkpoint)


def test_a_video_whose_header_counts_wrong_is_still_held_to_the_limit(video, checkpoint, monkeypatch):
    monkeypatch.setattr(prediction, "MAX_FRAMES", 20)
    monkeypatch.setattr(prediction, "video_info", lambda path: (0, 0.0))
    with pytest.raises(DataError, match="more than 20 frames"):
        predict_clip(video, checkpoint)


# ---------------------------------------------------------------- what the reader is warned of


def warned(p) -> str:
    return "\n".join(p.warnings)


def test_drawn_faces_are_said_first(predicted):
    assert "drawn faces only" in predicted.warnings[0]


def test_a_still_clip_says_that_nothing_moves(clip, checkpoint, tmp_path):
    still = write_folder(tmp_path / "still", scene(clip.frames[[0, 0, 0]]))
    assert "Hardly anything moves" in warned(predict_clip(still, checkpoint, 0, 2))


def test_slow_motion_and_few_frames_are_said(video, predicted, checkpoint):
    assert "half a second" not in warned(predicted) and "too few frames" not in warned(predicted)
    p = predict_clip(video, checkpoint, 0, 9, fps=10)
    assert "it takes 0.90 s" in warned(p) and "At 10 frames a second" in warned(p)


def test_several_faces_are_said(clip, checkpoint, tmp_path):
    two = []
    for frame in clip.frames[[clip.onset, clip.apex]]:
        room = np.full((480, 640, 3), 90, np.uint8)
        room[90:390, 10:310] = cv2.resize(frame, (300, 300))
        room[140:340, 400:600] = cv2.resize(clip.frames[0], (200, 200))
        two.append(room)
    assert "2 faces found" in warned(predict_clip(write_folder(tmp_path / "two", two), checkpoint, 0, 1))


def test_a_checkpoint_that_broke_off_or_guesses_is_said(video, checkpoint, tmp_path, predicted):
    assert predicted.held_out is None and "broke off" not in warned(predicted)
    content = torch.load(checkpoint, weights_only=True)
    content["about"]["epochs"] = 9
    weak = tmp_path / "weak" / "checkpoints" / checkpoint.name
    weak.parent.mkdir(parents=True)
    torch.save(content, weak)
    scores = {"UF1": {"value": 0.3, "low": 0.2, "high": 0.4, "majority": 0.26}}
    record = {"checkpoint": checkpoint.name, "held_out": {"subjects": 5, "samples": {}, "scores": scores}}
    (tmp_path / "weak" / "metrics.json").write_text(json.dumps(record))
    p = predict_clip(video, weak, 5, 9)
    assert "broke off after epoch 1 of 9" in warned(p) and "not clearly better" in warned(p)
    assert "0.30 on 5 held-out subjects (95 % interval 0.20 to 0.40)" in render_html(p)
    (tmp_path / "weak" / "metrics.json").write_text(json.dumps(record | {"checkpoint": "stage3-ffffffff.pt"}))
    assert predict_clip(video, weak, 5, 9).held_out is None  # scores of another checkpoint are not this one's


# ---------------------------------------------------------------- the report


class Page(HTMLParser):
    """Collects a page's sources and checks that every tag is closed."""

    def __init__(self, text: str):
        super().__init__()
        self.sources, self.open, self.text = [], [], ""
        self.feed(text)
        assert not self.open, self.open

    def handle_starttag(self, tag, attributes):
        if tag not in ("meta", "img", "source"):
            self.open.append(tag)
        self.sources += [value for name, value in attributes if name in ("src", "srcset", "href")]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag

    def handle_data(self, data):
        self.text += data


def test_the_page_stands_alone_and_names_no_folder(predicted, video, tmp_path):
    page = write_report(predicted, tmp_path / "report")
    text = page.read_text(encoding="utf-8")
    read = Page(text)
    assert len(read.sources) >= 10 and all(source.startswith("data:image/") for source in read.sources)
    assert "$" not in re.sub(r'"data:[^"]*"', "", text)
    for content in (text, (page.parent / "report.json").read_text(encoding="utf-8")):
        for folder in (tmp_path, video.parent, Path.cwd(), Path.home()):
            assert str(folder) not in content
    for said in ("a clip", predicted.label, "Grad-CAM", "9 samples", "drawn faces only", predicted.checkpoint):
        assert said in read.text, said
    assert f"Onset at frame {predicted.onset}, apex at frame {predicted.apex}" in read.text


def test_the_json_holds_plain_values(predicted, tmp_path):
    write_report(predicted, tmp_path)
    content = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert sum(content["probabilities"].values()) == pytest.approx(1, abs=1e-4)
    assert content["label"] in content["probabilities"] and list(content["probabilities"]) == list(NAMES)
    assert content["frames"] == {
        "first": 0,
        "last": len(predicted.numbers) - 1,
        "count": len(predicted.numbers),
        "fps": 30,
    }
    assert content["onset"] < content["apex"] and content["spotted"] is True
    assert len(content["curve"]) == content["frames"]["count"]
    assert content["checkpoint"]["data"]["samples"] == dict.fromkeys(NAMES, 3)
    assert content["warnings"] and content["version"] and content["date"] and sum(content["seconds"].values()) > 0
    assert set(content) == {
        *("clip", "date", "label", "probabilities", "onset", "apex", "spotted", "frames", "curve", "largest_motion_px"),
        *("warnings", "checkpoint", "held_out", "seconds", "version"),
    }


def test_a_clips_name_cannot_write_into_the_page(predicted):
    text = render_html(replace(predicted, clip="<script>alert(1)</script> & é"))
    assert "<script>" not in text and "&lt;script&gt;alert(1)&lt;/script&gt; &amp; é" in text


def test_the_panel_and_the_curve_are_figures(predicted):
    panel = plots.face_panel(predicted.flow[0], predicted.onset_frame, predicted.flow, limits=(0, 1))
    assert isinstance(panel, Figure) and len(panel.axes[0].images) == 2 and len(panel.axes[0].collections) == 1
    p = predicted
    ax = plots.clip_curve(p.numbers, p.curve, p.fps, p.onset, p.apex, "motion").axes[0]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [f"onset: {p.onset}", f"apex: {p.apex}"]
    assert ax.get_ylabel() == "motion"


# ---------------------------------------------------------------- the command


def run(*arguments) -> object:
    return CliRunner().invoke(app, ["predict", *map(str, arguments)])


def test_the_command_takes_the_newest_checkpoint_and_names_it(video, runs, checkpoint, monkeypatch):
    monkeypatch.setenv("LFDTCMEN_RUNS", str(runs))
    result = run(video)
    assert result.exit_code == 0, result.output
    assert checkpoint.name in result.stdout and "drawn faces only" in result.stdout
    assert (runs / "predict" / "a clip" / "report.html").is_file()
    assert all(name in result.stdout for name in NAMES)


def test_the_newest_checkpoint_is_of_stage_2_or_3_and_whole(runs, tmp_path):
    assert newest_checkpoint(runs).name.startswith("stage3-")
    folder = tmp_path / "x" / "checkpoints"
    folder.mkdir(parents=True)
    for name in ("stage1-0.pt", ".stage3-0-half.pt", "stage2-0.txt"):
        (folder / name).write_text("")
    with pytest.raises(DataError, match=r"no trained network.*lfdtcmen train"):
        newest_checkpoint(tmp_path)
    (folder / "stage2-0.pt").write_text("")
    assert newest_checkpoint(tmp_path).name == "stage2-0.pt"


@pytest.fixture(scope="module")
def bad(tmp_path_factory, filmed) -> Path:
    """A folder of clips and files that cannot be used."""
    folder = tmp_path_factory.mktemp("bad")
    (folder / "broken.mp4").write_bytes(b"\0" * 2000)
    (folder / "notes.txt").write_text("hello")
    (folder / "wrong.pt").write_text("hello")
    (folder / "empty").mkdir()
    write_folder(folder / "one", filmed[:1])
    write_folder(folder / "noise", list(np.random.default_rng(0).integers(0, 256, (3, 200, 300, 3), dtype=np.uint8)))
    return folder


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["{bad}/none.mp4"], "no such video file"),
        (["{bad}/none"], "no such folder or video"),
        (["{bad}/broken.mp4"], "cannot be decoded"),
        (["{bad}/notes.txt"], "no video"),
        (["{bad}/empty"], "no numbered images"),
        (["{bad}/one"], "only one frame"),
        (["{bad}/noise"], "no face found"),
        (["{video}", "--onset", "9", "--apex", "5"], "onset is 9 but apex is 5"),
        (["{video}", "--onset", "9"], "only one of onset and apex"),
        (["{video}", "--onset", "9", "--apex", "900"], "frame 900 is not there"),
        (["{video}", "--start", "9"], "only one of start and end"),
        (["{video}", "--start", "9", "--end", "3"], "runs from 9 to 3"),
        (["{video}", "--start", "0", "--end", "90"], "the video ends with frame 29"),
        (["{video}", "--fps", "0"], "0 frames a second"),
        (["{video}", "--checkpoint", "{stage1}"], "stage 1"),
        (["{video}", "--checkpoint", "{bad}/wrong.pt"], "checkpoint cannot be read"),
        (["{video}", "--checkpoint", "{bad}/none.pt"], "no such checkpoint"),
        (["{video}", "--detector", "{bad}/wrong.pt"], "no YuNet model"),
        (["{video}", "--apex", "x"], "--apex"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(arguments, said, bad, video, runs, monkeypatch):
    monkeypatch.setenv("LFDTCMEN_RUNS", str(runs))
    (stage1,) = runs.glob("tiny/checkpoints/stage1-*.pt")
    result = run(*(text.format(bad=bad, video=video, stage1=stage1) for text in arguments))
    assert result.exit_code == 2, result.output
    assert said in result.stderr and result.stderr.count("\n") == 1


def test_without_a_trained_network_it_says_how_to_train_one(video, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run(video)
    assert result.exit_code == 2 and "train one with `lfdtcmen train`" in result.stderr
