import numpy as np
import pytest
from rapidfuzz.distance import OSA

from speller import Corrector
from speller.alphabet import CORRECT, END, MISSPELL
from speller.candidates import AS_WRITTEN, CandidateSearch
from speller.ranking import COLUMN, Stage

WORDS = ["fisix", "recieve", "wierd"]


@pytest.fixture(scope="module")
def search(english: Corrector) -> CandidateSearch:
    return english.search


def test_each_word_is_its_own_candidate_once_and_the_rest_are_described(search: CandidateSearch) -> None:
    found = search.find(WORDS)
    lexicon = search.lexicon
    assert np.bincount(found.rows[found.indices == AS_WRITTEN]).tolist() == [1, 1, 1]
    for row, index, features in zip(found.rows, found.indices, found.features, strict=True):
        if index == AS_WRITTEN:
            assert features[COLUMN["kept"]] == 1
            assert features[COLUMN["kept-length"]] == len(WORDS[row])
        else:
            word = lexicon.words[index]
            assert features[COLUMN["distance"]] == OSA.distance(WORDS[row], word)
            assert features[COLUMN["share"]] == np.float32(
                features[COLUMN["distance"]] / max(len(WORDS[row]), len(word))
            )
            assert features[COLUMN["first"]] == (WORDS[row][0] != word[0])
            assert features[COLUMN["frequency"]] == lexicon.zipf[index]


@pytest.mark.parametrize(("feature", "direction"), [("forward", CORRECT), ("backward", MISSPELL)])
def test_the_readings_are_the_log_probabilities_letter_by_letter(
    search: CandidateSearch, feature: str, direction: int
) -> None:
    found = search.find(WORDS)
    alphabet = search.lexicon.alphabet
    for place in np.flatnonzero(found.rows == 1)[:4]:
        index = found.indices[place]
        candidate = "recieve" if index == AS_WRITTEN else search.lexicon.words[index]
        read, written = ("recieve", candidate) if direction == CORRECT else (candidate, "recieve")
        symbols, lengths = alphabet.encode([read])
        memory = search.runtime.encode(np.insert(symbols, 0, direction, axis=1), lengths + 1)
        state, previous, total = memory.initial, direction, 0.0
        for symbol in [*alphabet.encode([written])[0][0].tolist(), END]:
            log_probs, state = search.runtime.decode(np.array([[previous]]), state, memory, np.array([0]))
            total += float(log_probs[0, 0, symbol])
            previous = symbol
        name = f"kept-{feature}" if index == AS_WRITTEN else feature
        assert found.features[place, COLUMN[name]] == pytest.approx(total, abs=1e-3)


def test_a_word_left_out_is_no_candidate(search: CandidateSearch) -> None:
    index = search.lexicon.index("receive")
    assert index in search.gather(["recieve"]).indices
    assert index not in search.gather(["recieve"], leave_out=np.array([index])).indices


def test_the_best_are_kept_and_the_word_as_written_with_them(search: CandidateSearch) -> None:
    stage = Stage({"distance": -1.0}, keep=3)
    found = search.gather(WORDS)
    best = found.best(stage)
    assert np.bincount(best.rows).tolist() == [4, 4, 4]
    for row in range(len(WORDS)):
        own = (found.rows == row) & (found.indices != AS_WRITTEN)
        kept = (best.rows == row) & (best.indices != AS_WRITTEN)
        lowest = np.sort(found.features[own, COLUMN["distance"]])[:3]
        assert np.sort(best.features[kept, COLUMN["distance"]]).tolist() == lowest.tolist()


def test_a_long_batch_is_read_in_parts(search: CandidateSearch, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = search.find(WORDS)
    monkeypatch.setattr("speller.candidates.ROWS_AT_ONCE", 7)
    parts = search.find(WORDS)
    assert parts.indices.tolist() == whole.indices.tolist()
    np.testing.assert_allclose(parts.features, whole.features, atol=1e-4)
