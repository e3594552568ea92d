import shutil
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz import fuzz
from rapidfuzz.distance import OSA, DamerauLevenshtein, JaroWinkler, Levenshtein

from speller.eval.baselines import BASELINES, Ispell, Nearest
from speller.eval.systems import UnavailableError
from speller.lexicon import Lexicon

# Few letters and few frequencies, so that ties are many; "bb" is known and never offered.
ZIPF = {"a": 3, "b": 3, "ab": 5, "ba": 2, "aab": 3, "abb": 6, "bba": 6, "abab": 1, "babb": 4, "cab": 3, "bb": 0}
SCORERS = {
    "rf-levenshtein": Levenshtein.distance,
    "rf-osa": OSA.distance,
    "rf-damerau": DamerauLevenshtein.distance,
    "rf-jarowinkler": lambda one, other: -JaroWinkler.similarity(one, other),
    "rf-ratio": lambda one, other: -fuzz.ratio(one, other),
}


@pytest.mark.parametrize("name", SCORERS)
@given(words=st.lists(st.text("abc", min_size=1, max_size=6), min_size=1, max_size=4), n=st.integers(1, 12))
def test_nearest_first_and_the_more_frequent_in_a_tie(name, words, n):
    lexicon = Lexicon.build(ZIPF)
    system = BASELINES[name](type("Judged", (), {"lexicon": lexicon}))
    offered = [word for word in lexicon.words if ZIPF[word]]
    expected = [
        sorted(offered, key=lambda other: (np.float32(SCORERS[name](word, other)), -ZIPF[other]))[:n] for word in words
    ]
    assert system.suggest_many(words, n) == expected
    assert [system.suggest(word, n) for word in words] == expected


def test_more_words_than_are_held_at_once():
    nearest = Nearest(Lexicon.build(ZIPF), OSA.distance)
    words = [one + other for one in ZIPF for other in ZIPF]
    assert len(words) > 64
    assert nearest.suggest_many(words, 3) == [nearest.suggest(word, 3) for word in words]
    assert nearest.suggest_many([], 3) == []


def test_distances_of_very_long_words():
    nearest = Nearest(Lexicon.build({"a" * 300: 1, "b": 2}), OSA.distance)
    assert nearest.suggest_many(["a" * 299, "b" * 9], 1) == [["a" * 300], ["b"]]


ANSWERS = {
    "teh": "& teh 3 0: the, tea, Te h",
    "the": "*",
    "xqzt": "# xqzt 0",
    "guessed": "? guessed 0 1: guess+ed, guest",
    "inflected": "+ INFLECT",
    "two-prats": "*\n& prats 2 4: parts, pats",
}


@pytest.fixture
def program(tmp_path):
    """A program that speaks the protocol."""
    path = tmp_path / "ispell.py"
    path.write_text(f"""
import sys
print("@(#) International Ispell Version 3", flush=True)
for line in sys.stdin:
    assert line.startswith("^")
    print({ANSWERS!r}[line[1:-1]] + "\\n", flush=True)
""")
    return Ispell(sys.executable, str(path))


def test_ispell_protocol(program):
    for _ in range(2):
        assert program.suggest("teh", 9) == ["the", "tea", "Te h"]
        assert program.suggest("the", 9) == ["the"]
        assert program.suggest("xqzt", 9) == []
        assert program.suggest("guessed", 9) == ["guess+ed", "guest"]
        assert program.suggest("inflected", 9) == ["inflected"]
        assert program.suggest("two-prats", 9) == ["two-prats"]
    assert program.suggest("teh", 1) == ["the"]


@pytest.mark.parametrize("name", ["hunspell", "aspell", "aspell-bad"])
def test_installed_programs(name, corrector):
    if shutil.which(name.removesuffix("-bad")) is None:
        pytest.skip(f"{name} is not installed")
    try:
        system = BASELINES[name](corrector)
    except UnavailableError as error:
        pytest.skip(str(error))
    assert "receive" in system.suggest("recieve", 10)
    assert system.suggest("receive", 10) == ["receive"]


@pytest.mark.parametrize(
    ("name", "module"),
    [("symspell2", "symspellpy"), ("pyspellchecker", "spellchecker"), ("autocorrect", "autocorrect")],
)
def test_installed_packages(name, module, corrector):
    pytest.importorskip(module)
    system = BASELINES[name](corrector)
    assert "receive" in system.suggest("recieve", 10)
    assert len(system.suggest("teh", 1)) == 1


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("symspell3", "the package symspellpy is not installed"),
        ("pyspellchecker", "the package pyspellchecker is not installed"),
        ("autocorrect", "the package autocorrect is not installed"),
        ("hunspell", "the program hunspell is not installed"),
        ("aspell-bad", "the program aspell is not installed"),
    ],
)
def test_what_is_missing_is_said(name, reason, corrector, monkeypatch):
    monkeypatch.setenv("PATH", "")
    for module in ("symspellpy", "spellchecker", "autocorrect"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(UnavailableError, match=reason):
        BASELINES[name](corrector)


def test_a_program_that_does_not_start_is_unavailable():
    with pytest.raises(UnavailableError, match="does not start"):
        Ispell(sys.executable, "-c", "raise SystemExit(1)")


def test_a_program_that_stops_answers_nothing_more(tmp_path):
    program = Ispell(sys.executable, "-c", "print('ready', flush=True); input(); print('*\\n', flush=True)")
    assert program.suggest("the", 1) == ["the"]
    for _ in range(2):
        with pytest.raises(UnavailableError, match="stopped"):
            program.suggest("teh", 1)


@pytest.mark.parametrize("name", ["symspell2", "autocorrect"])
def test_english_word_lists_are_for_english(name, corrector):
    corrector.bundle.card["language"] = "el"
    with pytest.raises(UnavailableError, match="English alone, the model's are of 'el'"):
        BASELINES[name](corrector)
