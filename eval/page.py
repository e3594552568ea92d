"""The report as one page that needs nothing beside it: tables, plots, and the examples that tell most."""

import base64
from collections.abc import Iterable, Sequence
from html import escape

import numpy as np
from rich.table import Table

from speller.eval import plots
from speller.eval.report import COMPARED, Report, tables

EXAMPLES = 15
"""How many examples of each sort are shown."""

STYLE = """
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem; color: #222; }
h2 { margin-top: 2.5rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; margin: 1rem 0; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: 600; padding: .3rem 0; }
th, td { padding: .2rem .8rem .2rem 0; text-align: right; white-space: nowrap; border-bottom: 1px solid #eee; }
th:first-child, td:first-child, table.examples th, table.examples td { text-align: left; }
.note { color: #666; }
.right { color: #007a52; font-weight: 600; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(28rem, 1fr)); gap: 1.5rem; }
figure { margin: 0; }
figure img { width: 100%; }
"""


def page(report: Report) -> str:
    """The HTML."""
    first = report.judgements[0].name
    sources = ", ".join(dict.fromkeys(report.rows.source))
    skipped = [f"{name} is left out: {reason}." for name, reason in report.skipped.items()]
    overview, further, *parts = tables(report)
    sections = [
        f"<h1>{escape(first)}, judged</h1><p>On {escape(sources)}.</p>",
        _table(overview),
        _table(further),
        *(f'<p class="note">{escape(line)}</p>' for line in [str(overview.caption), *skipped]),
        "<h2>Pictures</h2>",
        f'<div class="plots">{"".join(_figures(report))}</div>',
        "<h2>By kind of row</h2>",
        *map(_table, parts),
        *_comparisons(report),
        "<h2>Examples</h2>",
        *_examples(report),
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(first)}, judged</title><style>{STYLE}</style></head>\n<body>\n"
        + "\n".join(sections)
        + "\n</body></html>\n"
    )


def _figures(report: Report) -> Iterable[str]:
    drawn = {
        "Accuracy by edit distance": plots.accuracy_by_distance(report),
        "Edit distance before and after": plots.distances_before_and_after(report),
        "Reliability of the probabilities; a mark's size is its share of the answers": plots.reliability(report),
        "Speed and accuracy": plots.speed_and_accuracy(report),
    }
    for caption, svg in drawn.items():
        if svg:
            # As an image of its own each keeps its names (of clips, of markers) to itself.
            data = base64.b64encode(svg.encode()).decode()
            image = f'<img alt="{caption}" src="data:image/svg+xml;base64,{data}">'
            yield f"<figure><figcaption>{caption}</figcaption>{image}</figure>"


def _table(table: Table) -> str:
    rows = zip(*(column.cells for column in table.columns), strict=True)
    return _html_table(str(table.title), [str(column.header) for column in table.columns], rows)


def _html_table(caption: str, header: Sequence[str], rows: Iterable[Iterable[object]], *, name: str = "") -> str:
    def row(cells: Iterable[object], tag: str) -> str:
        return f"<tr>{''.join(f'<{tag}>{_cell(cell)}</{tag}>' for cell in cells)}</tr>"

    head = f"<caption>{escape(caption)}</caption><thead>{row(header, 'th')}</thead>"
    body = f"<tbody>{''.join(row(cells, 'td') for cells in rows)}</tbody>"
    return f'<div class="wide"><table class="{name}">{head}{body}</table></div>'


class _Right(str):
    """An answer that is the right one."""


def _cell(cell: object) -> str:
    return f'<span class="right">{escape(cell)}</span>' if isinstance(cell, _Right) else escape(str(cell))


def _comparisons(report: Report) -> list[str]:
    if not report.comparisons:
        return []
    rows = []
    for (first, second), found in report.comparisons.items():
        cells: list[object] = [f"{first} − {second}"]
        for name in COMPARED:
            difference = found[name].difference
            cells.append(f"{difference.value:+.3f} ({difference.low:+.3f} to {difference.high:+.3f})")
            cells.append(f"{found[name].p_value:.4f}")
        rows.append(cells)
    header = ["difference", "top-1 (95 %)", "p", "distance after (95 %)", "p"]
    return ["<h2>Any two systems</h2>", _html_table("paired tests, over right words", header, rows)]


def _examples(report: Report) -> list[str]:
    """Where the first system is farthest off, where it alone is right, and where it alone is wrong."""
    first, *others = (one.outcome for one in report.judgements)
    misspelt = report.rows.misspelt
    right = first.rank == 1
    others_right = sum(((other.rank == 1).astype(np.int64) for other in others), np.zeros(len(right), np.int64))
    sorts = [
        ("farthest off", misspelt & ~right, first.after),
        ("right where others are wrong", misspelt & right & (others_right < len(others)), -others_right),
        ("wrong where others are right", misspelt & ~right & (others_right > 0), others_right),
    ]
    header = ["written", "right", *(one.name for one in report.judgements)]
    sections = []
    for caption, chosen, weight in sorts:
        places = np.flatnonzero(chosen)
        places = places[np.argsort(-weight[places], kind="stable")[:EXAMPLES]]
        rows = [_example(report, row) for row in places.tolist()]
        if rows:
            sections.append(_html_table(f"{header[2]}, {caption}", header, rows, name="examples"))
    return sections


def _example(report: Report, row: int) -> list[str]:
    meant = report.rows.right[row]
    firsts = [one.answers[row][0] if one.answers[row] else "–" for one in report.judgements]
    return [report.rows.wrong[row], meant, *(_Right(word) if word == meant else word for word in firsts)]
