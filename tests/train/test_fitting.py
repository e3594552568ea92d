import math
from dataclasses import replace
from unittest.mock import MagicMock

import numpy as np
import pytest

from speller.alphabet import MISSPELL
from speller.attested import Attestation
from speller.breadth import SEVERAL
from speller.bundle import DECODER, ENCODER, OUTPUT
from speller.candidates import AS_WRITTEN, Candidates, CandidateSearch
from speller.ranking import COLUMN, FEATURES, weighed
from speller.runtime import OnnxRuntime
from speller.train.export import export
from speller.train.fitting import (
    FULL,
    KEPT,
    MISSPELLED,
    PLAIN,
    READ,
    HeldOut,
    attest,
    fit_ranking,
)

TRUE = {
    "frequency": 0.7, "distance": -1.3, "share": -2.0, "first": -0.8, "length": -0.3, "read": 0.6, "unread": 0.4,
    "kept": 1.5, "kept-length": 0.3, "kept-read": 0.5, "kept-unread": -0.4, "reverse": 0.9, "kept-reverse": -0.6,
    "relative": -0.6, "outline": 0.4, "sound": -0.5, "kept-listed": 0.8, "kept-frequency": -0.7,
}  # fmt: skip


def made_up(words, each, seed=1):
    """Candidates with random features, ``each`` for every word beside the one as written, which comes last."""
    generator = np.random.default_rng(seed)
    features = generator.normal(size=(words, each + 1, len(FEATURES))).astype(np.float32)
    kept = [COLUMN[name] for name in FEATURES if name.startswith("kept")]
    features[:, :-1, kept] = 0
    features[:, -1, [place for place in range(len(FEATURES)) if place not in kept]] = 0
    features[:, -1, COLUMN["kept"]] = 1
    indices = np.tile([*range(each), AS_WRITTEN], words)
    rows = np.repeat(np.arange(words), each + 1)
    names = ["ω" * (1 + place % 3) + str(place) for place in range(words)]
    features = features.reshape(-1, len(FEATURES))
    return Candidates(names, rows, indices, features, np.zeros(len(rows), bool), np.ones(words))


def chosen(candidates, weights, seed=2):
    """``(words,)``: what was meant by each word, drawn by the conditional logit with these weights."""
    words = len(candidates.words)
    vector = np.array([weights[name] for name in FEATURES])
    shares = weighed(candidates.features @ vector, candidates.rows, words)[0].reshape(words, -1)
    draws = np.random.default_rng(seed).random((words, 1))
    return candidates.indices.reshape(words, -1)[np.arange(words), (shares.cumsum(axis=1) < draws).sum(axis=1)]


def held_out(written, meant):
    """Words to fit on, all of them shown."""
    return HeldOut(written, meant, shown=np.ones(len(written), bool))


def log_odds(share):
    return math.log(share / (1 - share))


@pytest.fixture
def search_finds(monkeypatch):
    """Lets the search find made-up candidates, whose readings are known beforehand, and enter them when asked to."""

    def finds(candidates):
        judged = []
        each = len(candidates.rows) // len(candidates.words)
        place = {word: number for number, word in enumerate(candidates.words)}

        class Search:
            def __init__(self, *_):
                self.reader = MagicMock()

            def collect(self, reader, words, breadth, *, leave_out):
                rows = np.concatenate([np.arange(each) + each * place[word] for word in words])
                features = np.zeros((len(rows), len(FEATURES)), np.float32)
                own = np.repeat(np.arange(len(words)), each)
                heard = candidates.heard[rows]
                found = Candidates(words, own, candidates.indices[rows], features, heard, np.ones(len(words)))
                self.enter(found, PLAIN)
                return found, None

            def judge(self, reader, found, memory):
                self.enter(found, set(READ) - set(PLAIN))

            def judge_reversed(self, reader, found, misspelled):
                judged.append(found)
                self.enter(found, set(FULL) - set(READ))

            def enter(self, found, names):
                columns = [COLUMN[name] for name in names]
                rows = each * np.array([place[found.words[row]] for row in found.rows])
                rows += np.where(found.indices == AS_WRITTEN, each - 1, found.indices)
                found.features[:, columns] = candidates.features[rows[:, None], columns]

        monkeypatch.setattr("speller.train.fitting.CandidateSearch", Search)
        return judged

    return finds


def test_known_weights_are_recovered(search_finds, greek):
    words = 12_000
    candidates = made_up(words, 6)
    meant = chosen(candidates, TRUE)
    search_finds(candidates)
    ranking = fit_ranking(greek, None, None, held_out(candidates.words, meant))
    # However many valid words there are, the stated share is taken for theirs: that moves the odds of "as written".
    valid = (meant == AS_WRITTEN).mean()
    assert 0.15 < valid < 0.45
    expected = TRUE | {"kept": TRUE["kept"] + log_odds(1 - MISSPELLED) - log_odds(valid)}
    assert ranking.full.weights == pytest.approx(expected, abs=0.12)
    assert ranking.full.weights["frequency"] == pytest.approx(0.7, abs=0.07)


