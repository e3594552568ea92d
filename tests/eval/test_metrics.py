import itertools
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from speller.eval.metrics import CORRECTION, DETECTION, Outcome, Sample


def outcome(wrong, right, answers, *, changed=None, probability=None):
    return Outcome.of(
        wrong,
        right,
        answers,
        changed=changed or [True] * len(wrong),
        probability=probability or [float("nan")] * len(wrong),
    )


def ranked(*ranks):
    """An outcome of which only the ranks matter: each row's right word comes at that place."""
    wrong, right = [f"x{row}" for row in range(len(ranks))], [f"y{row}" for row in range(len(ranks))]
    answers = [
        [word if place == rank else f"{word}{place}" for place in range(1, 12)]
        for rank, word in zip(ranks, right, strict=True)
    ]
    return outcome(wrong, right, answers)


def every(rows):
    return np.ones(rows, bool)


def values(found):
    return {name: estimate.value for name, estimate in found.items()}


def test_every_measure_by_hand():
    found = outcome(
        ["teh", "fisix", "recieve", "xxxx"],
        ["the", "physics", "receive", "four"],
        [["the", "tea"], ["physic", "physics"], ["relieve", "deceive", "a", "b", "c", "receive"], []],
    )
    assert found.rank.tolist() == [1, 2, 6, 0]
    assert found.before.tolist() == [2, 5, 2, 4]
    assert found.after.tolist() == [0, 1, 3, 4]
    measured = values(Sample(["the", "physics", "receive", "four"]).measure(found, every(4), CORRECTION))
    assert measured == pytest.approx(
        {
            "top1": 1 / 4,
            "top5": 2 / 4,
            "top10": 3 / 4,
            "mean_reciprocal_rank": (1 + 1 / 2 + 1 / 6) / 4,
            "distance_before": 13 / 4,
            "distance_after": 8 / 4,
            "distance_removed": 5 / 13,
            "character_error_rate": 8 / 21,
        }
    )


def test_measures_look_at_the_chosen_rows_alone():
    sample, found = Sample(["a", "a", "b"]), ranked(1, 0, 0)
    assert sample.measure(found, np.array([True, False, False]), CORRECTION)["top1"].value == 1
    assert sample.measure(found, np.array([False, True, True]), CORRECTION)["top1"].value == 0
    nothing = sample.measure(found, np.zeros(3, bool), CORRECTION)["top1"]
    assert np.isnan([nothing.value, nothing.low, nothing.high]).all()


@pytest.mark.parametrize(("share", "words"), [(0.5, 400), (0.9, 1000)])
def test_interval_is_as_wide_as_theory_says(share, words):
    hits = np.random.default_rng(1).random(words) < share
    estimate = Sample([str(row) for row in range(words)]).measure(ranked(*hits), every(words), CORRECTION)["top1"]
    half = 1.96 * np.sqrt(hits.mean() * (1 - hits.mean()) / words)
    assert (estimate.high - estimate.low) / 2 == pytest.approx(half, rel=0.1)
    assert estimate.low < estimate.value == hits.mean() < estimate.high


def test_a_seed_has_draws_of_its_own():
    words, found = [str(row) for row in range(60)], ranked(*[1, 0, 2, 7, 3] * 12)
    first, again, other = (
        Sample(words, seed=seed).measure(found, every(60), CORRECTION)["mean_reciprocal_rank"] for seed in (0, 0, 1)
    )
    assert first == again != other
    assert first.value == other.value


def test_rows_of_one_word_say_it_only_once():
    hits = (np.random.default_rng(2).random(200) < 0.6).tolist()
    words = [str(row) for row in range(200)]
    once = Sample(words).measure(ranked(*hits), every(200), CORRECTION)["top1"]
    tenfold = Sample(words * 10).measure(ranked(*hits * 10), every(2000), CORRECTION)["top1"]
    assert (tenfold.value, tenfold.low, tenfold.high) == pytest.approx((once.value, once.low, once.high))


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans(), st.booleans()), min_size=1, max_size=24))
def test_paired_test_counts_as_enumeration_does(rows):
    words = [str(word) for word, _, _ in rows]
    first, second = ranked(*(int(one) for _, one, _ in rows)), ranked(*(int(other) for _, _, other in rows))
    sums = {word: sum(one - other for w, one, other in rows if str(w) == word) for word in dict.fromkeys(words)}
    totals = [
        sum(sign * part for sign, part in zip(signs, sums.values(), strict=True))
        for signs in itertools.product((1, -1), repeat=len(sums))
    ]
    exact = np.mean([abs(total) >= abs(sum(sums.values())) for total in totals])
    compared = Sample(words).compare(first, second, "top1")
    assert compared.p_value == pytest.approx(exact, abs=0.02)
    assert compared.difference.value == pytest.approx(sum(sums.values()) / len(rows))


def test_comparison_tells_a_difference_from_none():
    words = [str(row) for row in range(300)]
    draws = np.random.default_rng(3)
    good, bad, other = (ranked(*(draws.random(300) < share).astype(int)) for share in (0.8, 0.5, 0.8))
    sample = Sample(words)
    better, worse = sample.compare(good, bad, "top1"), sample.compare(bad, good, "top1")
    assert better.p_value == worse.p_value < 0.001
    assert 0 < better.difference.low < better.difference.value == -worse.difference.value
    alike = sample.compare(good, other, "top1")
    assert alike.p_value > 0.05
    assert alike.difference.low < 0 < alike.difference.high
    assert sample.compare(good, good, "distance_after").p_value == 1


def test_many_words_take_little_memory():
    draws = np.random.default_rng(5)
    words = [str(row) for row in range(20_000)]
    first, second = (ranked(*(draws.random(len(words)) < share).astype(int)) for share in (0.6, 0.59))
    tracemalloc.start()
    sample = Sample(words)
    estimate = sample.measure(first, every(len(words)), {"top1": CORRECTION["top1"]})["top1"]
    sample.compare(first, second, "top1")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert estimate.high - estimate.low == pytest.approx(2 * 1.96 * np.sqrt(0.24 / len(words)), rel=0.1)
    # A byte for each resample of each word, and no more than some blocks beside them.
    assert peak < 1000 * len(words) + 150e6


def test_comparison_passes_over_valid_words():
    first = outcome(["teh", "an"], ["the", "an"], [["the"], []])
    second = outcome(["teh", "an"], ["the", "an"], [["tea"], ["a"]])
    compared = Sample(["the", "an"]).compare(first, second, "distance_after")
    assert compared.difference.value == -2


def test_comparison_is_for_means():
    with pytest.raises(ValueError, match="not for character_error_rate"):
        Sample(["a"]).compare(ranked(1), ranked(1), "character_error_rate")


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=30))
def test_detection_is_precision_recall_and_their_weighted_mean(rows):
    wrong = ["wrong" if misspelt else "right" for misspelt, _ in rows]
    found = outcome(wrong, ["right"] * len(rows), [[]] * len(rows), changed=[changed for _, changed in rows])
    measured = values(Sample(["right"] * len(rows)).measure(found, every(len(rows)), DETECTION))
    hits = sum(misspelt and changed for misspelt, changed in rows)
    misspelt, changed = (sum(column) for column in zip(*rows, strict=True))
    if not hits:
        assert not any(value > 0 for value in measured.values())
        return
    precision, recall = hits / changed, hits / misspelt
    weighted = 1.25 * precision * recall / (0.25 * precision + recall)
    assert measured == pytest.approx({"precision": precision, "recall": recall, "f0.5": weighted})
