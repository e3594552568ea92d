"""What a comparison of ways to misspell came to: as tables and as a plot."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from speller.eval.errors_likeness import COPIES
from speller.eval.errors_study import HELD_OUT, MEASURES, Results
from speller.eval.plots import COLORS

ASPECTS = {
    "distance": "edit distance",
    "number": "edits in a word",
    "kind": "kind of edit",
    "position": "its place in the word",
    "length": "letters more or fewer",
}
"""What ``compare`` compares, as the plot calls it."""

PLACES = {
    "first": "first letter",
    **{f"{fifth}/5": f"{name} fifth" for fifth, name in enumerate(("1st", "2nd", "3rd", "4th", "5th"))},
    "last": "last letter",
}
"""The places in a word, in order, as the plot calls them."""


def markdown(results: Results) -> str:
    """Both tables: what the arms reach, and how like people's each way's misspellings are."""
    widest = {
        name: max((found[name]["top1"].high - found[name]["top1"].low) / 2 for found in results.measures.values())
        for name in results.sets
    }
    uncertain = ", ".join(f"{name} {width:.3f}" for name, width in widest.items())
    reverse = ", ".join(f"{name} {nats:.2f}" for name, nats in results.cross_entropy.items())
    return "\n\n".join(
        [
            _table(arm_cells(results)),
            f"top-1 / top-5, mean edit distance after. Half the 95 % interval of top-1 is at most: {uncertain}.",
            _table(likeness_cells(results)),
            f"Mean total variation over {', '.join(ASPECTS.values())} (0 is alike, 1 has nothing in common) / the "
            f"share of people's misspellings that are among {COPIES} times as many samples. Reverse models' nats a "
            f"misspelling of the part fit: {reverse}.",
        ]
    )


def arm_cells(results: Results) -> list[list[str]]:
    """The cells of the arms' table, row by row, the columns' names first."""
    rows = [["shown", *(f"{name} ({count:,})" for name, count in results.sets.items())]]
    for arm, found in results.measures.items():
        figures = [[found[name][measure].value for measure in MEASURES] for name in results.sets]
        rows.append([arm, *(f"{top1:.3f} / {top5:.3f}, {distance:.2f}" for top1, top5, distance in figures)])
    return rows


def likeness_cells(results: Results) -> list[list[str]]:
    """The cells of the ways' table: the mean total variation from each set, and what is reached of it."""
    rows = [["misspelled by", *results.likeness]]
    for way in results.likeness[HELD_OUT]:
        cells = [f"{_mean(found[way]):.3f}" for found in results.likeness.values()]
        shares = [f" / {found[way]:.3f}" if way in found else "" for found in results.reached.values()]
        rows.append([way, *map("".join, zip(cells, shares, strict=True))])
    return rows


def plot(results: Results, *paths: Path) -> None:
    """Draw each way's distributions beside those of what people wrote; SVG, PNG or PDF by name."""
    people, *ways = results.profiles
    variations = results.likeness[HELD_OUT]
    values = {aspect: _values(results, aspect) for aspect in ASPECTS}
    figure = Figure(figsize=(11, 1.9 * len(ways) + 0.9), layout="constrained")
    widths = [len(found) + 2 for found in values.values()]
    grid = figure.subplots(len(ways), len(ASPECTS), sharex="col", sharey="col", squeeze=False, width_ratios=widths)
    for way, row, color in zip(ways, grid, COLORS, strict=False):
        for aspect, axes in zip(ASPECTS, row, strict=True):
            for name, aside, shade in ((people, -0.2, "#bbbbbb"), (way, 0.2, color)):
                shares = [results.profiles[name][aspect].get(value, 0.0) for value in values[aspect]]
                axes.bar(np.arange(len(shares)) + aside, shares, 0.4, color=shade, label=name)
            labels = [PLACES.get(value, value) for value in values[aspect]]
            axes.set_xticks(range(len(labels)), labels, rotation=90 if max(map(len, labels)) > 3 else 0)
            axes.tick_params(labelsize="x-small")
            axes.spines[["top", "right"]].set_visible(False)
            axes.text(0.98, 0.98, f"{variations[way][aspect]:.2f}", transform=axes.transAxes, ha="right", va="top")
        row[0].set_ylabel(f"{way}\n{_mean(variations[way]):.3f}")
    for aspect, axes in zip(ASPECTS, grid[0], strict=True):
        axes.set_title(ASPECTS[aspect], fontsize="medium")
    drawn = [bars for row in grid for bars in row[0].containers]
    legend = {bars.get_label(): bars for bars in drawn}
    figure.legend(legend.values(), legend, loc="outside upper center", ncols=len(legend), frameon=False)
    # Text as text, and no date: small, and the same for the same comparison.
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "speller"}):
        for path in paths:
            figure.savefig(path, dpi=150, metadata={"Date": None} if path.suffix == ".svg" else None)


def _values(results: Results, aspect: str) -> list[str]:
    """The values of an aspect in the order in which they are drawn: of the word, of their size, of their frequency."""
    found = {value for shares in results.profiles.values() for value in shares[aspect]}
    if aspect == "position":
        return sorted(found, key=list(PLACES).index)
    if aspect == "kind":
        people = next(iter(results.profiles.values()))[aspect]
        return sorted(found, key=lambda value: -people.get(value, 0.0))
    return sorted(found, key=int)


def _mean(variations: Mapping[str, float]) -> float:
    return sum(variations.values()) / len(variations)


def _table(rows: Sequence[Sequence[str]]) -> str:
    names, *others = rows
    lines = [names, ["---", *["---"] * (len(names) - 1)], *others]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
