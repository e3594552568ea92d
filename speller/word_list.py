"""Word lists as people keep them: one word a line, its frequency after it where it is known."""

import os
import re
from collections.abc import Iterator

_COMMENT = re.compile(r"(?:^|(?<=\s))#.*", re.DOTALL)
"""To the end of the line, but not from within a word: "C#"."""


def read_word_list(
    path: str | os.PathLike[str], *, may_be_empty: bool = False
) -> Iterator[tuple[int, str, float | None]]:
    """The words of a UTF-8 file, each with its line's number and the number written after it, if there is one.

    A line holds a word, or a word and a number with white space between them. Blank lines are passed over, and so is
    what follows a ``#`` at the beginning of a line or after white space.

    Raises:
        OSError: the file cannot be read.
        ValueError: a line holds something else or is not UTF-8, or there is no word at all and there has to be one;
            names path and line.
    """
    name = os.fspath(path)
    line_number = 0
    found = False
    with open(path, "rb") as file:
        for line_number, line in enumerate(file, start=1):
            try:
                text = line.decode("utf-8-sig" if line_number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                raise ValueError(f"{name}:{line_number}: not UTF-8 ({error.reason} at byte {error.start})") from None
            columns = _COMMENT.sub("", text).split()
            if not columns:
                continue
            found = True
            if len(columns) > 2:
                raise ValueError(f"{name}:{line_number}: a word, or a word and a number, not {len(columns)} columns")
            yield line_number, columns[0], _number(columns[1], f"{name}:{line_number}") if len(columns) == 2 else None
    if not found and not may_be_empty:
        raise ValueError(f"{name}: no word in it ({line_number} lines)")


def _number(text: str, place: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{place}: the word's frequency must be a number, not {text!r}") from None
