"""What came out: as plain data for JSON, and as tables for a terminal."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import compress
from math import isnan
from typing import Any

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.table import Table

from speller.eval.calibration import Calibration, calibration
from speller.eval.judge import Judgement, Rows
from speller.eval.metrics import CORRECTION, DETECTION, SEED, Comparison, Estimate, Sample
from speller.eval.speed import Speed

COMPARED = ("top1", "distance_after")
"""The measures in which systems are compared."""


@dataclass(frozen=True)
class Report:
    """Several systems, judged on the same rows; the first of them is compared with the others in the tables."""

    rows: Rows
    judgements: Sequence[Judgement]
    skipped: Mapping[str, str]
    """The systems that could not run, and why."""
    measures: Mapping[str, Mapping[str, Estimate]]
    """The correction measures of each system over all misspelt rows."""
    splits: Mapping[str, Mapping[str, Mapping[str, Mapping[str, Estimate]]]]
    """The same over parts of the rows: by system, split and part."""
    detection: Mapping[str, Mapping[str, Estimate]]
    """The detection measures of each system; empty where no row is a valid word."""
    calibrations: Mapping[str, Calibration | None]
    """How far each system's probabilities can be trusted; None where it gives none."""
    speeds: Mapping[str, Speed]
    comparisons: Mapping[tuple[str, str], Mapping[str, Comparison]]
    """Every pair of systems, in the judgements' order, in the measures in ``COMPARED``."""

    @classmethod
    def of(
        cls, rows: Rows, judgements: Sequence[Judgement], *, skipped: Mapping[str, str], seed: int = SEED
    ) -> "Report":
        """Measures and compares the judgements; the seed is that of the draws for intervals and tests."""
        sample, misspelt, splits = Sample(rows.right, seed=seed), rows.misspelt, rows.splits()
        mixed = not misspelt.all()
        return cls(
            rows=rows,
            judgements=judgements,
            skipped=skipped,
            measures={one.name: sample.measure(one.outcome, misspelt, CORRECTION) for one in judgements},
            splits={
                one.name: {
                    split: {part: sample.measure(one.outcome, chosen, CORRECTION) for part, chosen in parts.items()}
                    for split, parts in splits.items()
                }
                for one in judgements
            },
            detection={
                one.name: sample.measure(one.outcome, np.ones(len(rows), bool), DETECTION)
                for one in judgements
                if mixed
            },
            calibrations={one.name: calibration(one.outcome, sample) for one in judgements},
            speeds={one.name: Speed.of(one.timing) for one in judgements},
            comparisons={
                (one.name, other.name): {name: sample.compare(one.outcome, other.outcome, name) for name in COMPARED}
                for place, one in enumerate(judgements)
                for other in judgements[place + 1 :]
            },
        )


def as_data(report: Report) -> dict[str, Any]:
    """The report as JSON holds it; an estimate is its value with the ends of its 95 % interval."""
    rows = report.rows
    return {
        "rows": {
            "misspelt": int(rows.misspelt.sum()),
            "valid": int((~rows.misspelt).sum()),
            "right_words": len(set(compress(rows.right, rows.misspelt))),
            "parts": {
                split: {part: int(chosen.sum()) for part, chosen in parts.items()}
                for split, parts in rows.splits().items()
            },
        },
        "systems": [
            {
                "name": one.name,
                "measures": _plain(report.measures[one.name]),
                "splits": {
                    split: {part: _plain(measures) for part, measures in parts.items()}
                    for split, parts in report.splits[one.name].items()
                },
                "detection": _plain(report.detection[one.name]) if report.detection else None,
                "calibration": asdict(found) if (found := report.calibrations[one.name]) else None,
                "load_seconds": report.speeds[one.name].load_seconds,
                "words_per_second": asdict(report.speeds[one.name].words_per_second),
                "milliseconds": {
                    "p50": asdict(report.speeds[one.name].p50),
                    "p99": asdict(report.speeds[one.name].p99),
                },
            }
            for one in report.judgements
        ],
        "comparisons": [
            {"first": first, "second": second, "measures": {name: asdict(found[name]) for name in COMPARED}}
            for (first, second), found in report.comparisons.items()
        ],
        "skipped": dict(report.skipped),
    }


