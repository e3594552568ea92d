from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speller.alphabet import CORRECT, END, SPECIALS
from speller.beam import beam_search
from speller.lexicon import Lexicon

ENTRIES = st.dictionaries(st.text("abcé", min_size=1, max_size=5), st.sampled_from([0, 3]), min_size=1, max_size=25)


class TableRuntime:
    """A model of random numbers: what comes next depends on the word read, and on all symbols written so far."""

    def __init__(self, symbols: int, seed: int) -> None:
        random = np.random.default_rng(seed)
        self.read = random.integers(1, 1000, 100)
        self.size = symbols
        self.seed = seed
        self.hypotheses = 0

    def encode(self, symbols, lengths):
        assert (symbols[:, 0] == CORRECT).all()
        assert symbols.shape == (len(lengths), lengths.max())
        key = np.array([self.key(0, row[:length]) for row, length in zip(symbols, lengths, strict=True)], np.float32)
        return SimpleNamespace(
            states=None, lengths=lengths, initial=(key[:, None], np.zeros((len(key), 2), np.float32))
        )

    def key(self, key: int, symbols) -> int:
        for symbol in symbols:
            key = (key * 31 + int(self.read[int(symbol)])) % 100_003
        return key

    def log_prob(self, key: int) -> np.ndarray:
        scores = 3 * np.random.default_rng((self.seed, key)).normal(size=self.size)
        return scores - np.log(np.exp(scores).sum())

    def decode(self, previous, state, memory, rows):
        self.hypotheses += len(previous)
        assert previous.shape == (len(rows), 1)
        assert len(state[0]) == len(state[1]) == len(rows)
        keys = [self.key(int(key), [symbol]) for key, symbol in zip(state[0][:, 0], previous[:, 0], strict=True)]
        written = state[1] + 1
        source = memory.initial[0][rows, 0].astype(np.int64)
        # The memory is read anew at each step: a hypothesis with the wrong row gets other numbers.
        log_probs = [self.log_prob(key + 7 * int(read)) for key, read in zip(keys, source, strict=True)]
        log_probs = np.array(log_probs, np.float32)[:, None]
        return log_probs, (np.array(keys, np.float32)[:, None], written)

    def score(self, lexicon: Lexicon, read: str, written: str) -> float:
        symbols, lengths = lexicon.alphabet.encode([read])
        memory = self.encode(np.insert(symbols, 0, CORRECT, axis=1), lengths + 1)
        targets = [*lexicon.alphabet.encode([written])[0][0].tolist(), END]
        state, total = memory.initial, 0.0
        for previous, target in zip([CORRECT, *targets], targets, strict=False):
            log_probs, state = self.decode(np.array([[previous]]), state, memory, np.array([0]))
            total += float(log_probs[0, 0, target])
        return total


@settings(deadline=None)
@given(ENTRIES, st.lists(st.text("abcéx", max_size=6), max_size=4), st.integers(0, 10**6), st.integers(1, 5))
def test_a_wide_beam_finds_the_best_words_of_all(entries, written, seed, width):
    lexicon = Lexicon.build(entries)
    runtime = TableRuntime(len(lexicon.alphabet), seed)
    exhaustive = [
        sorted(((runtime.score(lexicon, word, lexicon.words[i]), i) for i in lexicon.offered.tolist()), reverse=True)
        for word in written
    ]
    wide = beam_search(runtime, lexicon, written, width=100)
    for found, best in zip(wide, exhaustive, strict=True):
        assert [index for index, _ in found] == [index for _, index in best]
        assert np.allclose([score for _, score in found], [score for score, _ in best], atol=1e-4)


@settings(deadline=None)
@given(ENTRIES, st.lists(st.text("abcéx", max_size=6), max_size=4), st.integers(0, 10**6), st.integers(1, 5))
def test_equals_a_beam_search_one_hypothesis_at_a_time(entries, written, seed, width):
    lexicon = Lexicon.build(entries)
    runtime = TableRuntime(len(lexicon.alphabet), seed)
    offered = {lexicon.words[index] for index in lexicon.offered.tolist()}
    prefixes = {word[:end] for word in offered for end in range(len(word) + 1)}
    for word, found in zip(written, beam_search(runtime, lexicon, written, width=width), strict=True):
        symbols, lengths = lexicon.alphabet.encode([word])
        memory = runtime.encode(np.insert(symbols, 0, CORRECT, axis=1), lengths + 1)
        live, done = [(0.0, "", memory.initial)], []
        while live:
            longer = []
            for score, prefix, state in live:
                previous = lexicon.alphabet.encode([prefix[-1]])[0] if prefix else np.array([[CORRECT]])
                log_probs, after = runtime.decode(previous, state, memory, np.array([0]))
                if prefix in offered:
                    done.append((score + float(log_probs[0, 0, END]), prefix))
                for place, letter in enumerate(lexicon.alphabet.characters):
                    if prefix + letter in prefixes:
                        longer.append((score + float(log_probs[0, 0, SPECIALS + place]), prefix + letter, after))
            live = sorted(longer, key=lambda entry: -entry[0])[:width]
        best = sorted(done, reverse=True)[:width]
        assert [lexicon.words[index] for index, _ in found] == [prefix for _, prefix in best]
        assert np.allclose([score for _, score in found], [score for score, _ in best], atol=1e-4)


def test_a_batch_gives_what_each_word_gives_alone():
    lexicon = Lexicon.build(
        dict.fromkeys(["a", "ab", "abc", "abcd", "b", "ba", "bad", "c", "cab", "dad", "dead", "deed"], 3)
    )
    runtime = TableRuntime(len(lexicon.alphabet), 11)
    written = ["", "abd", "a" * 40, "dx☺", "cabed", "abd"]
    alone = [beam_search(runtime, lexicon, [word], width=4)[0] for word in written]
    assert beam_search(runtime, lexicon, written, width=4) == alone
    assert alone[1] == alone[5] != alone[0]


def test_stops_when_nothing_can_displace_the_answers():
    letters = "abcdefgh" * 5
    lexicon = Lexicon.build({letters[:length]: 3.0 for length in (1, 2, 3, 40)})

    class Copies(TableRuntime):
        def log_prob(self, key: int) -> np.ndarray:
            return np.full(self.size, -1.0)

    runtime = Copies(len(lexicon.alphabet), 0)
    found = beam_search(runtime, lexicon, ["ab"], width=2)
    assert [(len(lexicon.words[index]), score) for index, score in found[0]] == [(1, -2.0), (2, -3.0)]
    assert runtime.hypotheses == 3


def test_words_never_offered_are_never_written():
    lexicon = Lexicon.build({"ab": 0, "abc": 3, "b": 0})
    found = beam_search(TableRuntime(len(lexicon.alphabet), 2), lexicon, ["ab"])
    assert [lexicon.words[index] for index, _ in found[0]] == ["abc"]


def test_nothing_to_read_and_nothing_to_offer():
    lexicon = Lexicon.build({"ab": 0})
    runtime = TableRuntime(len(lexicon.alphabet), 2)
    assert beam_search(runtime, lexicon, []) == []
    assert beam_search(runtime, lexicon, ["ab", "b"]) == [[], []]


def test_refuses_a_width_below_1():
    lexicon = Lexicon.build({"ab": 3})
    with pytest.raises(ValueError, match="width must be 1 or more, not 0"):
        beam_search(TableRuntime(len(lexicon.alphabet), 2), lexicon, ["ab"], width=0)
