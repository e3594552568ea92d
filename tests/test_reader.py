from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from speller import Corrector
from speller.alphabet import CORRECT, MISSPELL
from speller.beam import beam_search
from speller.beginnings import Beginnings
from speller.lexicon import Lexicon
from speller.reader import Reader
from speller.runtime import Memory

LEXICON = Lexicon.build({"abcé": 3.0})
ALPHABET = LEXICON.alphabet
WORD = st.text("abcé☺", max_size=6)


@pytest.fixture
def runtime(table_runtime):
    return table_runtime(len(ALPHABET), 5)


@pytest.fixture
def reader(runtime):
    return Reader(LEXICON, runtime)


def judged(reader, read, candidates):
    """The log-probabilities of some candidates for each of the words, the words in one batch."""
    rows = np.repeat(np.arange(len(read)), [len(some) for some in candidates])
    return reader.log_probs(reader.read(read), rows, reader.spell([word for some in candidates for word in some]))


def judged_reversed(reader, meant, written):
    """The log-probabilities of words that were written for others."""
    return reader.reverse_log_probs(meant, reader.spell(written, MISSPELL))


@given(st.lists(st.tuples(WORD, st.lists(WORD, max_size=6)), max_size=20), st.integers(0, 1000))
def test_log_probabilities_are_those_of_writing_letter_by_letter(table_runtime, asked, seed):
    runtime = table_runtime(len(ALPHABET), seed)
    found = judged(Reader(LEXICON, runtime), [read for read, _ in asked], [words for _, words in asked])
    expected = [runtime.score(ALPHABET, read, word) for read, words in asked for word in words]
    assert found.shape == (len(expected),)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@given(st.lists(WORD, max_size=20), st.integers(0, 1000))
def test_priors_are_those_of_writing_where_nothing_is_read(table_runtime, words, seed):
    runtime = table_runtime(len(ALPHABET), seed)
    found = Reader(LEXICON, runtime).priors(words)
    np.testing.assert_allclose(found, [runtime.score(ALPHABET, None, word) for word in words], rtol=1e-6)


@given(st.lists(st.tuples(WORD, WORD), max_size=20), st.integers(0, 1000))
def test_reverse_log_probabilities_are_those_of_misspelling_letter_by_letter(table_runtime, pairs, seed):
    runtime = table_runtime(len(ALPHABET), seed)
    reader = Reader(LEXICON, runtime)
    found = judged_reversed(reader, [meant for meant, _ in pairs], [written for _, written in pairs])
    expected = [runtime.score(ALPHABET, meant, written, MISSPELL) for meant, written in pairs]
    assert found.shape == (len(pairs),)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_what_words_share_is_asked_once(reader, runtime):
    judged(reader, ["ab"], [["abc", "abca", "abc", "ab"]])
    assert runtime.asked == 5  # the direction alone, a, ab, abc and abca
    assert len(runtime.advanced) == 5
    judged(reader, ["ca", "ab"], [["abca"], ["abc"]])
    assert len(runtime.advanced) == 5  # what is written is remembered, whatever is read


def test_what_was_written_is_spelled_once_for_all_that_may_have_been_meant(reader, runtime):
    judged_reversed(reader, ["ab", "cab", "c"], ["abca"] * 3)
    assert len(runtime.advanced) == 5
    judged_reversed(reader, ["bb"], ["abc"])
    assert len(runtime.advanced) == 5
    reader.beginnings.at(reader.spell(["abca"]).places)
    assert len(runtime.advanced) == 10  # those of the other direction are others


def test_both_directions_are_spelled_in_the_same_steps(reader, runtime, monkeypatch):
    calls, advance = [], runtime.advance

    def watched(symbols, state):
        calls.append(len(symbols))
        return advance(symbols, state)

    monkeypatch.setattr(runtime, "advance", watched)
    both = reader.spell(["abc", "ca"], [CORRECT, MISSPELL])
    assert calls == []  # not before they are asked for
    reader.beginnings.at(both.places)
    assert calls == [2, 2, 2, 1]
    for place, (word, direction) in enumerate((("abc", CORRECT), ("ca", MISSPELL))):
        alone, length = reader.spell([word], direction), len(word) + 1
        assert both.lengths[place] == alone.lengths[0] == length
        assert both.places[place, :length].tolist() == alone.places[0].tolist()
        assert both.symbols[place, :length].tolist() == alone.symbols[0].tolist()


@pytest.mark.parametrize("at_once", [1, 2, 3, 5])
def test_parts_change_nothing(reader, monkeypatch, at_once):
    read = ["ab", "", "caé", "b", "ab", "ccc", "a☺", "bc", "éé", "a" * 20]
    candidates = [["ab", "abc", "cab"], [], ["", "a"], ["b"], ["ab"], [], ["abc"] * 3, ["é"], ["a" * 30], ["a", "b"]]
    words = [word for some in candidates for word in some]

    def judge():
        reverse = judged_reversed(reader, words, words[::-1])
        return judged(reader, read, candidates).tolist(), reader.priors(words).tolist(), reverse.tolist()

    whole = judge()
    monkeypatch.setattr("speller.reader.AT_ONCE", at_once)
    monkeypatch.setattr("speller.reader.READ_AT_ONCE", at_once)
    reader = Reader(LEXICON, reader.runtime)
    monkeypatch.setattr("speller.beginnings.CAPACITY", 3)  # forgotten all the time
    assert judge() == whole
    alone = [judged_reversed(reader, [meant], [written])[0] for meant, written in zip(words, words[::-1], strict=True)]
    assert alone == whole[-1]


