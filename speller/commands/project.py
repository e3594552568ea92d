"""A project's own settings: the table ``[tool.speller]`` of its ``pyproject.toml``."""

import os
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path, PurePath
from typing import Any

from speller.commands.dictionary import Words, read_dictionaries

FILE = "pyproject.toml"


@dataclass(frozen=True)
class Project:
    """What a project says of its spelling; of no project, nothing.

    Attributes:
        folder: where its ``pyproject.toml`` lies.
        model: a model that ships, or a model's folder.
        min_probability: an unknown word is corrected where its best suggestion has at least this probability.
        words: known in this project: those of its dictionaries, and those that it names itself.
        exclude: patterns of the files that are left alone.
    """

    folder: Path = Path()
    model: str | None = None
    min_probability: float | None = None
    words: Words = ()
    exclude: tuple[str, ...] = ()

    def excludes(self, path: str | os.PathLike[str]) -> bool:
        """Whether a file is left alone: a pattern fits its path below the project's folder, or a folder above it.

        A pattern without a slash fits a name in any folder; ``*`` stands for anything, slashes too.
        """
        try:
            below = PurePath(os.path.abspath(path)).relative_to(self.folder)
        except ValueError:
            return False
        places = [place.as_posix() for place in (below, *below.parents)]
        return any(
            fnmatchcase(name, pattern.rstrip("/"))
            for pattern in self.exclude
            for name in (places if "/" in pattern.rstrip("/") else [*places, *below.parts])
        )


def find_project(path: str | os.PathLike[str]) -> Project:
    """The project of a file or folder: the nearest ``pyproject.toml`` upwards that has a table ``[tool.speller]``.

    Raises:
        OSError: it cannot be read, or a dictionary that it names.
        ValueError: something is wrong in it; the message names the file and the key.
    """
    place = Path(os.path.abspath(path))
    return _project_of(place if place.is_dir() else place.parent)


@cache
def _project_of(folder: Path) -> Project:
    for above in (folder, *folder.parents):
        path = above / FILE
        if os.path.isfile(path) and (table := _table(path)) is not None:
            return _read(path, table)
    return Project()


def _table(path: Path) -> dict[str, Any] | None:
    with open(path, "rb") as file:
        try:
            tool = tomllib.load(file).get("tool", {})
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ValueError(f"{path}: not TOML: {error}") from None
    table = tool.get("speller") if isinstance(tool, dict) else None
    if table is not None and not isinstance(table, dict):
        raise ValueError(f"{path}: [tool.speller] is a table, not {table!r}")
    return table


def _read(path: Path, table: dict[str, Any]) -> Project:
    for key in table:
        if key not in KEYS:
            raise ValueError(f"{path}: [tool.speller] knows no key {key!r}, only {', '.join(KEYS)}")
    for key, (fits, kind) in KEYS.items():
        if key in table and not fits(table[key]):
            raise ValueError(f"{path}: {key} in [tool.speller] is {kind}, not {table[key]!r}")
    words = read_dictionaries(path.parent / name for name in table.get("dictionary", ()))
    model = table.get("model")
    if model is not None and (path.parent / model).is_dir():
        model = str(path.parent / model)
    return Project(
        path.parent,
        model,
        table.get("min-probability"),
        (*words, *((word, None) for word in table.get("words", ()))),
        tuple(table.get("exclude", ())),
    )


def _is_probability(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) and text for text in value)


def _are_words(value: object) -> bool:
    return _are_texts(value) and isinstance(value, list) and all(word.split() == [word] for word in value)


KEYS: dict[str, tuple[Callable[[object], bool], str]] = {
    "dictionary": (_are_texts, "a list of files"),
    "words": (_are_words, "a list of words without white space"),
    "model": (lambda value: isinstance(value, str) and bool(value), "a model's name or folder"),
    "min-probability": (_is_probability, "a number from 0 to 1"),
    "exclude": (_are_texts, "a list of patterns"),
}
"""The keys of ``[tool.speller]``: what a value has to be, and how to say so."""