def tables(report: Report) -> list[Table]:
    """The report as tables: all rows, parts of them, and, where there are valid words, detection."""
    return [
        _overview(report),
        _further(report),
        *(
            _split(report, split)
            for split, parts in report.rows.splits().items()
            if split != "source" or len(parts) > 1
        ),
        *([_detection(report)] if report.detection else []),
    ]


def _overview(report: Report) -> Table:
    misspelt = report.rows.misspelt
    table = _table(
        f"{int(misspelt.sum()):,} misspellings of {len(set(compress(report.rows.right, misspelt))):,} words",
        ("top-1", "top-5", "top-10", "MRR", "distance", "removed", "p"),
    )
    table.caption = (
        "± is half the 95 % interval. distance: mean Levenshtein distance to the right word, before and after. "
        "p: how likely chance alone parts a system's top-1 so far from the first one's (approximate randomization over "
        "right words)."
    )
    reference = report.judgements[0].name
    for one in report.judgements:
        measures = report.measures[one.name]
        top1, compared = measures["top1"], report.comparisons.get((reference, one.name))
        table.add_row(
            one.name,
            f"{top1.value:.3f} {_half(top1, '.3f')}",
            f"{measures['top5'].value:.3f}",
            f"{measures['top10'].value:.3f}",
            f"{measures['mean_reciprocal_rank'].value:.3f}",
            f"{measures['distance_before'].value:.2f} → {measures['distance_after'].value:.2f}",
            f"{measures['distance_removed'].value:.0%}",
            _p_value(compared["top1"].p_value) if compared else "",
        )
    return table


def _further(report: Report) -> Table:
    table = _table(
        "what else counts",
        ("character error rate", "calibration error", "words/s", "one word, ms p50", "p99", "load, s"),
    )
    for one in report.judgements:
        found, speed = report.calibrations[one.name], report.speeds[one.name]
        table.add_row(
            one.name,
            f"{report.measures[one.name]['character_error_rate'].value:.1%}",
            f"{found.error.value:.3f} {_half(found.error, '.3f')}" if found else "–",
            f"{speed.words_per_second.value:,.0f} {_half(speed.words_per_second, ',.0f')}",
            f"{speed.p50.value:.1f} {_half(speed.p50, '.1f')}",
            f"{speed.p99.value:.1f} {_half(speed.p99, '.1f')}",
            f"{speed.load_seconds:.1f}",
        )
    return table


def _split(report: Report, split: str) -> Table:
    parts = report.rows.splits()[split]
    table = _table(f"top-1 (mean distance after), by {SPLITS[split]}", tuple(parts))
    for one in report.judgements:
        found = [report.splits[one.name][split][part] for part in parts]
        table.add_row(one.name, *(f"{each['top1'].value:.3f} ({each['distance_after'].value:.2f})" for each in found))
    table.add_row("rows", *(f"{int(chosen.sum()):,}" for chosen in parts.values()))
    return table


def _detection(report: Report) -> Table:
    valid = int((~report.rows.misspelt).sum())
    table = _table(f"what is changed, with {valid:,} valid words among the rows", tuple(DETECTION))
    for name, measures in report.detection.items():
        found = [measures[measure] for measure in DETECTION]
        table.add_row(name, *("–" if isnan(one.value) else f"{one.value:.3f} {_half(one, '.3f')}" for one in found))
    return table


def _table(title: str, columns: Sequence[str]) -> Table:
    table = Table(title=title, title_justify="left", caption_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("system", no_wrap=True)
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    return table


SPLITS = {
    "source": "source",
    "distance": "edit distance of the misspelling",
    "length": "length of the right word",
    "kind": "kind of error",
    "seen_pair": "whether training saw the pair",
    "seen_word": "whether training saw its right word",
}


def _half(estimate: Estimate, form: str) -> str:
    return f"±{(estimate.high - estimate.low) / 2:{form}}"


def _p_value(value: float) -> str:
    return "<.001" if value < 0.001 else f"{value:.3f}"


def _plain(measures: Mapping[str, Estimate]) -> dict[str, dict[str, float] | None]:
    """Measures as JSON has them, which knows no NaN: None where they say nothing of the rows."""
    return {name: None if isnan(estimate.value) else asdict(estimate) for name, estimate in measures.items()}
