"""What becomes of a text's edits: the corrected text, a listing, or the file itself; ``difference`` has another one."""

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Protocol

from speller.commands.pieces import BYTE_ORDER_MARK, encoded
from speller.commands.replacing import Replacement
from speller.corrector import Edit

Write = Callable[[str], None]


class Report(Protocol):
    """Takes one text, piece by piece."""

    def take(self, text: str, edits: Sequence[Edit]) -> None:
        """The next piece, and its edits."""
        ...

    def finish(self) -> None:
        """The text is complete."""
        ...

    def abandon(self) -> None:
        """The rest of the text cannot be read."""
        ...


def applied(text: str, edits: Sequence[Edit]) -> str:
    """The text with every edit's replacement."""
    parts, place = [], 0
    for edit in edits:
        parts += [text[place : edit.start], edit.replacement]
        place = edit.end
    return "".join([*parts, text[place:]])


class Corrected:
    """Writes the corrected text."""

    def __init__(self, write: Write) -> None:
        self._write = write

    def take(self, text: str, edits: Sequence[Edit]) -> None:
        """See ``Report.take``."""
        self._write(applied(text, edits))

    def finish(self) -> None:
        """See ``Report.finish``."""

    abandon = finish


class InPlace:
    """Puts the corrected text in the file's place, where there is something to correct.

    Args:
        path: the file.
        found: what ``os.fstat`` said of it when it was opened.
    """

    def __init__(self, path: str, found: os.stat_result) -> None:
        self._path, self._found = path, found
        self._replacement: Replacement | None = None
        self._size = 0

    def take(self, text: str, edits: Sequence[Edit]) -> None:
        """See ``Report.take``."""
        if edits and self._replacement is None:
            self._replacement = Replacement(self._path, self._found)
            self._replacement.copy(self._size)
        if self._replacement:
            self._replacement.write(encoded(applied(text, edits)))
        else:
            self._size += len(encoded(text))

    def finish(self) -> None:
        """See ``Report.finish``."""
        if self._replacement:
            self._replacement.commit()

    def abandon(self) -> None:
        """See ``Report.abandon``."""
        if self._replacement:
            self._replacement.discard()


class Place:
    """Where in a text one is.

    Attributes:
        line: from 1; a line ends with a line feed, a carriage return, or both.
        column: from 1, in characters.
        offset: from 0, in characters; a byte order mark is none.
    """

    def __init__(self) -> None:
        self.line, self.column, self.offset = 1, 1, 0

    def pass_over(self, text: str) -> None:
        """Go on to the end of some text, which is not cut between a carriage return and a line feed."""
        if self.offset == 0:
            text = text.removeprefix(BYTE_ORDER_MARK)
        ends = text.count("\n") + text.count("\r") - text.count("\r\n")
        self.line += ends
        self.column = len(text) - max(text.rfind("\n"), text.rfind("\r")) if ends else self.column + len(text)
        self.offset += len(text)


class Listed:
    """Writes a line for every edit, as JSON or for people and their editors: FILE:LINE:COLUMN."""

    def __init__(self, name: str, write: Write, *, as_json: bool) -> None:
        self._name, self._write, self._as_json = name, write, as_json
        self._place = Place()

    def take(self, text: str, edits: Sequence[Edit]) -> None:
        """See ``Report.take``."""
        lines, passed = [], 0
        for edit in edits:
            self._place.pass_over(text[passed : edit.start])
            passed = edit.start
            lines.append(self._as_object(edit) if self._as_json else self._for_people(edit))
        self._place.pass_over(text[passed:])
        if lines:
            self._write("".join(f"{line}\n" for line in lines))

    def finish(self) -> None:
        """See ``Report.finish``."""

    abandon = finish

    def _as_object(self, edit: Edit) -> str:
        suggestions = [asdict(suggestion) for suggestion in edit.suggestions]
        found = {"file": self._name, **vars(self._place), "wrong": edit.wrong, "suggestions": suggestions}
        return json.dumps(found, ensure_ascii=False)

    def _for_people(self, edit: Edit) -> str:
        meant = ", ".join(suggestion.word for suggestion in edit.suggestions)
        return f"{self._name}:{self._place.line}:{self._place.column}: {edit.wrong} -> {meant}"
