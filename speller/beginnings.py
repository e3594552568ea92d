"""Beginnings of words, with what the decoder makes of each: computed once, whichever words they are written for."""

import math
from itertools import pairwise
from mmap import mmap
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from speller.alphabet import PADDING
from speller.runtime import Memory, Runtime, State

CAPACITY = 1024
"""So many beginnings are remembered from one call to the next; with a state of three times 256 numbers, 1.3 MB."""

SHORT = 3
"""Beginnings of so many symbols, the direction among them, begin many a word: they stay, in half the room at most."""

ROOM = 8192
"""There is room for so many before more has to be made; what a call does not write to takes no memory."""

AT_ONCE = 128
"""So many states are made in one call on a CPU; more are no faster, and take more memory."""

NOTHING = 0
"""The place of the empty beginning, before a word's direction."""


class Beginnings:
    """A prefix tree that grows where it is asked for, and remembers the decoder's states.

    A place is a beginning's number, in the order in which they were first asked for. The first symbol is a direction.

    Args:
        runtime: the model.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        # The place of each by its key: that of the beginning before its last symbol, and that symbol, as one number.
        # By place, that key, and how many symbols each has.
        self._places: dict[int, int] = {}
        self._keys, self._lengths = [NOTHING], [0]
        # The states of so many are made, those of the others when they are asked for; and so many stay.
        self._made = self._staying = 1
        self._states: State = tuple(_room((ROOM, part.shape[1]), part.dtype) for part in runtime.nowhere)
        for part, start in zip(self._states, runtime.nowhere, strict=True):
            part[NOTHING] = start[0]

    def __len__(self) -> int:
        """How many beginnings are remembered, the empty one among them."""
        return len(self._keys)

    def make_room(self) -> None:
        """Forget all but short ones where they have become too many: no other place means anything from then on."""
        if len(self) <= CAPACITY:
            return
        self._make()
        staying, keys = self._staying, self._keys[self._staying :]
        short = [place for place in range(staying, len(self)) if self._lengths[place] <= SHORT]
        del short[max(0, CAPACITY // 2 - staying) :], self._keys[staying:], self._lengths[staying:]
        for key in keys:
            del self._places[key]
        now: dict[int, int] = {}
        for place in short:  # what one is longer than comes before it, so it is kept too
            before, symbol = divmod(keys[place - staying], self._runtime.symbols)
            now[place] = self._enter(now.get(before, before) * self._runtime.symbols + symbol)
        for part in self._states:
            part[staying : len(self)] = part[short]
        self._made = self._staying = len(self)

    def at(self, places: NDArray[np.integer]) -> State:
        """The states at places of any shape: each part ``(…, width)``."""
        self._make()
        return tuple([part.take(places, axis=0) for part in self._states])

    def asking(self, places: NDArray[np.integer]) -> State:
        """What of the states at places asks for what follows, without what only carries on."""
        self._make()
        return tuple([part.take(places, axis=0) for part in (self._states[0], self._states[-1])])

    def followed(
        self, rows: NDArray[np.int64], places: NDArray[np.integer], memory: Memory
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """What may follow beginnings where words were read.

        Args:
            rows: ``(beginnings,)``, ascending: which word of the memory each is written for.
            places: ``(beginnings,)``.
            memory: what was read.

        Returns:
            log-probabilities ``(beginnings and some more, symbols)``, and which of them are a beginning's
            ``(beginnings,)``: to take a few of many takes less than to put all in order.
        """
        column = np.arange(len(rows)) - rows.searchsorted(rows)
        several = int(column.max(initial=-1)) + 1
        grid = np.full((len(memory.lengths), several), NOTHING)
        grid[rows, column] = places
        log_probs = self.all_followed(grid, memory)
        return log_probs.reshape(-1, self._runtime.symbols), rows * several + column

    def all_followed(self, places: NDArray[np.integer], memory: Memory) -> NDArray[np.float32]:
        """What may follow as many beginnings ``(words, several)`` of each word: ``(words, several, symbols)``."""
        return self._runtime.expect(self.asking(places), memory)

    def extended(self, places: NDArray[np.int64], symbols: NDArray[np.integer]) -> NDArray[np.int64]:
        """The places ``(rows,)`` of the beginnings that are one symbol longer."""
        keys = (places * self._runtime.symbols + symbols).tolist()
        return np.array([self._places.get(key) or self._enter(key) for key in keys], np.int64)

    def spelled(self, symbols: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.int64]:
        """The places of all beginnings of words but the empty one.

        Args:
            symbols: ``(words, longest)``, a direction first, padded with ``PADDING``.
            lengths: ``(words,)``.

        Returns:
            ``(words, longest)``, ``NOTHING`` past the lengths.
        """
        # The longest first, so that those that go on are side by side.
        order = np.argsort(-lengths, kind="stable")
        count, known, enter = self._runtime.symbols, self._places.get, self._enter
        places, steps = [NOTHING] * len(symbols), []
        for last in symbols[order].T.tolist():
            keys = [place * count + symbol for place, symbol in zip(places, last, strict=False) if symbol != PADDING]
            places = [known(key) or enter(key) for key in keys]
            steps.append(places + [NOTHING] * (len(symbols) - len(places)))
        spelled = np.empty_like(symbols)
        spelled[order] = np.array(steps).T
        return spelled

    def _enter(self, key: int) -> int:
        """The place of a beginning that had none."""
        place = self._places[key] = len(self._keys)
        self._keys.append(key)
        self._lengths.append(self._lengths[key // self._runtime.symbols] + 1)
        return place

    def _make(self) -> None:
        """The states that nobody has asked for yet, length by length: each after that of what it is longer than."""
        if self._made == len(self):
            return
        while len(self._states[0]) < len(self):
            self._states = tuple(map(_doubled, self._states))
        first, at_once = self._made, AT_ONCE * self._runtime.call_size
        parents, symbols = np.divmod(np.array(self._keys[first:]), self._runtime.symbols)
        lengths = self._lengths[first:]
        longer = [place for place, (before, after) in enumerate(pairwise(lengths), 1) if before != after]
        for of_length, end in pairwise((0, *longer, len(parents))):
            for start in range(of_length, end, at_once):
                stop = min(start + at_once, end)
                before = tuple([part.take(parents[start:stop], axis=0) for part in self._states[:-1]])
                made = self._runtime.advance(symbols[start:stop], before)
                for part, new in zip(self._states, made, strict=True):
                    part[first + start : first + stop] = new
        self._made = len(self)


def _room(shape: tuple[int, ...], kind: DTypeLike) -> NDArray[Any]:
    """Zeros, in memory of their own; ``np.zeros`` would write them into what other arrays have left."""
    kind = np.dtype(kind)
    return np.ndarray(shape, kind, mmap(-1, math.prod(shape) * kind.itemsize))


def _doubled(array: NDArray[Any]) -> NDArray[Any]:
    larger = _room((2 * len(array), *array.shape[1:]), array.dtype)
    larger[: len(array)] = array
    return larger
