"""The systems that the model is held against, under their usual names."""

import contextlib
import importlib
import importlib.resources
import shutil
import subprocess
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz, process
from rapidfuzz.distance import OSA, DamerauLevenshtein, JaroWinkler, Levenshtein

from speller.corrector import Corrector
from speller.eval.systems import Factory, UnavailableError
from speller.lexicon import Lexicon

CHUNK = 64
"""How many words are held against the whole lexicon at once: 64 by 100,000 scores take 26 MB."""


class Nearest:
    """The words that a lexicon offers, nearest first by one of rapidfuzz's measures, the more frequent first in a tie.

    Args:
        scorer: a distance or a similarity of rapidfuzz.
        similarity: whether the scorer rises with likeness.
    """

    def __init__(self, lexicon: Lexicon, scorer: Callable[..., float], *, similarity: bool = False) -> None:
        order = lexicon.offered[np.argsort(-lexicon.zipf[lexicon.offered], kind="stable")]
        self._words = [lexicon.words[index] for index in order.tolist()]
        self._scorer = scorer
        self._sign = -1 if similarity else 1

    def suggest(self, word: str, n: int) -> list[str]:
        """The ``n`` nearest words."""
        # In double precision, similarities that are equal come out apart.
        if self._sign < 0:
            return self.suggest_many([word], n)[0]
        # For distances extract is faster; among equal ones it keeps the order of the choices.
        return [choice for choice, *_ in process.extract(word, self._words, scorer=self._scorer, limit=n)]

    def suggest_many(self, words: Sequence[str], n: int) -> list[list[str]]:
        """The ``n`` nearest words of each."""
        answers: list[list[str]] = []
        for start in range(0, len(words), CHUNK):
            scores = process.cdist(words[start : start + CHUNK], self._words, scorer=self._scorer)
            answers += [self._first(row, n) for row in scores.astype(np.float32) * self._sign]
        return answers

    def _first(self, scores: NDArray[np.float32], n: int) -> list[str]:
        worst = np.partition(scores, n - 1)[n - 1] if n < len(scores) else np.inf
        places = np.flatnonzero(scores <= worst)
        places = places[np.argsort(scores[places], kind="stable")[:n]]
        return [self._words[place] for place in places.tolist()]


class SymSpell:
    """symspellpy, with its own English word list.

    Args:
        distance: the most edits between a misspelling and a suggestion.
    """

    def __init__(self, distance: int) -> None:
        symspellpy = _module("symspellpy", "symspellpy")
        words = importlib.resources.files("symspellpy") / "frequency_dictionary_en_82_765.txt"
        self._symspell = symspellpy.SymSpell(max_dictionary_edit_distance=distance)
        self._symspell.load_dictionary(str(words), 0, 1)
        self._all = symspellpy.Verbosity.ALL
        self._distance = distance

    def suggest(self, word: str, n: int) -> list[str]:
        """All words within the distance, nearest first, the more frequent first in a tie."""
        found = self._symspell.lookup(word, self._all, max_edit_distance=self._distance)
        return [suggestion.term for suggestion in found[:n]]


class PySpellChecker:
    """pyspellchecker at two edits."""

    def __init__(self, language: str) -> None:
        module = _module("spellchecker", "pyspellchecker")
        try:
            self._checker = module.SpellChecker(language=language, distance=2)
        except ValueError:
            raise UnavailableError(f"pyspellchecker has no word list for {language!r}") from None

    def suggest(self, word: str, n: int) -> list[str]:
        """Its candidates, the more frequent first."""
        candidates = sorted(self._checker.candidates(word) or ())
        return sorted(candidates, key=self._checker.word_usage_frequency, reverse=True)[:n]


class Autocorrect:
    """autocorrect, with the English word list that it installs."""

    def __init__(self) -> None:
        self._speller = _module("autocorrect", "autocorrect").Speller(lang="en")

    def suggest(self, word: str, n: int) -> list[str]:
        """Its candidates, the more frequent first."""
        return [candidate for _, candidate in sorted(self._speller.get_candidates(word), reverse=True)[:n]]


