"""The report as one page that needs nothing beside it: figures, charts, and the examples that tell most."""

from collections.abc import Iterable, Mapping, Sequence
from math import isnan
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from speller.eval import plots
from speller.eval.chart import color, key
from speller.eval.examples import Example, examples
from speller.eval.metrics import DETECTION, Estimate
from speller.eval.report import SPLITS, Report

TEMPLATE = "page.html"

COLUMNS: Mapping[str, tuple[str, str, bool]] = {
    "top1": ("top-1", ".3f", True),
    "top5": ("top-5", ".3f", True),
    "top10": ("top-10", ".3f", True),
    "mean_reciprocal_rank": ("MRR", ".3f", True),
    "distance_after": ("distance after", ".2f", False),
    "distance_removed": ("removed", ".0%", True),
    "character_error_rate": ("CER", ".1%", False),
}
"""The measures of the first table: their headings, their forms, and whether more is better."""

SIGNIFICANT = 0.05

CHARTS: Sequence[tuple[str, str]] = (
    ("Accuracy by edit distance", "The share of misspellings put right at the first try, by how far they are off."),
    ("Edit distance, before and after", "How many words are how far from the right one."),
    ("Reliability", "Of the answers given 0.8, four in five should be right. Larger marks: more answers."),
    ("Quiet and bold", "Misspellings put right and valid words left alone, by what it takes to change a word."),
    ("Speed and accuracy", "Right at the first try, over words per second."),
)


def page(report: Report) -> str:
    """The HTML."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    names = [one.name for one in report.judgements]
    drawn = (
        plots.accuracy_by_distance(report),
        plots.distances_before_and_after(report),
        plots.reliability(report),
        plots.right_by_threshold(report),
        plots.speed_and_accuracy(report),
    )
    return environment.get_template(TEMPLATE).render(
        report=report,
        names=names,
        sources=list(dict.fromkeys(report.rows.source)),
        misspellings=int(report.rows.misspelt.sum()),
        valid=int((~report.rows.misspelt).sum()),
        headline=_headline(report),
        tiles=_tiles(report),
        key=lambda name: Markup(key(names.index(name))),
        color=lambda name: color(names.index(name)),
        overview=_overview(report),
        charts=[(*text, Markup(svg)) for text, svg in zip(CHARTS, drawn, strict=True) if svg],
        splits=list(_splits(report)),
        detection=_detection(report),
        differences=[_differences(report, name, lower) for name, lower in (("top1", False), ("distance_after", True))]
        if len(names) > 1
        else [],
        examples=[(title, note, [_shown(one) for one in found]) for title, note, found in examples(report)],
    )


def _headline(report: Report) -> str:
    """How the first system stands to the best of the others."""
    first, *others = (one.name for one in report.judgements)
    if not others:
        return ""
    best = max(others, key=lambda name: report.measures[name]["top1"].value)
    found = report.comparisons[first, best]["top1"]
    points = found.difference
    if found.p_value >= SIGNIFICANT:
        return f"No different from {best} beyond what chance gives (p = {found.p_value:.2f})."
    ahead = "ahead of" if points.value > 0 else "behind"
    low, high = sorted((abs(points.low), abs(points.high)))
    chance = "p < 0.001" if found.p_value < 0.001 else f"p = {found.p_value:.3f}"
    return (
        f"{100 * abs(points.value):.1f} points {ahead} {best}, the best of the others "
        f"(95 %: {100 * low:.1f} to {100 * high:.1f}; {chance})."
    )


def _tiles(report: Report) -> list[tuple[str, str, str]]:
    """The first system's main figures: value, what it is, and its interval."""
    first = report.judgements[0].name
    measures, speed, curve = report.measures[first], report.speeds[first], report.calibrations[first]
    tiles = [
        (f"{measures['top1'].value:.1%}", "right at the first try", _range(measures["top1"], ".1%")),
        (f"{measures['top5'].value:.1%}", "right among five", _range(measures["top5"], ".1%")),
        (f"{measures['distance_removed'].value:.0%}", "of the edit distance removed", _before_after(measures)),
    ]
    if curve:
        tiles.append((f"{curve.error.value:.3f}", "expected calibration error", _range(curve.error, ".3f")))
    tiles.append((f"{speed.p50.value:.1f} ms", "a word, half of the time", f"99 %: {speed.p99.value:.1f} ms"))
    return tiles


