import pytest

from speller.lexicon import Lexicon
from speller.train import sounding
from speller.train.errors.sounds import SoundEdits
from speller.train.sounding import learn_sounds

SPOKEN = {
    "fish": ["F", "IH1", "SH"],
    "fit": ["F", "IH1", "T"],
    "phone": ["F", "OW1", "N"],
    "photo": ["F", "OW1", "T", "OW0"],
    "son": ["S", "AH1", "N"],
    "zone": ["Z", "OW1", "N"],
    "zoo": ["Z", "UW1"],
    "oat": ["OW1", "T"],
    "tone": ["T", "OW1", "N"],
    "shone": ["SH", "OW1", "N"],
}
PAIRS = [("zon", "son"), ("sone", "zone"), ("soo", "zoo"), ("tone", "zone")]


@pytest.fixture
def sounds(monkeypatch):
    monkeypatch.setattr(sounding, "RARE", 1)
    lexicon = Lexicon.build({**dict.fromkeys(SPOKEN, 4.0), "fotone": 3.0, "cyst": 0.0, "son-é": 2.0})
    return lexicon, learn_sounds(lexicon, SoundEdits.learn(PAIRS, SPOKEN), PAIRS)


def heard(sounds):
    lexicon, learned = sounds
    return dict(zip(lexicon.words, learned.heard(len(lexicon)).tolist(), strict=True))


def test_vowels_count_at_the_beginning_alone(sounds):
    of = heard(sounds)
    assert len(of["photo"]) == 2
    assert len(of["oat"]) == 2
    assert of["oat"][1:] == of["photo"][1:]


def test_sounds_that_are_taken_for_each_other_are_alike(sounds):
    of = heard(sounds)
    assert of["son"] == of["zone"] != of["tone"] != of["shone"]


def test_words_without_a_known_pronunciation_are_read_by_analogy(sounds):
    of = heard(sounds)
    assert of["fotone"] == of["photo"] + of["tone"][1:]
    assert of["cyst"] == b""  # never offered


def test_a_word_with_letters_that_none_pronounced_has_is_read_as_far_as_it_can_be(sounds):
    assert heard(sounds)["son-é"]


def test_words_are_read_as_the_pronounced_ones_are_written(sounds):
    lexicon, learned = sounds
    for written, right in (("foto", "photo"), ("phit", "fit"), ("zun", "zone"), ("ote", "oat")):
        found = learned.alike(learned.read(written), 9)
        assert lexicon.index(right) in found, written


def test_likely_readings_alone_are_kept(sounds, monkeypatch):
    _, learned = sounds
    assert all(likelihood < 0 for ways in learned.pieces.values() for _, likelihood in ways)
    monkeypatch.setattr(sounding, "RARE", 3)
    lexicon, _ = sounds
    fewer = learn_sounds(lexicon, SoundEdits.learn(PAIRS, SPOKEN), PAIRS)
    assert set(fewer.pieces) < set(learned.pieces)
