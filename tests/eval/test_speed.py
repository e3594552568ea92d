import numpy as np
import pytest

from speller.eval.speed import Speed, Timing


def test_words_one_by_one():
    speed = Speed.of(Timing(1.5, np.array([1.0] * 50 + [3.0] * 50), []))
    assert speed.load_seconds == 1.5
    assert speed.words_per_second.value == pytest.approx(500)
    assert speed.words_per_second.low < 500 < speed.words_per_second.high
    assert speed.p50.value == 2
    assert (speed.p50.low, speed.p50.high) == (1, 3)
    assert speed.p99.value == 3


def test_batches_decide_where_there_are_any():
    speed = Speed.of(Timing(0, np.array([1000.0]), [(100, 0.5), (100, 1.5), (50, 0.5)]))
    assert speed.words_per_second.value == pytest.approx(100)
    assert (speed.words_per_second.low, speed.words_per_second.high) == pytest.approx((100 / 1.5, 200))
    assert speed.p50.value == 1000


def test_steady_times_have_narrow_intervals():
    speed = Speed.of(Timing(0, np.full(100, 2.0), [(100, 1.0)] * 9))
    for estimate in (speed.words_per_second, speed.p50, speed.p99):
        assert estimate.low == estimate.value == estimate.high
