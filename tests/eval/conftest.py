import random
from types import SimpleNamespace

import pytest
from rapidfuzz.distance import Levenshtein

from speller.corrector import Suggestion
from speller.lexicon import Lexicon
from speller.train.pairs import part_of

ZIPF = {
    "the": 7.7, "of": 7.4, "receive": 4.6, "received": 5.0, "deceive": 3.2, "relieve": 3.6, "physics": 4.4, "fix": 4.7,
    "london": 5.2, "their": 6.3, "there": 6.4, "tea": 4.6, "thy": 3.9, "recipe": 4.4, "scene": 4.8, "rare": 0.0,
}  # fmt: skip


class FakeCorrector:
    """Answers as a corrector does, from a table of what it has learned, and by edit distance for the rest."""

    def __init__(self, learned):
        self.lexicon = Lexicon.build(ZIPF)
        self.bundle = SimpleNamespace(card={"language": "en"})
        self.search = SimpleNamespace(write=self._write)
        self._learned = learned

    def suggest(self, word, n=5):
        return self.suggest_many([word], n)[0]

    def suggest_many(self, words, n=5, *, depth="full"):
        return [self._suggest(word, n, self._learned if depth == "full" else {}) for word in words]

    def correct_many(self, words):
        return [word if word in self.lexicon else self.suggest(word, 1)[0].word for word in words]

    def _suggest(self, word, n, learned):
        near = sorted(
            self.lexicon.words, key=lambda other: (other != learned.get(word), Levenshtein.distance(word, other))
        )
        shares = [0.8, 0.1, *[0.01] * len(near)]
        return [Suggestion(other, shares[place], 1) for place, other in enumerate(near[:n])]

    def _write(self, words):
        return [[(self.lexicon.index(self._learned.get(word, "the")), -0.1)] for word in words]


@pytest.fixture
def corrector():
    return FakeCorrector({"fisix": "physics", "recieve": "receive"})


@pytest.fixture
def loaded(corrector, monkeypatch):
    """Lets every model that is loaded be the fake one."""
    monkeypatch.setattr("speller.corrector.Corrector.load", lambda *_, **__: corrector)
    return corrector


@pytest.fixture(scope="session")
def write_made_up_words():
    """Writes the files of made-up words, ``lexicon.npz`` and ``pairs.tsv``, and returns the words that are known.

    So many of them train, a few are of each held-out part; each is misspelled in ways that are no known word, and each
    misspelling stands so many times.
    """

    def write(folder, *, train, times=1):
        draw = random.Random(4)
        words = {"train": [], "fit": [], "test": []}
        while len(words["train"]) < train or len(words["fit"]) < 6 or len(words["test"]) < 6:
            word = "".join(draw.choice("bdfgklmnprst") + draw.choice("aeiou") for _ in range(draw.randint(2, 4)))
            words[part_of(word, language="und")].append(word)
        known = list(dict.fromkeys(words["train"][:train] + words["fit"][:6] + words["test"][:6]))
        wrongs = {
            word[:place] + letter + word[place + 1 :]: word for word in known for place, letter in ((1, "o"), (2, "x"))
        }
        Lexicon.build({word: 3 + place % 20 / 10 for place, word in enumerate(known)}).save(folder / "lexicon.npz")
        lines = [f"{wrong}\t{right}\n" for wrong, right in wrongs.items() if wrong not in known]
        (folder / "pairs.tsv").write_text("".join(lines * times), encoding="utf-8")
        return known

    return write
