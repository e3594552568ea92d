"""Explanations as one page with pictures, which needs nothing beside it."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template
from xml.etree import ElementTree

from speller.alignment import Step
from speller.commands.explanation_text import (
    columns_of,
    edits_of,
    listed_as,
    named,
    notes_on,
    question_of,
    shown,
)
from speller.explanation import GROUPS, MEANINGS, Decision, Explanation

TEMPLATE = Path(__file__).with_name("explanation.html")

COLUMN = 44
"""How wide a letter's column is."""

LEFT = 80
"""How wide the column of labels is, left of the letters."""

BAR, HALF_BAR = 22, 12
"""How wide a bar is that stands alone, and one of two."""

HEIGHT = 64
"""How high the highest bar is."""

GAUGE = 72
"""How wide the picture of a figure in the table is."""


def page(explanations: Sequence[Explanation]) -> str:
    """The HTML, with a section for each word."""
    title = ", ".join(named(each.written) for each in explanations[:5])
    meanings = _listed(MEANINGS) if any(each.candidates for each in explanations) else ""
    body = "\n".join([*map(_section, explanations), meanings])
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(title=escape(f"{title}: why"), body=body)


def _section(explanation: Explanation) -> str:
    parts = [f"<h1>{escape(named(explanation.written))}</h1>", f"<p>{escape(_verdict(explanation))}</p>"]
    if explanation.alignment:
        picture = _picture(_alignment(explanation.alignment))
        parts += [picture, _soft(edits_of(explanation.alignment))]
    if explanation.candidates:
        parts += ["<h2>Candidates</h2>", _candidates(explanation), *map(_soft, notes_on(explanation))]
    if explanation.decision:
        question = escape(question_of(explanation, explanation.decision))
        parts += [f"<h2>The letters that decide {question}</h2>", _picture(_letters(explanation.decision))]
    return "\n".join(["<section>", *parts, "</section>"])


def _verdict(explanation: Explanation) -> str:
    """The verdict as a sentence."""
    return f"{explanation.verdict[:1].upper()}{explanation.verdict[1:]}."


def _soft(text: str) -> str:
    return f'<p class="soft">{escape(text)}</p>'


def _picture(svg: ElementTree.Element) -> str:
    return f'<div class="card picture" tabindex="0">{ElementTree.tostring(svg, encoding="unicode")}</div>'


def _listed(meanings: Mapping[str, str]) -> str:
    rows = (f"<dt>{escape(name)}</dt><dd>{escape(meaning)}</dd>" for name, meaning in meanings.items())
    return f"<dl>{''.join(rows)}</dl>"


def _candidates(explanation: Explanation) -> str:
    leads = [list(each.values()) for each in explanation.leads()]
    largest = max((abs(lead) for row in leads for lead in row), default=0.0) or 1.0
    rows = []
    for candidate, row in zip(explanation.candidates, leads, strict=True):
        share = _svg(GAUGE, 6, f"{candidate.probability:.3f}")
        _bar(share, "share", 0, 0, GAUGE * candidate.probability, 6)
        cells = [f"<td>{candidate.probability:.3f}{_inline(share)}</td>", *(_gauge(each, largest) for each in row)]
        rows.append(f'<tr><th scope="row">{escape(listed_as(candidate))}</th>{"".join(cells)}</tr>')
    if explanation.others >= 0.0005:
        rest = f'<th scope="row">all others</th><td>{explanation.others:.3f}</td>{"<td></td>" * (len(GROUPS) + 1)}'
        rows.append(f"<tr>{rest}</tr>")
    heads = "".join(f'<th scope="col">{head}</th>' for head in ("candidate", "probability", "score", *GROUPS))
    table = f"<thead><tr>{heads}</tr></thead><tbody>{''.join(rows)}</tbody>"
    return f'<div class="card" tabindex="0"><table>{table}</table></div>'


def _gauge(points: float, largest: float) -> str:
    """A cell with points and a bar from the middle, to the right where they are more than the best candidate's."""
    text = f"{points:+.1f}"
    if float(text) == 0:
        return '<td class="none">·</td>'
    svg = _svg(GAUGE, 6, text)
    length = abs(points) / largest * GAUGE / 2
    _bar(svg, "plus" if points > 0 else "minus", GAUGE / 2 - (length if points < 0 else 0), 0, length, 6)
    _line(svg, "axis", GAUGE / 2, 0, GAUGE / 2, 6)
    return f"<td>{text.replace('-', '−')}{_inline(svg)}</td>"


