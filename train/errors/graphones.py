"""Letters aligned with the sounds that they stand for, many to many."""

import functools
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

SHAPES = ((1, 1), (2, 1), (3, 1), (4, 1), (1, 2), (2, 2))
"""How many letters may stand for how many sounds: "ough" for one, "x" for two, "le" for two."""

DISCOUNT = 0.005
"""On a unit of two sounds: else "in" would be one unit, as fewer units are likelier."""

ROUNDS = 6
"""Rounds of expectation and maximisation."""

STUDIED = 20_000
"""So many words, evenly spread, are enough to learn the units from."""


Sounds = tuple[str, ...]
"""One sound, or two."""


class Graphone(NamedTuple):
    """The ``span`` letters of a word from ``start`` on, and the sounds that they stand for there."""

    start: int
    span: int
    sounds: Sounds


class _Arcs(NamedTuple):
    """Every way to cut words and pronunciations into units: the edges of one graph for each word, in its order."""

    offsets: NDArray[np.int64]  # (words + 1,) where each word's arcs begin
    sources: NDArray[np.int64]  # (arcs,)
    targets: NDArray[np.int64]  # (arcs,)
    firsts: NDArray[np.int64]  # (words,) the node where nothing is read
    lasts: NDArray[np.int64]  # (words,) the node where all is read
    keys: NDArray[np.int64]  # (arcs,) letters and sounds as one number
    places: NDArray[np.int64]  # (arcs, 3) first letter, first sound, shape