class Ispell:
    """A program that speaks ispell's pipe protocol, as hunspell and aspell do with ``-a``."""

    def __init__(self, *command: str) -> None:
        if shutil.which(command[0]) is None:
            raise UnavailableError(f"the program {command[0]} is not installed")
        self._command = command[0]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
            bufsize=1,
        )
        weakref.finalize(self, self._process.communicate)
        try:
            self._read()
        except UnavailableError:
            raise UnavailableError(f"{' '.join(command)} does not start: is the dictionary installed?") from None

    def suggest(self, word: str, n: int) -> list[str]:
        """The program's suggestions in its order; the word itself where the program knows it."""
        assert self._process.stdin is not None
        # After "^" the rest of the line is text, whatever it starts with.
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(f"^{word}\n")
        answer: list[str] | None = None
        # A blank line ends the answer; a word with a hyphen is answered in parts, of which the first counts.
        while line := self._read():
            if answer is None:
                answer = self._suggestions(line, word)
        return (answer or [])[:n]

    def _read(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise UnavailableError(f"the program {self._command} stopped")
        return line.rstrip("\n")

    @staticmethod
    def _suggestions(line: str, word: str) -> list[str]:
        if line[0] in "*+-":
            return [word]
        return [suggestion.strip() for suggestion in line.partition(":")[2].split(",")] if line[0] in "&?" else []


def _module(name: str, package: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        raise UnavailableError(f"the package {package} is not installed") from None


def _nearest(scorer: Callable[..., float], *, similarity: bool = False) -> Factory:
    return lambda corrector: Nearest(corrector.lexicon, scorer, similarity=similarity)


def _symspell(distance: int) -> Factory:
    def make(corrector: Corrector) -> SymSpell:
        _need_english(corrector, "symspellpy")
        return SymSpell(distance)

    return make


def _autocorrect(corrector: Corrector) -> Autocorrect:
    _need_english(corrector, "autocorrect")
    return Autocorrect()


def _hunspell(corrector: Corrector) -> Ispell:
    return Ispell("hunspell", "-a", "-i", "utf-8", "-d", _locale(corrector))


def _aspell(mode: str) -> Factory:
    return lambda corrector: Ispell("aspell", "-a", "--encoding=utf-8", "-d", _locale(corrector), f"--sug-mode={mode}")


def _need_english(corrector: Corrector, package: str) -> None:
    if _language(corrector) != "en":
        raise UnavailableError(f"{package} brings words of English alone, the model's are of {_language(corrector)!r}")


def _locale(corrector: Corrector) -> str:
    """The name of a language's dictionary: most are like "de_DE", after the country that has the language's name."""
    language = _language(corrector)
    countries = {"en": "US", "el": "GR", "cs": "CZ", "da": "DK", "sv": "SE", "uk": "UA", "nb": "NO", "he": "IL"}
    return f"{language}_{countries.get(language, language.upper())}"


def _language(corrector: Corrector) -> str:
    return str(corrector.bundle.card["language"])


BASELINES: Mapping[str, Factory] = {
    "rf-levenshtein": _nearest(Levenshtein.distance),
    "rf-osa": _nearest(OSA.distance),
    "rf-damerau": _nearest(DamerauLevenshtein.distance),
    "rf-jarowinkler": _nearest(JaroWinkler.similarity, similarity=True),
    "rf-ratio": _nearest(fuzz.ratio, similarity=True),
    "symspell2": _symspell(2),
    "symspell3": _symspell(3),
    "symspell4": _symspell(4),
    "pyspellchecker": lambda corrector: PySpellChecker(_language(corrector)),
    "autocorrect": _autocorrect,
    "hunspell": _hunspell,
    "aspell": _aspell("normal"),
    "aspell-bad": _aspell("bad-spellers"),
}
"""Each baseline's name and what makes it; the rf-* ones search the lexicon of the corrector that is judged."""
