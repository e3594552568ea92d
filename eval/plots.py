"""The report's charts."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from speller.eval.chart import HEIGHT, LEFT, RIGHT, TOP, WIDTH, Chart, Scale, color
from speller.eval.report import Report

COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#8c6d31", "#999999", "#7b4173")
"""Okabe and Ito's, told apart with any colour vision, and three more: for the studies' pictures."""

FARTHEST = 6
"""Edit distances from here on share a bar."""

LETTER = 6.3
"""About how wide a letter of a mark's name is."""

THRESHOLDS = np.linspace(0, 1, 101)

SHARES = (0, 0.25, 0.5, 0.75, 1)


def accuracy_by_distance(report: Report) -> str:
    """Top-1 with its interval by the misspellings' edit distance, every system beside every other."""
    parts = report.rows.splits()["distance"]
    chart = Chart(
        "Top-1 by edit distance of the misspelling",
        across="edit distance of the misspelling",
        up="right at the first try",
        x=Scale(-0.5, len(parts) - 0.5),
        y=Scale(0, 1),
    )
    chart.grid(SHARES, [f"{share:.0%}" for share in SHARES])
    rows = [f"{int(chosen.sum()):,} words" for chosen in parts.values()]
    chart.ticks(range(len(parts)), list(parts), notes=rows)
    spread = _spread(len(report.judgements), 0.74 * (WIDTH - LEFT - RIGHT) / len(parts))
    for place, one in enumerate(report.judgements):
        for column, part in enumerate(parts):
            found = report.splits[one.name]["distance"][part]["top1"]
            tip = f"{one.name}, {part}: {found.value:.3f} ({found.low:.3f} to {found.high:.3f})"
            chart.mark(
                column, found.value, system=place, tip=tip, shift=spread[place], interval=(found.low, found.high)
            )
    return chart.svg()


def distances_before_and_after(report: Report) -> str:
    """How many words are how far from the right one: as written, after the first system, and after the others."""
    misspelt = report.rows.misspelt

    def counted(distance: NDArray[np.int64]) -> list[int]:
        counts: list[int] = np.bincount(np.minimum(distance[misspelt], FARTHEST), minlength=FARTHEST + 1).tolist()
        return counts

    before = counted(report.judgements[0].outcome.before)
    after = [counted(one.outcome.after) for one in report.judgements]
    highest, step = _round_steps(max(max(counts) for counts in [before, *after]))
    chart = Chart(
        "Words by edit distance from the right word, before and after",
        across="edit distance from the right word",
        up="misspellings",
        x=Scale(-0.5, FARTHEST + 0.5),
        y=Scale(0, highest),
    )
    levels = np.arange(0, highest + step / 2, step).tolist()
    chart.grid(levels, [f"{level:,.0f}" for level in levels])
    labels = [*map(str, range(FARTHEST)), f"{FARTHEST}+"]
    chart.ticks(range(FARTHEST + 1), labels)
    for place, label in enumerate(labels):
        written, left = f"as written, {label}: {before[place]:,}", f"{report.judgements[0].name}, {label}"
        chart.bar(place, before[place], shift=-11, width=20, kind="before", tip=written)
        chart.bar(place, after[0][place], shift=11, width=20, kind="after", tip=f"{left}: {after[0][place]:,}")
    shifts = _spread(len(after) - 1, 18)
    for system, (one, counts) in enumerate(zip(report.judgements[1:], after[1:], strict=True), 1):
        for place, label in enumerate(labels):
            tip = f"{one.name}, {label}: {counts[place]:,}"
            chart.mark(place, counts[place], system=system, tip=tip, shift=11 + shifts[system - 1], size=2.6)
    return chart.svg()


def reliability(report: Report) -> str | None:
    """How often answers are right by the probability that they were given; None where no system gives any."""
    chart = _right_over("Share of right answers by their probability", "probability of the first answer")
    chart.line([(0, 0), (1, 1)], kind="ideal")
    curves = [
        (place, one.name, curve)
        for place, one in enumerate(report.judgements)
        if (curve := report.calibrations[one.name])
    ]
    for place, name, curve in reversed(curves):
        values = [each.value for each in curve.accuracy]
        chart.line(list(zip(curve.probability, values, strict=True)), kind=f"curve {color(place)}")
        for across, found, count in zip(curve.probability, curve.accuracy, curve.count, strict=True):
            tip = f"{name}: of {count:,} answers given {across:.2f}, {found.value:.0%} are right"
            size = 2.5 + 6 * float(np.sqrt(count / sum(curve.count)))
            chart.mark(across, found.value, system=place, tip=tip, size=size, interval=(found.low, found.high))
    return chart.svg() if curves else None


