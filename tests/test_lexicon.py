import unicodedata
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speller.alphabet import SPECIALS
from speller.attested import Attestation
from speller.lexicon import Lexicon, fold

ENTRIES = st.dictionaries(
    st.text(st.sampled_from("abCDéßΣσς'’"), min_size=1, max_size=4),
    st.sampled_from([0, 2.5, 4]),
    min_size=1,
    max_size=12,
)


def spelt(lexicon: Lexicon) -> list[str]:
    characters = lexicon.alphabet.characters
    return ["".join(characters[symbol - SPECIALS] for symbol in path) for _, path in lexicon.automaton.paths()]


def assert_same(one: Lexicon, other: Lexicon) -> None:
    assert list(one.words) == list(other.words)
    assert one.zipf.tolist() == other.zipf.tolist()
    assert [one.usual_case(i) for i in range(len(one))] == [other.usual_case(i) for i in range(len(other))]
    for part in (one.automaton, one.signatures):
        twin = other.automaton if part is one.automaton else other.signatures
        for field in fields(part):
            assert np.array_equal(getattr(part, field.name), getattr(twin, field.name)), field.name


@pytest.mark.parametrize(
    ("word", "folded"),
    [
        ("London", "london"),
        ("heiß", "heiß"),
        ("ΟΔΟΣ", "οδος"),
        ("don’t", "don't"),
        ("CAFE\N{COMBINING ACUTE ACCENT}", "caf\N{LATIN SMALL LETTER E WITH ACUTE}"),
        ("", ""),
    ],
)
def test_fold(word, folded):
    assert fold(word) == folded


@given(st.text())
def test_folding_twice_changes_nothing(word):
    assert fold(fold(word)) == fold(word)


@given(ENTRIES)
def test_knows_what_it_was_built_from_and_spells_what_it_offers(entries):
    lexicon = Lexicon.build(entries)
    frequency = {}
    for word, zipf in entries.items():
        frequency[fold(word)] = max(zipf, frequency.get(fold(word), 0))
    assert dict(zip(lexicon.words, lexicon.zipf.tolist(), strict=True)) == frequency
    assert list(lexicon.words) == sorted(frequency)
    assert all(lexicon.words[lexicon.index(word)] == fold(word) for word in entries)
    offered = sorted(word for word, zipf in frequency.items() if zipf)
    assert spelt(lexicon) == offered == [lexicon.words[index] for index in lexicon.offered]
    assert [lexicon.words[index] for index in lexicon.spelt] == offered


def test_does_not_know_other_words():
    lexicon = Lexicon.build({"receive": 4.6, "zoo": 4})
    for word in ("", "a", "receiv", "receives", "zoos", "\ud800", "日本"):
        assert word not in lexicon
        assert lexicon.index(word) is None


@pytest.mark.parametrize(
    ("listed", "usual"),
    [
        ({"London": 4}, "London"),
        ({"NASA": 4}, "NASA"),
        ({"iPhone": 4}, "iPhone"),
        ({"Polish": 4, "polish": 4}, "polish"),
        ({"polish": 0, "Polish": 4}, "polish"),
        ({"POLISH": 3, "Polish": 4}, "Polish"),
        ({"O’Neill": 4}, "O'Neill"),
        ({"'tis": 4}, "'tis"),
        ({"Élan": 4}, "Élan"),
    ],
)
def test_usual_case(listed, usual):
    lexicon = Lexicon.build({**listed, "aardvark": 2, "zebra": 3})
    index = lexicon.index(usual)
    assert lexicon.usual_case(index) == usual
    assert lexicon.has_capitals(index) == (usual != usual.lower())
    assert lexicon.zipf[index] == 4


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({}, "at least one word"),
        ({"": 3}, "not ''"),
        ({"two words": 3}, "'two words'"),
        ({"line\n": 3}, "white space"),
        ({"\ud800": 3}, "surrogate"),
        ({"a": -1}, "'a' must be a number from 0 up, not -1"),
        ({"a": float("nan")}, "not nan"),
        ({"a": float("inf")}, "not inf"),
    ],
)
def test_refuses(entries, message):
    with pytest.raises(ValueError, match=message):
        Lexicon.build(entries)


@settings(deadline=None)
@given(ENTRIES)
def test_saves_and_loads(tmp_path_factory, entries):
    path = tmp_path_factory.mktemp("lexicon") / "words.npz"
    built = Lexicon.build(entries)
    built.save(path)
    loaded = Lexicon.load(path)
    assert_same(loaded, built)
    assert loaded.alphabet.characters == built.alphabet.characters
    assert loaded.spelt.tolist() == built.spelt.tolist()


