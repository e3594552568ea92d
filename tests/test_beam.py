import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from speller.alphabet import END, SPECIALS
from speller.beam import beam_search
from speller.lexicon import Lexicon
from speller.reader import Reader

ENTRIES = st.dictionaries(st.text("abcé", min_size=1, max_size=5), st.sampled_from([0, 3]), min_size=1, max_size=25)


def search(runtime, lexicon, words, **options):
    reader = Reader(lexicon, runtime)
    return beam_search(reader, lexicon, reader.read(words), **options)


@given(ENTRIES, st.lists(st.text("abcéx", max_size=6), max_size=4), st.integers(0, 10**6), st.integers(1, 5))
def test_a_wide_beam_finds_the_best_words_of_all(table_runtime, entries, written, seed, width):
    lexicon = Lexicon.build(entries)
    runtime = table_runtime(len(lexicon.alphabet), seed)
    exhaustive = [
        sorted(
            ((runtime.score(lexicon.alphabet, word, lexicon.words[i]), i) for i in lexicon.offered.tolist()),
            reverse=True,
        )
        for word in written
    ]
    wide = search(runtime, lexicon, written, width=100)
    for found, best in zip(wide, exhaustive, strict=True):
        assert [index for index, _ in found] == [index for _, index in best]
        assert np.allclose([score for _, score in found], [score for score, _ in best], atol=1e-4)


@given(ENTRIES, st.lists(st.text("abcéx", max_size=6), max_size=4), st.integers(0, 10**6), st.integers(1, 5))
def test_equals_a_beam_search_one_hypothesis_at_a_time(table_runtime, entries, written, seed, width):
    lexicon = Lexicon.build(entries)
    runtime = table_runtime(len(lexicon.alphabet), seed)
    offered = {lexicon.words[index] for index in lexicon.offered.tolist()}
    prefixes = {word[:end] for word in offered for end in range(len(word) + 1)}
    for word, found in zip(written, search(runtime, lexicon, written, width=width), strict=True):
        live, done = [(0.0, "")], []
        while live:
            longer = []
            for score, prefix in live:
                following = runtime.follow(lexicon.alphabet, word, prefix)[-1]
                if prefix in offered:
                    done.append((score + float(following[END]), prefix))
                for place, letter in enumerate(lexicon.alphabet.characters):
                    if prefix + letter in prefixes:
                        longer.append((score + float(following[SPECIALS + place]), prefix + letter))
            live = sorted(longer, key=lambda entry: -entry[0])[:width]
        best = sorted(done, reverse=True)[:width]
        assert [lexicon.words[index] for index, _ in found] == [prefix for _, prefix in best]
        assert np.allclose([score for _, score in found], [score for score, _ in best], atol=1e-4)


def test_a_batch_gives_what_each_word_gives_alone(table_runtime):
    lexicon = Lexicon.build(
        dict.fromkeys(["a", "ab", "abc", "abcd", "b", "ba", "bad", "c", "cab", "dad", "dead", "deed"], 3)
    )
    runtime = table_runtime(len(lexicon.alphabet), 11)
    written = ["", "abd", "a" * 40, "dx☺", "cabed", "abd"]
    alone = [search(runtime, lexicon, [word], width=4)[0] for word in written]
    assert search(runtime, lexicon, written, width=4) == alone
    assert alone[1] == alone[5] != alone[0]


def test_stops_when_nothing_can_displace_the_answers(table_runtime):
    letters = "abcdefgh" * 5
    lexicon = Lexicon.build({letters[:length]: 3.0 for length in (1, 2, 3, 40)})

    class Copies(table_runtime):
        def log_prob(self, key: int) -> np.ndarray:
            return np.full(self.symbols, -1.0)

    runtime = Copies(len(lexicon.alphabet), 0)
    found = search(runtime, lexicon, ["ab"], width=2)
    assert [(len(lexicon.words[index]), score) for index, score in found[0]] == [(1, -2.0), (2, -3.0)]
    assert runtime.asked == 3


def test_words_never_offered_are_never_written(table_runtime):
    lexicon = Lexicon.build({"ab": 0, "abc": 3, "b": 0})
    found = search(table_runtime(len(lexicon.alphabet), 2), lexicon, ["ab"])
    assert [lexicon.words[index] for index, _ in found[0]] == ["abc"]


def test_nothing_to_read_and_nothing_to_offer(table_runtime):
    lexicon = Lexicon.build({"ab": 0})
    runtime = table_runtime(len(lexicon.alphabet), 2)
    assert search(runtime, lexicon, []) == []
    assert search(runtime, lexicon, ["ab", "b"]) == [[], []]


def test_refuses_a_width_below_1(table_runtime):
    lexicon = Lexicon.build({"ab": 3})
    with pytest.raises(ValueError, match="width must be 1 or more, not 0"):
        search(table_runtime(len(lexicon.alphabet), 2), lexicon, ["ab"], width=0)
