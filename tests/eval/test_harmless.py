import pytest

from speller import Corrector, Edit, Suggestion
from speller.eval.harmless import Mended, changes, count_words, mended, misspell
from speller.train.pairs import Pair

PAIRS = [Pair("recieve", "receive"), Pair("reseeve", "receive"), Pair("teh", "the"), Pair("thru", "through")]
TEXT = "Receive the thing,\nand the other. THE END: don't receive 2 of them."


def test_words_are_runs_of_letters():
    assert count_words(TEXT) == 12
    assert count_words("") == 0


def test_changes_are_listed_with_their_lines(english: Corrector):
    (first, second) = changes(english, "All is well.\n\nWe recieve it.\nAnd becuase of it\n")
    assert (first.line, first.wrong, first.meant) == (3, "recieve", "receive")
    assert (second.line, second.wrong, second.meant) == (4, "becuase", "because")
    assert 0.5 < first.probability <= 1
    assert changes(english, "All is well.\n") == []


@pytest.mark.parametrize("seed", range(5))
def test_misspellings_are_put_in_where_they_are_said_to_be(seed):
    text, spots = misspell(TEXT, PAIRS, rate=0.25, seed=seed)
    assert len(spots) == 3  # of 12 words
    restored, moved = text, 0
    for place, (wrong, right) in sorted(spots.items()):
        start = place + moved
        assert restored[start : start + len(wrong)] == wrong != right
        restored = restored[:start] + right + restored[start + len(wrong) :]
        moved += len(right) - len(wrong)
    assert restored == TEXT
    assert {right.lower() for _, right in spots.values()} <= {"receive", "the"}
    assert misspell(TEXT, PAIRS, rate=0.25, seed=seed) == (text, spots)


def test_letter_case_is_kept_and_the_rate_is_bounded():
    text, spots = misspell(TEXT, PAIRS[2:], rate=1, seed=1)
    assert text == TEXT.replace("the ", "teh ").replace("THE", "TEH")
    assert len(spots) == 3
    assert misspell(TEXT, PAIRS, rate=0, seed=1) == (TEXT, {})
    with pytest.raises(ValueError, match=r"between 0 and 1, not 1\.5"):
        misspell(TEXT, PAIRS, rate=1.5, seed=1)


def edit(start, wrong, right):
    return Edit(start, start + len(wrong), wrong, [Suggestion(right, 0.9, 1)])


def test_only_what_stood_there_is_right():
    spots = {0: ("Teh", "The"), 10: ("recieve", "receive"), 20: ("thru", "through")}
    edits = [edit(0, "Teh", "The"), edit(10, "recieve", "relieve"), edit(30, "Elon", "Eleven")]
    assert mended(edits, spots) == Mended(misspelled=3, changed=3, right=1)


def test_figures():
    result = Mended(misspelled=10, changed=5, right=4)
    assert (result.precision, result.recall) == (0.8, 0.4)
    assert result.f_half == pytest.approx(1.25 * 0.32 / (0.2 + 0.4))
    nothing = Mended(misspelled=0, changed=0, right=0)
    assert (nothing.precision, nothing.recall, nothing.f_half) == (1, 1, 1)
    assert Mended(misspelled=2, changed=2, right=0).f_half == 0
