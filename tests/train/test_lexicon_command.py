import math

import pytest
from click.testing import CliRunner

from speller.attested import Attestation
from speller.lexicon import Lexicon
from speller.train.lexicon_command import (
    DEFAULT_ZIPF,
    _without_careless,
    _wordfreq,
    lexicon_command,
    read_attestations,
    read_frequencies,
    read_neighbours,
)


@pytest.fixture
def lists(tmp_path):
    def write(*contents: str):
        paths = [tmp_path / f"list{place}.txt" for place in range(len(contents))]
        for path, content in zip(paths, contents, strict=True):
            path.write_text(content, encoding="utf-8")
        return paths

    return write


@pytest.fixture(scope="module")
def english_frequencies():
    return _wordfreq("en")


def test_makes_a_lexicon(lists, tmp_path):
    (path,) = lists("Αθήνα 4.5\nδρόμος\t4\nδρόμου 0\n")
    out = tmp_path / "greek.npz"
    result = CliRunner().invoke(lexicon_command, [str(path), "--out", str(out)], catch_exceptions=False)
    assert result.exit_code == 0
    assert "3 words, 2 of them offered" in result.output
    lexicon = Lexicon.load(out)
    assert list(lexicon.words) == ["αθήνα", "δρόμος", "δρόμου"]
    assert lexicon.usual_case(0) == "Αθήνα"
    assert lexicon.zipf.tolist() == [4.5, 4, 0]


def test_a_number_is_a_zipf_frequency(lists):
    assert read_frequencies(lists("a 7\nb 0\nc\n", "a 6\nc 2")) == {"a": 7, "b": 0, "c": 2}


def test_a_word_without_a_number_is_met_once_in_a_million_words(lists):
    assert read_frequencies(lists("a\n")) == {"a": DEFAULT_ZIPF}


def test_rare_words_are_attested_and_neither_known_nor_offered(lists, tmp_path):
    words, rare = lists("receive 4.6\nhead 5\n", "Hed\nHED 2.5\nreceive\nnaïve\na\n")
    out = tmp_path / "lexicon.npz"
    options = [str(words), "--rare", str(rare), "--out", str(out)]
    result = CliRunner().invoke(lexicon_command, options, catch_exceptions=False)
    assert "2 words, 2 of them offered as corrections, 1 more attested" in result.output
    lexicon = Lexicon.load(out)
    assert list(lexicon.words) == ["head", "receive"]
    assert list(lexicon.attested.items()) == [("hed", Attestation(True, 2.5))]


def test_what_wordfreq_has_seen_is_attested(lists, english_frequencies):
    attestations = read_attestations(lists("xyzzyqwv\nElon\n"), english_frequencies)
    assert attestations["xyzzyqwv"] == Attestation(True, 0)
    assert attestations["elon"].listed
    assert 3 < attestations["elon"].zipf < 4
    assert not attestations["jetblue"].listed
    assert 2 < attestations["jetblue"].zipf < 4
    assert "s" not in attestations


def test_a_missing_apostrophe_attests_nothing():
    attested = {
        "dont": Attestation(zipf=4.7),  # don't
        "its": Attestation(zipf=5.6),  # too frequent for a careless "it's"
        "hell": Attestation(True, 3.0),  # on a list
        "elon": Attestation(zipf=3.4),
    }
    left = _without_careless(attested, {"don't": 6.2, "it's": 6.5, "he'll": 5.2, "Eleven": 5})
    assert left == {word: attested[word] for word in ("its", "hell", "elon")}


def test_neighbours_are_attested_by_their_counts(lists, tmp_path):
    words, neighbours = lists("a\nlot\n", "\ufeffa lot 90\nA Lot 9\n\nlot a 1\nlot xyz 0\n")
    out = tmp_path / "lexicon.npz"
    options = [str(words), "--neighbours", str(neighbours), "--out", str(out)]
    CliRunner().invoke(lexicon_command, options, catch_exceptions=False)
    assert list(Lexicon.load(out).attested.items()) == [
        ("a lot", Attestation(zipf=9.0)),
        ("lot a", Attestation(zipf=7.0)),
    ]


@pytest.mark.parametrize("line", ["a lot", "a lot of 3", "a lot -3", "a lot 0.5"])
def test_refuses_neighbours_without_a_count(lists, line):
    (path,) = lists(f"a lot 3\n{line}\n")
    with pytest.raises(ValueError, match=r"list0\.txt:2: two words and a count in UTF-8 are needed, not 'a lot"):
        read_neighbours(path)


def test_refuses_neighbours_that_are_not_utf_8(tmp_path):
    path = tmp_path / "neighbours.txt"
    path.write_bytes("für uns 3\n".encode("latin-1"))
    with pytest.raises(ValueError, match=r"neighbours\.txt:1: two words and a count in UTF-8"):
        read_neighbours(path)


def test_counts(lists):
    frequency = read_frequencies(lists("the 600\nof 399\nrare 1\nunseen 0\n"), counts=True)
    expected = {"the": math.log10(0.6e9), "of": math.log10(0.399e9), "rare": 6, "unseen": 0}
    assert frequency == pytest.approx(expected, abs=0.01)


def test_a_rare_word_that_was_counted_is_still_offered(lists):
    assert read_frequencies(lists("the 1e12\nrare 1\n"), counts=True)["rare"] > 0


def test_frequencies_from_wordfreq(lists, english_frequencies):
    frequency = read_frequencies(lists("receive\nI\nb\nxyzzyqwv\nLondon\nquux 2.5\n"), english_frequencies)
    assert 4 < frequency["receive"] < 5
    assert frequency["London"] > 4.5
    assert frequency["I"] > 6
    assert frequency["b"] == 0
    assert frequency["xyzzyqwv"] == 0
    assert frequency["quux"] == 2.5


def test_lone_letters_that_are_words_elsewhere(lists):
    frequency = read_frequencies(lists("y\no\nq\n"), _wordfreq("es"))
    assert min(frequency["y"], frequency["o"]) > 6
    assert frequency["q"] == 0


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "no word in it"),
        ("a -1\n", r"list0\.txt:1: the frequency of 'a' must be 0 or more, not -1\.0"),
        ("a nan\n", r"list0\.txt:1: the frequency of 'a' must be 0 or more, not nan"),
    ],
)
def test_refuses(lists, content, message):
    with pytest.raises(ValueError, match=message):
        read_frequencies(lists(content))


def test_refuses_a_language_that_wordfreq_lacks():
    with pytest.raises(ValueError, match=r"no language 'xx'; it has .*\ben\b"):
        _wordfreq("xx")
