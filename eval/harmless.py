"""Is good text left alone? What a corrector changes in clean prose, and what it mends where misspellings are put in."""

import random
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from speller import Corrector, Edit
from speller.letter_case import match_case
from speller.lexicon import fold
from speller.train.pairs import Pair

WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
"""What counts as a word of a text."""


@dataclass(frozen=True)
class Change:
    """What a corrector would change in a text that is right.

    Attributes:
        line: where, from 1.
        wrong: what stands there.
        meant: what would.
        probability: of its having been meant.
    """

    line: int
    wrong: str
    meant: str
    probability: float


@dataclass(frozen=True)
class Mended:
    """How a text with misspellings in it was corrected.

    Attributes:
        misspelled: how many of its words were misspelled.
        changed: how many changes were made.
        right: how many of these brought back what had stood there.
    """

    misspelled: int
    changed: int
    right: int

    @property
    def precision(self) -> float:
        """The share of the changes that were right; 1 where there are none."""
        return self.right / self.changed if self.changed else 1.0

    @property
    def recall(self) -> float:
        """The share of the misspellings that were mended; 1 where there are none."""
        return self.right / self.misspelled if self.misspelled else 1.0

    @property
    def f_half(self) -> float:
        """F0.5, in which precision counts twice as much as recall."""
        weighed = 0.25 * self.precision + self.recall
        return 1.25 * self.precision * self.recall / weighed if weighed else 0.0


def count_words(text: str) -> int:
    """How many words a text has."""
    return sum(1 for _ in WORD.finditer(text))


def changes(corrector: Corrector, text: str) -> list[Change]:
    """What would be changed in a text, in order."""
    found = []
    line, place = 1, 0
    for edit in corrector.edits(text, 1):
        line += text.count("\n", place, edit.start)
        place = edit.start
        found.append(Change(line, edit.wrong, edit.replacement, edit.suggestions[0].probability))
    return found


def misspell(text: str, pairs: Iterable[Pair], *, rate: float, seed: int) -> tuple[str, dict[int, tuple[str, str]]]:
    """A text with misspellings put in for words that stand in it.

    Args:
        text: the text.
        pairs: misspellings of single words.
        rate: the share of the text's words that are misspelled, as far as the pairs have misspellings for them.
        seed: of which ones are, and how.

    Returns:
        the text, and for each place in it where a misspelling begins, the misspelling and the word.

    Raises:
        ValueError: the rate is no share.
    """
    if not 0 <= rate <= 1:
        raise ValueError(f"the rate of misspellings is between 0 and 1, not {rate}")
    wrongs = defaultdict(list)
    for wrong, right in pairs:
        wrongs[fold(right)].append(wrong)
    words = list(WORD.finditer(text))
    generator = random.Random(seed)
    able = [found for found in words if fold(found[0]) in wrongs]
    chosen = sorted(generator.sample(able, min(round(rate * len(words)), len(able))), key=lambda found: found.start())
    parts: list[str] = []
    spots = {}
    length = place = 0
    for found in chosen:
        wrong = match_case(found[0], generator.choice(wrongs[fold(found[0])]))
        parts += [text[place : found.start()], wrong]
        length += found.start() - place
        spots[length] = (wrong, found[0])
        length += len(wrong)
        place = found.end()
    return "".join([*parts, text[place:]]), spots


def mended(edits: Sequence[Edit], spots: dict[int, tuple[str, str]]) -> Mended:
    """How many of the misspellings that ``misspell`` put into a text its edits mend, and what else they change."""
    right = sum(spots.get(edit.start) == (edit.wrong, edit.replacement) for edit in edits)
    return Mended(len(spots), len(edits), right)
