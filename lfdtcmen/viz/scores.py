"""Figures of scores: confusion matrices, forests of scores with intervals, recalls, single predictions."""

import textwrap
from collections.abc import Mapping, Sequence
from itertools import pairwise

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from lfdtcmen.errors import DataError
from lfdtcmen.images import grey_change
from lfdtcmen.viz.motion import draw_change, draw_flow
from lfdtcmen.viz.style import (
    DPI,
    PALETTE,
    WIDTH,
    bare,
    check_frames,
    check_titles,
    draw_interval,
    symmetric_limit,
    write_above,
)


def confusion_pair(
    confusion: np.ndarray,
    names: Sequence[str],
    stated: Mapping[str, Mapping[str, float]] | None = None,
    data_name: str = "drawn faces",
    stated_name: str = "CAS(ME)$^3$ Part A",
) -> Figure:
    """Draw our confusion matrix beside the recall rates that the paper states for its own data (Figs 7-9).

    Parameters
    ----------
    confusion : ndarray
        Counts, int [C, C], a row for each true class.
    names : sequence of str
        Class names, in the order of the rows.
    stated : mapping, optional
        True class -> predicted class -> rate in [0, 1], only what the text states
        (:data:`lfdtcmen.paper.numbers.RECALL`). All other cells stay blank: the figures themselves are not copied.
    data_name, stated_name : str
        Which data each side is measured on: they differ, so the two sides are to be compared in kind only.
    """
    confusion = np.asarray(confusion)
    if confusion.shape != (len(names), len(names)):
        raise DataError(f"{len(names)} names for a matrix of {list(confusion.shape)}", "confusion_pair")
    rates = confusion / np.maximum(confusion.sum(1, keepdims=True), 1)
    text = [[f"{rates[t, p]:.0%}\n{confusion[t, p]}" for p in range(len(names))] for t in range(len(names))]
    sides = 1 if stated is None else 2
    figure = Figure(figsize=(WIDTH if sides == 2 else WIDTH / 2 + 0.5, 4.3), dpi=DPI, layout="constrained")
    axes = figure.subplots(1, sides, squeeze=False)[0]
    image = _draw_matrix(axes[0], rates, text, names)
    axes[0].set_title(f"ours, {data_name}: row rate and count", fontsize=10)
    axes[0].set_ylabel("true class")
    if stated is not None:
        if unknown := set(stated) - set(names):
            raise DataError(f"the paper's rates name {sorted(unknown)}, which are no classes here", "confusion_pair")
        paper = np.array([[stated.get(t, {}).get(p, np.nan) for p in names] for t in names])  # [C, C]
        text = [["not\nstated" if np.isnan(rate) else f"{rate:.0%}" for rate in row] for row in paper]
        _draw_matrix(axes[1], paper, text, names)
        axes[1].set_title(f"the paper's text, {stated_name}", fontsize=10)
    figure.colorbar(image, ax=list(axes), shrink=0.8, label="share of the true class")
    return figure


