"""The report: the page needs no other file, the JSON holds plain values, and a clip's name cannot write into it."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import matplotlib as mpl
import pytest
from matplotlib.figure import Figure

from lfdtcmen.predict.report import render_html, report_folder, to_dict, write_report
from lfdtcmen.viz import clip_curve, face_panel
from tests.predict.films import NAMES


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
    without_pictures = re.sub(r'"data:[^"]*"', "", text)
    assert not [mark for mark in ("{{", "}}", "{%", "%}", "{#", "None", "nan") if mark in without_pictures]
    for content in (text, (page.parent / "report.json").read_text(encoding="utf-8")):
        for folder in (tmp_path, video.parent, Path.cwd(), Path.home()):
            assert str(folder) not in content
    for expected in ("a clip", predicted.label, "HiResCAM", "9 samples", "synthetic faces only", "data prepare"):
        assert expected in read.text, expected
    assert predicted.checkpoint in read.text
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
    assert content["seen"].startswith("This network has seen synthetic faces") and "people" not in content["checkpoint"]
    assert "--checkpoint" in content["measure_it"][1] and "people" not in content["checkpoint"]["data"]
    assert content["warnings"] and content["version"] and content["date"] and sum(content["seconds"].values()) > 0
    assert set(content) == {
        *(
            "clip",
            "source",
            "date",
            "label",
            "probabilities",
            "onset",
            "apex",
            "spotted",
            "frames",
            "curve",
            "largest_motion_px",
        ),
        *("warnings", "checkpoint", "held_out", "seconds", "version", "seen", "measure_it"),
    }


def test_clips_of_one_name_have_a_report_each(predicted, tmp_path):
    other = replace(predicted, source="another")
    first = report_folder(predicted, tmp_path)
    assert first == tmp_path / "predict" / predicted.clip
    write_report(predicted, first)
    assert report_folder(predicted, tmp_path) == first  # the same clip again
    second = report_folder(other, tmp_path)
    assert second == first.with_name(f"{predicted.clip}-2")
    write_report(other, second)
    assert report_folder(other, tmp_path) == second and report_folder(predicted, tmp_path) == first


def test_the_command_of_the_report_can_be_typed(predicted, tmp_path):
    for checkpoint, word in (("wild.safetensors", "shipped"), ("stage3-0123abcd.safetensors", "PATH/TO/stage3-")):
        assert f"--checkpoint {word}" in to_dict(replace(predicted, checkpoint=checkpoint))["measure_it"][1]


def test_a_clips_name_cannot_write_into_the_page(predicted):
    text = render_html(replace(predicted, clip="<script>alert(1)</script> & é"))
    assert "<script>" not in text and "&lt;script&gt;alert(1)&lt;/script&gt; &amp; é" in text


def test_a_branch_without_any_map_is_reported_as_such(predicted):
    text = render_html(replace(predicted, maps={"flow": 0 * predicted.maps["flow"]}))
    assert f"zero everywhere: no part of the flow raises the score of {predicted.label}" in text


def test_the_panel_and_the_curve_are_figures(predicted):
    panel = face_panel(predicted.flow[0], predicted.onset_frame, predicted.flow, limits=(0, 1))
    assert isinstance(panel, Figure) and len(panel.axes[0].images) == 2 and len(panel.axes[0].collections) == 1
    p = predicted
    ax = clip_curve(p.numbers, p.curve, p.fps, p.onset, p.apex, "motion").axes[0]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [f"onset: {p.onset}", f"apex: {p.apex}"]
    assert ax.get_ylabel() == "motion"


def test_the_label_beside_the_curve_is_inside_the_picture(predicted):
    p = predicted
    with mpl.rc_context({"font.size": 11}):  # as in the report
        figure = clip_curve(p.numbers, p.curve, p.fps, p.onset, p.apex, "expression, as a share of the apex")
        figure.draw_without_rendering()
    label = figure.axes[0].yaxis.label.get_window_extent()
    assert label.y0 >= 0 and label.y1 <= figure.bbox.height