def test_the_probabilities_are_calibrated(search_finds, greek):
    words = 12_000
    candidates = made_up(words, 6)
    meant = chosen(candidates, TRUE)
    search_finds(candidates)
    valid = meant == AS_WRITTEN
    mixed = np.where(valid, (1 - MISSPELLED) / valid.mean(), MISSPELLED / (~valid).mean())
    stage = fit_ranking(greek, None, None, held_out(candidates.words, meant)).full
    shares = candidates.weighed(stage)[0]
    right = candidates.indices == meant[candidates.rows]
    weight = mixed[candidates.rows]
    for low in np.arange(0, 1, 0.2):
        some = (shares >= low) & (shares < low + 0.2)
        found, expected = (np.average(values[some], weights=weight[some]) for values in (right, shares))
        assert found == pytest.approx(expected, abs=0.03)


def test_each_stage_has_its_own_features(search_finds, greek):
    candidates = made_up(300, 5)
    search_finds(candidates)
    ranking = fit_ranking(greek, None, None, held_out(candidates.words, chosen(candidates, TRUE)))
    for stage, features in ((ranking.plain, PLAIN), (ranking.read, READ), (ranking.full, FULL)):
        assert set(stage.weights) == set(features)
        assert all(stage.weights.values())
    assert set(PLAIN) < set(READ) < set(FULL) == set(FEATURES)


def test_a_stage_is_fitted_on_what_the_one_before_hands_on(search_finds, greek, monkeypatch):
    monkeypatch.setattr("speller.train.fitting.SEVERAL", replace(SEVERAL, plain=4, read=2))
    words = 3000
    candidates = made_up(words, 9)
    meant = chosen(candidates, TRUE)
    judged = search_finds(candidates)
    ranking = fit_ranking(greek, None, None, held_out(candidates.words, meant))
    second = candidates.best(ranking.plain, 4)
    third = second.best(ranking.read, 2)
    handed_on = Candidates.joined(judged)
    found = {
        (handed_on.words[row], index) for row, index in zip(handed_on.rows, handed_on.indices.tolist(), strict=True)
    }
    assert found == {(third.words[row], index) for row, index in zip(third.rows, third.indices.tolist(), strict=True)}
    assert len(handed_on.rows) == 3 * words
    assert slope(second, meant, ranking.read, misspelled=0.5) < 1e-3
    assert slope(candidates, meant, ranking.read, misspelled=0.5) > 1e-2
    assert slope(third, meant, ranking.full, misspelled=MISSPELLED, names=KEPT) < 1e-3
    assert slope(second, meant, ranking.full, misspelled=MISSPELLED, names=KEPT) > 1e-2


def slope(candidates, meant, stage, *, misspelled, names=None):
    """By how much the mean log-likelihood grows with a stage's weights at most: not at all where it is highest."""
    candidates = replace(candidates, share=np.ones(len(candidates.words)))  # of these, whatever was left out
    right = candidates.indices == meant[candidates.rows]
    found = np.bincount(candidates.rows, right) > 0
    right |= (candidates.indices == AS_WRITTEN) & ~found[candidates.rows]
    valid = meant == AS_WRITTEN
    weights = np.where(valid, (1 - misspelled) / valid.sum(), misspelled / (~valid).sum())[candidates.rows]
    columns = candidates.features[:, [COLUMN[name] for name in names or stage.weights]]
    return np.abs((weights * (right - candidates.weighed(stage)[0])) @ columns).max()


def test_rare_distances_count_for_more_than_they_are(search_finds, greek, monkeypatch):
    """Of nine words at one distance and one at another, each side pulls by the cube root of their number."""
    words = 3000
    candidates = made_up(words, 6)
    far = np.arange(words) % 10 == 0
    meant = np.where(far, chosen(candidates, TRUE | {"frequency": -2.0}), chosen(candidates, TRUE | {"frequency": 2.0}))
    search_finds(candidates)

    def frequency(distance_of_the_far):
        def distances(written, meant, lexicon):
            of_each = [distance_of_the_far if int(word.strip("ω")) % 10 == 0 else 1 for word in written]
            return np.where(meant == AS_WRITTEN, 0, of_each)

        monkeypatch.setattr("speller.train.fitting._distances", distances)
        return fit_ranking(greek, None, None, held_out(candidates.words, meant)).full.weights["frequency"]

    as_they_come, by_distance = frequency(1), frequency(4)
    assert as_they_come > 0.3
    nine, one = np.cbrt([9, 1])
    assert by_distance / as_they_come == pytest.approx((nine - one) / (nine + one) / 0.8, abs=0.15)