def score_forest(
    table: pd.DataFrame, metrics: Sequence[str] = ("UF1", "UAR"), reference: Mapping[str, float] | None = None
) -> Figure:
    """Draw mean and interval of each model's score, one panel a metric.

    Parameters
    ----------
    table : DataFrame
        One row a model: column ``model`` (or the index) and, for each metric, columns "<metric>", "<metric> low",
        "<metric> high" (95 % interval over subjects). "<metric> mean" is taken as well.
    metrics : sequence of str
        Which scores to draw.
    reference : mapping, optional
        Name -> value, drawn as vertical lines in every panel, such as ``{"chance": 1 / 3}``.
    """
    names = (table["model"] if "model" in table else table.index.to_series()).astype(str).tolist()
    figure = Figure(figsize=(WIDTH, 1.1 + 0.36 * len(names)), dpi=DPI, layout="constrained")
    axes = figure.subplots(1, len(metrics), squeeze=False, sharey=True)[0]
    for ax, metric in zip(axes, metrics, strict=True):
        column = metric if metric in table else f"{metric} mean"
        if missing := [c for c in (column, f"{metric} low", f"{metric} high") if c not in table]:
            raise DataError(f"no column {missing[0]!r}", "score_forest", f"columns found: {', '.join(table.columns)}")
        mean, low, high = (table[c].to_numpy(float) for c in (column, f"{metric} low", f"{metric} high"))
        # the interval of a bootstrap need not hold the mean over seeds: a bar is never drawn backwards
        error = np.maximum([mean - low, high - mean], 0)
        ax.errorbar(mean, range(len(names)), xerr=error, fmt="o", color=PALETTE[0], ecolor=PALETTE[7], capsize=3)
        for k, value in enumerate(mean):
            write_above(ax, "{:.3f}", value, k)
        for k, (name, value) in enumerate((reference or {}).items()):
            ax.axvline(value, color=PALETTE[3], linestyle=(":", "--", "-.")[k % 3], label=f"{name} {value:.2f}")
        ax.set(xlabel=f"{metric} (mean, 95 % interval over subjects)", ylim=(len(names) - 0.4, -0.7))
        ax.grid(axis="x", alpha=0.3)
        ax.margins(x=0.12)  # a number at the edge would lie on the frame
    axes[0].set_yticks(range(len(names)), names)
    if reference:
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper right", fontsize=8, frameon=False)
    return figure


def report_forest(report: pd.DataFrame) -> Figure:
    """Draw a disentanglement report: each measure with its interval, beside what it is to be held against.

    Parameters
    ----------
    report : DataFrame
        As :func:`lfdtcmen.analysis.disentanglement.disentanglement_report` returns it: index measure; columns value,
        low, high, reference, wanted.
    """
    figure = Figure(figsize=(WIDTH, 1.0 + 0.36 * len(report)), dpi=DPI, layout="constrained")
    ax = figure.subplots()
    rows = np.arange(len(report))
    value, low, high = (report[c].to_numpy(float) for c in ("value", "low", "high"))
    error = np.maximum([value - low, high - value], 0)
    ax.errorbar(value, rows, xerr=error, fmt="o", color=PALETTE[0], ecolor=PALETTE[7], capsize=3, label="value")
    ax.scatter(report["reference"], rows, marker="|", s=110, color=PALETTE[3], label="held against")
    for k in rows:
        write_above(ax, "{:z.2f}", value[k], k)
    label = "value (no unit)"
    if np.nanmax(np.abs([low, value, high, report["reference"]])) > 1.1:
        ax.set_xscale("symlog", linthresh=1.0)  # a gain of 0.02 and an error ten times that of copying, in one picture
        left, right = ax.get_xlim()
        ticks = [tick for tick in (-10, -3, -1, -0.5, 0, 0.25, 0.5, 0.75, 1, 3, 10, 30, 100) if left <= tick <= right]
        ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        label = "value (no unit; linear up to 1, logarithmic above)"
    ax.set_yticks(rows, [f"{m}  (wanted: {w})" for m, w in report["wanted"].items()], fontsize=8)
    ax.set(ylim=(len(report) - 0.5, -0.8), xlabel=label)
    ax.grid(axis="x", alpha=0.3)
    figure.legend(*ax.get_legend_handles_labels(), loc="outside upper right", fontsize=8, ncols=2, frameon=False)
    return figure


