import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from speller.attested import BLOCK, LONGEST, Attestation, Attested

WORDS = st.text(st.sampled_from("abcé☺"), min_size=1, max_size=6)
TENTHS = st.integers(0, 127).map(lambda tenths: tenths / 10)
ENTRIES = st.dictionaries(WORDS, st.builds(Attestation, st.booleans(), TENTHS).filter(any), max_size=5 * BLOCK)


@given(ENTRIES, st.lists(WORDS | st.text(max_size=3)))
def test_holds_what_it_was_built_from_and_nothing_else(entries, others):
    attested = Attested.build(entries)
    assert list(attested.items()) == sorted(entries.items())
    assert len(attested) == len(entries)
    for word in [*entries, *others]:
        assert attested.look_up(word) == entries.get(word, Attestation())


@pytest.mark.parametrize("word", ["", "a", "aaaa", "aab", "zz", "\ud800", "a\ud800", "日本", "a" * 100_000])
def test_looks_for_words_that_it_lacks(word):
    attested = Attested.build({"aa": Attestation(True), "aaa": Attestation(True, 3.2), "b": Attestation(False, 1)})
    assert attested.look_up(word) == Attestation()


def test_a_small_frequency_still_counts_and_the_others_are_kept_to_a_tenth():
    attested = Attested.build({"seldom": Attestation(False, 0.01), "often": Attestation(True, 3.46)})
    assert attested.look_up("seldom") == Attestation(False, 0.1)
    assert attested.look_up("often") == Attestation(True, 3.5)


@given(ENTRIES, st.lists(WORDS))
def test_words_are_taken_away(entries, gone):
    attested = Attested.build(entries)
    left = attested.without(gone)
    assert dict(left.items()) == {word: each for word, each in entries.items() if word not in gone}
    assert len(left) == len(entries.keys() - set(gone))
    assert dict(attested.items()) == entries


def test_neighbours_share_their_beginnings():
    words = [f"{'incomprehensibilit' * 5}{place:03}" for place in range(10 * BLOCK)]
    attested = Attested.build(dict.fromkeys(words, Attestation(True)))
    assert len(attested.coded) < sum(map(len, words)) / 6


@pytest.mark.parametrize(
    ("word", "attestation", "message"),
    [
        ("", Attestation(True), "1 to 255 bytes, not 0"),
        ("é" * (LONGEST // 2 + 1), Attestation(True), "1 to 255 bytes, not 256"),
        ("word", Attestation(), "attests 'word'"),
        ("word", Attestation(True, -1), r"from 0 to 12\.7, not -1"),
        ("word", Attestation(True, 12.8), r"from 0 to 12\.7, not 12\.8"),
        ("word", Attestation(True, float("nan")), r"from 0 to 12\.7, not nan"),
    ],
)
def test_refuses(word, attestation, message):
    with pytest.raises(ValueError, match=message):
        Attested.build({word: attestation})


def test_refuses_parts_that_do_not_belong_together():
    attested = Attested.build(dict.fromkeys(map(chr, range(97, 97 + 20)), Attestation(True)))
    for coded, starts, evidence in (
        (attested.coded, attested.starts[:1], attested.evidence),
        (attested.coded, attested.starts, attested.evidence[:16]),
        (attested.coded, attested.starts + np.uint32(1), attested.evidence),
        (attested.coded[:10], attested.starts, attested.evidence),
    ):
        with pytest.raises(ValueError, match="attested words lie in"):
            Attested(coded, starts, evidence)
