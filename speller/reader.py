"""What the model makes of words: reading them, and how probable it finds what might have been meant."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from speller.alphabet import CORRECT, END, MISSPELL, PADDING
from speller.beginnings import NOTHING, Beginnings
from speller.lexicon import Lexicon
from speller.runtime import Memory, Runtime

AT_ONCE = 64
"""How many words are judged in one call on a CPU: few enough to stay in a processor's cache, and in little memory."""

REVERSED_AT_ONCE = 32
"""How many of what may have been meant are read, and then asked about, at once on a CPU: reading takes more memory."""

READ_AT_ONCE = 16
"""How many words are read in one call on a CPU; for more, ONNX Runtime's memory would come from the system in each."""


@dataclass(frozen=True)
class Spelt:
    """Words as the model writes them: a direction, letter by letter, an end.

    Attributes:
        places: ``(words, longest)``, those of the beginnings that something follows: first the direction alone.
        symbols: ``(words, longest)``, what follows each.
        lengths: ``(words,)``, how many of these are real, the end counted in.
    """

    places: NDArray[np.int64]
    symbols: NDArray[np.int64]
    lengths: NDArray[np.int64]

    def __getitem__(self, words: Any) -> "Spelt":
        """Some of the words, as often and in the order in which an index names them."""
        return Spelt(self.places[words], self.symbols[words], self.lengths[words])