def test_the_same_words_make_the_same_file(tmp_path):
    for name in ("one", "two"):
        Lexicon.build({"London": 4.8, "receive": 4.6}).save(tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_refuses_a_damaged_file_or_loads_it_whole(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("lexicon")
    built = Lexicon.build({"London": 4.8, "receive": 4.6, "pseudo": 0})
    built.save(folder / "whole.npz")
    content = bytearray((folder / "whole.npz").read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    (folder / "damaged.npz").write_bytes(content)
    refusal = pytest.RaisesExc(ValueError, match=r"damaged\.npz: not a whole lexicon file")
    try:
        loaded = Lexicon.load(folder / "damaged.npz")
    except ValueError as error:
        if not refusal.matches(error):
            raise
    else:
        assert_same(loaded, built)


@pytest.mark.parametrize("share", [0, 0.3, 0.99])
def test_refuses_a_file_that_is_cut_off(tmp_path, share):
    path = tmp_path / "lexicon.npz"
    Lexicon.build({"receive": 4.6}).save(path)
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(ValueError, match=r"lexicon\.npz: not a whole lexicon file"):
        Lexicon.load(path)


def test_refuses_foreign_files(tmp_path):
    np.savez(tmp_path / "arrays.npz", words=np.zeros(3))
    np.save(tmp_path / "array.npy", np.zeros(3))
    (tmp_path / "text.npz").write_text("receive\n")
    for name in ("arrays.npz", "array.npy", "text.npz"):
        with pytest.raises(ValueError, match=f"{name}: not a whole lexicon file"):
            Lexicon.load(tmp_path / name)
    with pytest.raises(FileNotFoundError):
        Lexicon.load(tmp_path / "missing.npz")


@given(ENTRIES, ENTRIES)
def test_adding_words_is_building_with_them(old, new):
    grown = Lexicon.build(old).with_words(new)
    known = Lexicon.build(old)
    merged = {known.usual_case(index): float(known.zipf[index]) for index in range(len(known))}
    added = Lexicon.build(new)
    for index, word in enumerate(added.words):
        merged = {listed: zipf for listed, zipf in merged.items() if fold(listed) != word}
        merged[added.usual_case(index)] = float(added.zipf[index])
    built = Lexicon.build(merged)
    assert list(grown.words) == list(built.words)
    assert grown.zipf.tolist() == built.zipf.tolist()
    assert [grown.usual_case(i) for i in range(len(grown))] == [built.usual_case(i) for i in range(len(built))]
    letters = set(known.alphabet.characters)
    assert spelt(grown) == [word for word in built.words if built.zipf[built.index(word)] and set(word) <= letters]


def test_an_added_word_outside_the_alphabet_is_offered_but_not_spelt():
    lexicon = Lexicon.build({"abc": 3, "cab": 4}).with_words({"Ωbc": 3})
    assert lexicon.usual_case(lexicon.index("ωbc")) == "Ωbc"
    assert [lexicon.words[index] for index in lexicon.offered] == ["abc", "cab", "ωbc"]
    assert [lexicon.words[index] for index in lexicon.spelt] == spelt(lexicon) == ["abc", "cab"]
    assert lexicon.alphabet.characters == "abc"


def test_adding_words_leaves_the_lexicon_as_it_was():
    lexicon = Lexicon.build({"london": 2.0, "NASA": 4.0})
    lexicon.with_words({"London": 4.8, "Aachen": 3.0, "nasa": 1.0})
    assert (list(lexicon.words), lexicon.zipf.tolist()) == (["london", "nasa"], [2, 4])
    assert [lexicon.usual_case(index) for index in range(2)] == ["london", "NASA"]


def test_an_added_word_takes_its_new_letter_case():
    lexicon = Lexicon.build({"london": 2.0, "NASA": 4.0, "Turkey": 3.0}).with_words(
        {"London": 4, "nasa": 4, "TURKEY": 4}
    )
    assert [lexicon.usual_case(index) for index in range(3)] == ["London", "nasa", "TURKEY"]
    assert [lexicon.has_capitals(index) for index in range(3)] == [True, False, True]


@given(ENTRIES, st.lists(st.text("abCDéßΣσς'", max_size=4)))
def test_removing_words_is_building_without_them(entries, gone):
    lexicon = Lexicon.build(entries)
    left = {word: zipf for word, zipf in entries.items() if fold(word) not in set(map(fold, gone))}
    if left:
        built = Lexicon.build(left)
        kept = lexicon.without_words(gone)
        assert list(kept.words) == list(built.words)
        assert [kept.usual_case(i) for i in range(len(kept))] == [built.usual_case(i) for i in range(len(built))]
        assert spelt(kept) == spelt(built)
    else:
        with pytest.raises(ValueError, match="at least one word"):
            lexicon.without_words(gone)


ATTESTATIONS = {
    "hed": Attestation(True, 2.1),
    "jetblue": Attestation(False, 2.6),
    "receive": Attestation(True, 4.6),
    "naïve": Attestation(True, 4.1),
}


def test_attested_words_are_neither_known_nor_offered(tmp_path):
    words = {"receive": 4.6, "JetHub": 1, "lode": 2.0}
    lexicon = Lexicon.build(words, attestations=ATTESTATIONS)
    lexicon.save(tmp_path / "lexicon.npz")
    for each in (lexicon, Lexicon.load(tmp_path / "lexicon.npz"), lexicon.with_words({"naïve": 4})):
        assert "hed" not in each
        assert "hed" not in spelt(each)
        assert dict(each.attested.items()) == {word: ATTESTATIONS[word] for word in ("hed", "jetblue")}
    left = lexicon.without_words(["HED"])
    assert dict(left.attested.items()) == {"jetblue": ATTESTATIONS["jetblue"]}


def test_reads_a_lexicon_of_before_there_were_attested_words(tmp_path):
    path = tmp_path / "lexicon.npz"
    Lexicon.build({"receive": 4.6}, attestations={"recur": Attestation(True)}).save(path)
    arrays = dict(np.load(path))
    np.savez(path, **{name: array for name, array in arrays.items() if not name.startswith("attested")})
    lexicon = Lexicon.load(path)
    assert list(lexicon.words) == ["receive"]
    assert len(lexicon.attested) == 0


def test_usual_forms_are_composed():
    lexicon = Lexicon.build({unicodedata.normalize("NFD", "Zürich"): 4})
    assert lexicon.usual_case(0) == unicodedata.normalize("NFC", "Zürich")