def _alignment(steps: Sequence[Step]) -> ElementTree.Element:
    """What was written above what is proposed, tied letter by letter."""
    columns = [(step, pair) for step in steps for pair in columns_of(step)]
    svg = _svg(LEFT + 36 * len(columns), 104, edits_of(steps))
    for height, label in ((28, "written"), (90, "instead")):
        _text(svg, "label", 0, height, label)
    for place, (step, (written, meant)) in enumerate(columns):
        x = LEFT + 36 * place + 18
        kind = "letter" if step.kind == "keep" else f"letter edit {step.kind}"
        # Of two swapped letters, each is tied to where it belongs.
        partner = x + (36 if columns[place - 1][0] is not step or not place else -36) if step.kind == "swap" else x
        if written.strip() and meant.strip():
            _line(svg, f"edit {step.kind}", x, 38, partner, 68)
        for height, letter in ((28, written), (90, meant)):
            if letter.strip():
                _text(svg, kind, x, height, letter)
            else:
                _line(svg, f"edit {step.kind}", x - 6, height - 6, x + 6, height - 6)
    return svg


def _letters(decision: Decision) -> ElementTree.Element:
    """What was written, letter by letter, with where the model looks and, below, what each letter decides."""
    letters = ["start", *map(shown, decision.letters), "end"]
    rows = {"reverse": [None, *decision.reverse.tolist()]}
    if decision.reading is not None:
        rows = {"reading": [None, *decision.reading.tolist(), None], **rows}
    looks = [*decision.attention.tolist(), None]
    most = max(decision.attention)
    found = [value for values in rows.values() for value in values if value is not None]
    largest = max(map(abs, found)) or 1.0
    end = LEFT + COLUMN * len(letters)
    top = 40 + HEIGHT
    zero = top + 40 + max(0.0, *found) / largest * HEIGHT
    foot = zero + max(-min(0.0, *found) / largest * HEIGHT + 20, 35)
    svg = _svg(end, foot + 8, "attention and attribution, letter by letter")
    for height, label in ((top, "attention"), (zero, "attribution" if len(rows) > 1 else "reverse")):
        _line(svg, "axis", LEFT, height, end, height)
        _text(svg, "label", 0, height + 4, label)
    for row, name in enumerate(rows if len(rows) > 1 else ()):
        _bar(svg, name, 0, zero + 14 + 16 * row, 9, 9)
        _text(svg, "label", 14, zero + 23 + 16 * row, name)
    for place, letter in enumerate(letters):
        x = LEFT + COLUMN * place + COLUMN / 2
        _text(svg, "letter" if 0 < place < len(letters) - 1 else "", x, 20, letter)
        look = looks[place]
        if look is not None:
            height = look / most * HEIGHT
            _bar(svg, "look", x - BAR / 2, top - height, BAR, height, tip=f"attention: {look:.1%}")
            _text(svg, "", x, top + 16, f"{look:.0%}")
        here = {name: value for name, values in rows.items() if (value := values[place]) is not None}
        for name, value in here.items():
            height = abs(value) / largest * HEIGHT
            shift = -HALF_BAR if name == "reading" else 0 if len(rows) > 1 else -HALF_BAR / 2
            y = zero - height if value > 0 else zero
            _bar(svg, name, x + shift, y, HALF_BAR, height, tip=f"{name}: {value:+.2f}")
        if here:
            _text(svg, "", x, foot, f"{sum(here.values()):+.2f}".replace("-", "−"))
    return svg


def _svg(width: float, height: float, name: str) -> ElementTree.Element:
    size = {"width": f"{width:.0f}", "height": f"{height:.0f}", "viewBox": f"0 0 {width:.0f} {height:.0f}"}
    return ElementTree.Element("svg", {**size, "role": "img", "aria-label": name})


def _inline(svg: ElementTree.Element) -> str:
    svg.set("aria-hidden", "true")
    return ElementTree.tostring(svg, encoding="unicode")


def _bar(
    svg: ElementTree.Element, kind: str, x: float, y: float, width: float, height: float, *, tip: str = ""
) -> None:
    places = {"x": x, "y": y, "width": width, "height": height}
    bar = ElementTree.SubElement(svg, "rect", {"class": kind, **{name: f"{at:.1f}" for name, at in places.items()}})
    if tip:
        ElementTree.SubElement(bar, "title").text = tip


def _line(svg: ElementTree.Element, kind: str, x1: float, y1: float, x2: float, y2: float) -> None:
    places = {"x1": x1, "y1": y1, "x2": x2, "y2": y2}
    ElementTree.SubElement(svg, "line", {"class": kind, **{name: f"{at:.1f}" for name, at in places.items()}})


def _text(svg: ElementTree.Element, kind: str, x: float, y: float, text: str) -> None:
    ElementTree.SubElement(svg, "text", {"class": kind, "x": f"{x:.1f}", "y": f"{y:.1f}"}).text = text
