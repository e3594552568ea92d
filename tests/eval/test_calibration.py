import numpy as np
import pytest

from speller.eval.calibration import calibration
from speller.eval.metrics import Outcome, Sample


def answered(rows, words=None):
    """An outcome of answers with these probabilities that are right or not, and the words' sample."""
    words = words or [f"w{row}" for row in range(len(rows))]
    outcome = Outcome.of(
        [word + "?" for word in words],
        words,
        [[word if hit else "no"] for word, (_, hit) in zip(words, rows, strict=True)],
        changed=[True] * len(rows),
        probability=[probability for probability, _ in rows],
    )
    return outcome, Sample(words)


def drawn(words, accuracy):
    """Probabilities from 0 to 1, whose answers are right as often as a function of them says."""
    generator = np.random.default_rng(1)
    probability = generator.random(words)
    return answered(list(zip(probability, generator.random(words) < accuracy(probability), strict=True)))


def test_calibration_by_hand():
    curve = calibration(*answered([(0.95, 1), (0.9, 1), (0.92, 0), (0.15, 0), (1.0, 1), (float("nan"), 0)]))
    assert curve.count == [1, 4]
    assert curve.probability == pytest.approx([0.15, (0.95 + 0.9 + 0.92 + 1) / 4])
    assert [each.value for each in curve.accuracy] == pytest.approx([0, 0.75])
    assert curve.error.value == pytest.approx(0.2 * 0.15 + 0.8 * ((0.95 + 0.9 + 0.92 + 1) / 4 - 0.75))


def test_intervals_hold_what_is_so():
    curve = calibration(*drawn(3000, lambda probability: probability**2))
    # The mean of p - p² over 0 to 1.
    assert curve.error.low < 1 / 6 < curve.error.high
    assert curve.error.high - curve.error.low < 0.06
    held = [
        each.low <= probability**2 <= each.high
        for probability, each in zip(curve.probability, curve.accuracy, strict=True)
    ]
    assert sum(held) >= 8
    assert all(each.low <= each.value <= each.high for each in curve.accuracy)


def test_interval_is_as_wide_as_theory_says():
    error = calibration(*answered([(0.85, row % 3 > 0) for row in range(300)])).error
    assert error.value == pytest.approx(0.85 - 2 / 3)
    assert (error.high - error.low) / 2 == pytest.approx(1.96 * np.sqrt(2 / 9 / 300), rel=0.1)


def test_no_interval_leaves_its_value_out():
    curve = calibration(*drawn(200, lambda probability: probability))
    assert 0 <= curve.error.low <= curve.error.value <= curve.error.high


def test_misspellings_of_one_word_are_not_independent():
    rows = [(0.85, row % 3 > 0) for row in range(60)]
    alone = calibration(*answered(rows * 5))
    together = calibration(*answered(rows * 5, [f"w{row}" for row in range(60)] * 5))
    widths = [curve.error.high - curve.error.low for curve in (alone, together)]
    assert widths[1] > 1.8 * widths[0]


def test_calibration_needs_probabilities_of_misspellings():
    assert calibration(*answered([(float("nan"), 1)])) is None
    valid = Outcome.of(["an"], ["an"], [["a"]], changed=[True], probability=[0.9])
    assert calibration(valid, Sample(["an"])) is None
