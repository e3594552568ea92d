import random

import numpy as np
import pytest

from speller.attested import Attestation
from speller.candidates import AS_WRITTEN, Candidates
from speller.lexicon import Lexicon
from speller.ranking import FEATURES, Ranking, Stage
from speller.spacing import JOIN_FEATURES, SPLIT_FEATURES
from speller.train import spacing
from speller.train.fitting import HeldOut
from speller.train.pairs import Pair
from speller.train.spacing import fit_spacing

FREQUENT = ["in", "the", "of", "to", "and"]


def made_up_words(count: int) -> list[str]:
    draw = random.Random(5)
    return sorted({"".join(draw.choices("bcdfglmnprst", k=draw.randint(3, 6))) for _ in range(count)})


@pytest.fixture
def lexicon() -> Lexicon:
    words = dict.fromkeys(made_up_words(400), 3.5) | dict.fromkeys(FREQUENT, 7.0)
    counted = {f"{first} {second}": Attestation(zipf=5.5) for first in FREQUENT for second in FREQUENT}
    return Lexicon.build(words, attestations=counted)


class Search:
    """Finds nothing but the words as they are written, and themselves where they are known."""

    def __init__(self, lexicon: Lexicon) -> None:
        self.lexicon = lexicon
        stage = Stage({"kept": 2.0, "frequency": 100.0})
        self.ranking = Ranking(stage, stage, stage)

    def find(self, words):
        known = [(row, self.lexicon.index(word)) for row, word in enumerate(words) if word in self.lexicon]
        rows = [*range(len(words)), *(row for row, _ in known)]
        features = np.zeros((len(rows), len(FEATURES)), np.float32)
        features[: len(words), FEATURES.index("kept")] = 1
        features[len(words) :, FEATURES.index("frequency")] = 5
        order = np.argsort(rows, kind="stable")
        indices = np.array([AS_WRITTEN] * len(words) + [index for _, index in known])
        heard, share = np.zeros(len(rows), bool), np.ones(len(words))
        return Candidates(list(words), np.array(rows)[order], indices[order], features[order], heard, share)


def fitted(lexicon, pairs=(), seed=1):
    valid = made_up_words(900)[::2]
    held_out = HeldOut(
        [*valid, "xq" * 3, "xzxz"], np.array([AS_WRITTEN] * len(valid) + [0, 1]), np.ones(len(valid) + 2)
    )
    return fit_spacing(Search(lexicon), held_out, pairs, seed=seed)


def test_frequent_neighbours_are_split_and_coined_compounds_are_not(lexicon):
    found = fitted(lexicon)
    assert set(found.weights) == {*SPLIT_FEATURES, *JOIN_FEATURES}
    assert found.least_counted == 5.5
    (best, score), *_ = found.splits("inthe", lexicon)
    assert (best, score > 2) == ("in the", True)  # as it is written, it scores 2
    first, second = (word for word in made_up_words(400)[:2])
    assert all(score < 0 for _, score in found.splits(first + second, lexicon))


def test_torn_words_are_joined(lexicon):
    word = max(made_up_words(400), key=len)
    joined = fitted(lexicon).join(word[:2], word[2:], word[:2], lexicon)
    assert joined is not None
    assert joined[0] == word
    assert joined[1] > 2


def test_the_same_seed_gives_the_same_weights(lexicon):
    assert fitted(lexicon) == fitted(lexicon)
    assert fitted(lexicon) != fitted(lexicon, seed=2)


def test_a_lexicon_without_counted_neighbours():
    words = dict.fromkeys(made_up_words(400), 3.5) | dict.fromkeys(FREQUENT, 7.0)
    lexicon = Lexicon.build(words)
    found = fitted(lexicon)
    assert found.least_counted == spacing.MOST_FREQUENT
    ((best, score),) = found.splits("inthe", lexicon)
    assert (best, score > 2) == ("in the", True)


def test_pairs_tell_what_is_run_together():
    pairs = [
        Pair("atleast", "at least"),
        Pair("Ofthe", "of the"),
        Pair("evrytime", "every time"),
        Pair("abandonin", "abandoning"),
        Pair("abandonin", "abandon in"),
        Pair("alotof", "a lot of"),
        Pair("recieve", "receive"),
    ]
    assert list(spacing._missing_spaces(pairs)) == [("at", "least"), ("of", "the")]
