"""Sampled misspellings held against those that people made."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from rapidfuzz.distance import OSA

from speller.train.errors.alignment import Edit, edits

FARTHEST = 6
"""Greater distances count as this one."""


def compare(real: Sequence[tuple[str, str]], synthetic: Sequence[tuple[str, str]]) -> dict[str, float]:
    """The total variation between real and synthetic pairs ``(wrong, right)``, of best 0 and at worst 1, by aspect.

    Half the sum of absolute differences between two distributions: the share of pairs that would have to change for
    them to be equal. Both sides are best made of the same right words.

    Raises:
        ValueError: a side without pairs.
    """
    sides = (profile(real), profile(synthetic))
    return {
        aspect: sum(abs(sides[0][aspect].get(key, 0.0) - sides[1][aspect].get(key, 0.0)) for key in keys) / 2
        for aspect, keys in ((aspect, {*sides[0][aspect], *sides[1][aspect]}) for aspect in ASPECTS)
    }


def profile(pairs: Sequence[tuple[str, str]]) -> dict[str, dict[str, float]]:
    """The distributions of pairs ``(wrong, right)`` that ``compare`` compares: aspect, value, share.

    The aspects are the edit distance (OSA), the number of edits (neighbouring ones taken together), their kind, their
    position in the word, and how much longer or shorter the misspelling is.

    Raises:
        ValueError: no pairs.
    """
    if not pairs:
        raise ValueError("pairs to profile are needed, none were received")
    found = [(wrong, right, edits(wrong, right)) for wrong, right in pairs]
    counts = {aspect: Counter(value for pair in found for value in values(*pair)) for aspect, values in ASPECTS.items()}
    return {
        aspect: {value: count / counter.total() for value, count in sorted(counter.items())}
        for aspect, counter in counts.items()
    }


def _distance(wrong: str, right: str, _: Sequence[Edit]) -> Iterable[str]:
    return [str(min(OSA.distance(wrong, right), FARTHEST))]


def _number(_: str, __: str, found: Sequence[Edit]) -> Iterable[str]:
    return [str(len(found))]


def _kind(_: str, right: str, found: Sequence[Edit]) -> Iterable[str]:
    for start, span, written in found:
        around = {right[start - 1 : start], right[start + span : start + span + 1]}
        if (span, len(written)) == (0, 1):
            yield "repeated" if written in around else "added"
        elif (span, len(written)) == (1, 0):
            yield "one of two missed" if right[start] in around else "missed"
        elif (span, len(written)) == (1, 1):
            yield "another"
        else:
            yield "swapped" if written == right[start : start + span][::-1] else "several"


def _position(_: str, right: str, found: Sequence[Edit]) -> Iterable[str]:
    for start, span, _written in found:
        yield "first" if not start else "last" if start + max(span, 1) >= len(right) else f"{5 * start // len(right)}/5"


def _length(wrong: str, right: str, _: Sequence[Edit]) -> Iterable[str]:
    return [f"{max(-4, min(4, len(wrong) - len(right))):+d}"]


ASPECTS: Mapping[str, Callable[[str, str, Sequence[Edit]], Iterable[str]]] = {
    "distance": _distance,
    "number": _number,
    "kind": _kind,
    "position": _position,
    "length": _length,
}
"""What pairs are compared by."""
