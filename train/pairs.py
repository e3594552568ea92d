"""Misspelling pairs from any source, and which of them are held out."""

import contextlib
import csv
import functools
import json
import logging
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, Literal, NamedTuple

Part = Literal["train", "known", "fit", "test"]
"""What pairs are for: to train on; to fit the ranking on, their words trained on in other misspellings; to fit and to
judge on, no form of their words ever shown."""

WRONG_COLUMNS = ("wrong", "misspelling", "misspelled", "mistake", "typo", "incorrect", "written", "input", "source")
RIGHT_COLUMNS = ("right", "correction", "corrected", "correct", "intended", "word", "target", "output")


class Pair(NamedTuple):
    """What was written and what was meant."""

    wrong: str
    right: str


def read_pairs(source: str | Path, *, multiword: bool = False) -> list[Pair]:
    """The misspelling pairs of a file, of the installed codespell dictionary, or of a data set on the hub.

    A file is read as its name's ending says:

    - ``.tsv``, ``.csv``, ``.parquet``: the columns named as in ``WRONG_COLUMNS`` and ``RIGHT_COLUMNS``. Without such
      names, the first two; a headless CSV may then name further right words, as the dictionary of crate-ci/typos does
      (``wrong,right,right``);
    - ``.jsonl``: one object a line, with keys as above, ``right`` a text or a list of texts;
    - ``.dat``: Mitton's corpora, ``$right`` and below it its misspellings;
    - ``.txt``: Norvig's ``right: wrong, wrong``, codespell's ``wrong->right, right, reason``, or tab-separated.

    Mitton's and Norvig's write a space as ``_``. Blank lines and lines that start with ``#`` are passed over.

    Args:
        source: a path, the name ``codespell``, or a hub name, ``owner/name`` or ``owner/name:split``.
        multiword: keep the pairs that have a space on either side ("alot", "a lot"). A model of single words has no
            use for them.

    Returns:
        the pairs in the source's order, letter case as it is there, sides stripped of space around them. A
        misspelling with several right words makes several pairs.

    Raises:
        ValueError: nothing of that name, a directory, no pair in it, or a broken line, with path and line number.
    """
    try:
        pairs = [Pair(wrong.strip(), right.strip()) for wrong, right in _read(source)]
    except OSError as error:
        raise ValueError(f"{source} cannot be read: {error.strerror or error}") from error
    if not pairs:
        raise ValueError(f"{source} holds no misspelling pairs")
    if not multiword:
        pairs = [pair for pair in pairs if len(pair.wrong.split()) == len(pair.right.split()) == 1]
        if not pairs:
            raise ValueError(f"{source} holds no pairs of single words")
    return pairs


def part_of(word: str, *, language: str) -> Part:
    """Where a right word belongs: 2 % are held out to ``fit`` the ranking, 2 % to ``test`` it, the rest trains.

    A word and its inflections go together: the part is a hash of the stem that Snowball finds (Porter 2001), and for
    a language that Snowball lacks, of the first five letters. Letter case, the apostrophe's form and possessives make
    no difference; of several words in one ("a lot", "co-operate") the longest decides.

    Args:
        language: an ISO 639-1 code, such as ``en``; a region after it (``en-GB``) makes no difference.

    >>> {part_of(word, language="en") for word in ("receive", "Received", "receiving", "receive's")}
    {'train'}
    """
    return _part_of_stem(_stem(word.casefold().replace("’", "'"), language))


def split_pairs(pairs: Iterable[Pair], *, language: str) -> dict[Part, list[Pair]]:
    """The pairs by the part that their right words belong to (see ``part_of``), in their order.

    Of the pairs whose words train, 3 % are ``known``: the word is trained on, this misspelling of it is not.
    """
    parts: dict[Part, list[Pair]] = {"train": [], "known": [], "fit": [], "test": []}
    for pair in pairs:
        part = part_of(pair.right, language=language)
        parts["known" if part == "train" and _percentile("\t".join(pair).casefold()) < 3 else part].append(pair)
    return parts


def has_stemmer(language: str) -> bool:
    """Whether Snowball finds stems in a language, for ``part_of``."""
    import snowballstemmer  # type: ignore[import-untyped]

    # An older one knows fewer languages.
    return _snowball(language) in snowballstemmer.algorithms()


# What follows finds the stem.

