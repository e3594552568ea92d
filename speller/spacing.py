"""Spaces that are missing or too many: "alot" for "a lot", "to gether" for "together"."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from speller.lexicon import Lexicon, fold

SPLIT_FEATURES = (
    "split",  # 1
    "split-frequency",  # the Zipf frequency of the two words side by side
    "split-neighbours",  # 1 where that was counted, and not reckoned from what they have on their own
)
"""What two words are judged by that may have been meant by one."""

LONGEST = 40
"""Longer neighbours are no words."""

_BEFORE = re.compile(rf"(?<![^\s(\"“‘])([^\W\d_]{{1,{LONGEST}}}) \Z")
_AFTER = re.compile(rf" ([^\W\d_]{{1,{LONGEST}}}+)(?![\w@/]|['’.-]\w)")

JOIN_FEATURES = (
    "join",  # 1
    "join-frequency",  # the Zipf frequency of the one word
    "join-neighbour",  # that of what stands beside the unknown word; 0 where that is unknown too
)
"""What one word is judged by that may have been meant by two, of which one is unknown."""


@dataclass(frozen=True)
class Spacing:
    """How probable missing and needless spaces are: two log-linear models, on the scale of the ranking's last stage.

    Attributes:
        weights: a weight for each of ``SPLIT_FEATURES`` and ``JOIN_FEATURES``.
        least_counted: the lowest Zipf frequency of neighbours that were counted; others are rarer, however frequent
            they are on their own ("the it").
    """

    weights: Mapping[str, float]
    least_counted: float

    def __post_init__(self) -> None:
        if set(self.weights) != {*SPLIT_FEATURES, *JOIN_FEATURES}:
            expected = ", ".join((*SPLIT_FEATURES, *JOIN_FEATURES))
            raise ValueError(f"the spacing has the weights {expected}, not {', '.join(sorted(self.weights))}")

    def splits(self, word: str, lexicon: Lexicon) -> list[tuple[str, float]]:
        """The pairs of the lexicon's words that a folded word is run together from, with their scores, best first."""
        scored = []
        for first, second in split_places(word, lexicon):
            text = f"{lexicon.usual_case(first)} {lexicon.usual_case(second)}"
            scored.append(
                (text, self._score(SPLIT_FEATURES, split_features(first, second, lexicon, self.least_counted)))
            )
        return sorted(scored, key=lambda pair: -pair[1])

    def join(self, before: str, after: str, neighbour: str, lexicon: Lexicon) -> tuple[str, float] | None:
        """The word of the lexicon that two folded words are when they are joined, and its score; None if it has none.

        Args:
            before: the former.
            after: the latter.
            neighbour: that one of both beside the unknown one.
            lexicon: the words.
        """
        index = join_place(before, after, lexicon)
        if index is None:
            return None
        return lexicon.usual_case(index), self._score(JOIN_FEATURES, join_features(index, neighbour, lexicon))

    def _score(self, names: tuple[str, ...], features: tuple[float, ...]) -> float:
        return sum(self.weights[name] * value for name, value in zip(names, features, strict=True))


def beside(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Where the words of letters alone stand that one space sets off from the word between two places of a text.

    >>> list(beside("Put it to gether.", 10, 16)), list(beside("all /in/to gether", 11, 17))
    ([(7, 9)], [])
    """
    before = _BEFORE.search(text, max(0, start - LONGEST - 2), start)
    if before:
        yield before.span(1)
    after = _AFTER.match(text, end)
    if after:
        yield after.span(1)


def split_places(word: str, lexicon: Lexicon) -> Iterator[tuple[int, int]]:
    """The pairs of offered words of letters alone, by their places in the lexicon, that a folded word consists of."""
    for cut in range(1, len(word)) if word.isalpha() else ():
        place = _offered(word[:cut], lexicon)
        other = None if place is None else _offered(word[cut:], lexicon)
        if place is not None and other is not None:
            yield place, other


def split_features(first: int, second: int, lexicon: Lexicon, least_counted: float) -> tuple[float, ...]:
    """What a pair of words is judged by, in the order of ``SPLIT_FEATURES``."""
    apart = float(lexicon.zipf[first] + lexicon.zipf[second])
    counted = lexicon.attested.look_up(f"{lexicon.words[first]} {lexicon.words[second]}").zipf
    return 1.0, counted or min(apart - 9, least_counted), float(counted > 0)


def join_place(before: str, after: str, lexicon: Lexicon) -> int | None:
    """The place of the offered word of letters alone that two folded words make when they are joined, if they do."""
    return _offered(fold(before + after), lexicon) if before.isalpha() and after.isalpha() else None


def join_features(joined: int, neighbour: str, lexicon: Lexicon) -> tuple[float, ...]:
    """What a joined word is judged by, in the order of ``JOIN_FEATURES``."""
    index = lexicon.index(neighbour)
    return 1.0, float(lexicon.zipf[joined]), 0.0 if index is None else float(lexicon.zipf[index])


def _offered(word: str, lexicon: Lexicon) -> int | None:
    index = lexicon.words.find(word)
    return index if index is not None and lexicon.zipf[index] > 0 else None
