"""The minimal acyclic automaton that spells a sorted list of words, as plain arrays."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from speller.alphabet import SPECIALS, Alphabet


@dataclass(frozen=True)
class Automaton:
    """States and edges, the edges of one state side by side, in the order of their symbols. State 0 is the start.

    Words are numbered in their sorted order: a word's number is the sum of ``skipped`` along its path, as in Lucchesi
    & Kowaltowski, "Applications of finite automata representing large vocabularies", 1993.
    """

    first_edge: NDArray[np.int32]
    """``(states + 1,)``: the edges of state ``s`` are numbered ``first_edge[s]`` up to below ``first_edge[s + 1]``."""

    symbol: NDArray[np.int32]
    """``(edges,)``: the symbol that an edge reads, as the alphabet numbers it."""

    target: NDArray[np.int32]
    """``(edges,)``: the state that an edge leads to."""

    skipped: NDArray[np.int32]
    """``(edges,)``: how many of the words that pass through the edge's state come before those that take the edge."""

    final: NDArray[np.bool_]
    """``(states,)``: whether a word may end in a state."""

    @classmethod
    def build(cls, words: Sequence[str], alphabet: Alphabet) -> "Automaton":
        """The smallest automaton of the words, which are distinct, in code point order and spelt in the alphabet.

        A prefix tree, its equal subtrees merged from the leaves up (Revuz, "Minimisation of acyclic deterministic
        automata in linear time", 1992, with a hash table for his sort).
        """
        parent, symbol, final, words_below = _prefix_tree(words, alphabet)
        nodes = len(final)
        first_child = np.searchsorted(parent, np.arange(nodes + 1)).tolist()
        symbols, finals = symbol.tolist(), final.tolist()

        # Children come after their parents, so that backwards each node finds its children's classes ready.
        register: dict[tuple[object, ...], int] = {}
        classes = [0] * nodes
        for node in range(nodes - 1, -1, -1):
            first, end = first_child[node], first_child[node + 1]
            signature = (finals[node], *symbols[first:end], *classes[first + 1 : end + 1])
            classes[node] = register.setdefault(signature, len(register))

        node_class = len(register) - 1 - np.array(classes)  # the root was registered last and becomes state 0
        representative = np.zeros(len(register), np.int64)
        representative[node_class[::-1]] = np.arange(nodes - 1, -1, -1)
        starts = np.array(first_child)
        degree = np.diff(starts)[representative]
        first_edge = np.concatenate(([0], np.cumsum(degree)))
        edge = np.arange(first_edge[-1]) + np.repeat(starts[representative] - first_edge[:-1], degree)
        before = np.concatenate(([0], np.cumsum(words_below[1:])))  # words under all tree edges to the left
        skipped = before[edge] - np.repeat(before[starts[representative]] - final[representative], degree)
        return cls(
            first_edge.astype(np.int32),
            symbol[edge].astype(np.int32),
            node_class[edge + 1].astype(np.int32),
            skipped.astype(np.int32),
            final[representative],
        )

    def paths(self) -> Iterator[tuple[int, list[int]]]:
        """Every word's number and symbols, in order."""
        stack: list[tuple[int, int, list[int]]] = [(0, 0, [])]
        while stack:
            state, number, symbols = stack.pop()
            if self.final[state]:
                yield number, symbols
            for edge in range(self.first_edge[state + 1] - 1, self.first_edge[state] - 1, -1):
                symbol, skipped = int(self.symbol[edge]), int(self.skipped[edge])
                stack.append((int(self.target[edge]), number + skipped, [*symbols, symbol]))


def _prefix_tree(
    words: Sequence[str], alphabet: Alphabet
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_], NDArray[np.int64]]:
    """The prefix tree of sorted words, nodes numbered level by level, so that node ``n + 1`` ends edge ``n``.

    Returns:
        parent and symbol ``(nodes - 1,)`` of the edges; final and words below ``(nodes,)``.
    """
    if any(earlier >= later for earlier, later in pairwise(words)):
        raise ValueError("an automaton is built from distinct words in code point order")
    characters = np.frombuffer(alphabet.characters.encode("utf-32-le"), np.uint32)
    text = np.frombuffer("".join(words).encode("utf-32-le"), np.uint32)
    if not np.isin(text, characters).all() or (np.diff(characters.astype(np.int64)) < 0).any():
        raise ValueError("an automaton's words are spelt in an alphabet that is in code point order")
    spelt = SPECIALS + np.searchsorted(characters, text)
    length = np.fromiter(map(len, words), np.int64, len(words))
    start = np.cumsum(length) - length

    parents, symbols = [], []
    finals, below = [np.array([bool(words) and not words[0]])], [np.array([len(words)])]
    nodes, depth = 1, 0
    node = np.zeros(len(words), np.int64)
    while (longer := length > depth).any():
        node, start, length = node[longer], start[longer], length[longer]
        symbol = spelt[start + depth]
        begins = np.concatenate(([True], (node[1:] != node[:-1]) | (symbol[1:] != symbol[:-1])))
        parents.append(node[begins])
        symbols.append(symbol[begins])
        level = np.cumsum(begins) - 1
        depth += 1
        below.append(np.bincount(level))
        finals.append(np.bincount(level, weights=length == depth) > 0)
        node = nodes + level
        nodes += len(below[-1])
    nothing = np.zeros(0, np.int64)
    return (
        np.concatenate([nothing, *parents]),
        np.concatenate([nothing, *symbols]),
        np.concatenate(finals),
        np.concatenate(below),
    )