_SNOWBALL = {
    "ar": "arabic", "ca": "catalan", "cs": "czech", "da": "danish", "de": "german", "el": "greek", "en": "english",
    "eo": "esperanto", "es": "spanish", "et": "estonian", "eu": "basque", "fa": "persian", "fi": "finnish",
    "fr": "french", "ga": "irish", "hi": "hindi", "hu": "hungarian", "hy": "armenian", "id": "indonesian",
    "it": "italian", "lt": "lithuanian", "nb": "norwegian", "ne": "nepali", "nl": "dutch", "nn": "norwegian",
    "no": "norwegian", "pl": "polish", "pt": "portuguese", "ro": "romanian", "ru": "russian", "sr": "serbian",
    "st": "sesotho", "sv": "swedish", "ta": "tamil", "tr": "turkish", "yi": "yiddish",
}  # fmt: skip
_UNITS = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*'?")


@functools.cache
def _stemmer(language: str) -> Callable[[str], str]:
    import snowballstemmer

    if not has_stemmer(language):
        return lambda word: word[:5]
    stem: Callable[[str], str] = snowballstemmer.stemmer(_snowball(language)).stemWord
    return stem


def _snowball(language: str) -> str | None:
    return _SNOWBALL.get(language.lower().replace("_", "-").split("-")[0])


@functools.lru_cache(maxsize=1 << 19)
def _stem(word: str, language: str) -> str:
    # "a lot" goes with "lot", and "lot's" with both.
    longest = max(_UNITS.findall(word), key=len, default=word)
    return _stemmer(language)(longest)


def _part_of_stem(stem: str) -> Part:
    place = _percentile(stem)
    return "test" if place < 2 else "fit" if place < 4 else "train"


def _percentile(text: str) -> int:
    return zlib.crc32(text.encode("utf-8", "surrogatepass")) % 100


# What follows reads the forms.


