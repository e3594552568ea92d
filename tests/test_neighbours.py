from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from speller import neighbours
from speller.lexicon import Lexicon
from speller.neighbours import LETTERS, Neighbours

WORD = st.text("abcdé", min_size=1, max_size=9) | st.text("abœ", min_size=1, max_size=9)
ENTRIES = st.dictionaries(WORD, st.sampled_from([0, 1, 2, 3.5]), min_size=1, max_size=60)


SAME_REST = "".join(chr(code) for code in range(0x131, 0x400, 128))
"""Letters of which compiled code looks for all at the same place first."""


@pytest.fixture(scope="module", params=["compiled", "numpy"], autouse=True)
def search(request: pytest.FixtureRequest) -> Iterator[str]:
    """Every test, with either search."""
    if request.param == "compiled" and not neighbours.compiled:
        pytest.skip("no compiler was there when this was installed")
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "numpy":
            patch.setattr(neighbours, "compiled", None)
        yield request.param


def by_scan(lexicon: Lexicon, word: str, count: int, beyond: int = 1000) -> list[tuple[int, int]]:
    offered = lexicon.offered.tolist()
    order = sorted(offered, key=lambda i: (OSA.distance(word, lexicon.words[i]), -lexicon.zipf[i], i))
    scanned = [(index, OSA.distance(word, lexicon.words[index])) for index in order[:count]]
    return [(index, distance) for index, distance in scanned if distance <= scanned[0][1] + beyond]


@given(ENTRIES, st.lists(st.text("abcdéx☺", max_size=12), max_size=5), st.integers(1, 8))
def test_equals_a_full_scan(entries, written, count):
    lexicon = Lexicon.build(entries)
    found = Neighbours(lexicon).nearest(written, count)
    assert len(found) == len(written)
    longest = max((len(lexicon.words[index]) for index in lexicon.offered), default=0)
    for word, (index, distance) in zip(written, found, strict=True):
        expected = by_scan(lexicon, word, count) if len(word) <= 2 * longest else []
        assert list(zip(index.tolist(), distance.tolist(), strict=True)) == expected


@given(ENTRIES, st.text("abcdéx☺", max_size=12), st.integers(1, 60), st.integers(0, 5))
def test_none_is_farther_than_the_nearest_by_more_than_asked_for(entries, word, count, beyond):
    lexicon = Lexicon.build(entries)
    longest = max((len(lexicon.words[index]) for index in lexicon.offered), default=0)
    index, distance = Neighbours(lexicon).nearest([word], count, beyond=beyond)[0]
    expected = by_scan(lexicon, word, count, beyond) if len(word) <= 2 * longest else []
    assert list(zip(index.tolist(), distance.tolist(), strict=True)) == expected


def test_equals_a_full_scan_over_many_words():
    # Enough different letters and lengths for more features than a signature has bits.
    random = np.random.default_rng(5)
    letters = [chr(code) for code in range(ord("α"), ord("α") + 90)]
    share = 1 / np.arange(1, 91)
    drawn = [
        "".join(random.choice(letters, size=length, p=share / share.sum())) for length in random.integers(1, 20, 1500)
    ]
    lexicon = Lexicon.build({word: float(zipf) for word, zipf in zip(drawn, random.integers(0, 9, 1500), strict=True)})
    assert len(lexicon.signatures.times) == 64
    written = [word[1:] + "α" for word in lexicon.words[::50]]
    for word, (index, distance) in zip(written, Neighbours(lexicon).nearest(written, 12), strict=True):
        assert list(zip(index.tolist(), distance.tolist(), strict=True)) == by_scan(lexicon, word, 12)


def test_equals_a_full_scan_where_the_nearest_are_far():
    random = np.random.default_rng(7)
    drawn = ["".join(random.choice(list("abcdefgh"), size=length)) for length in random.integers(4, 12, 2000)]
    lexicon = Lexicon.build({word: float(zipf) for word, zipf in zip(drawn, random.integers(1, 9, 2000), strict=True)})
    written = ["".join(random.choice(list("abcdefghxyz"), size=length)) for length in random.integers(3, 16, 40)]
    for count, beyond in ((1, 1000), (3, 0), (10, 1000), (40, 0), (40, 1), (300, 2), (40, 1000), (2000, 4)):
        nearest = Neighbours(lexicon).nearest(written, count, beyond=beyond)
        for word, (index, distance) in zip(written, nearest, strict=True):
            assert list(zip(index.tolist(), distance.tolist(), strict=True)) == by_scan(lexicon, word, count, beyond)


