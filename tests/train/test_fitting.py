import numpy as np
import pytest

from speller.candidates import AS_WRITTEN, Candidates, CandidateSearch
from speller.ranking import COLUMN, FEATURES, probabilities
from speller.runtime import OnnxRuntime
from speller.train.export import export
from speller.train.fitting import BOTH, FORWARD, KEEP, PLAIN, HeldOut, fit_ranking

TRUE = {
    "frequency": 0.7, "distance": -1.3, "share": -2.0, "first": -0.8, "forward": 0.6, "backward": 0.4, "kept": 1.5,
    "kept-length": 0.3, "kept-forward": 0.5, "kept-backward": -0.4,
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
    return Candidates(names, rows, indices, features.reshape(-1, len(FEATURES)))


def chosen(candidates, weights, seed=2):
    """``(words,)``: what was meant by each word, drawn by the conditional logit with these weights."""
    words = len(candidates.words)
    vector = np.array([weights[name] for name in FEATURES])
    shares = probabilities(candidates.features @ vector, candidates.rows, words).reshape(words, -1)
    draws = np.random.default_rng(seed).random((words, 1))
    return candidates.indices.reshape(words, -1)[np.arange(words), (shares.cumsum(axis=1) < draws).sum(axis=1)]


@pytest.fixture
def search_finds(monkeypatch):
    """Lets the search find made-up candidates, whose readings are known beforehand."""

    def finds(candidates):
        each = len(candidates.rows) // len(candidates.words)
        place = {word: number for number, word in enumerate(candidates.words)}

        class Search:
            def __init__(self, *_):
                pass

            def gather(self, words, *, leave_out):
                rows = np.concatenate([np.arange(each) + each * place[word] for word in words])
                return Candidates(
                    words,
                    np.repeat(np.arange(len(words)), each),
                    candidates.indices[rows],
                    candidates.features[rows],
                )

            def read(self, candidates):
                pass

            read_back = read

        monkeypatch.setattr("speller.train.fitting.CandidateSearch", Search)

    return finds


def test_known_weights_are_recovered(search_finds, greek):
    words = 6000
    candidates = made_up(words, 6)
    meant = chosen(candidates, TRUE)
    search_finds(candidates)
    ranking = fit_ranking(greek, None, HeldOut(candidates.words, meant, np.ones(words)))
    # Misspellings and valid words count for half each, however many there are: that moves the odds of "as written".
    valid = (meant == AS_WRITTEN).mean()
    assert 0.15 < valid < 0.45
    expected = TRUE | {"kept": TRUE["kept"] + np.log((1 - valid) / valid)}
    assert ranking.both.weights == pytest.approx(expected, abs=0.12)
    assert ranking.both.weights["frequency"] == pytest.approx(0.7, abs=0.07)


def test_the_probabilities_are_calibrated(search_finds, greek):
    words = 6000
    candidates = made_up(words, 6)
    meant = chosen(candidates, TRUE)
    search_finds(candidates)
    weights = np.where(meant == AS_WRITTEN, (meant == AS_WRITTEN).mean(), (meant != AS_WRITTEN).mean())
    stage = fit_ranking(greek, None, HeldOut(candidates.words, meant, np.ones(words))).both
    shares = candidates.probabilities(stage)
    right = candidates.indices == meant[candidates.rows]
    weight = (1 / weights)[candidates.rows]
    for low in np.arange(0, 1, 0.2):
        some = (shares >= low) & (shares < low + 0.2)
        found, expected = (np.average(values[some], weights=weight[some]) for values in (right, shares))
        assert found == pytest.approx(expected, abs=0.03)


def test_each_stage_has_its_own_features_and_number(search_finds, greek):
    candidates = made_up(300, 5)
    search_finds(candidates)
    ranking = fit_ranking(greek, None, HeldOut(candidates.words, chosen(candidates, TRUE), np.ones(300)))
    for name, features in (("plain", PLAIN), ("forward", FORWARD), ("both", BOTH)):
        stage = getattr(ranking, name)
        assert set(stage.weights) == set(features)
        assert all(stage.weights.values())
        assert stage.keep == KEEP[name]


def test_words_count_by_their_weights(search_finds, greek):
    words = 4000
    candidates = made_up(words, 4)
    other = TRUE | {"distance": 1.0, "frequency": -1.0}
    half = np.arange(words) < words / 2
    meant = np.where(half, chosen(candidates, TRUE), chosen(candidates, other))
    search_finds(candidates)
    ranking = fit_ranking(greek, None, HeldOut(candidates.words, meant, np.where(half, 1.0, 1e-6)))
    assert ranking.both.weights["distance"] == pytest.approx(TRUE["distance"], abs=0.2)
    assert ranking.both.weights["frequency"] == pytest.approx(TRUE["frequency"], abs=0.15)


def test_where_the_right_word_was_not_found_the_word_as_written_stands_for_it(search_finds, greek):
    candidates = made_up(2000, 4)
    meant = np.random.default_rng(3).choice([0, 99, AS_WRITTEN], 2000, p=[0.2, 0.6, 0.2])  # 99 is no candidate
    search_finds(candidates)
    found = fit_ranking(greek, None, HeldOut(candidates.words, meant, np.ones(2000))).both
    shares = candidates.probabilities(found)[candidates.indices == AS_WRITTEN]
    valid = meant == AS_WRITTEN
    weights = np.where(valid, 1 / valid.sum(), 1 / (~valid).sum())
    expected = np.average(meant != 0, weights=weights)
    assert np.average(shares, weights=weights) == pytest.approx(expected, abs=0.01)


def test_words_are_matched_with_what_was_meant_by_them(make_model, tmp_path, greek, monkeypatch):
    """Words come back sorted by length; a valid word is left out of its own candidates, a misspelling's is there."""
    model = make_model(symbols=len(greek.alphabet))
    export(model, encoder=tmp_path / "encoder.onnx", decoder=tmp_path / "decoder.onnx")
    gathered = []

    class Watched(CandidateSearch):
        def gather(self, words, **options):
            gathered.append(super().gather(words, **options))
            return gathered[-1]

    monkeypatch.setattr("speller.train.fitting.CandidateSearch", Watched)
    written = ["φιλωσοφία", "γυναίκα", "αγάπι", "αγάπη", "γυνέκα", "φιλοσοφία"]
    meant = [greek.index("φιλοσοφία"), AS_WRITTEN, greek.index("αγάπη"), AS_WRITTEN, greek.index("γυναίκα"), AS_WRITTEN]
    runtime = OnnxRuntime(tmp_path / "encoder.onnx", tmp_path / "decoder.onnx")
    fit_ranking(greek, runtime, HeldOut(written, np.array(meant), np.ones(6)))
    (candidates,) = gathered
    assert sorted(candidates.words) == sorted(written)
    for row, word in enumerate(candidates.words):
        indices = candidates.indices[candidates.rows == row].tolist()
        assert indices.count(AS_WRITTEN) == 1
        assert greek.index(word) not in indices
        assert len(indices) > 10
        wanted = meant[written.index(word)]
        assert wanted in indices