def right_by_threshold(report: Report) -> str | None:
    """What is right on a mixed list over the probability from which on a word is changed, both kinds weighed alike.

    A misspelling is to be put right, a valid word to be left alone. None where the list is not mixed, or no system
    gives probabilities.
    """
    misspelt = report.rows.misspelt
    curves = []
    for place, one in enumerate(report.judgements):
        probability = one.outcome.probability
        if np.isfinite(probability).any() and misspelt.any() and not misspelt.all():
            changed = np.nan_to_num(probability) >= THRESHOLDS[:, None]  # (thresholds, rows)
            corrected = (changed & (one.outcome.rank == 1))[:, misspelt].mean(axis=1)
            left = (~changed)[:, ~misspelt].mean(axis=1)
            curves.append((place, one.name, (corrected + left) / 2, corrected, left))
    if not curves:
        return None
    chart = _right_over(
        "Share that is right by the least probability of a change", "a word is changed from this probability on"
    )
    for place, name, right, corrected, left in reversed(curves):
        chart.line(list(zip(THRESHOLDS.tolist(), right.tolist(), strict=True)), kind=f"curve {color(place)}")
        for at in range(0, len(THRESHOLDS), 5):
            tip = (
                f"{name}, from {THRESHOLDS[at]:.2f} on: {right[at]:.1%} right, {corrected[at]:.0%} of the misspellings "
                f"corrected, {left[at]:.0%} of the valid words left alone"
            )
            chart.mark(float(THRESHOLDS[at]), float(right[at]), system=place, tip=tip, size=3)
    return chart.svg()


def speed_and_accuracy(report: Report) -> str:
    """Top-1 over words per second."""
    points = [
        (report.speeds[one.name].words_per_second.value, report.measures[one.name]["top1"].value, one.name)
        for one in report.judgements
    ]
    speeds, accuracies = [point[0] for point in points], [point[1] for point in points]
    decades = range(int(np.floor(np.log10(min(speeds)))), int(np.ceil(np.log10(max(speeds) * 1.01))) + 1)
    low, high = max(min(accuracies) - 0.08, 0), min(max(accuracies) + 0.06, 1)
    chart = Chart(
        "Top-1 over words per second",
        across="words per second",
        up="right at the first try",
        x=Scale(10.0 ** decades[0], 10.0 ** decades[-1], logarithmic=True),
        y=Scale(low, high),
    )
    ticks = [tick / 20 for tick in range(21) if low <= tick / 20 <= high]
    chart.grid(ticks, [f"{tick:.0%}" for tick in ticks])
    chart.ticks([10.0**decade for decade in decades], [f"{10.0**decade:,g}" for decade in decades])
    names = _place_names(chart, points)
    for place, (speed, accuracy, name) in enumerate(points):
        chart.mark(speed, accuracy, system=place, tip=f"{name}: {speed:,.0f} words/s, top-1 {accuracy:.3f}", size=5)
        left, shift = names[place]
        chart.name(speed, accuracy, name, left=left, shift=shift)
    return chart.svg()


def _right_over(title: str, probability: str) -> Chart:
    """An empty chart of the share that is right over a probability."""
    chart = Chart(title, across=probability, up="share that is right", x=Scale(0, 1), y=Scale(0, 1))
    chart.grid(SHARES, [f"{share:.0%}" for share in SHARES])
    chart.ticks(SHARES, [f"{share:g}" for share in SHARES])
    return chart


def _place_names(chart: Chart, points: Sequence[tuple[float, float, str]]) -> list[tuple[bool, float]]:
    """On which side of its mark each name stands, and how far below its height, so that none covers another."""
    marks = [(chart.across(speed) - 7, chart.across(speed) + 7, chart.up(accuracy)) for speed, accuracy, _ in points]
    placed: list[tuple[float, float, float]] = []
    found: dict[int, tuple[bool, float]] = {}
    for place in sorted(range(len(points)), key=lambda place: chart.up(points[place][1])):
        speed, accuracy, name = points[place]
        across, up = chart.across(speed), chart.up(accuracy)
        width = LETTER * len(name) + 9
        left = across + width > WIDTH - RIGHT
        start = across - width if left else across
        shift = 0.0
        others = placed + marks[:place] + marks[place + 1 :]
        while any(start < end and begin < start + width and abs(up + shift - at) < 12 for begin, end, at in others):
            shift += 1
        if up + shift > HEIGHT - TOP:
            shift = 0.0
        placed.append((start, start + width, up + shift))
        found[place] = (left, shift)
    return [found[place] for place in range(len(points))]


def _round_steps(highest: int) -> tuple[float, float]:
    """The least multiple of a round step, four or five of which reach the highest value, and the step."""
    rough = max(highest, 4) / 4
    unit = 10.0 ** np.floor(np.log10(rough))
    step = next(unit * factor for factor in (1, 2, 2.5, 5, 10) if unit * factor >= rough)
    return float(np.ceil(max(highest, 1) / step) * step), float(step)


def _spread(count: int, width: float) -> Sequence[float]:
    """Where things stand side by side around a place, within a width."""
    places: Sequence[float] = ((np.arange(count) - (count - 1) / 2) * width / max(count, 1)).tolist()
    return places
