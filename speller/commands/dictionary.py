"""Personal dictionaries: words of one's own, known from now on and offered as corrections."""

import os
from collections.abc import Iterable

from speller.word_list import read_word_list

HIGHEST_ZIPF = 9.0
"""The Zipf frequency of a word that all text consists of: a billion in a billion."""

Words = tuple[tuple[str, float | None], ...]
"""Words with their Zipf frequencies, where they have been given any."""


def read_dictionary(path: str | os.PathLike[str]) -> Words:
    """The words of a personal dictionary, a UTF-8 file: one a line, its Zipf frequency after it if it is known.

    Blank lines are passed over, and so is what follows a ``#`` at the beginning of a line or after white space.

    Raises:
        OSError: the file cannot be read.
        ValueError: a line holds something else; the message names path and line.
    """
    words: list[tuple[str, float | None]] = []
    for line_number, word, zipf in read_word_list(path, may_be_empty=True):
        if zipf is not None and not 0 <= zipf <= HIGHEST_ZIPF:
            place = f"{os.fspath(path)}:{line_number}"
            raise ValueError(f"{place}: a word's Zipf frequency is a number from 0 to {HIGHEST_ZIPF:g}, not {zipf:g}")
        words.append((word, zipf))
    return tuple(words)


def read_dictionaries(paths: Iterable[str | os.PathLike[str]]) -> Words:
    """The words of several personal dictionaries, as ``read_dictionary`` reads each."""
    return tuple(word for path in paths for word in read_dictionary(path))
