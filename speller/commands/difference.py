"""A text's edits as a unified difference, in constant memory: an edit changes a line, and never how many there are."""

import os
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import groupby

from speller.commands.edit_reports import Write, applied
from speller.corrector import Edit

CONTEXT = 3
"""So many lines around a changed one are shown."""

COLOURS = {"-": "31", "+": "32", "@": "36"}
"""Of what is taken away, of what is put there, and of places, as a terminal knows them."""


class Difference:
    """Writes a unified difference, as ``patch`` and ``git apply`` take it.

    Args:
        name: of the file.
        write: takes what is to be seen.
        coloured: for a terminal.
    """

    def __init__(self, name: str, write: Write, *, coloured: bool) -> None:
        self._write, self._coloured = write, coloured
        sides = ("", "") if os.path.isabs(name) or name == "-" else ("a/", "b/")
        self._header = [f"--- {sides[0]}{name}", f"+++ {sides[1]}{name}"]
        self._begun: tuple[list[str], list[str]] = ([], [])  # of a line that has not ended, before and after
        self._context: deque[str] = deque(maxlen=CONTEXT)
        self._hunk: list[tuple[str, str]] = []  # lines before and after
        self._line = self._unchanged = 0

    def take(self, text: str, edits: Sequence[Edit]) -> None:
        """See ``Report.take``."""
        before = text.split("\n")
        after = applied(text, edits).split("\n") if edits else before
        for place in range(len(before) - 1):
            self._begun[0].append(before[place])
            self._begun[1].append(after[place])
            self._end_line("\n")
        if before[-1]:
            self._begun[0].append(before[-1])
            self._begun[1].append(after[-1])

    def finish(self) -> None:
        """See ``Report.finish``."""
        if self._begun[0]:
            self._end_line("")
        if self._hunk:
            self._write_hunk()

    def abandon(self) -> None:
        """See ``Report.abandon``."""

    def _end_line(self, end: str) -> None:
        before, after = ("".join(parts) + end for parts in self._begun)
        self._begun = ([], [])
        self._line += 1
        if before != after:
            if not self._hunk:
                self._hunk = [(line, line) for line in self._context]
                self._context.clear()
            self._hunk.append((before, after))
            self._unchanged = 0
        elif not self._hunk:
            self._context.append(before)
        else:
            self._hunk.append((before, before))
            self._unchanged += 1
            if self._unchanged > 2 * CONTEXT:
                self._write_hunk()

    def _write_hunk(self) -> None:
        """Write the hunk, and keep what follows its last changed line by more than ``CONTEXT`` for the next one."""
        after_it = max(0, self._unchanged - CONTEXT)
        hunk = self._hunk[: len(self._hunk) - after_it]
        self._context.extend(line for line, _ in self._hunk[len(hunk) :])
        first = self._line - len(self._hunk) + 1
        lines = [*self._header, f"@@ -{_span(first, len(hunk))} +{_span(first, len(hunk))} @@", *_marked(hunk)]
        self._header, self._hunk, self._unchanged = [], [], 0
        self._write("".join(f"{self._paint(line)}\n" for line in lines))

    def _paint(self, line: str) -> str:
        colour = COLOURS.get(line[0]) if self._coloured else None
        return f"\x1b[{colour}m{line}\x1b[0m" if colour else line


def _span(first: int, count: int) -> str:
    return str(first) if count == 1 else f"{first},{count}"


def _marked(hunk: Sequence[tuple[str, str]]) -> Iterator[str]:
    for changed, pairs in groupby(hunk, key=lambda pair: pair[0] != pair[1]):
        lines = list(pairs)
        for mark, side in (("-", 0), ("+", 1)) if changed else ((" ", 0),):
            for pair in lines:
                yield mark + pair[side].removesuffix("\n")
                if not pair[side].endswith("\n"):
                    yield "\\ No newline at end of file"