def test_equal_distances_go_by_frequency():
    lexicon = Lexicon.build({"cat": 3, "bat": 5, "hat": 4, "rat": 5, "mat": 0})
    index, distance = Neighbours(lexicon).nearest(["xat"])[0]
    assert [lexicon.words[i] for i in index] == ["bat", "rat", "hat", "cat"]
    assert distance.tolist() == [1, 1, 1, 1]


@pytest.mark.parametrize("search", ["numpy"], indirect=True)  # what compiled code compares is not counted
def test_compares_few_words_where_the_nearest_are_near(search, monkeypatch):
    random = np.random.default_rng(3)
    lexicon = Lexicon.build({"".join(random.choice(list("abcdefghijklmnop"), size=8)): 3.0 for _ in range(3000)})
    compared = []
    from rapidfuzz import process

    def counting(queries, choices, **options):
        compared.append(len(choices))
        return cdist(queries, choices, **options)

    cdist = process.cdist
    monkeypatch.setattr(process, "cdist", counting)
    word = lexicon.words[77]
    assert Neighbours(lexicon).nearest([word], 1)[0][0].tolist() == [77]
    assert 1 <= sum(compared) < 60


@pytest.mark.parametrize("word", ["a" * 1000, "☺" * 10**5, "\ud800" * 41])
def test_a_word_far_longer_than_any_has_none(word):
    index, distance = Neighbours(Lexicon.build({"a" * 20: 3})).nearest([word])[0]
    assert index.tolist() == distance.tolist() == []


def test_words_longer_than_a_byte_counts_are_found():
    words = {"a" * length: 3.0 for length in (254, 255, 256, 257, 300, 600)}
    lexicon = Lexicon.build(words)
    index, distance = Neighbours(lexicon).nearest(["a" * 299], 3)[0]
    assert [len(lexicon.words[i]) for i in index] == [300, 257, 256]
    assert distance.tolist() == [1, 42, 43]
    assert Neighbours(lexicon).nearest(["b" * 300], 6)[0][1].tolist() == [300, 300, 300, 300, 300, 600]


@pytest.mark.parametrize("length", [LETTERS - 1, LETTERS, LETTERS + 1])
def test_long_words_are_found(length):
    words = ["ab" * 40, "ab" * 32, "ba" * 31 + "b", "b" * 300, "c" * 400]
    lexicon = Lexicon.build(dict.fromkeys(words, 3.0))
    written = ["ab" * 40, ("ab" * 40)[:length], ("ba" * 40)[:length], "b" * length, ("xb" * 40)[:length]]
    for word, (index, distance) in zip(written, Neighbours(lexicon).nearest(written, 5), strict=True):
        assert list(zip(index.tolist(), distance.tolist(), strict=True)) == by_scan(lexicon, word, 5)


@given(st.lists(st.text(f"a{SAME_REST}", min_size=1, max_size=6), min_size=1), st.text(f"a{SAME_REST}☺", max_size=6))
def test_letters_of_any_script_are_told_apart(entries, word):
    lexicon = Lexicon.build(dict.fromkeys(entries, 3.0))
    longest = max(map(len, lexicon.words))
    index, distance = Neighbours(lexicon).nearest([word], 3)[0]
    expected = by_scan(lexicon, word, 3) if len(word) <= 2 * longest else []
    assert list(zip(index.tolist(), distance.tolist(), strict=True)) == expected


def test_what_a_file_holds_may_be_of_another_kind():
    lexicon = Lexicon.build({"cat": 3, "bat": 5, "hat": 4, "cart": 2})
    told = lexicon.signatures
    lexicon.signatures = replace(
        told,
        index=told.index[:, None].repeat(2, axis=1)[:, 0],  # with gaps between
        bits=told.bits.astype(np.uint8),
        character=told.character.astype(np.int64),
        times=told.times.astype(np.int8),
    )
    index, distance = Neighbours(lexicon).nearest(["xat"])[0]
    assert list(zip(index.tolist(), distance.tolist(), strict=True)) == by_scan(lexicon, "xat", 4)


def test_no_words_and_no_offer():
    assert Neighbours(Lexicon.build({"a": 3})).nearest([]) == []
    index, _ = Neighbours(Lexicon.build({"a": 0})).nearest(["a"])[0]
    assert index.tolist() == []


def test_refuses_a_count_below_1():
    with pytest.raises(ValueError, match="count must be 1 or more, not 0"):
        Neighbours(Lexicon.build({"a": 3})).nearest(["a"], 0)
