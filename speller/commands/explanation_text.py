"""An explanation as lines of text, in colour where a terminal shows it."""

import unicodedata
from collections.abc import Callable, Iterable, Sequence

import click

from speller.alignment import Kind, Step
from speller.explanation import GROUPS, MEANINGS, Candidate, Decision, Explanation
from speller.knowledge import key

MARKS: dict[Kind, str] = {"keep": " ", "replace": "~", "drop": "-", "add": "+", "swap": "x"}
COLORS: dict[Kind, str] = {"replace": "yellow", "drop": "red", "add": "green", "swap": "cyan"}

BARS = " ▁▂▃▄▅▆▇█"

NAME, CELL, LETTER = 14, 7, 7
"""So many columns of the screen has a candidate's name at least, a part of its score at least, and a letter."""

LABEL = 13

LONGEST_NAME = 44
"""Longer words are cut short where they are named."""

Style = Callable[..., str]
Row = Sequence[float | None]


def for_people(explanation: Explanation, *, color: bool = False, width: int = 80) -> str:
    """The lines.

    Args:
        explanation: of one word.
        color: whether the terminal shows colours.
        width: so many columns of the screen the letters' lines take at most.
    """
    style: Style = click.style if color else lambda text, **_: text
    lines = [f"{style(named(explanation.written), bold=True)}: {explanation.verdict}"]
    if explanation.alignment:
        lines += ["", *_alignment(explanation, style, width)]
    if explanation.candidates:
        lines += ["", *_candidates(explanation, style)]
    if explanation.decision:
        lines += ["", *_decision(explanation, explanation.decision, style, width)]
    return "".join(f"{line}\n" for line in lines)


def legend(explanations: Sequence[Explanation], *, color: bool = False) -> str:
    """What the figures mean, for all explanations at once; nothing where none has any."""
    if not any(each.candidates for each in explanations):
        return ""
    lines = [f"{name:<{LABEL}}{meaning}" for name, meaning in MEANINGS.items()]
    return "".join(f"  {click.style(line, dim=True) if color else line}\n" for line in lines)


def shown(text: str) -> str:
    """The text with a sign for each character that cannot be shown, and one for a space."""
    return "".join(
        "␣" if letter == " " else letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text
    )


def named(word: str) -> str:
    """A word as it is named among others: quoted where it is empty, cut short where it is long."""
    if not word:
        return "''"
    text = word if len(word) <= LONGEST_NAME else f"{word[:LONGEST_NAME]}…"
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def said(step: Step) -> str:
    """An edit in words, from the view of who wrote the word."""
    written, meant = ("a space" if text == " " else shown(text) for text in (step.written, step.meant))
    if step.kind == "replace":
        return f"{written} for {meant}"
    if step.kind == "swap":
        return f"{meant} swapped"
    return f"{meant} missing" if step.kind == "add" else f"{written} too many"


def edits_of(steps: Iterable[Step]) -> str:
    """The edits in words."""
    told = [said(step) for step in steps if step.kind != "keep"]
    return f"{len(told)} {'edit' if len(told) == 1 else 'edits'}: {', '.join(told)}" if told else "no edit"


def listed_as(candidate: Candidate) -> str:
    """What a candidate is called in a list."""
    return "as written" if candidate.kind == "as written" else named(candidate.word)


def called(candidate: Candidate) -> str:
    """What it is called elsewhere."""
    return named(candidate.word) + (", as written" if candidate.kind == "as written" else "")


def notes_on(explanation: Explanation) -> list[str]:
    """What a person needs to know of these candidates."""
    own = [each for each in explanation.candidates if each.folded == key(explanation.written)]
    return ["What is known has the probability of both its rows."] if explanation.known and len(own) > 1 else []


def question_of(explanation: Explanation, decision: Decision) -> str:
    """Between which candidates the letters decide."""
    candidates = f"between {called(decision.chosen)} (+) and {called(decision.other)} (-)"
    apart = explanation.candidates[0].kind == "two words"
    return candidates + (": two words are judged by frequency alone" if apart else "")


