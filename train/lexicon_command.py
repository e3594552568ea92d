"""``speller lexicon``: word lists with frequencies -> a lexicon, for any language."""

import math
from collections.abc import Iterable
from pathlib import Path

import click

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
    "--counts", is_flag=True, help="The numbers in the lists are counts of occurrences, not Zipf frequencies."
)
def lexicon_command(lists: tuple[Path, ...], out: Path, language: str | None, counts: bool) -> None:
    """Make a lexicon from word lists.

    A list is a UTF-8 text with one word a line, in its usual letter case, and after it, set off by white space, how
    frequent it is, if that is known: its Zipf frequency, the logarithm to base 10 of its occurrences per billion words
    (7 for "the", 3 for a word met once in a million), or with --counts how often it was seen. A word of frequency 0 is
    known but never offered as a correction.

    A word without a number takes its frequency from the wordfreq package with --wordfreq (for example "en"): 0 where
    wordfreq lacks it, and 0 for a single letter that is seldom a word. Without --wordfreq it takes Zipf frequency 3.

    A word on several lists has the highest of its frequencies. Of its forms that differ in letter case the lower-case
    one is the usual one, else the most frequent.
    """
    lexicon = Lexicon.build(read_frequencies(lists, language=language, counts=counts))
    lexicon.save(out)
    click.echo(f"{out}: {len(lexicon):,} words, {len(lexicon.offered):,} of them offered as corrections")


def read_frequencies(paths: Iterable[Path], *, language: str | None = None, counts: bool = False) -> dict[str, float]:
    """The words of all lists and their Zipf frequencies, by the rules of ``speller lexicon``.

    Raises:
        OSError: a list cannot be read.
        ValueError: a line cannot be understood, a list is empty, wordfreq lacks the language.
    """
    listed: dict[str, float | None] = {}
    for path in paths:
        for line_number, word, number in read_word_list(path):
            if number is not None and not 0 <= number < math.inf:
                raise ValueError(f"{path}:{line_number}: the frequency of {word!r} must be 0 or more, not {number}")
            known = listed.get(word)
            listed[word] = max((value for value in (known, number) if value is not None), default=None)
    total = sum(number for number in listed.values() if number is not None)
    unlisted = _wordfreq(language) if language else None

    zipf = {}
    for word, number in listed.items():
        if number is None:
            zipf[word] = DEFAULT_ZIPF if unlisted is None else unlisted.get(fold(word), 0.0)
            if unlisted is not None and len(word) == 1 and zipf[word] < LONE_LETTER_ZIPF:
                zipf[word] = 0.0
        else:
            zipf[word] = _zipf(number / total) if counts and number else number
    return zipf


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
