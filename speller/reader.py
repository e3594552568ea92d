"""What the model makes of words: reading them, and how probable it finds what might have been meant."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from speller.alphabet import CORRECT, END, MISSPELL
from speller.beginnings import Beginnings
from speller.lexicon import Lexicon
from speller.runtime import Memory, Runtime

AT_ONCE = 128
"""How many words are judged in one call: few enough to stay in a processor's cache."""

READ_AT_ONCE = 64
"""How many words are read in one call."""


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
        self.beginnings = Beginnings(runtime, CORRECT)
        self._misspelled = Beginnings(runtime, MISSPELL)
        self._nothing = runtime.encode(np.array([[CORRECT]]), np.array([1]))

    def read(self, words: Sequence[str], *, direction: int = CORRECT) -> Memory:
        """Read what was written, folded, or what may have been meant, where the direction is ``MISSPELL``."""
        if not words:
            # ONNX Runtime's recurrent operators crash the process on a batch of none.
            return Memory(self._nothing.keys[:0], self._nothing.values[:0], self._nothing.lengths[:0])
        symbols, lengths = self.alphabet.encode(words)
        return self.runtime.encode(np.insert(symbols, 0, direction, axis=1), lengths + 1)

    def log_probs(self, memory: Memory, rows: NDArray[np.int64], words: Sequence[str]) -> NDArray[np.float64]:
        """How probably each word was meant where a word was read, its end counted in.

        Args:
            memory: what was read.
            rows: ``(words,)``, ascending: which word of the memory each is judged for.
            words: folded. A character that the alphabet lacks counts as an unknown one.

        Returns:
            log-probabilities ``(words,)``.
        """
        return self._log_probs(self.beginnings, memory, rows, words)

    def reverse_log_probs(self, meant: Sequence[str], written: Sequence[str]) -> NDArray[np.float64]:
        """How probably each word that may have been meant was written like that: log-probabilities ``(words,)``."""
        log_probs = np.empty(len(meant))
        # Words of like length side by side: what a batch's longest has more, all of it pay for.
        order = np.argsort([len(word) for word in meant], kind="stable")
        for start in range(0, len(meant), READ_AT_ONCE):
            some = order[start : start + READ_AT_ONCE]
            memory = self.read([meant[place] for place in some], direction=MISSPELL)
            rows = np.arange(len(some))
            log_probs[some] = self._log_probs(self._misspelled, memory, rows, [written[place] for place in some])
        return log_probs

    def priors(self, words: Sequence[str]) -> NDArray[np.float64]:
        """How probable the model finds each word where nothing was read: log-probabilities ``(words,)``."""
        parts = [np.empty(0)]
        for start in range(0, len(words), AT_ONCE):
            some = words[start : start + AT_ONCE]
            parts.append(self._log_probs(self.beginnings, self._nothing, np.zeros(len(some), np.int64), some))
        return np.concatenate(parts)

    def _log_probs(
        self, beginnings: Beginnings, memory: Memory, rows: NDArray[np.int64], words: Sequence[str]
    ) -> NDArray[np.float64]:
        parts = [np.empty(0)]
        several = max(1, AT_ONCE * len(memory.lengths) // max(len(words), 1))
        ends = np.searchsorted(rows, np.arange(0, len(memory.lengths) + several, several))
        for start, (first, last) in enumerate(pairwise(ends.tolist())):
            chosen = slice(start * several, (start + 1) * several)
            some = Memory(memory.keys[chosen], memory.values[chosen], memory.lengths[chosen])
            parts.append(self._judge(beginnings, some, rows[first:last] - chosen.start, words[first:last]))
        return np.concatenate(parts)

    def _judge(
        self, beginnings: Beginnings, memory: Memory, rows: NDArray[np.int64], words: Sequence[str]
    ) -> NDArray[np.float64]:
        beginnings.make_room()
        letters, lengths = self.alphabet.encode(words)
        places = beginnings.spelled(letters, lengths)  # (words, longest + 1)
        real = np.arange(places.shape[1]) <= lengths[:, None]
        # Words that begin alike are asked for what follows once, where the same word was read.
        known = len(beginnings)
        asked, which = np.unique((rows[:, None] * known + places)[real], return_inverse=True)
        following = beginnings.followed(*np.divmod(asked, known), memory)
        symbols = np.zeros(real.shape, np.int64)
        symbols[:, :-1] = letters
        symbols[np.arange(len(words)), lengths] = END
        chosen = np.zeros(real.shape)
        chosen[real] = following[which, symbols[real]]
        total: NDArray[np.float64] = chosen.sum(axis=1)
        return total
