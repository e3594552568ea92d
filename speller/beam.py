"""Beam search that can only write words of a lexicon, for many words at once."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from speller.alphabet import CORRECT, END
from speller.automaton import Automaton
from speller.lexicon import Lexicon
from speller.reader import Reader
from speller.runtime import Memory


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
        # As one number, they are sorted several times as fast as by word, then by score.
        spread = 1 + np.ptp(self.score) if len(self.score) else 0.0
        order = np.argsort(self.row * spread - self.score)
        row = self.row[order]
        place = np.arange(len(row)) - np.searchsorted(row, row)
        return order[place < width]


def beam_search(reader: Reader, lexicon: Lexicon, memory: Memory, *, width: int = 12) -> list[list[tuple[int, float]]]:
    """The lexicon's words that the model writes most probably after reading each of some words.

    Args:
        reader: the model.
        lexicon: the words that may be written.
        memory: what the reader made of the words that were written.
        width: how many beginnings for each word are followed, and how many words are returned at most.

    Returns:
        for each word at most ``width`` pairs of index in the lexicon and log-probability, the end symbol's counted in,
        the most probable first. Beginnings leave the beam only when ``width`` others are more probable, or when no word
        that they begin can be among the answers.
    """
    if width < 1:
        raise ValueError(f"width must be 1 or more, not {width}")
    automaton, beginnings = lexicon.automaton, reader.beginnings
    beginnings.make_room()
    words = len(memory.lengths)
    live = _Written(np.arange(words), np.zeros(words, np.int64), np.zeros(words))
    done, bar = live[np.zeros(0, np.int64)], np.full(words, -np.inf)
    state = np.zeros(words, np.int64)  # of the automaton, for each hypothesis
    place = np.full(words, beginnings.spelled(np.array([[CORRECT]]), np.array([1]))[0, 0])
    while len(live.row):
        following, which = beginnings.followed(live.row, place, memory)
        log_prob = following[which].astype(np.float64)  # (hypotheses, symbols)

        ending = np.flatnonzero(automaton.final[state])
        if len(ending):
            done += _Written(live.row[ending], live.number[ending], live.score[ending] + log_prob[ending, END])
            done = done[done.best(width)]
            bar = _bar(done, words, width)

        parent, edge = _edges(automaton, state)
        symbol = automaton.symbol[edge]
        live = _Written(
            live.row[parent],
            live.number[parent] + automaton.skipped[edge],
            live.score[parent] + log_prob[parent, symbol],
        )
        # A longer word is never more probable than its beginning.
        kept = live.best(width)
        kept = kept[live.score[kept] > bar[live.row[kept]]]
        live, state = live[kept], automaton.target[edge[kept]].astype(np.int64)
        place = beginnings.extended(place[parent[kept]], symbol[kept])

    index = lexicon.spelt[done.number].tolist()
    answers: list[list[tuple[int, float]]] = [[] for _ in range(words)]
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
