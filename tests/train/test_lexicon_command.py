import math

import pytest
from click.testing import CliRunner

from speller.lexicon import Lexicon
from speller.train.lexicon_command import DEFAULT_ZIPF, lexicon_command, read_frequencies


@pytest.fixture
def lists(tmp_path):
    def write(*contents: str):
        paths = [tmp_path / f"list{place}.txt" for place in range(len(contents))]
        for path, content in zip(paths, contents, strict=True):
            path.write_text(content, encoding="utf-8")
        return paths

    return write


def test_makes_a_lexicon(lists, tmp_path):
    (path,) = lists("Αθήνα 4.5\nδρόμος\t4\nδρόμου 0\n")
    out = tmp_path / "greek.npz"
    result = CliRunner().invoke(lexicon_command, [str(path), "--out", str(out)], catch_exceptions=False)
    assert result.exit_code == 0
    assert "3 words, 2 of them offered" in result.output
    lexicon = Lexicon.load(out)
    assert lexicon.words == ["αθήνα", "δρόμος", "δρόμου"]
    assert lexicon.usual_case(0) == "Αθήνα"
    assert lexicon.zipf.tolist() == [4.5, 4, 0]


def test_a_number_is_a_zipf_frequency(lists):
    assert read_frequencies(lists("a 7\nb 0\nc\n", "a 6\nc 2")) == {"a": 7, "b": 0, "c": 2}


def test_a_word_without_a_number_is_met_once_in_a_million_words(lists):
    assert read_frequencies(lists("a\n")) == {"a": DEFAULT_ZIPF}


def test_counts(lists):
    frequency = read_frequencies(lists("the 600\nof 399\nrare 1\nunseen 0\n"), counts=True)
    expected = {"the": math.log10(0.6e9), "of": math.log10(0.399e9), "rare": 6, "unseen": 0}
    assert frequency == pytest.approx(expected, abs=0.01)


def test_a_rare_word_that_was_counted_is_still_offered(lists):
    assert read_frequencies(lists("the 1e12\nrare 1\n"), counts=True)["rare"] > 0


def test_frequencies_from_wordfreq(lists):
    frequency = read_frequencies(lists("receive\nI\nb\nxyzzyqwv\nLondon\nquux 2.5\n"), language="en")
    assert 4 < frequency["receive"] < 5
    assert frequency["London"] > 4.5
    assert frequency["I"] > 6
    assert frequency["b"] == 0
    assert frequency["xyzzyqwv"] == 0
    assert frequency["quux"] == 2.5


def test_lone_letters_that_are_words_elsewhere(lists):
    frequency = read_frequencies(lists("y\no\nq\n"), language="es")
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


def test_refuses_a_language_that_wordfreq_lacks(lists):
    with pytest.raises(ValueError, match=r"no language 'xx'; it has .*\ben\b"):
        read_frequencies(lists("a\n"), language="xx")
