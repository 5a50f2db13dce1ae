"""Tables about scored maps say what the scores say."""

import numpy as np
import pandas as pd
import pytest
import torch

from lfdtcmen.analysis import attribution, attribution_tables
from lfdtcmen.analysis.class_activation import gradcam, hirescam
from tests.analysis.test_attribution import always, make_model, pairs_of


def test_differences_are_text_and_empty_maps_are_told():
    pairs = pairs_of(subjects=6)
    moving = torch.from_numpy(attribution.moving_skin(pairs)[0]).float()
    table = attribution.attribution_table({"I": make_model(flow=None)}, pairs, pairs, methods=[always(moving)])
    wide = attribution_tables.paired_differences(table)
    assert wide.index.tolist() == ["I, motion, method"]
    assert wide.columns.tolist() == ["uniform map", "mean map", "untrained", "empty", "not empty", "p"]
    row = table[table["against"].eq("mean map")].iloc[0]
    assert wide["mean map"].item() == f"{row.value:+.3f} ({row.low:+.3f} to {row.high:+.3f})"
    assert wide[["empty", "not empty"]].to_numpy().tolist() == [[0, 1]]
    few = attribution.attribution_table({"I": make_model(flow=None)}, pairs, pairs_of(3), methods=[gradcam])
    assert "no interval" in attribution_tables.paired_differences(few)["uniform map"].item()


def test_a_threshold_changes_what_moves_and_which_clips_count():
    pairs = pairs_of(subjects=6)
    motion = pairs.true_flow.copy()
    motion[0] *= 0.5  # 0.35 px
    moving = {above: attribution.moving_skin(pairs, motion, above)[0] for above in (0.1, 0.5)}
    table = attribution_tables.shares_by_threshold({"a": moving[0.1].astype(float)}, pairs, motion, (0.1, 0.5))
    face = attribution.moving_skin(pairs)[1]
    assert table.loc["a", "0.1 px"] == pytest.approx(face.sum() / 200)  # all of the map on 200 pixels of the face
    assert table.loc["a", "0.5 px"] == pytest.approx(face.sum() / 200)  # the first clip does not count
    uniform = attribution_tables.shares_by_threshold({"u": np.ones((12, 128, 128))}, pairs, motion)
    assert uniform.loc["u", "0.25 px"] == pytest.approx(1) and np.isnan(
        uniform.loc["u", "1 px"]
    )  # nothing moves so far


def test_the_label_test_explains_the_true_class_of_both_networks():
    pairs = pairs_of(subjects=6)
    networks = {"true labels": make_model(drl=None, motion=None), "shuffled labels": make_model(drl=None, motion=None)}
    torch.nn.init.normal_(networks["shuffled labels"].tcme.classifier.weight)
    table = attribution_tables.label_test(networks, pairs, pairs.true_flow, [gradcam, hirescam])
    assert table["model"].tolist() == ["true labels", "shuffled labels", "true labels"] * 2
    assert table["against"].tolist() == ["", "", "shuffled labels"] * 2
    for _, rows in table.groupby("method"):
        value = rows["value"].tolist()
        assert value[2] == pytest.approx(value[0] - value[1]) and value[0] != pytest.approx(value[1])
    moving, face = attribution.moving_skin(pairs)
    maps = hirescam(networks["true labels"], pairs.batch(np.arange(12)), torch.from_numpy(pairs.labels))["flow"]
    large = torch.nn.functional.interpolate(maps[:, None], (128, 128), mode="bilinear", align_corners=False)[:, 0]
    expected = attribution.share_on_motion(large.numpy(), moving, face).mean()
    found = table.set_index(["method", "model", "against"])["value"]["hirescam", "true labels", ""]
    assert found == pytest.approx(expected, rel=1e-4)
    assert isinstance(table, pd.DataFrame)
