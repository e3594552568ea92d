import random
from pathlib import Path

import hypothesis
import numpy as np
import pytest
from numpy.typing import NDArray

from speller import Corrector
from speller.alphabet import CORRECT, END, MISSPELL, Alphabet
from speller.bundle import Bundle
from speller.lexicon import Lexicon
from speller.ranking import Ranking, Stage
from speller.reader import Reader
from speller.runtime import Memory, State

hypothesis.settings.register_profile("busy machine", deadline=None)
hypothesis.settings.load_profile("busy machine")


@pytest.fixture(scope="session")
def english() -> Corrector:
    return Corrector.load("en")


class TableRuntime:
    """A model of random numbers: what comes next depends on the word read, and on all symbols written so far.

    A direction is a symbol like others: read or written first, it makes all that follows different.

    A state is the number that these symbols give, twice.
    """

    nowhere = (np.zeros((1, 1), np.float32), np.zeros((1, 1), np.float32))
    call_size = 1

    def __init__(self, symbols: int, seed: int) -> None:
        random = np.random.default_rng(seed)
        self.symbols = symbols
        self.numbers = random.integers(1, 1000, symbols)
        self.seed = seed
        self.advanced: list[tuple[int, int]] = []
        """The number of each state that was advanced, and by which symbol."""
        self.asked = 0
        """After how many beginnings it was asked what follows."""

    def encode(self, symbols: NDArray[np.int64], lengths: NDArray[np.int64]) -> Memory:
        assert np.isin(symbols[:, 0], (CORRECT, MISSPELL)).all()
        assert symbols.shape == (len(lengths), lengths.max(initial=1))
        keys = np.zeros((*symbols.shape, 1), np.float32)
        for row, (word, length) in enumerate(zip(symbols, lengths, strict=True)):
            for symbol in word[:length]:
                keys[row] = self._next(keys[row, 0, 0], symbol)
        return Memory(keys, keys, lengths)

    def advance(self, symbols: NDArray[np.int64], state: State) -> State:
        assert {part.shape for part in state} == {(len(symbols), 1)}
        self.advanced += zip(state[0][:, 0].astype(int).tolist(), symbols.tolist(), strict=True)
        keys = [self._next(key, symbol) for key, symbol in zip(state[0][:, 0], symbols, strict=True)]
        number = np.array(keys, np.float32)[:, None]
        return number, number

    def expect(self, state: State, memory: Memory) -> NDArray[np.float32]:
        batch, several, _ = state[0].shape
        assert batch == len(memory.lengths)
        np.testing.assert_array_equal(state[1], state[0])
        self.asked += batch * several
        log_probs = np.zeros((batch, several, self.symbols), np.float32)
        for row, column in np.ndindex(batch, several):
            log_probs[row, column] = self.log_prob(int(state[0][row, column, 0]) + 7 * int(memory.keys[row, 0, 0]))
        return log_probs

    def log_prob(self, key: int) -> NDArray[np.float64]:
        scores = 3 * np.random.default_rng((self.seed, key)).normal(size=self.symbols)
        shares: NDArray[np.float64] = scores - np.log(np.exp(scores).sum())
        return shares

    def follow(
        self, alphabet: Alphabet, read: str | None, written: str, direction: int = CORRECT
    ) -> list[NDArray[np.float32]]:
        """What may come after each beginning of a word, the empty one first, one symbol at a time."""
        symbols, lengths = alphabet.encode([] if read is None else [read])
        symbols, lengths = (np.zeros((1, 0), np.int64), np.zeros(1, np.int64)) if read is None else (symbols, lengths)
        memory = self.encode(np.insert(symbols, 0, direction, axis=1), lengths + 1)
        state: State = self.nowhere
        following = []
        for symbol in [direction, *alphabet.encode([written])[0][0].tolist()]:
            state = self.advance(np.array([symbol]), state)
            following.append(self.expect(tuple(part[None] for part in state), memory)[0, 0])
        return following

    def score(self, alphabet: Alphabet, read: str | None, written: str, direction: int = CORRECT) -> float:
        """The log-probability of writing a word, its end counted in, after reading one, or nothing."""
        symbols = [*alphabet.encode([written])[0][0].tolist(), END]
        following = self.follow(alphabet, read, written, direction)
        return sum(float(each[symbol]) for each, symbol in zip(following, symbols, strict=True))

    def _next(self, key: float, symbol: int) -> int:
        return (int(key) * 31 + int(self.numbers[symbol])) % 100_003


@pytest.fixture(scope="session")
def table_runtime() -> type[TableRuntime]:
    return TableRuntime


@pytest.fixture
def table_bundle() -> Bundle:
    """A model of random numbers over made-up words, with a ranking."""
    draw = random.Random(1)
    words = {"".join(draw.choices("abcdé", k=draw.randint(2, 6))): draw.uniform(1, 6) for _ in range(150)}
    lexicon = Lexicon.build(words)
    runtime = TableRuntime(len(lexicon.alphabet), 6)
    plain = Stage({"frequency": 0.5, "distance": -1.0, "kept-length": -0.5})
    read = Stage(plain.weights | {"read": 0.3, "unread": -0.1, "kept-read": 0.3, "kept-unread": -0.1})
    full = Stage(read.weights | {"reverse": 0.3, "kept-reverse": 0.3})
    priors = Reader(lexicon, runtime).priors(lexicon.words).astype(np.float16)
    return Bundle(lexicon, runtime, priors, Ranking(plain, read, full), {}, Path())