class Reader:
    """Reads words with a model over a lexicon's alphabet.

    Not for several threads at once: they would share what is remembered of beginnings.

    Args:
        lexicon: whose alphabet the words are spelt in.
        runtime: the model.

    Raises:
        ValueError: for a model over another alphabet.
    """

    def __init__(self, lexicon: Lexicon, runtime: Runtime) -> None:
        if runtime.symbols != len(lexicon.alphabet):
            raise ValueError(
                f"a model over {runtime.symbols} symbols, but the lexicon's alphabet has {len(lexicon.alphabet)}: "
                "they do not belong together"
            )
        self.alphabet = lexicon.alphabet
        self.runtime = runtime
        self.beginnings = Beginnings(runtime)
        self._at_once, self._read_at_once = AT_ONCE * runtime.call_size, READ_AT_ONCE * runtime.call_size
        self._nothing = runtime.encode(np.array([[CORRECT]]), np.array([1]))

    def read(self, words: Sequence[str], *, direction: int = CORRECT) -> Memory:
        """Read what was written, folded, or what may have been meant, where the direction is ``MISSPELL``."""
        symbols, lengths = self.alphabet.directed(words, direction)
        if 0 < len(words) <= self._read_at_once:
            return self.runtime.encode(symbols, lengths)
        # ONNX Runtime's recurrent operators crash the process on a batch of none.
        shape = (*symbols.shape, self._nothing.keys.shape[2])
        memory = Memory(np.zeros(shape, np.float32), np.zeros(shape, np.float32), lengths)
        # Words of like length side by side: what a batch's longest has more, all of it pay for.
        order = np.argsort(lengths, kind="stable")
        for start in range(0, len(words), self._read_at_once):
            some = order[start : start + self._read_at_once]
            longest = lengths[some[-1]]
            read = self.runtime.encode(symbols[some, :longest], lengths[some])
            memory.keys[some, :longest], memory.values[some, :longest] = read.keys, read.values
        return memory

    def spell(self, words: Sequence[str], direction: int | Sequence[int] = CORRECT) -> Spelt:
        """What the decoder makes of words' beginnings, to be asked about until ``Beginnings.make_room`` forgets them.

        Args:
            words: folded. A character that the alphabet lacks counts as an unknown one.
            direction: ``CORRECT``, or ``MISSPELL`` for what was written, or one of these for each word.
        """
        symbols, lengths = self.alphabet.directed(words, direction)
        places = self.beginnings.spelled(symbols, lengths)
        following = np.zeros_like(symbols)
        following[:, :-1] = symbols[:, 1:]
        following[np.arange(len(words)), lengths - 1] = END
        return Spelt(places, following, lengths)

    def log_probs(self, memory: Memory, rows: NDArray[np.int64], words: Spelt) -> NDArray[np.float64]:
        """How probably each word is written where a word was read, its end counted in.

        Args:
            memory: what was read.
            rows: ``(words,)``, ascending: which word of the memory each is judged for.
            words: what may be written.

        Returns:
            log-probabilities ``(words,)``.
        """
        if len(rows) <= self._at_once:
            return self._log_probs(memory, rows, words)
        # Those with as many words side by side: what a call asks for one, it asks for all.
        sizes = np.bincount(rows, minlength=len(memory.lengths))
        order = np.argsort(sizes, kind="stable")
        turn = np.empty_like(order)
        turn[order] = np.arange(len(order))
        by_turn = np.argsort(turn[rows], kind="stable")
        turns = turn[rows[by_turn]]
        ends = np.cumsum([0, *sizes[order]])
        cuts = np.searchsorted(ends[1:], np.arange(0, len(rows) + self._at_once, self._at_once), "right")
        cuts = cuts[np.diff(cuts, prepend=-1) > 0]
        log_probs = np.empty(len(rows))
        for first, last in pairwise(cuts.tolist()):
            read, some = order[first:last], slice(ends[first], ends[last])
            chosen = by_turn[some]
            asked = Memory(memory.keys[read], memory.values[read], memory.lengths[read])
            log_probs[chosen] = self._log_probs(asked, turns[some] - first, words[chosen])
        return log_probs

    def unread_log_probs(self, words: Spelt) -> NDArray[np.float64]:
        """How probably each word is written where nothing was read: log-probabilities ``(words,)``."""
        parts = [words[start : start + self._at_once] for start in range(0, len(words.lengths), self._at_once)]
        return np.concatenate([np.empty(0), *(self._log_probs_of_each(self._nothing, part) for part in parts)])

    def reverse_log_probs(self, meant: Sequence[str], written: Spelt) -> NDArray[np.float64]:
        """How probably each word that may have been meant is misspelled as what was written.

        Args:
            meant: folded.
            written: as many words, spelt as misspellings.

        Returns:
            log-probabilities ``(words,)``.
        """
        at_once = REVERSED_AT_ONCE * self.runtime.call_size
        order = list(range(len(meant)))
        if len(order) > at_once:
            # Those of like length side by side, equal ones among them: a word that several may have meant is read once.
            order.sort(key=lambda place: (len(meant[place]), meant[place]))
        log_probs = np.empty(len(meant))
        for start in range(0, len(meant), at_once):
            some = order[start : start + at_once]
            distinct = {word: row for row, word in enumerate(dict.fromkeys(meant[place] for place in some))}
            memory = self.read(list(distinct), direction=MISSPELL)
            if len(distinct) < len(some):
                rows = [distinct[meant[place]] for place in some]
                memory = Memory(memory.keys[rows], memory.values[rows], memory.lengths[rows])
            log_probs[some] = self._log_probs_of_each(memory, written[some])
        return log_probs

    def priors(self, words: Sequence[str]) -> NDArray[np.float64]:
        """``unread_log_probs`` of however many words."""
        parts = [np.empty(0)]
        for start in range(0, len(words), self._at_once):
            self.beginnings.make_room()
            parts.append(self.unread_log_probs(self.spell(words[start : start + self._at_once])))
        return np.concatenate(parts)

    def _log_probs(self, memory: Memory, rows: NDArray[np.int64], words: Spelt) -> NDArray[np.float64]:
        # Words that begin alike are asked for what follows once, where the same word was read.
        known = len(self.beginnings)
        asked = rows[:, None] * known + words.places
        marked = np.zeros(len(memory.lengths) * known, np.bool_)
        marked[asked] = True
        marked[NOTHING::known] = False  # what only fills up
        once = marked.nonzero()[0]
        following, at = self.beginnings.followed(*np.divmod(once, known), memory)
        which = np.empty(len(marked), np.int32)
        which[once] = at
        which[NOTHING::known] = 0
        return _summed(following[which[asked], words.symbols], words.symbols)

    def _log_probs_of_each(self, memory: Memory, words: Spelt) -> NDArray[np.float64]:
        """Where each has a word that was read to itself, or all have the same: no two are taken to begin alike."""
        longest = int(words.lengths.max())
        places, symbols = words.places[:, :longest], words.symbols[:, :longest]
        following = self.beginnings.all_followed(places.reshape(len(memory.lengths), -1), memory)
        word, step = np.arange(len(places))[:, None], np.arange(longest)
        return _summed(following.reshape(*places.shape, -1)[word, step, symbols], symbols)


def _summed(log_probs: NDArray[np.float32], symbols: NDArray[np.int64]) -> NDArray[np.float64]:
    """Those of words' symbols ``(words, longest)``, summed up as far as each word goes."""
    total: NDArray[np.float64] = np.where(symbols == PADDING, 0.0, log_probs).sum(axis=1, dtype=np.float64)
    return total