class _Lines:
    """The lines of a text file that say something, and where the reader stands in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.number = 0

    def __iter__(self) -> Iterator[str]:
        with self.path.open("rb") as file:
            for self.number, raw in enumerate(file, 1):
                try:
                    line = raw.decode("utf-8-sig" if self.number == 1 else "utf-8")
                except UnicodeDecodeError as error:
                    raise self.error(f"not UTF-8 ({error.reason} at byte {error.start})") from None
                if line.strip() and not line.startswith("#"):
                    yield line.rstrip("\r\n")

    def error(self, message: str) -> ValueError:
        return ValueError(f"{self.path}:{self.number}: {message}")

    def pair(self, wrong: str, right: str) -> tuple[str, str]:
        if not wrong.strip() or not right.strip():
            raise self.error(f"a misspelling and its right word are needed, got {wrong!r} and {right!r}")
        return wrong, right


def _read(source: str | Path) -> Iterator[tuple[str, str]]:
    path = Path(source)
    if source == "codespell":
        return _read_codespell(_Lines(_codespell_dictionary()))
    if path.is_dir():
        raise ValueError(f"{source} is a directory, not a file of misspelling pairs")
    suffix = path.suffix.lower()
    if path.exists():
        if suffix == ".parquet":
            return _read_table(str(source), "parquet", data_files=str(path))
        if suffix not in _READERS:
            raise ValueError(f"{source}: pairs are read from {', '.join(sorted([*_READERS, '.parquet']))} files")
        return _READERS[suffix](_Lines(path))
    if re.fullmatch(r"[\w-][\w.-]*/[\w-][\w.-]*(:\w+)?", str(source)) and suffix not in (*_READERS, ".parquet"):
        name, _, split = str(source).partition(":")
        return _read_table(str(source), name, split=split or None)
    raise ValueError(f"{source}: no such file, and neither 'codespell' nor a hub name (owner/name)")


def _codespell_dictionary() -> Path:
    try:
        return Path(str(resources.files("codespell_lib") / "data" / "dictionary.txt"))
    except ModuleNotFoundError:
        raise ValueError("the source 'codespell' needs the package codespell: pip install codespell") from None


def _read_tabs(lines: _Lines) -> Iterator[tuple[str, str]]:
    return _read_columns(lines, lambda line: line.split("\t"), further=False)


def _read_commas(lines: _Lines) -> Iterator[tuple[str, str]]:
    def cells(line: str) -> list[str]:
        try:
            return next(csv.reader([line], strict=True))
        except csv.Error as error:
            raise lines.error(f"not a line of CSV: {error}") from None

    return _read_columns(lines, cells, further=True)


# Not through `datasets`: pandas under it takes "nan", "null" and "none" for missing, and names no lines.
def _read_columns(lines: _Lines, cells: Callable[[str], Sequence[str]], *, further: bool) -> Iterator[tuple[str, str]]:
    places: tuple[int, int] | None = None
    for line in lines:
        row = cells(line)
        if places is None:
            named = _columns(row)
            places = named or (0, 1)
            if named:
                further = False
                continue
        if len(row) <= max(places):
            raise lines.error(f"{max(places) + 1} columns are needed, got {len(row)}: {line!r}")
        wrong, right = row[places[0]], row[places[1]]
        yield lines.pair(wrong, right)
        if further:
            yield from (lines.pair(wrong, another) for another in row[2:])


def _columns(names: Sequence[str]) -> tuple[int, int] | None:
    """Where the wrong and the right words stand among named columns, the first of the usual names winning."""
    plain = [name.strip().casefold() for name in names]
    wrong = next((plain.index(name) for name in WRONG_COLUMNS if name in plain), None)
    right = next((plain.index(name) for name in RIGHT_COLUMNS if name in plain), None)
    return None if wrong is None or right is None else (wrong, right)


def _read_objects(lines: _Lines) -> Iterator[tuple[str, str]]:
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError as error:
            raise lines.error(f"not JSON: {error}") from None
        if not isinstance(entry, dict):
            raise lines.error(f"an object such as {{'wrong': …, 'right': …}} is needed, got {line!r}")
        try:
            yield from _from_mapping(entry)
        except ValueError as error:
            raise lines.error(str(error)) from None


def _read_mitton(lines: _Lines) -> Iterator[tuple[str, str]]:
    right = ""
    for line in lines:
        # Holbrook's file counts: "enterd 2".
        word = line.split()[0].replace("_", " ")
        if word.startswith("$"):
            right = word[1:]
        else:
            yield lines.pair(word, right)


def _read_norvig(lines: _Lines) -> Iterator[tuple[str, str]]:
    for line in lines:
        right, colon, wrongs = line.partition(":")
        words = [word for word in (wrongs.split(",") if "," in wrongs else wrongs.split()) if word.strip()]
        if not colon or not words:
            raise lines.error(f"'right: wrong wrong' is needed, got {line!r}")
        # The longer of his lists counts, "raned*2", and has "_" for a space: "jamjar: jam_jar".
        yield from (
            lines.pair(re.sub(r"\*\d+\s*$", "", word).replace("_", " "), right.replace("_", " ")) for word in words
        )


def _read_codespell(lines: _Lines) -> Iterator[tuple[str, str]]:
    for line in lines:
        wrong, arrow, rights = line.partition("->")
        if not arrow:
            raise lines.error(f"'wrong->right' is needed, got {line!r}")
        # What follows the last comma is why the entry is not corrected without asking, or nothing.
        yield from (lines.pair(wrong, right) for right in rights.rpartition(",")[0].split(",") if "," in rights)
        if "," not in rights:
            yield lines.pair(wrong, rights)


def _read_text(lines: _Lines) -> Iterator[tuple[str, str]]:
    first = next(iter(lines), "")
    return (_read_codespell if "->" in first else _read_tabs if "\t" in first else _read_norvig)(lines)


_READERS: Mapping[str, Callable[[_Lines], Iterator[tuple[str, str]]]] = {
    ".tsv": _read_tabs,
    ".csv": _read_commas,
    ".jsonl": _read_objects,
    ".dat": _read_mitton,
    ".txt": _read_text,
}


def _read_table(source: str, builder: str, *, split: str | None = "train", **options: Any) -> Iterator[tuple[str, str]]:
    """The rows of a table that `datasets` reads, streamed: nothing is written to its cache."""
    import datasets  # type: ignore[import-untyped]

    with _quiet():
        try:
            tables = datasets.load_dataset(builder, split=split, streaming=True, **options)
            if isinstance(tables, dict):
                if len(tables) > 1:
                    raise ValueError(
                        f"has several splits, name one: {', '.join(f'{source}:{name}' for name in tables)}"
                    )
                (tables,) = tables.values()
            for row, entry in enumerate(tables, 1):
                try:
                    yield from _from_mapping(entry)
                except ValueError as error:
                    raise ValueError(f"row {row}: {error}") from None
        # The hub's client, Arrow and network errors share no base class.
        except Exception as error:
            raise ValueError(f"{source}: {' '.join(str(error).split()) or type(error).__name__}") from error


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keeps `datasets` from drawing bars, and it and the hub's client from logging what is raised anyway."""
    import datasets

    loggers = [logging.getLogger(name) for name in ("datasets", "huggingface_hub")]
    levels = [logger.level for logger in loggers]
    bars = not datasets.are_progress_bars_disabled()
    datasets.disable_progress_bars()
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
        if bars:
            datasets.enable_progress_bars()


def _from_mapping(entry: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    names = list(entry)
    places = _columns(names) or (0, 1)
    if len(names) <= max(places):
        raise ValueError(f"two columns are needed, got {names}")
    wrong, right = (entry[names[place]] for place in places)
    for word in right if isinstance(right, list) and right else [right]:
        if not (isinstance(wrong, str) and wrong.strip() and isinstance(word, str) and word.strip()):
            raise ValueError(f"a misspelling and its right word are needed, got {wrong!r} and {word!r}")
        yield wrong, word