def prediction_strip(
    onset: np.ndarray,
    apex: np.ndarray,
    flow: np.ndarray,
    probabilities: np.ndarray,
    names: Sequence[str],
    labels: Sequence[int],
    titles: Sequence[str] | None = None,
) -> Figure:
    """Draw each pair as one row: onset, signed difference, flow, and the class probabilities beside the true class.

    Parameters
    ----------
    onset, apex : ndarray
        uint8 [N, H, W, 3].
    flow : ndarray
        [N, 2, H, W], pixels.
    probabilities : ndarray
        Of each class, [N, C], as :func:`lfdtcmen.training.predict` returns them.
    names : sequence of str
        Class names [C].
    labels : sequence of int
        True class of each pair [N]: its bar is filled, the others are hollow.
    titles : sequence of str, optional
        One short line a row.

    Raises
    ------
    DataError
        Arrays whose rows do not belong together.
    """
    onset, probabilities = check_frames(onset, "prediction_strip"), np.asarray(probabilities)
    for name, value in {"apex": apex, "flow": flow, "probabilities": probabilities, "labels": labels}.items():
        check_titles(value, len(onset), f"prediction_strip: {name}")
    check_titles(titles, len(onset), "prediction_strip: titles")
    change = grey_change(onset, apex)  # [N, H, W]
    limits = symmetric_limit(change), symmetric_limit(np.linalg.norm(flow, axis=1))
    figure = Figure(figsize=(WIDTH, 0.5 + 1.45 * len(onset)), dpi=DPI, layout="constrained")
    axes = figure.subplots(len(onset), 4, squeeze=False, width_ratios=(1, 1, 1, 2.6))
    figure.get_layout_engine().set(w_pad=0.02, wspace=0.01)
    for k, (face, difference, motion, bars) in enumerate(axes):
        bare(face).imshow(onset[k])
        draw_change(bare(difference), change[k], limits[0])
        draw_flow(bare(motion), flow[k], limits[1])
        colours = [PALETTE[0] if c == labels[k] else "white" for c in range(len(names))]
        bars.barh(range(len(names)), probabilities[k], color=colours, edgecolor=PALETTE[0])
        bars.set_yticks(
            range(len(names)), [n + " (true)" * bool(c == labels[k]) for c, n in enumerate(names)], fontsize=8
        )
        for c, value in enumerate(probabilities[k]):
            bars.text(value, c, f" {value:.2f}", va="center", fontsize=8)
        bars.set(xlim=(0, 1.15), ylim=(len(names) - 0.4, -0.6), xticks=(0, 0.5, 1))
        bars.tick_params(axis="x", labelsize=8, labelbottom=k == len(onset) - 1)
        bars.set_title(titles[k] if titles is not None else "", fontsize=9, loc="left")
    heads = ("onset", f"apex - onset\n(±{limits[0]:.3g} grey levels)", f"flow\n(to {limits[1]:.2g} px)")
    for ax, head in zip(axes[0], heads, strict=False):
        ax.set_title(head, fontsize=8)
    axes[-1, 3].set_xlabel("probability", fontsize=9)
    return figure


def _draw_matrix(ax: Axes, rates: np.ndarray, text: Sequence[Sequence[str]], names: Sequence[str]) -> AxesImage:
    cmap = mpl.colormaps["cividis"].with_extremes(bad="white")
    image = ax.imshow(np.ma.masked_invalid(rates), cmap=cmap, vmin=0, vmax=1)
    size = 10 if len(names) <= 4 else 7
    for t, row in enumerate(rates):
        for p, rate in enumerate(row):
            colour = "grey" if np.isnan(rate) else "white" if rate < 0.55 else "black"
            ax.text(p, t, text[t][p], ha="center", va="center", color=colour, fontsize=size - 2 * np.isnan(rate))
    ax.set_xticks(range(len(names)), names, rotation=30 if len(names) > 4 else 0, fontsize=9)
    ax.set_yticks(range(len(names)), names, fontsize=9)
    ax.set_xlabel("predicted class")
    return image