def _alignment(explanation: Explanation, style: Style, width: int) -> list[str]:
    rows: dict[str, list[str]] = {"written": [], "instead": [], "": []}
    for step in explanation.alignment:
        color = COLORS.get(step.kind)
        for pair in columns_of(step):
            column = max(map(_width, pair))
            for row, text in zip(rows.values(), (*pair, MARKS[step.kind] * column), strict=True):
                row.append("  " * bool(row) + style(text, fg=color, bold=bool(color)) + " " * (column - _width(text)))
    columns, at_once = len(rows["written"]), max(8, (width - LABEL - 2) // 3)
    lines = []
    for start in range(0, columns, at_once):
        for name, cells in rows.items():
            lines.append(f"  {name:<{LABEL}}{''.join(cells[start : start + at_once]).removeprefix('  ' * bool(start))}")
    return [*(line.rstrip() for line in lines), f"  {'':<{LABEL}}{edits_of(explanation.alignment)}"]


def columns_of(step: Step) -> list[tuple[str, str]]:
    """The letters of a step, written above meant, a blank where there is none."""
    columns = max(len(step.written), len(step.meant))
    return list(zip(_blank(step.written, columns), _blank(step.meant, columns), strict=True))


def _blank(text: str, columns: int) -> str:
    return shown(text) or " " * columns


def _candidates(explanation: Explanation, style: Style) -> list[str]:
    names = [listed_as(each) for each in explanation.candidates]
    width = max(NAME, *map(_width, names))
    heads = ("probable", "score", *GROUPS)
    columns = [max(CELL, len(head)) for head in heads]
    titles = " ".join(f"{head:>{column}}" for head, column in zip(heads, columns, strict=True))
    lines = [f"  {style('candidates', bold=True)}{' ' * (width - len('candidates'))} {titles}"]
    for name, candidate, leads in zip(names, explanation.candidates, explanation.leads(), strict=True):
        figures = [
            _points(lead, style, cell=cell, digits=1) for lead, cell in zip(leads.values(), columns[1:], strict=True)
        ]
        padded = style(name + " " * (width - _width(name)), bold=candidate is explanation.candidates[0])
        lines.append(" ".join((f"  {padded}", f"{candidate.probability:>{columns[0]}.3f}", *figures)))
    if explanation.others >= 0.0005:
        lines.append(f"  {'all others':<{width}} {explanation.others:>{columns[0]}.3f}")
    return [*lines, *(style(f"  {note}", dim=True) for note in notes_on(explanation))]


def _points(points: float, style: Style, *, cell: int, digits: int) -> str:
    text = f"{points:+.{digits}f}"
    if float(text) == 0:
        return style(f"{'·':>{cell}}", dim=True)
    return style(f"{text:>{cell}}", fg="green" if points > 0 else "red")


def _decision(explanation: Explanation, decision: Decision, style: Style, width: int) -> list[str]:
    letters = ["start", *map(shown, decision.letters), "end"]
    rows: dict[str, Row] = {"attention": [*decision.attention, None]}
    if decision.reading is not None and decision.attribution is not None:
        rows |= {"attribution": [None, *decision.attribution], "reading": [None, *decision.reading, None]}
    rows["reverse"] = [None, *decision.reverse]
    drawn = ("attention", "attribution" if "attribution" in rows else "reverse")
    lines = [f"  {style('letters', bold=True)} that decide {question_of(explanation, decision)}"]
    at_once = max(4, (width - LABEL - 2) // LETTER)
    for start in range(0, len(letters), at_once):
        part = slice(start, start + at_once)
        cells = "".join(" " * (LETTER - _width(letter)) + letter for letter in letters[part])
        lines.append(f"  {'':<{LABEL}}{style(cells, bold=True)}")
        for name, values in rows.items():
            signed = name != "attention"
            figures = "".join(_figure(value, style, signed=signed) for value in values[part])
            if name in drawn:
                lines.append(f"  {name:<{LABEL}}{_bars(values, part, style, signed=signed)}".rstrip())
            lines.append(f"  {'' if name in drawn else name:<{LABEL}}{figures}".rstrip())
    return lines


def _bars(values: Row, part: slice, style: Style, *, signed: bool) -> str:
    """Bars, the highest for the largest of all the values."""
    largest = max((abs(value) for value in values if value is not None), default=0.0) or 1.0
    bars = ""
    for value in values[part]:
        bar = "" if value is None else BARS[round(abs(value) / largest * (len(BARS) - 1))] * 3
        bars += style(f"{bar:>{LETTER}}", fg="blue" if not signed else "green" if (value or 0) > 0 else "red")
    return bars


def _figure(value: float | None, style: Style, *, signed: bool) -> str:
    if value is None:
        return " " * LETTER
    return _points(value, style, cell=LETTER, digits=2) if signed else f"{value:>{LETTER}.0%}"


def _width(text: str) -> int:
    """How many columns of the screen a text takes."""
    return sum(
        0 if unicodedata.combining(letter) else 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        for letter in text
    )
