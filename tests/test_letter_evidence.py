import numpy as np
import pytest

from speller import Corrector
from speller.alphabet import MISSPELL
from speller.bundle import Bundle
from speller.letter_evidence import attention, written_log_probs
from speller.reader import Reader


def test_letters_sum_to_what_the_ranking_is_told(english: Corrector, table_bundle: Bundle) -> None:
    readers = english.search.reader, Reader(table_bundle.lexicon, table_bundle.runtime)
    for reader, written, meant in zip(
        readers, ("recieve", "abd☺"), (["receive", "relieve"], ["cad", "é"]), strict=True
    ):
        letters = written_log_probs(reader, written, meant)
        assert letters.shape == (2, len(written) + 1)
        assert (letters < 0).all()
        expected = reader.reverse_log_probs(meant, reader.spell([written] * 2, MISSPELL))
        assert letters.sum(axis=1).tolist() == pytest.approx(expected.tolist(), rel=1e-5)


def test_a_letter_is_judged_after_those_before_it(english: Corrector) -> None:
    whole, half = (written_log_probs(english.search.reader, word, ["receive"])[0] for word in ("recieve", "rec"))
    assert whole[:3].tolist() == pytest.approx(half[:3].tolist(), rel=1e-5)
    assert whole[3] != pytest.approx(half[3], rel=0.1)


def test_attention_is_shares_of_the_letters_and_the_direction(english: Corrector) -> None:
    shares = attention(english.search.reader, "recieve", "receive")
    assert shares.shape == (8,)
    assert shares.sum() == pytest.approx(1)
    assert (shares > 0).all()
    assert np.abs(shares - attention(english.search.reader, "recieve", "zebra")).max() > 0.02