def test_where_the_right_word_was_not_found_the_word_as_written_stands_for_it(search_finds, greek):
    candidates = made_up(2000, 4)
    meant = np.random.default_rng(3).choice([0, 4, AS_WRITTEN], 2000, p=[0.2, 0.6, 0.2])  # 4 is no candidate
    search_finds(candidates)
    found = fit_ranking(greek, None, None, held_out(candidates.words, meant)).full
    shares = candidates.weighed(found)[0][candidates.indices == AS_WRITTEN]
    valid = meant == AS_WRITTEN
    weights = np.where(valid, (1 - MISSPELLED) / valid.sum(), MISSPELLED / (~valid).sum())
    assert np.average(shares, weights=weights) == pytest.approx(np.average(meant != 0, weights=weights), abs=0.02)


def test_words_are_matched_with_what_was_meant_by_them(make_model, tmp_path, greek, monkeypatch):
    """Words come back sorted by length; a valid word is left out of its own candidates, a misspelling's is there."""
    model = make_model(symbols=len(greek.alphabet))
    graphs = [tmp_path / name for name in (ENCODER, DECODER, OUTPUT)]
    export(model, encoder=graphs[0], decoder=graphs[1], output=graphs[2])
    gathered, judged, readers = [], [], []

    class Watched(CandidateSearch):
        def collect(self, reader, words, breadth, **options):
            found, memory = super().collect(reader, words, breadth, **options)
            gathered.append(found)
            return found, memory

        def judge_reversed(self, reader, candidates, misspelled):
            super().judge_reversed(reader, candidates, misspelled)
            judged.append(candidates)
            readers.append(reader)

    monkeypatch.setattr("speller.train.fitting.CandidateSearch", Watched)
    monkeypatch.setattr("speller.train.fitting.SEVERAL", replace(SEVERAL, together=4))
    written = ["φιλωσοφία", "γυναίκα", "αγάπι", "αγάπη", "γυνέκα", "φιλοσοφία"]
    meant = [greek.index("φιλοσοφία"), AS_WRITTEN, greek.index("αγάπη"), AS_WRITTEN, greek.index("γυναίκα"), AS_WRITTEN]
    priors = np.zeros(len(greek))
    fit_ranking(greek, OnnxRuntime(*graphs), priors, held_out(written, np.array(meant)))
    assert [len(part.words) for part in gathered] == [4, 2]
    candidates = Candidates.joined(gathered)
    assert sorted(candidates.words) == sorted(written)
    for row, word in enumerate(candidates.words):
        indices = candidates.indices[candidates.rows == row].tolist()
        assert indices.count(AS_WRITTEN) == 1
        assert greek.index(word) not in indices
        wanted = meant[written.index(word)]
        assert wanted in indices
    assert [len(part.words) for part in judged] == [4, 2]
    candidates, reader = Candidates.joined(judged), readers[0]
    for row, index, features in zip(candidates.rows, candidates.indices, candidates.features, strict=True):
        word = candidates.words[row]
        candidate = word if index == AS_WRITTEN else greek.words[index]
        (read,) = reader.log_probs(reader.read([word]), np.zeros(1, np.int64), reader.spell([candidate]))
        (reverse,) = reader.reverse_log_probs([candidate], reader.spell([word], MISSPELL))
        kept = "kept-" if index == AS_WRITTEN else ""
        assert features[[COLUMN[kept + "read"], COLUMN[kept + "reverse"]]] == pytest.approx([read, reverse], abs=1e-3)


def test_what_would_attest_a_word_stands_for_what_was_looked_up():
    candidates = made_up(3, 2)
    before = candidates.features.copy()
    attest(candidates, {candidates.words[1]: Attestation(True, 2.5)})
    kept = [COLUMN["kept-listed"], COLUMN["kept-frequency"]]
    assert candidates.features[5, kept].tolist() == [1, 2.5]
    before[5, kept] = 1, 2.5
    assert np.array_equal(candidates.features, before)


def test_attested_words_are_fitted_as_attested(search_finds, greek):
    """What is said to attest valid words decides, and not the features that were found for them."""
    words = 6000
    candidates = made_up(words, 4)
    candidates.features[:, COLUMN["kept-listed"]] = 0
    meant = chosen(candidates, TRUE)
    search_finds(candidates)
    listed = [word for word, index in zip(candidates.words, meant, strict=True) if index == AS_WRITTEN]
    attested = dict.fromkeys(listed, Attestation(True, 0))
    held = HeldOut(candidates.words, meant, shown=np.ones(words, bool), attested=attested)
    assert fit_ranking(greek, None, None, held, alike=()).full.weights["kept-listed"] > 4