def align(pronunciations: Mapping[str, Sequence[str]]) -> dict[str, list[Graphone]]:
    """Each word's most probable segmentation, by expectation maximisation over all (Jiampojamarn et al. 2007).

    Every unit has one to four letters and one or two sounds, so a silent letter goes with a neighbour: "kn" of
    "knife". Words that cannot be cut so ("bbc") are left out.
    """
    words = [word for word, sounds in pronunciations.items() if word and sounds]
    if not words:
        return {}
    numbers: dict[str | Sounds, int] = {}
    arcs = _arcs({word: pronunciations[word] for word in words[:: -(-len(words) // STUDIED)]}, numbers)
    keys, units = np.unique(arcs.keys, return_inverse=True)
    double = {number for piece, number in numbers.items() if isinstance(piece, tuple) and len(piece) == 2}
    # The last unit stands for all that were not met, and has no weight.
    discounts = np.append(np.where(np.isin(keys % _PIECES, list(double)), DISCOUNT, 1.0), 0.0)
    weights = discounts / len(keys)
    for _ in range(ROUNDS):
        counts = _expect(*arcs[:5], units, weights)
        weights = discounts * counts / counts.sum()
    aligned = {}
    for begin in range(0, len(words), STUDIED):
        part = {word: pronunciations[word] for word in words[begin : begin + STUDIED]}
        arcs = _arcs(part, numbers)
        units = np.searchsorted(keys, arcs.keys)
        units[keys[np.minimum(units, len(keys) - 1)] != arcs.keys] = len(keys)
        chosen = _choose(*arcs[:5], units, weights)
        for word, begins, ends in zip(part, arcs.offsets, arcs.offsets[1:], strict=False):
            path = arcs.places[begins:ends][chosen[begins:ends]].tolist()
            if path:
                aligned[word] = [
                    Graphone(letter, SHAPES[shape][0], tuple(part[word][sound : sound + SHAPES[shape][1]]))
                    for letter, sound, shape in path
                ]
    return aligned


_PIECES = 2**31
"""More than there are pieces of words and of pronunciations."""


def _arcs(pronunciations: Mapping[str, Sequence[str]], numbers: dict[str | Sounds, int]) -> _Arcs:
    """The graphs of words; pieces that ``numbers`` lacks are added to it."""
    nodes, sizes, keys, sources, targets, places = [0], [0], [], [], [], []
    for word, sounds in pronunciations.items():
        place, source, target = _grid(len(word), len(sounds))
        letters = np.array(
            [[numbers.setdefault(word[i : i + span], len(numbers)) for span in range(1, 5)] for i in range(len(word))]
        )
        spoken = np.array(
            [[numbers.setdefault(tuple(sounds[j : j + n]), len(numbers)) for n in (1, 2)] for j in range(len(sounds))]
        )
        spans, several = np.array(SHAPES).T[:, place[:, 2]]
        keys.append(letters[place[:, 0], spans - 1] * _PIECES + spoken[place[:, 1], several - 1])
        sources.append(source + nodes[-1])
        targets.append(target + nodes[-1])
        places.append(place)
        nodes.append(nodes[-1] + (len(word) + 1) * (len(sounds) + 1))
        sizes.append(len(place))
    return _Arcs(
        np.cumsum(sizes, dtype=np.int64),
        np.concatenate(sources),
        np.concatenate(targets),
        np.array(nodes[:-1], np.int64),
        np.array(nodes[1:], np.int64) - 1,
        np.concatenate(keys),
        np.concatenate(places),
    )


@functools.cache
def _grid(letters: int, sounds: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """The arcs of any word of so many letters and sounds: places ``(arcs, 3)``, the nodes they leave and reach."""
    places = [
        (letter, sound, shape)
        for letter in range(letters)
        for sound in range(sounds)
        for shape, (span, several) in enumerate(SHAPES)
        # Cuts far off the diagonal are no alignments.
        if abs(letter * sounds - sound * letters) <= 3 * max(letters, sounds)
        and letter + span <= letters
        and sound + several <= sounds
    ]
    table = np.array(places, np.int64).reshape(-1, 3)
    spans, several = np.array(SHAPES).T[:, table[:, 2]]
    sources = table[:, 0] * (sounds + 1) + table[:, 1]
    return table, sources, sources + spans * (sounds + 1) + several


@njit(cache=True)
def _expect(
    offsets: NDArray[np.int64], sources: NDArray[np.int64], targets: NDArray[np.int64], firsts: NDArray[np.int64],
    lasts: NDArray[np.int64], units: NDArray[np.int64], weights: NDArray[np.float64],
) -> NDArray[np.float64]:  # fmt: skip
    """How often each unit is used, in expectation over all paths (forward and backward)."""
    counts = np.zeros(len(weights))
    forward = np.zeros(lasts[-1] + 1)
    backward = np.zeros(lasts[-1] + 1)
    for word in range(len(firsts)):
        forward[firsts[word]] = 1.0
        backward[lasts[word]] = 1.0
        for arc in range(offsets[word], offsets[word + 1]):
            forward[targets[arc]] += forward[sources[arc]] * weights[units[arc]]
        for arc in range(offsets[word + 1] - 1, offsets[word] - 1, -1):
            backward[sources[arc]] += backward[targets[arc]] * weights[units[arc]]
        total = forward[lasts[word]]
        if total > 0:
            for arc in range(offsets[word], offsets[word + 1]):
                unit = units[arc]
                counts[unit] += forward[sources[arc]] * weights[unit] * backward[targets[arc]] / total
    return counts


@njit(cache=True)
def _choose(
    offsets: NDArray[np.int64], sources: NDArray[np.int64], targets: NDArray[np.int64], firsts: NDArray[np.int64],
    lasts: NDArray[np.int64], units: NDArray[np.int64], weights: NDArray[np.float64],
) -> NDArray[np.bool_]:  # fmt: skip
    """Which arcs are on the most probable path of their word (Viterbi)."""
    chosen = np.zeros(len(units), np.bool_)
    best = np.zeros(lasts[-1] + 1)
    came = np.full(lasts[-1] + 1, -1)
    for word in range(len(firsts)):
        best[firsts[word]] = 1.0
        for arc in range(offsets[word], offsets[word + 1]):
            score = best[sources[arc]] * weights[units[arc]]
            if score > best[targets[arc]]:
                best[targets[arc]] = score
                came[targets[arc]] = arc
        node = lasts[word]
        while best[node] > 0 and node != firsts[word]:
            chosen[came[node]] = True
            node = sources[came[node]]
    return chosen
