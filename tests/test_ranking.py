import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from speller.ranking import COLUMN, FEATURES, Stage, weighed


@given(st.lists(st.tuples(st.integers(0, 3), st.floats(-800, 800)), min_size=1, max_size=30))
def test_scores_come_to_the_softmax_and_the_log_sum_exp_within_each_word(scored: list[tuple[int, float]]) -> None:
    words, rows = np.unique([row for row, _ in scored], return_inverse=True)
    scores = np.array([score for _, score in scored])
    probabilities, log_totals = weighed(scores, rows, len(words))
    assert len(log_totals) == len(words)
    for row, total in enumerate(log_totals):
        own = scores[rows == row]
        assert total == pytest.approx(np.logaddexp.reduce(own))
        naive = np.exp(own - own.max()) / np.exp(own - own.max()).sum()
        np.testing.assert_allclose(probabilities[rows == row], naive, rtol=1e-9)


def test_a_score_is_the_weighted_sum_of_the_features() -> None:
    features = np.zeros((2, len(FEATURES)), np.float32)
    features[1, COLUMN["distance"]] = 2
    features[1, COLUMN["frequency"]] = 3
    assert Stage({"distance": -1.0, "frequency": 0.5}).scores(features).tolist() == [0.0, -0.5]


def test_an_unknown_feature_is_refused() -> None:
    with pytest.raises(ValueError, match="colour"):
        Stage({"colour": 1.0})
