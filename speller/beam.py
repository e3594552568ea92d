"""Beam search that can only write words of a lexicon, for many words at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from speller.alphabet import CORRECT, END
from speller.automaton import Automaton
from speller.lexicon import Lexicon
from speller.runtime import Runtime


@dataclass(frozen=True)
class _Written:
    """What hypotheses have in common, in flight or done: ``(hypotheses,)`` each, those of one word side by side."""

    row: NDArray[np.int64]
    number: NDArray[np.int64]
    score: NDArray[np.float64]

    def __getitem__(self, choice: NDArray[Any]) -> "_Written":
        return _Written(self.row[choice], self.number[choice], self.score[choice])

    def __add__(self, other: "_Written") -> "_Written":
        return _Written(
            np.concatenate([self.row, other.row]),
            np.concatenate([self.number, other.number]),
            np.concatenate([self.score, other.score]),
        )

    def best(self, width: int) -> NDArray[np.int64]:
        """Which hypotheses are among the ``width`` most probable of their word, in order of word, then of score."""
        order = np.lexsort((-self.score, self.row))
        row = self.row[order]
        place = np.arange(len(row)) - np.searchsorted(row, row)
        return order[place < width]


def beam_search(
    runtime: Runtime, lexicon: Lexicon, words: Sequence[str], *, width: int = 12
) -> list[list[tuple[int, float]]]:
    """The lexicon's words that the model writes most probably after reading each of the words.

    Args:
        runtime: a model over the lexicon's alphabet.
        words: what was written, folded.
        width: how many prefixes of each word are followed, and how many words are returned at most.

    Returns:
        for each word at most ``width`` pairs of index in the lexicon and log-probability, the end symbol's counted in,
        the most probable first. Prefixes leave the beam only when ``width`` others are more probable, or when no word
        that they begin can be among the answers.
    """
    if width < 1:
        raise ValueError(f"width must be 1 or more, not {width}")
    if not words:
        return []
    symbols, lengths = lexicon.alphabet.encode(words)
    start = np.full((len(words), 1), CORRECT)
    memory = runtime.encode(np.concatenate([start, symbols], axis=1), lengths + 1)

    automaton = lexicon.automaton
    rows = np.arange(len(words))
    live = _Written(rows, np.zeros(len(words), np.int64), np.zeros(len(words)))
    done = live[np.zeros(0, np.int64)]
    place = np.zeros(len(words), np.int64)  # where in the automaton each hypothesis stands
    previous, state = start, memory.initial
    while len(live.row):
        log_probs, state = runtime.decode(previous, state, memory, live.row)
        log_prob = log_probs[:, 0].astype(np.float64)  # (hypotheses, symbols)

        ending = np.flatnonzero(automaton.final[place])
        done += _Written(live.row[ending], live.number[ending], live.score[ending] + log_prob[ending, END])
        done = done[done.best(width)]

        parent, edge = _edges(automaton, place)
        symbol = automaton.symbol[edge]
        live = _Written(
            live.row[parent],
            live.number[parent] + automaton.skipped[edge],
            live.score[parent] + log_prob[parent, symbol],
        )
        # A longer word is never more probable than its prefix.
        kept = live.best(width)
        kept = kept[live.score[kept] > _bar(done, len(words), width)[live.row[kept]]]
        live, place = live[kept], automaton.target[edge[kept]].astype(np.int64)
        previous = symbol[kept, None].astype(np.int64)
        state = tuple(part[parent[kept]] for part in state)

    index = lexicon.spelt[done.number].tolist()
    answers: list[list[tuple[int, float]]] = [[] for _ in words]
    for row, word, score in zip(done.row.tolist(), index, done.score.tolist(), strict=True):
        answers[row].append((word, score))
    return answers


def _edges(automaton: Automaton, place: NDArray[np.integer]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """All edges out of the hypotheses' states, and which hypothesis each belongs to."""
    first = automaton.first_edge[place].astype(np.int64)
    degree = automaton.first_edge[place + 1] - first
    parent = np.repeat(np.arange(len(place)), degree)
    offset = first - (np.cumsum(degree) - degree)
    return parent, np.arange(len(parent)) + offset[parent]


def _bar(done: _Written, words: int, width: int) -> NDArray[np.float64]:
    """``(words,)``: the score to exceed to be among the answers: the last one's, once there are enough."""
    bar = np.full(words, -np.inf)
    full = np.flatnonzero(np.bincount(done.row, minlength=words) == width)
    last = np.searchsorted(done.row, full, side="right") - 1
    bar[full] = done.score[last]
    return bar
