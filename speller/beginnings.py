"""Beginnings of words, with what the decoder makes of each: computed once, whichever words they are written for."""

import math
from mmap import mmap
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from speller.runtime import Memory, Runtime, State

CAPACITY = 1024
"""So many beginnings are remembered from one call to the next; with a state of three times 256 numbers, 1.3 MB."""

SHORT = 3
"""Beginnings of so many symbols, the direction among them, begin many a word: they stay, in half the room at most."""

ROOM = 8192
"""There is room for so many before more has to be made; what a call does not write to takes no memory."""

AT_ONCE = 128
"""So many beginnings are made longer in one call on a CPU; more are no faster, and take more memory."""

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
        self._count = 1
        # By place and symbol: the place of the longer beginning. None is the empty one, so NOTHING says: not known yet.
        self._after = _room((ROOM * runtime.symbols,), np.int32)
        self._states: State = tuple(_room((ROOM, part.shape[1]), part.dtype) for part in runtime.nowhere)
        for part, start in zip(self._states, runtime.nowhere, strict=True):
            part[NOTHING] = start[0]
        # By place: the beginning before the last symbol and that symbol, as one number; and how many symbols there are.
        self._keys = _room((ROOM,), np.int32)
        self._lengths = _room((ROOM,), np.int32)

    def __len__(self) -> int:
        """How many beginnings are remembered, the empty one among them."""
        return self._count

    def make_room(self) -> None:
        """Forget all but short ones where they have become too many: no other place means anything from then on."""
        if self._count <= CAPACITY:
            return
        # What one is longer than comes before it, so it is kept too.
        kept = np.flatnonzero(self._lengths[: self._count] <= SHORT)[: CAPACITY // 2]
        places = np.arange(len(kept), dtype=np.int32)
        now = np.zeros(self._count, np.int32)
        now[kept] = places
        parents, symbols = np.divmod(self._keys[kept], self._runtime.symbols)
        keys = now[parents] * self._runtime.symbols + symbols
        self._after[: self._count * self._runtime.symbols] = NOTHING
        self._after[keys[1:]] = places[1:]
        self._keys[places] = keys
        for part in (self._lengths, *self._states):
            part[places] = part[kept]
        self._count = len(kept)

    def at(self, places: NDArray[np.integer]) -> State:
        """The states at places of any shape: each part ``(…, width)``."""
        return tuple(part.take(places, axis=0) for part in self._states)

    def asking(self, places: NDArray[np.integer]) -> State:
        """What of the states at places asks for what follows, without what only carries on."""
        return tuple(part.take(places, axis=0) for part in (self._states[0], self._states[-1]))

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
        column = np.arange(len(rows)) - np.searchsorted(rows, rows)
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
        keys = places * self._runtime.symbols + symbols
        found = self._after.take(keys)
        if (new := found == NOTHING).any():
            self._add(keys.compress(new))
            found = self._after.take(keys)
        return found.astype(np.int64)

    def spelled(self, symbols: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.int64]:
        """The places of all beginnings of words, the empty one first.

        Args:
            symbols: ``(words, longest)``, a direction first, padded with anything.
            lengths: ``(words,)``.

        Returns:
            ``(words, longest + 1)``, ``NOTHING`` past the lengths.
        """
        # The longest first, so that those that go on are side by side.
        order = np.argsort(-lengths, kind="stable")
        by_step = symbols[order].T
        places = np.full((symbols.shape[1] + 1, len(symbols)), NOTHING)
        going_on = len(lengths) - np.searchsorted(lengths[order[::-1]], np.arange(symbols.shape[1]), side="right")
        for step, longer in enumerate(going_on.tolist()):
            places[step + 1, :longer] = self.extended(places[step, :longer], by_step[step, :longer])
        spelled = np.empty_like(places.T)
        spelled[order] = places.T
        return spelled

    def _add(self, keys: NDArray[np.int64]) -> None:
        entered = np.arange(self._count, self._count + len(keys), dtype=np.int32)
        self._after[keys] = entered
        stands = self._after.take(keys) == entered
        if not stands.all():  # of equal ones, the last that was entered
            keys = keys.compress(stands)
            self._after[keys] = entered[: len(keys)]
        while self._count + len(keys) > len(self._states[0]):
            self._after, self._keys, self._lengths = map(_doubled, (self._after, self._keys, self._lengths))
            self._states = tuple(map(_doubled, self._states))
        these = slice(self._count, self._count + len(keys))
        self._keys[these] = keys
        parents, symbols = np.divmod(keys, self._runtime.symbols)
        self._lengths[these] = self._lengths.take(parents) + 1
        at_once = AT_ONCE * self._runtime.call_size
        for start in range(0, len(keys), at_once):
            some = slice(start, start + at_once)
            states = self._runtime.advance(symbols[some], self.at(parents[some]))
            for part, added in zip(self._states, states, strict=True):
                part[self._count : self._count + len(added)] = added
            self._count += len(states[0])


def _room(shape: tuple[int, ...], kind: DTypeLike) -> NDArray[Any]:
    """Zeros, in memory of their own; ``np.zeros`` would write them into what other arrays have left."""
    kind = np.dtype(kind)
    return np.ndarray(shape, kind, mmap(-1, math.prod(shape) * kind.itemsize))


def _doubled(array: NDArray[Any]) -> NDArray[Any]:
    larger = _room((2 * len(array), *array.shape[1:]), array.dtype)
    larger[: len(array)] = array
    return larger
