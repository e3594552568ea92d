"""Exact edit distances on the CPU, bit-parallel: a word of 64 bits holds 64 rows of a column, a register several pairs.

Myers, A fast bit-vector algorithm for approximate string matching based on dynamic programming, 1999; Hyyrö, A
bit-vector algorithm for computing Levenshtein and Damerau edit distances, 2003. Rows past the 64th are done in further
strips, which take from the strip above what crosses its lower edge in each column.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .compiled import LANES, compiled

Array = NDArray[Any]

STRIP = 64
SLOTS = 128
"""Of the hash table from symbols to their places in a strip: a power of 2, twice as many as it can hold symbols."""


@compiled
def distance_blocks(
    first: int,
    last: int,
    a: Array,
    b: Array,
    a_lengths: Array,
    b_lengths: Array,
    transposition: bool | None,
    result: Array,
) -> None:
    """Fills the distances of the pairs of some blocks.

    Args:
        first: the first block of ``LANES`` pairs to do.
        last: the block to stop before.
        a, b: ``(batch, longest)`` and ``(batch, longest of its own)``, int64.
        a_lengths, b_lengths: ``(batch,)``, int64.
        transposition: True, or None where a swap is not one edit.
        result: ``(batch,)``, int64.
    """
    batch, columns = b.shape
    # What crosses a strip's lower edge, by column: steps up and down to the right, and the first half of a swap.
    edges = np.empty((3, columns, LANES), np.uint64)
    equal = np.empty((columns, LANES), np.uint64)
    table = np.zeros((3, SLOTS + 1), np.int64)
    last_row, last_column, score = np.zeros(LANES, np.uint64), np.zeros(LANES, np.int64), np.zeros(LANES, np.int64)
    for start in range(first * LANES, min(last * LANES, batch), LANES):
        pairs = min(LANES, batch - start)
        edges[0].fill(1)
        edges[1:].fill(0)
        last_column.fill(0)
        longest, farthest = 0, 0
        for lane in range(pairs):
            last_column[lane] = b_lengths[start + lane]
            score[lane] = a_lengths[start + lane] if a_lengths[start + lane] > 0 else last_column[lane]
            longest, farthest = max(longest, a_lengths[start + lane]), max(farthest, last_column[lane])
        for top in range(0, longest, STRIP):
            last_row.fill(0)
            for lane in range(pairs):
                rows = a_lengths[start + lane] - top
                _find_equal(a[start + lane, top:], b[start + lane], rows, last_column[lane], table, equal[:, lane])
                if 0 < rows <= STRIP:
                    last_row[lane] = np.uint64(1) << np.uint64(rows - 1)
            _descend(transposition, farthest, equal, edges, last_row, last_column, score)
        for lane in range(pairs):
            result[start + lane] = score[lane]


@compiled
def _find_equal(a: Array, b: Array, rows: int, columns: int, table: Array, equal: Array) -> None:
    # table: a slot's symbol, the places where the strip has it, and a number that says for which strip that holds.
    table[2, 0] += 1
    stamp = table[2, 0]
    symbols, places, stamps = table[0], table[1], table[2, 1:]
    for row in range(min(rows, STRIP)):
        slot = _slot(a[row], symbols, stamps, stamp)
        if stamps[slot] != stamp:
            symbols[slot], stamps[slot], places[slot] = a[row], stamp, 0
        places[slot] |= np.int64(1) << row
    for column in range(columns):
        slot = _slot(b[column], symbols, stamps, stamp)
        equal[column] = np.uint64(places[slot] if stamps[slot] == stamp else 0)
    for column in range(columns, len(equal)):
        equal[column] = 0


@compiled
def _slot(symbol: int, symbols: Array, stamps: Array, stamp: int) -> int:
    slot = symbol & (SLOTS - 1)
    while stamps[slot] == stamp and symbols[slot] != symbol:
        slot = (slot + 1) & (SLOTS - 1)
    return slot


@compiled
def _descend(
    transposition: bool | None,
    columns: int,
    equal: Array,
    edges: Array,
    last_row: Array,
    last_column: Array,
    score: Array,
) -> None:
    one, edge = np.uint64(1), np.uint64(STRIP - 1)
    # Of the column before: steps up and down within it, where the diagonal step is 0, and where the symbols are equal.
    state = np.zeros((4, LANES), np.uint64)
    state[0].fill(~np.uint64(0))
    for column in range(columns):
        for lane in range(LANES):
            plus_in, minus_in = edges[0, column, lane], edges[1, column, lane]
            plus, minus, matches = state[0, lane], state[1, lane], equal[column, lane]
            seen = matches | minus_in
            diagonal = (((seen & plus) + plus) ^ plus) | seen | minus
            if transposition is not None:
                crossing = ~state[2, lane] & matches
                diagonal |= ((crossing << one) | edges[2, column, lane]) & state[3, lane]
                edges[2, column, lane] = crossing >> edge
                state[2, lane] = diagonal
                state[3, lane] = matches
            right_plus = minus | ~(diagonal | plus)
            right_minus = diagonal & plus
            counted = last_row[lane] if column < last_column[lane] else np.uint64(0)
            score[lane] += np.int64((right_plus & counted) != 0) - np.int64((right_minus & counted) != 0)
            edges[0, column, lane] = right_plus >> edge
            edges[1, column, lane] = right_minus >> edge
            right_plus = (right_plus << one) | plus_in
            right_minus = (right_minus << one) | minus_in
            state[0, lane] = right_minus | ~(diagonal | right_plus)
            state[1, lane] = right_plus & diagonal
