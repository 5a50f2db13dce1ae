"""From a clip to probabilities: video and folder agree, the pair is prepared like training data, doubts are named."""

import json

import cv2
import numpy as np
import pandas as pd
import pytest

from lfdtcmen import DataError
from lfdtcmen.datasets.clips import prepare_clips
from lfdtcmen.datasets.frames import read_frames
from lfdtcmen.predict import clip as clip_module
from lfdtcmen.predict.clip import newest_checkpoint, predict_clip
from lfdtcmen.predict.report import render_html
from lfdtcmen.preprocessing.align import align_faces
from lfdtcmen.training import weights
from lfdtcmen.training.checkpoint import halve_checkpoint
from tests.predict.films import NAMES, film_turn, scene, write_folder
from tests.training.helpers import rewrite


def correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Return the correlation of two flows [2, 128, 128] over the middle of the face."""
    return float(np.corrcoef(one[:, 24:104, 24:104].ravel(), other[:, 24:104, 24:104].ravel())[0, 1])


# ---------------------------------------------------------------- from clip to probabilities


@pytest.fixture(scope="module")
def known(clip, filmed, checkpoint, tmp_path_factory):
    """A folder of frames from number 40 on, and its prediction with the true onset and apex."""
    folder = write_folder(tmp_path_factory.mktemp("known") / "s1", filmed, first=40)
    return folder, predict_clip(folder, checkpoint, 40 + clip.onset, 40 + clip.apex)


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


def test_the_flow_runs_from_onset_to_apex(clip, known):
    assert correlation(known[1].flow, clip.flow) > 0.6


def test_the_pair_is_prepared_as_the_training_data_are(clip, filmed, known, tmp_path):
    folder, p = known
    row = {"dataset": "own", "subject": "own/s1", "clip": "s1", "emotion": "surprise", "label": 2, "path": str(folder)}
    onset, apex = 40 + clip.onset, 40 + clip.apex
    pairs, _ = prepare_clips(pd.DataFrame([row | {"onset": onset, "apex": apex}]), tmp_path / "out")
    np.testing.assert_array_equal(p.onset_frame, pairs.onset[0])
    np.testing.assert_array_equal(p.apex_frame, pairs.apex[0])
    assert list(p.numbers) == list(range(40, 40 + len(filmed))) and not p.spotted


def test_a_clip_is_aligned_as_the_training_pairs_were(clip, filmed, checkpoint, known, monkeypatch):
    folder, usual = known
    load, frames = clip_module.load_model, [filmed[clip.onset], filmed[clip.apex]]

    def load_of_nose(*arguments):
        model, about = load(*arguments)
        return model, about | {"data": about["data"] | {"alignment": "nose"}}

    monkeypatch.setattr(clip_module, "load_model", load_of_nose)
    nose = predict_clip(folder, checkpoint, 40 + clip.onset, 40 + clip.apex)
    np.testing.assert_array_equal(nose.apex_frame, align_faces(frames, method="nose").frames[1])
    np.testing.assert_array_equal(usual.apex_frame, align_faces(frames).frames[1])


def test_a_section_of_a_long_clip(video, clip, checkpoint, predicted, monkeypatch):
    monkeypatch.setattr(clip_module, "MAX_FRAMES", 20)
    with pytest.raises(DataError, match=r"more than 20 frames.*--start and --end"):
        predict_clip(video, checkpoint)
    part = predict_clip(video, checkpoint, predicted.onset, predicted.apex, start=4, end=23)
    assert list(part.numbers) == list(range(4, 24))
    np.testing.assert_array_equal(part.probabilities, predicted.probabilities)


def test_a_video_whose_header_counts_wrong_is_refused_above_the_limit(video, checkpoint, monkeypatch):
    monkeypatch.setattr(clip_module, "MAX_FRAMES", 20)
    monkeypatch.setattr(clip_module, "video_info", lambda path: (0, 0.0))
    with pytest.raises(DataError, match="more than 20 frames"):
        predict_clip(video, checkpoint)


def test_the_newest_checkpoint_is_of_stage_2_or_3_and_whole(runs, tmp_path, monkeypatch):
    monkeypatch.setattr(weights, "shipped_folder", lambda: tmp_path / "none")
    assert newest_checkpoint(runs).name.startswith("stage3-")
    folder = tmp_path / "x" / "checkpoints"
    folder.mkdir(parents=True)
    for name in ("stage1-0.safetensors", ".stage3-0-half.safetensors", "stage2-0.txt"):
        (folder / name).write_text("")
    with pytest.raises(DataError, match=r"no trained network.*lfdtcmen train"):
        newest_checkpoint(tmp_path)
    (folder / "stage2-0.pt").write_text("")
    with pytest.raises(DataError, match=r"earlier version of lfdtcmen.*train again"):
        newest_checkpoint(tmp_path)
    (folder / "stage2-0.safetensors").write_text("")
    assert newest_checkpoint(tmp_path).name == "stage2-0.safetensors"


def test_without_a_trained_network_the_shipped_one_predicts_and_says_its_scores(
    checkpoint, video, tmp_path, monkeypatch
):
    folder = tmp_path / "weights"
    monkeypatch.setattr(weights, "shipped_folder", lambda: folder)
    about = halve_checkpoint(checkpoint, folder / "wild.safetensors")
    scores = {"UF1": {"value": 0.3, "low": 0.2, "high": 0.4, "majority": 0.26}}
    record = about | {"held_out": {"subjects": 20, "samples": {}, "scores": scores, "recall": {}}}
    (folder / "wild.json").write_text(json.dumps(record), encoding="utf-8")
    assert newest_checkpoint(tmp_path / "runs") == folder / "wild.safetensors"
    predicted = predict_clip(video, newest_checkpoint(tmp_path / "runs"))
    assert predicted.held_out["scores"]["UF1"]["value"] == 0.3
    assert any("not clearly better" in note for note in predicted.warnings)


# ---------------------------------------------------------------- warnings


def warned(p) -> str:
    return "\n".join(p.warnings)


def test_the_first_warning_names_synthetic_faces(predicted):
    assert "synthetic faces only" in predicted.warnings[0]


def test_a_still_clip_warns_that_nothing_moves(clip, checkpoint, tmp_path):
    still = write_folder(tmp_path / "still", scene(clip.frames[[0, 0, 0]]))
    assert "Almost nothing moves" in warned(predict_clip(still, checkpoint, 0, 2))


@pytest.mark.parametrize("direction", [(1.0, 0.0), (0.6, -0.8)])
def test_a_head_that_turns_is_warned_of_and_an_expression_on_it_is_not(direction, checkpoint, tmp_path):
    turning = write_folder(tmp_path / "turn", scene(film_turn(6.0, direction)))
    p = predict_clip(turning, checkpoint)
    assert "looks like a turn of the head" in warned(p) and "looks like a turn" in render_html(p)
    smiling = write_folder(tmp_path / "both", scene(film_turn(2.0, direction, smile=2.0)))
    assert "turn" not in warned(predict_clip(smiling, checkpoint))


def test_an_expression_is_no_turn(predicted):
    assert "turn" not in warned(predicted)


def test_slow_motion_and_few_frames_are_warned_of(video, predicted, checkpoint):
    assert "half a second" not in warned(predicted) and "too few frames" not in warned(predicted)
    p = predict_clip(video, checkpoint, 0, 9, fps=10)
    assert "it takes 0.90 s" in warned(p) and "At 10 frames a second" in warned(p)


def test_several_faces_are_warned_of(clip, checkpoint, tmp_path):
    two = []
    for frame in clip.frames[[clip.onset, clip.apex]]:
        room = np.full((480, 640, 3), 90, np.uint8)
        room[90:390, 10:310] = cv2.resize(frame, (300, 300))
        room[140:340, 400:600] = cv2.resize(clip.frames[0], (200, 200))
        two.append(room)
    assert "2 faces found" in warned(predict_clip(write_folder(tmp_path / "two", two), checkpoint, 0, 1))


def test_an_unfinished_or_guessing_network_is_warned_of(video, checkpoint, tmp_path, predicted):
    assert predicted.held_out is None and "stopped after" not in warned(predicted)
    weak = tmp_path / "weak" / "checkpoints" / checkpoint.name
    rewrite(checkpoint, lambda tensors, values: values["about"].update(epochs=9), weak)
    scores = {"UF1": {"value": 0.3, "low": 0.2, "high": 0.4, "majority": 0.26}}
    record = {"checkpoint": checkpoint.name, "held_out": {"subjects": 5, "samples": {}, "scores": scores}}
    (tmp_path / "weak" / "metrics.json").write_text(json.dumps(record))
    p = predict_clip(video, weak, 5, 9)
    assert "stopped after epoch 1 of 9" in warned(p) and "not clearly better" in warned(p)
    assert "0.30 on 5 held-out subjects (95 % interval 0.20 to 0.40)" in render_html(p)
    (tmp_path / "weak" / "metrics.json").write_text(json.dumps(record | {"checkpoint": "stage3-ffffffff.pt"}))
    assert predict_clip(video, weak, 5, 9).held_out is None  # scores of another checkpoint are not this one's
