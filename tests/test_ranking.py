import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from speller.ranking import COLUMN, FEATURES, Stage, log_totals, probabilities


@given(st.lists(st.tuples(st.integers(0, 3), st.floats(-800, 800)), min_size=1, max_size=30))
def test_probabilities_are_the_softmax_within_each_word(scored: list[tuple[int, float]]) -> None:
    rows = np.array([row for row, _ in scored])
    scores = np.array([score for _, score in scored])
    found = probabilities(scores, rows, 4)
    for row in set(rows.tolist()):
        own = scores[rows == row]
        naive = np.exp(own - own.max()) / np.exp(own - own.max()).sum()
        np.testing.assert_allclose(found[rows == row], naive, rtol=1e-9)


@given(st.lists(st.floats(-800, 800), min_size=1, max_size=30))
def test_totals_are_the_log_sum_exp_within_each_word(scores: list[float]) -> None:
    rows = np.arange(len(scores)) % 3
    found = log_totals(np.array(scores), rows, min(3, len(scores)))
    for row, total in enumerate(found):
        assert total == pytest.approx(np.logaddexp.reduce(np.array(scores)[rows == row]))


def test_a_score_is_the_weighted_sum_of_the_features() -> None:
    features = np.zeros((2, len(FEATURES)), np.float32)
    features[1, COLUMN["distance"]] = 2
    features[1, COLUMN["frequency"]] = 3
    assert Stage({"distance": -1.0, "frequency": 0.5}).scores(features).tolist() == [0.0, -0.5]


def test_an_unknown_feature_is_refused() -> None:
    with pytest.raises(ValueError, match="colour"):
        Stage({"colour": 1.0})
