from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from speller import Corrector
from speller.lexicon import Lexicon
from speller.sounds import READINGS, SPOKEN, Sounds

PIECES = {
    "f": (("F", -1.0),),
    "ph": (("F", -1.0),),
    " ph": (("F", -1.0),),
    "p": (("P", -1.0),),
    "h": (("", -1.0), ("H", -1.5)),
    "i": (("", -1.0),),
    " i": (("A", -1.0),),
    "s": (("S", -1.0),),
    "x": (("KS", -1.0),),
    "c": (("K", -1.0), ("S", -2.0)),
    "cs ": (("KS", -1.0),),
}
WORDS = {"phi": 5.0, "fi": 4.0, "if": 6.0, "phics": 3.0, "pseudo": 0.0}


@pytest.fixture
def lexicon():
    lexicon = Lexicon.build(WORDS)
    read = replace(Sounds.unknown(), pieces=PIECES).read
    lexicon.sounds = Sounds.build(PIECES, np.array([read(word)[0] for word in lexicon.words]), lexicon.zipf)
    return lexicon


def alike(lexicon, word, count=9):
    return [lexicon.words[index] for index in lexicon.sounds.alike(lexicon.sounds.read(word), count)]


@pytest.mark.parametrize(
    ("word", "readings"),
    [
        ("fi", {b"F"}),
        ("if", {b"AF"}),
        ("phics", {b"FKS", b"PKS", b"PHKS"}),
        ("ffix", {b"FKS"}),  # a run of one sound is one
        ("cs", {b"KS", b"S"}),  # so is one across pieces
        ("éf", {b"F"}),  # a letter that no piece has
        ("", {b""}),
    ],
)
def test_a_word_is_read_in_the_likeliest_ways(lexicon, word, readings):
    assert set(lexicon.sounds.read(word)) == readings
    assert len(readings) <= READINGS


def test_the_likeliest_way_comes_first(lexicon):
    assert lexicon.sounds.read("phics")[0] == b"FKS"
    assert lexicon.sounds.read("cs")[0] == b"KS"


def test_words_that_sound_so_are_found_the_most_frequent_first(lexicon):
    assert alike(lexicon, "ffi") == ["phi", "fi"]
    assert alike(lexicon, "ffi", 1) == ["phi"]
    assert alike(lexicon, "fix") == ["phics"]
    assert alike(lexicon, "xx") == alike(lexicon, "h") == alike(lexicon, "") == []
    assert lexicon.sounds.of(np.array([lexicon.index(word) for word in ("if", "phi")])) == [b"AF", b"F"]


def test_words_come_and_go_with_their_sounds(lexicon):
    more = lexicon.with_words({"Fee": 7.0, "pseudo": 2.0})
    assert alike(more, "ffi") == ["fee", "phi", "fi"]
    assert alike(more, "psi") == ["pseudo"]
    assert alike(more.without_words(["phi", "fee"]), "ffi") == ["fi"]
    assert alike(lexicon, "ffi") == ["phi", "fi"]


def test_where_no_word_is_pronounced_none_is_found(tmp_path):
    lexicon = Lexicon.build(WORDS)
    for known in (lexicon, lexicon.with_words({"zoo": 4.0}), lexicon.without_words(["phi"])):
        assert known.sounds.read("phi") == ()
        assert alike(known, "phi") == []
        known.save(tmp_path / "lexicon.npz")
        assert alike(Lexicon.load(tmp_path / "lexicon.npz"), "phi") == []


def test_saved_and_loaded_they_are_the_same(lexicon, tmp_path):
    lexicon.save(tmp_path / "lexicon.npz")
    loaded = Lexicon.load(tmp_path / "lexicon.npz")
    assert loaded.sounds.pieces == PIECES
    for word in (*WORDS, "ffi", "fix"):
        assert loaded.sounds.read(word) == lexicon.sounds.read(word)
        assert alike(loaded, word) == alike(lexicon, word)


@given(st.text(max_size=60))
def test_any_text_is_read(word):
    lexicon = Lexicon.build(WORDS)
    sounds = Sounds.build(PIECES, np.zeros(len(lexicon), "S1"), lexicon.zipf)
    readings = sounds.read(word)
    assert 1 <= len(readings) <= READINGS
    assert all(len(reading) <= SPOKEN for reading in readings)


@pytest.mark.parametrize(
    ("wrong", "right"),
    [("fisix", "physics"), ("sikology", "psychology"), ("nashun", "nation"), ("hifin", "hyphen")],
)
def test_english_words_are_found_by_their_sound(english: Corrector, wrong: str, right: str) -> None:
    assert right in alike(english.lexicon, wrong)
