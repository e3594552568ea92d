"""The report's pictures, as SVG."""

import io
from collections.abc import Sequence

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from speller.eval.metrics import calibration
from speller.eval.report import Report

COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#8c6d31", "#999999", "#7b4173")
"""Okabe and Ito's, told apart with any colour vision, and three more; the first is the first system's."""

MARKERS = "osD^vP*X<>"

FARTHEST = 6
"""Edit distances from here on share a bar."""


def accuracy_by_distance(report: Report) -> str:
    """Top-1 with its interval by the misspellings' edit distance, every system beside every other."""
    figure, axes = _canvas("edit distance of the misspelling", "top-1")
    parts = list(report.rows.splits()["distance"])
    spread = _spread(len(report.judgements), 0.6)
    for place, one in enumerate(report.judgements):
        found = [report.splits[one.name]["distance"][part]["top1"] for part in parts]
        value = np.array([estimate.value for estimate in found])
        # At 0 and 1 a bound may pass the value by a rounding error.
        below = np.maximum(value - [estimate.low for estimate in found], 0)
        above = np.maximum([estimate.high for estimate in found] - value, 0)
        axes.errorbar(
            np.arange(len(parts)) + spread[place], value, (below, above), fmt=MARKERS[place % len(MARKERS)],
            color=_color(place), capsize=3, label=one.name,
        )  # fmt: skip
    axes.set_xticks(range(len(parts)), parts)
    axes.set_ylim(0, 1)
    return _svg(figure, axes)


def distances_before_and_after(report: Report) -> str:
    """How many words are how far from the right one, before and after each system."""
    figure, axes = _canvas("edit distance from the right word", "misspellings")
    misspelt = report.rows.misspelt
    bars = [("as written", report.judgements[0].outcome.before, "#cccccc")]
    bars += [(one.name, one.outcome.after, _color(place)) for place, one in enumerate(report.judgements)]
    spread = _spread(len(bars), 0.8)
    for place, (label, distance, color) in enumerate(bars):
        count = np.bincount(np.minimum(distance[misspelt], FARTHEST), minlength=FARTHEST + 1)
        axes.bar(np.arange(FARTHEST + 1) + spread[place], count, 0.8 / len(bars), color=color, label=label)
    axes.set_xticks(range(FARTHEST + 1), [*map(str, range(FARTHEST)), f"{FARTHEST}+"])
    return _svg(figure, axes)


def reliability(report: Report) -> str | None:
    """How often answers are right by the probability that they were given; None where no system gives any."""
    figure, axes = _canvas("probability of the first answer", "share that is right")
    axes.plot((0, 1), (0, 1), color="#999999", linewidth=1, linestyle="--")
    curves = [(place, one, calibration(one.outcome)) for place, one in enumerate(report.judgements)]
    for place, one, curve in curves:
        if curve:
            axes.plot(curve.probability, curve.accuracy, color=_color(place), linewidth=1)
            axes.scatter(
                curve.probability, curve.accuracy, 200 * np.sqrt(np.array(curve.count) / sum(curve.count)),
                color=_color(place), label=f"{one.name}, expected error {curve.error:.3f}",
            )  # fmt: skip
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    return _svg(figure, axes) if any(curve for *_, curve in curves) else None


def speed_and_accuracy(report: Report) -> str:
    """Top-1 over words per second."""
    figure, axes = _canvas("words per second", "top-1")
    for place, one in enumerate(report.judgements):
        axes.scatter(
            one.words_per_second, report.measures[one.name]["top1"].value, 70, color=_color(place),
            marker=MARKERS[place % len(MARKERS)], label=one.name,
        )  # fmt: skip
    axes.set_xscale("log")
    return _svg(figure, axes)


def _canvas(across: str, up: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.add_subplot()
    axes.set_xlabel(across)
    axes.set_ylabel(up)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#e5e5e5")
    axes.set_axisbelow(True)
    return figure, axes


def _svg(figure: Figure, axes: Axes) -> str:
    if axes.get_legend_handles_labels()[0]:
        figure.legend(loc="outside right upper", frameon=False, fontsize="small")
    text = io.StringIO()
    # Text as text, and no date: small, and the same for the same report.
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "speller"}):
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    return text.getvalue()


def _spread(count: int, width: float) -> Sequence[float]:
    """Where things stand side by side around a tick, within a width."""
    places: Sequence[float] = ((np.arange(count) - (count - 1) / 2) * width / count).tolist()
    return places


def _color(place: int) -> str:
    return COLORS[place % len(COLORS)]