def inflation_forest(table: pd.DataFrame, metric: str = "UF1") -> Figure:
    """Draw the score that each practice reports, and what it adds to the honest one (4.2).

    Parameters
    ----------
    table : DataFrame
        As :func:`lfdtcmen.analysis.inflation.inflation_table` returns it, the honest practice first: columns practice,
        score, score low, score high, added, added low, added high (95 % intervals over subjects). Hollow marks are
        differences whose interval holds 0.
    metric : str
        What was scored, for the axes.
    """
    names = table["practice"].astype(str).tolist()
    figure = Figure(figsize=(WIDTH, 1.1 + 0.4 * len(names)), dpi=DPI, layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    unsure = (table["added low"] <= 0) & (table["added high"] >= 0)
    for ax, name, number in zip(axes, ("score", "added"), ("{:z.3f}", "{:+z.3f}"), strict=True):
        low, high = f"{name} low", f"{name} high"
        for k, row in enumerate(table.to_dict("records")):
            if name == "added" and k == 0:
                continue  # nothing, by definition
            colour = PALETTE[0] if k == 0 else PALETTE[3]
            error = np.maximum([[row[name] - row[low]], [row[high] - row[name]]], 0)
            ax.errorbar(row[name], k, xerr=error, fmt="none", ecolor=PALETTE[7], capsize=3)
            face = "white" if name == "added" and unsure.iloc[k] else colour
            ax.plot(row[name], k, "o", color=colour, markerfacecolor=face)
            write_above(ax, number, row[name], k)
        ax.locator_params(axis="x", nbins=4)
        ax.axvline(table[name].iloc[0], color=PALETTE[0], linestyle="--", linewidth=1)
        ax.set_ylim(len(names) - 0.5, -0.8)
        ax.grid(axis="x", alpha=0.3)
        ax.margins(x=0.12)
    axes[0].set(xlabel=f"{metric} (95 % interval)")
    axes[1].set(xlabel=f"added {metric} (paired, 95 % interval)")
    axes[0].set_yticks(range(len(names)), names)
    return figure


def score_steps(steps: Mapping[str, float], metric: str = "UF1") -> Figure:
    """Draw how a score grows from the honest one to the reported one, a bar a step.

    Parameters
    ----------
    steps : mapping
        Name -> score after this step: the honest one first; the last one is what is reported.
    metric : str
        What was scored, for the axis, which runs from 0 to 1, so that one picture can be compared with another.
    """
    if len(steps) < 2:
        raise DataError(f"{len(steps)} steps", "score_steps", "give the honest score and one step or more")
    names, values = [*steps, "reported"], [*steps.values()]
    figure = Figure(figsize=(WIDTH, 0.9 + 0.36 * len(names)), dpi=DPI, layout="constrained")
    ax = figure.subplots()
    ax.barh([0, len(steps)], [values[0], values[-1]], color=[PALETTE[0], PALETTE[3]])
    for k, (before, after) in enumerate(pairwise(values), start=1):
        ax.barh(k, after - before, left=before, color=PALETTE[1] if after >= before else PALETTE[7])
        ax.plot([before, before], [k - 1, k], color="black", linewidth=0.6)
        ax.text(max(before, after) + 0.01, k, f"{after - before:+z.3f}", va="center", fontsize=9)
    for k, value in ((0, values[0]), (len(steps), values[-1])):
        ax.text(value + 0.01, k, f"{value:.3f}", va="center", fontsize=9, weight="bold")
    ax.axvline(values[0], color=PALETTE[0], linestyle="--", linewidth=1)
    ax.set_yticks(range(len(names)), names)
    ax.set(xlabel=metric, xlim=(0, 1.08), ylim=(len(names) - 0.4, -0.6))
    ax.set_xticks(np.linspace(0, 1, 6))
    return figure


def confusion_row(confusions: Mapping[str, np.ndarray], names: Sequence[str]) -> Figure:
    """Draw confusion matrices of several models side by side, all on the same data and in one colour range (4.7).

    Parameters
    ----------
    confusions : mapping
        Model -> counts, int [C, C], a row for each true class.
    names : sequence of str
        Class names, in the order of the rows.

    Raises
    ------
    DataError
        No matrix, or one of another number of classes.
    """
    if not confusions:
        raise DataError("there is no matrix to draw", "confusion_row")
    size = len(names)
    figure = Figure(figsize=(WIDTH, WIDTH / max(2, len(confusions)) + 0.5), dpi=DPI, layout="constrained")
    axes = figure.subplots(1, len(confusions), squeeze=False, sharey=True)[0]
    for ax, (model, counts) in zip(axes, confusions.items(), strict=True):
        counts = np.asarray(counts)
        if counts.shape != (size, size):
            raise DataError(f"{size} names for a matrix of {list(counts.shape)}", f"confusion_row: {model}")
        rates = counts / np.maximum(counts.sum(1, keepdims=True), 1)
        text = [[f"{rates[t, p]:.0%}\n{counts[t, p]}" for p in range(size)] for t in range(size)]
        image = _draw_matrix(ax, rates, text, names)
        ax.set_title(model, fontsize=10)
    axes[0].set_ylabel("true class")
    figure.colorbar(image, ax=list(axes), shrink=0.8, label="share of the true class")
    return figure


def recall_marks(
    recalls: Mapping[str, np.ndarray],
    names: Sequence[str],
    counts: Sequence[int] | None = None,
    stated: Mapping[str, Mapping[str, float]] | None = None,
) -> Figure:
    """Draw the recall of each class, a mark a model, beside the rates that the paper states for its own data (4.7).

    Parameters
    ----------
    recalls : mapping
        Model -> recall of each class, [C]; NaN leaves a mark out.
    names : sequence of str
        Class names.
    counts : sequence of int, optional
        Our samples of each class, written below its name.
    stated : mapping, optional
        Data set of the paper -> class -> recall, drawn as dashed lines. They are measured on other data than the marks.

    Raises
    ------
    DataError
        Values that are not one a class.
    """
    for model, values in {**recalls, **({} if counts is None else {"counts": counts})}.items():
        if len(values) != len(names):
            raise DataError(f"{len(values)} values for {len(names)} classes", f"recall_marks: {model}")
    figure = Figure(figsize=(WIDTH, 3.2), dpi=DPI, layout="constrained")
    ax = figure.subplots()
    place = np.arange(len(names))
    for k, (model, values) in enumerate(recalls.items()):
        aside = 0.7 * ((k + 0.5) / len(recalls) - 0.5)
        marker = "os^Dv<>P*X"[k % 10]
        ax.plot(place + aside, values, marker, color=PALETTE[k % len(PALETTE)], label=model, markersize=7)
    for k, (data, rates) in enumerate((stated or {}).items()):
        known = [c for c, name in enumerate(names) if name in rates]
        height = [rates[names[c]] for c in known]
        look = {"colors": "black", "linestyles": ("--", ":", "-.")[k % 3], "linewidths": 1.3}
        ax.hlines(height, [c - 0.42 for c in known], [c + 0.42 for c in known], label=f"the paper, {data}", **look)
    labels = names if counts is None else [f"{n}\n({c})" for n, c in zip(names, counts, strict=True)]
    ax.set_xticks(place, labels, fontsize=9)
    ax.set(ylabel="recall (share called right)", ylim=(-0.05, 1.05), xlim=(-0.55, len(names) - 0.45))
    ax.set_xlabel("true class" + ("" if counts is None else " (our samples of it)"))
    for c in place[1:]:
        ax.axvline(c - 0.5, color="black", alpha=0.15, linewidth=0.8)
    ax.grid(axis="y", alpha=0.3)
    figure.legend(*ax.get_legend_handles_labels(), loc="outside right upper", fontsize=8, frameon=False)
    return figure


def ablation_forest(
    table: pd.DataFrame, metric: str = "UF1", title: str | None = None, stated: Mapping[str, float] | None = None
) -> Figure:
    """Draw a table of ablations (4.6): each setting's score, and its step from the row above.

    Parameters
    ----------
    table : DataFrame
        Of :func:`lfdtcmen.analysis.ablation.ablation_table`, in the paper's order: columns setting, what, "<metric>"
        and "<metric> - above", both with " low" and " high" (95 % intervals over subjects).
    metric : {"UF1", "UAR"}
    title : str, optional
        One line above both panels.
    stated : mapping, optional
        Setting -> the step from the row above that the paper states for its own data, as a share of 1.
    """
    for column in (metric, f"{metric} - above"):
        if missing := [c for c in (column, f"{column} low", f"{column} high") if c not in table]:
            raise DataError(f"no column {missing[0]!r}", "ablation_forest", "give it what ablation_table returns")
    rows = table.to_dict("records")
    figure = Figure(figsize=(WIDTH, 1.5 + 0.5 * len(rows)), dpi=DPI, layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    # shape as well as colour says where a step goes
    looks = {"up": ("^", PALETTE[2]), "down": ("v", PALETTE[3]), "not told apart": ("o", PALETTE[7])}
    marks = {}
    for k, row in enumerate(rows):
        draw_interval(left, k, row, metric, "{:z.3f}", fmt="o", color=PALETTE[0])
        column = f"{metric} - above"
        if np.isnan(row[column]):
            continue  # the first row has nothing above it
        way = "up" if row[f"{column} low"] > 0 else "down" if row[f"{column} high"] < 0 else "not told apart"
        marker, colour = looks[way]
        marks[way] = draw_interval(right, k, row, column, "{:+z.3f}", fmt=marker, color=colour)
        if row["setting"] in (stated or {}):
            place = (stated[row["setting"]], k + 0.27)
            look = {"color": "black", "markerfacecolor": "white", "markersize": 6}
            marks["the paper, on its own data"] = right.plot(*place, "D", **look)[0]
    right.axvline(0, color="black", linewidth=1)
    look = {"fontsize": 8, "color": "grey", "va": "center", "ha": "right"}
    right.text(0.98, 0, "nothing above", transform=right.get_yaxis_transform(), **look)
    names = [textwrap.fill(f"{row['setting']}: {row['what']}", 26) for row in rows]
    left.set_yticks(range(len(rows)), names, fontsize=9)
    left.set(ylim=(len(rows) - 0.4, -0.6), xlabel=f"{metric} (95 % interval over subjects)")
    right.set_xlabel(f"step in {metric} from the row above (95 %)")
    right.locator_params(axis="x", nbins=6)
    for ax in (left, right):
        ax.grid(axis="x", alpha=0.3)
        ax.margins(x=0.12)
    names = [name for name in (*looks, "the paper, on its own data") if name in marks]
    handles = [marks[name] for name in names]
    figure.legend(handles, names, loc="outside lower right", ncols=len(names), fontsize=8, frameon=False)
    if title is not None:
        figure.suptitle(title, fontsize=11)
    return figure


def attribution_forest(table: pd.DataFrame) -> Figure:
    """Draw how much of each map lies on pixels that truly move, beside what it is to be held against.

    Parameters
    ----------
    table : DataFrame
        As :func:`lfdtcmen.analysis.attribution.attribution_table` returns it: columns model, map; value, low, high
        (95 % interval over subjects); chance, mean map, untrained, true motion.

    Raises
    ------
    DataError
        A column is missing.
    """
    marks = {
        "chance": ("|", "black"),
        "mean map": ("s", PALETTE[1]),
        "untrained": ("v", PALETTE[2]),
        "true motion": ("D", PALETTE[3]),
    }
    names = {
        "chance": "chance: the same everywhere",
        "mean map": "the network's mean map",
        "untrained": "untrained network",
        "true motion": "true motion, as coarse",
    }
    if missing := [c for c in ("model", "map", "value", "low", "high", *marks) if c not in table]:
        raise DataError(f"no column {missing[0]!r}", "attribution_forest", "give it what attribution_table returns")
    figure = Figure(figsize=(WIDTH, 1.5 + 0.42 * len(table)), dpi=DPI, layout="constrained")
    ax = figure.subplots()
    rows = np.arange(len(table))
    value, low, high = (table[c].to_numpy(float) for c in ("value", "low", "high"))
    error = np.maximum([value - low, high - value], 0)
    for column, (marker, colour) in marks.items():
        look = {"color": colour} if marker == "|" else {"facecolor": "white", "edgecolor": colour}
        size = 260 if marker == "|" else 34
        ax.scatter(table[column], rows + 0.2 * (marker != "|"), marker=marker, s=size, label=names[column], **look)
    ax.errorbar(
        value, rows, xerr=error, fmt="o", color=PALETTE[0], ecolor=PALETTE[0], capsize=3, label="the network's map"
    )
    for k in rows:
        write_above(ax, "{:.3f}", value[k], k)
    ax.set_yticks(rows, [f"{m}: {kind}" for m, kind in zip(table["model"], table["map"], strict=True)], fontsize=9)
    ax.set(ylim=(len(table) - 0.4, -0.7), xlim=(0, None))
    ax.set_xlabel("share of the attribution on the face that lies on moving skin (95 % interval over subjects)")
    ax.grid(axis="x", alpha=0.3)
    figure.legend(*ax.get_legend_handles_labels(), loc="outside upper center", ncols=3, fontsize=8, frameon=False)
    return figure


def probe_forest(table: pd.DataFrame) -> Figure:
    """Draw what probes read off codes: a panel a question, a row a code and probe, a mark a network.

    Parameters
    ----------
    table : DataFrame
        As :func:`lfdtcmen.analysis.probes.probe_table` returns it: columns model, asked, code, places, probe; value,
        low, high (95 % interval over subjects); chance, drawn as a line.

    Raises
    ------
    DataError
        A column is missing, or there are more networks than marks that can be told apart.
    """
    needed = ("model", "asked", "code", "places", "probe", "value", "low", "high", "chance")
    if missing := [c for c in needed if c not in table]:
        raise DataError(f"no column {missing[0]!r}", "probe_forest", "give it what probe_table returns")
    questions, models = list(dict.fromkeys(table["asked"])), list(dict.fromkeys(table["model"]))
    if len(models) > len(PALETTE):
        raise DataError(f"{len(models)} networks", "probe_forest", f"draw {len(PALETTE)} at most")
    names = table["code"] + ", " + table["places"].replace({"mean": "mean of places", "all": "all places"})
    names += ", " + table["probe"]
    order = {name: k for k, name in enumerate(dict.fromkeys(names))}
    figure = Figure(figsize=(WIDTH, 1.2 + (0.16 + 0.1 * len(models)) * len(order)), dpi=DPI, layout="constrained")
    axes = figure.subplots(1, len(questions), squeeze=False, sharey=True)[0]
    units = {"subject": "share named rightly", "emotion": "mean recall", "action units": "$R^2$"}
    for ax, question in zip(axes, questions, strict=True):
        part = table[table["asked"] == question]
        for k, model in enumerate(models):
            rows = part[part["model"] == model]
            place = names[rows.index].map(order) + 0.7 * ((k + 0.5) / len(models) - 0.5)
            value, low, high = (rows[c].to_numpy(float) for c in ("value", "low", "high"))
            error = np.maximum([value - low, high - value], 0)
            look = {"fmt": "os^Dv<>P*X"[k], "color": PALETTE[k], "markersize": 4.5, "elinewidth": 0.9}
            ax.errorbar(value, place, xerr=error, label=model, **look)
        ax.axvline(part["chance"].mean(), color="black", linestyle="--", linewidth=1, label="chance")
        ax.set(xlabel=f"{question}\n{units.get(question, '')}", ylim=(len(order) - 0.4, -0.6))
        for k in range(1, len(order)):
            ax.axhline(k - 0.5, color="black", alpha=0.12, linewidth=0.7)
        ax.grid(axis="x", alpha=0.3)
        ax.locator_params(axis="x", nbins=3)
    axes[0].set_yticks(range(len(order)), list(order), fontsize=8)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=4, fontsize=8, frameon=False)
    return figure


def swap_bars(table: pd.DataFrame) -> Figure:
    """Draw the error of swaps against the rendered truth for each person, as a multiple of a copy's error.

    Parameters
    ----------
    table : DataFrame
        As :func:`lfdtcmen.analysis.swaps.swap_errors` returns it: columns identity; over copy, low, high.

    Raises
    ------
    DataError
        A column is missing.
    """
    if missing := [c for c in ("identity", "over copy", "low", "high") if c not in table]:
        raise DataError(f"no column {missing[0]!r}", "swap_bars", "give it what swap_errors returns")
    figure = Figure(figsize=(WIDTH, 2.8), dpi=DPI, layout="constrained")
    ax = figure.subplots()
    value, low, high = (table[c].to_numpy(float) for c in ("over copy", "low", "high"))
    error = np.maximum([value - low, high - value], 0)
    place = np.arange(len(table))
    colours = [PALETTE[1] if name == "all" else PALETTE[0] for name in table["identity"]]
    ax.bar(place, value, color=colours, yerr=error, capsize=3, ecolor="black")
    ax.axhline(1, color="black", linestyle="--", linewidth=1, label="copy of the onset")
    ax.set_xticks(place, table["identity"].astype(str))
    ax.set(
        xlabel="whose face (number of the drawn person)", ylabel="squared error of the change,\nmultiple of a copy's"
    )
    ax.legend(fontsize=8)
    ax.grid(axis="y", alpha=0.3)
    return figure