@pytest.mark.parametrize("call_size", [1, 2])
def test_no_call_judges_more_words_than_are_said_to_suit_it(runtime, monkeypatch, call_size):
    for name in ("AT_ONCE", "REVERSED_AT_ONCE", "READ_AT_ONCE"):
        monkeypatch.setattr(f"speller.reader.{name}", 4 // call_size)
    monkeypatch.setattr(runtime, "call_size", call_size)
    reader = Reader(LEXICON, runtime)
    asked, expect = [], runtime.expect
    read, encode = [], runtime.encode

    def watched(state, memory):
        asked.append(len(memory.lengths))
        return expect(state, memory)

    def reading(symbols, lengths):
        read.append(len(lengths))
        return encode(symbols, lengths)

    monkeypatch.setattr(runtime, "expect", watched)
    monkeypatch.setattr(runtime, "encode", reading)
    judged_reversed(reader, ["aa", "ab", "ac", "ba", "bb", "bc", "ca", "cb", "cc", "abc"], ["abc"] * 10)
    assert asked == read == [4, 4, 2]
    read.clear()
    judged_reversed(reader, ["ab", "ba", "ab", "ba"], ["abc", "b", "ab", "ba"])
    assert read == [2]  # each word once
    asked.clear()
    judged(reader, ["ab"] * 10, [["abc", "b"]] * 10)
    assert asked == [2] * 5
    asked.clear()
    reader.priors(["ab", "b", "c"] * 3)
    assert asked == [1, 1, 1]


def test_nothing_to_judge(reader):
    assert judged(reader, [], []).shape == (0,)
    assert judged(reader, ["ab", "c"], [[], []]).shape == (0,)
    assert reader.priors([]).shape == (0,)
    assert judged_reversed(reader, [], []).shape == (0,)


def test_a_model_over_another_alphabet_is_refused(table_runtime):
    with pytest.raises(ValueError, match="a model over 12 symbols, but the lexicon's alphabet has 9"):
        Reader(LEXICON, table_runtime(12, 5))


def test_memory_is_bounded_however_many_calls_there_are(table_runtime, monkeypatch):
    monkeypatch.setattr("speller.beginnings.CAPACITY", 20)
    words = ["".join(letters) for letters in product("abcé", repeat=3)]
    lexicon = Lexicon.build(dict.fromkeys(words, 3.0))
    remembered = []
    monkeypatch.setattr(
        "speller.reader.Beginnings", lambda *given: remembered.append(Beginnings(*given)) or remembered[-1]
    )
    reader = Reader(lexicon, table_runtime(len(ALPHABET), 5))
    calls = (
        lambda word: reader.priors([word]),
        lambda word: (reader.beginnings.make_room(), judged(reader, [word], [[word[::-1]]])),
        lambda word: beam_search(reader, lexicon, reader.read([word]), width=3),
        lambda word: (reader.beginnings.make_room(), judged_reversed(reader, [word[::-1]], [word])),
    )
    for call in calls:
        for word in words:
            call(word)
            assert max(map(len, remembered)) <= 20 + 12
    assert len(remembered) == 1


def test_the_shipped_model_judges_words_together_as_alone(english: Corrector) -> None:
    reader = english.search.reader
    read = ["recieve", "x", "a" * 40, "fisix", "wierd", "définately", "teh", "ab☺c", "acknowlegementt", "enuff"]
    candidates = [[word, "receive", "physics", "", "relieve☺"] for word in read]
    together = judged(reader, read, candidates).reshape(len(read), -1)
    for word, some, found in zip(read, candidates, together, strict=True):
        alone = [judged(reader, [word], [[candidate]])[0] for candidate in some]
        np.testing.assert_allclose(found, alone, atol=1e-4)
    assert np.isfinite(together).all()
    meant = [candidate for some in candidates for candidate in some]
    written = [word for word in read for _ in range(5)]
    alone = [judged_reversed(reader, [pair[0]], [pair[1]])[0] for pair in zip(meant, written, strict=True)]
    np.testing.assert_allclose(judged_reversed(reader, meant, written), alone, atol=1e-4)
    assert np.isfinite(alone).all()
    assert together[0, 1] == together[:, 1].max()  # of all of these, "recieve" is most like "receive"


def test_the_shipped_model_has_nothing_to_judge(english: Corrector) -> None:
    reader = english.search.reader
    for read in ([], ["recieve"]):
        memory = reader.read(read)
        assert isinstance(memory, Memory)
        assert reader.log_probs(memory, np.zeros(0, np.int64), reader.spell([])).shape == (0,)
    assert reader.priors([]).shape == (0,)


def test_the_shipped_priors_are_the_models(english: Corrector) -> None:
    places = np.arange(0, len(english.lexicon), 1777)
    words = [english.lexicon.words[place] for place in places]
    # Half precision has 11 bits.
    np.testing.assert_allclose(english.bundle.priors[places], english.search.reader.priors(words), rtol=2**-11)
    assert english.bundle.priors.shape == (len(english.lexicon),)
