"""``speller lexicon``: word lists with frequencies -> a lexicon, for any language."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

import click

from speller.attested import Attestation
from speller.candidates import LONGEST
from speller.lexicon import Lexicon, fold
from speller.word_list import read_word_list

DEFAULT_ZIPF = 3.0
"""The Zipf frequency of a word listed without one: once in a million words."""

LONE_LETTER_ZIPF = 5.9
"""The Zipf frequency from which a single character counts as a word and not as a letter's name.

In running text every letter stands alone now and then (initials, list items, "'s" cut off). In wordfreq the words among
them, such as English "a" and "I", Spanish "y", "a", "o" and "e", Polish "w", "i", "z", "o" and "a", lie above this line
and English "s", the most frequent letter that is no word, just below.
"""


@click.command("lexicon")
@click.argument("lists", metavar="WORDS...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", metavar="FILE", required=True, type=click.Path(path_type=Path), help="Where to write it.")
@click.option("--wordfreq", "language", metavar="LANGUAGE", help="Frequencies from wordfreq, for words without one.")
@click.option(
    "--rare", metavar="FILE", multiple=True, type=click.Path(path_type=Path), help="A list of rare words and names."
)
@click.option("--neighbours", metavar="FILE", type=click.Path(path_type=Path), help="Pairs of words, and their counts.")
@click.option(
    "--counts", is_flag=True, help="The numbers in the lists are counts of occurrences, not Zipf frequencies."
)
def lexicon_command(
    lists: tuple[Path, ...],
    out: Path,
    language: str | None,
    rare: tuple[Path, ...],
    neighbours: Path | None,
    counts: bool,
) -> None:
    """Make a lexicon from word lists.

    A list is a UTF-8 text with one word a line, in its usual letter case, and after it, set off by white space, how
    frequent it is, if that is known: its Zipf frequency, the logarithm to base 10 of its occurrences per billion words
    (7 for "the", 3 for a word met once in a million), or with --counts how often it was seen. A word of frequency 0 is
    known but never offered as a correction.

    A word without a number takes its frequency from the wordfreq package with --wordfreq (for example "en"): 0 where
    wordfreq lacks it, and 0 for a single letter that is seldom a word. Without --wordfreq it takes Zipf frequency 3.

    A word on several lists has the highest of its frequencies. Of its forms that differ in letter case the lower-case
    one is the usual one, else the most frequent.

    The words of lists given with --rare, in the same form, and with --wordfreq all others that wordfreq has seen, are
    attested: not known, since many of them are misspelled frequent words, and not offered, but the more probably right
    as they are written.

    A list given with --neighbours holds two words a line that often stand side by side and how often they were seen
    there, set off by white space: it helps to tell "a lot" from a misspelled "allot".
    """
    frequencies = _wordfreq(language) if language else None
    zipf = read_frequencies(lists, frequencies, counts=counts)
    attestations = _without_careless(read_attestations(rare, frequencies, counts=counts), zipf)
    if neighbours:
        attestations |= read_neighbours(neighbours)
    lexicon = Lexicon.build(zipf, attestations=attestations)
    lexicon.save(out)
    click.echo(
        f"{out}: {len(lexicon):,} words, {len(lexicon.offered):,} of them offered as corrections, "
        f"{len(lexicon.attested):,} more attested"
    )


def read_frequencies(
    paths: Iterable[Path], frequencies: Mapping[str, float] | None = None, *, counts: bool = False
) -> dict[str, float]:
    """The words of all lists and their Zipf frequencies, by the rules of ``speller lexicon``.

    Args:
        paths: the lists.
        frequencies: those of folded words, for words that are listed without one.
        counts: whether the lists' numbers are counts.

    Raises:
        OSError: a list cannot be read.
        ValueError: a line cannot be understood, or a list is empty.
    """
    zipf = {}
    for word, number in _read_lists(paths, counts=counts).items():
        if number is None:
            number = DEFAULT_ZIPF if frequencies is None else frequencies.get(fold(word), 0.0)
            if frequencies is not None and len(word) == 1 and number < LONE_LETTER_ZIPF:
                number = 0.0
        zipf[word] = number
    return zipf


def read_attestations(
    paths: Iterable[Path], frequencies: Mapping[str, float] | None = None, *, counts: bool = False
) -> dict[str, Attestation]:
    """What attests the words of lists of rare ones, folded, and those that have a frequency; of two letters or more.

    Args and errors are those of ``read_frequencies``.
    """
    listed: dict[str, float] = {}
    for word, number in _read_lists(paths, counts=counts).items():
        folded = fold(word)
        own = (frequencies or {}).get(folded, 0.0) if number is None else number
        listed[folded] = max(own, listed.get(folded, 0.0))
    attestations = {word: Attestation(zipf=zipf) for word, zipf in (frequencies or {}).items()}
    attestations |= {word: Attestation(True, zipf) for word, zipf in listed.items()}
    return {word: each for word, each in attestations.items() if 1 < len(word) <= LONGEST}


def _without_careless(attestations: Mapping[str, Attestation], zipf: Mapping[str, float]) -> dict[str, Attestation]:
    """The attested words but for those that people write where they leave out an apostrophe ("dont").

    They are listed nowhere, and a known word that has one and the same letters otherwise is ten times as frequent.
    """
    careful = {fold(word).replace("'", ""): value for word, value in zipf.items() if "'" in fold(word)}
    return {word: each for word, each in attestations.items() if each.listed or careful.get(word, 0.0) - each.zipf < 1}


def read_neighbours(path: Path) -> dict[str, Attestation]:
    """Two words a line that often stand side by side, folded, and their Zipf frequency by the counts on the lines.

    Raises:
        OSError: the list cannot be read.
        ValueError: a line is something else than two words and a count, or not UTF-8; names path and line.
    """
    counted: Counter[str] = Counter()
    for line_number, line in enumerate(path.read_bytes().decode("utf-8-sig", errors="replace").splitlines(), 1):
        match line.split():
            case []:
                continue
            case [first, second, count] if count.isdecimal() and "\N{REPLACEMENT CHARACTER}" not in line:
                counted[fold(f"{first} {second}")] += int(count)
            case _:
                raise ValueError(f"{path}:{line_number}: two words and a count in UTF-8 are needed, not {line!r}")
    total = sum(counted.values())
    return {words: Attestation(zipf=_zipf(count / total)) for words, count in counted.items() if count}


def _read_lists(paths: Iterable[Path], *, counts: bool) -> dict[str, float | None]:
    """The words of all lists, as they are written there, and the Zipf frequencies that stand beside them."""
    listed: dict[str, float | None] = {}
    for path in paths:
        for line_number, word, number in read_word_list(path):
            if number is not None and not 0 <= number < math.inf:
                raise ValueError(f"{path}:{line_number}: the frequency of {word!r} must be 0 or more, not {number}")
            known = listed.get(word)
            listed[word] = max((value for value in (known, number) if value is not None), default=None)
    total = sum(number for number in listed.values() if number is not None)
    return {word: _zipf(number / total) if counts and number else number for word, number in listed.items()}


def _wordfreq(language: str) -> dict[str, float]:
    """The Zipf frequencies of all words of a language that wordfreq has, by its largest list."""
    import wordfreq  # a model that is trained without it needs neither its 58 MB nor its time

    sizes = ("large", "small")
    for size in sizes:
        if language in wordfreq.available_languages(size):
            return {fold(word): _zipf(share) for word, share in wordfreq.get_frequency_dict(language, size).items()}
    languages = ", ".join(sorted(set().union(*(wordfreq.available_languages(size) for size in sizes))))
    raise ValueError(f"wordfreq has no language {language!r}; it has {languages}")


def _zipf(share: float) -> float:
    """The Zipf frequency of a word that makes up this share of all words, above 0 however rare the word."""
    return max(round(math.log10(share) + 9, 2), 0.01)