def _before_after(measures: Mapping[str, Estimate]) -> str:
    return f"{measures['distance_before'].value:.2f} → {measures['distance_after'].value:.2f} a word"


def _range(estimate: Estimate, form: str) -> str:
    return f"{estimate.low:{form}} to {estimate.high:{form}}"


def _half(estimate: Estimate, form: str) -> str:
    return f"±{(estimate.high - estimate.low) / 2:{form}}"


def _overview(report: Report) -> dict[str, Any]:
    names = [one.name for one in report.judgements]
    rows = {}
    for name in names:
        cells = []
        for measure, (_, form, more) in COLUMNS.items():
            found = report.measures[name][measure]
            all_values = [report.measures[other][measure].value for other in names]
            best = found.value == (max if more else min)(all_values)
            cells.append({"text": format(found.value, form), "range": _half(found, form), "best": best})
        speed, curve = report.speeds[name], report.calibrations[name]
        error = {"text": f"{curve.error.value:.3f}", "range": _half(curve.error, ".3f")} if curve else {"text": "–"}
        rows[name] = [
            *cells,
            error,
            {"text": f"{speed.words_per_second.value:,.0f}", "range": _half(speed.words_per_second, ",.0f")},
            {"text": f"{speed.p50.value:.1f}", "range": _half(speed.p50, ".1f")},
            {"text": f"{speed.p99.value:.1f}", "range": _half(speed.p99, ".1f")},
            {"text": f"{speed.load_seconds:.1f}"},
        ]
    header = [*(heading for heading, _, _ in COLUMNS.values()), "ECE", "words/s", "ms p50", "p99", "load s"]
    return {"header": header, "rows": rows}


def _splits(report: Report) -> Iterable[dict[str, Any]]:
    for split, parts in report.rows.splits().items():
        if split == "source" and len(parts) < 2:
            continue
        rows = {}
        for one in report.judgements:
            found = [report.splits[one.name][split][part] for part in parts]
            rows[one.name] = [
                {
                    "text": f"{each['top1'].value:.3f}",
                    "small": f"{each['distance_after'].value:.2f}",
                    "share": round(100 * each["top1"].value),
                    "range": _range(each["top1"], ".3f"),
                }
                for each in found
            ]
        counts = [int(chosen.sum()) for chosen in parts.values()]
        yield {"title": SPLITS[split], "parts": list(parts), "rows": rows, "counts": counts}


def _detection(report: Report) -> dict[str, list[dict[str, str]]]:
    return {
        name: [
            {"text": "–"} if isnan(one.value) else {"text": f"{one.value:.3f}", "range": _half(one, ".3f")}
            for one in (found[measure] for measure in DETECTION)
        ]
        for name, found in report.detection.items()
    }


def _differences(report: Report, measure: str, lower: bool) -> dict[str, Any]:
    """Every system less every other: better or worse than it, or neither beyond what chance gives."""
    names = [one.name for one in report.judgements]
    rows: dict[str, list[dict[str, str] | None]] = {name: [None] * len(names) for name in names}
    for (first, second), found in report.comparisons.items():
        estimate, p_value = found[measure].difference, found[measure].p_value
        for one, other, sign in ((first, second, 1), (second, first, -1)):
            value = sign * estimate.value
            low, high = sorted((sign * estimate.low, sign * estimate.high))
            kind = "same" if p_value >= SIGNIFICANT else "worse" if (value > 0) == lower else "better"
            tip = f"{one} less {other}: {value:+.3f} ({low:+.3f} to {high:+.3f}), p = {p_value:.4f}"
            half = f"±{(high - low) / 2:.3f}"
            rows[one][names.index(other)] = {
                "text": f"{value:+.3f}".replace("-", "−"),
                "small": half,
                "kind": kind,
                "tip": tip,
            }
    return {"title": COLUMNS[measure][0], "rows": rows}


def _shown(example: Example) -> dict[str, Any]:
    return {
        "written": _marked(example.written, example.differing[0]),
        "right": _marked(example.right, example.differing[1]),
        "answers": [(answer, answer == example.right) for answer in example.answers],
        "probability": "" if isnan(example.probability) else f"{example.probability:.2f}",
    }


def _marked(word: str, differing: Sequence[bool]) -> Markup:
    """The word with the letters marked in which it differs."""
    parts = [
        Markup("<mark>{}</mark>").format(letter) if marked else Markup("{}").format(letter)
        for letter, marked in zip(word, differing, strict=True)
    ]
    return Markup("").join(parts).replace("</mark><mark>", "")
