"""The public face: words in, corrections out."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from rapidfuzz.distance import Levenshtein

from speller.bundle import Bundle
from speller.candidates import AS_WRITTEN, LONGEST, READERS, CandidateSearch, Depth
from speller.letter_case import match_case
from speller.lexicon import fold

AT_ONCE = 32
"""Words are looked at in batches of this many, of like length; more are no faster, and take more memory."""


MIN_PROBABILITY = 0.5
"""A word is changed where that is more likely than not to be what was meant."""


@dataclass(frozen=True)
class Suggestion:
    """A word that may have been meant.

    Attributes:
        word: in the letter case of what was written, or its own.
        probability: of its having been meant, among all candidates and the case that the word is right as written.
        distance: its Levenshtein distance from what was written, letter case aside.
    """

    word: str
    probability: float
    distance: int


class Corrector:
    """Corrects words with a model.

    Args:
        bundle: the model.
        min_probability: an unknown word is corrected where its best suggestion has at least this probability.
    """

    def __init__(self, bundle: Bundle, *, min_probability: float = MIN_PROBABILITY) -> None:
        if not 0 <= min_probability <= 1:
            raise ValueError(f"min_probability is between 0 and 1, not {min_probability}")
        self.bundle = bundle
        self.lexicon = bundle.lexicon
        self.min_probability = min_probability
        self.search = CandidateSearch(bundle.lexicon, bundle.runtime, bundle.priors, bundle.ranking)

    @classmethod
    def load(
        cls, name_or_path: str | Path = "en", *, min_probability: float = MIN_PROBABILITY, device: str = "cpu"
    ) -> "Corrector":
        """Load a model that ships, by its name, or one that training wrote, from its folder.

        Args:
            name_or_path: ``en``, or a folder.
            min_probability: an unknown word is corrected where its best suggestion has at least this probability.
            device: ``cpu`` runs it in ONNX Runtime; ``cuda`` in torch, for big batches (needs the extra ``[train]``).

        Raises:
            ValueError: for a missing, cut-off or changed model, or a device that is not there.
        """
        return cls(Bundle.load(name_or_path, device=device), min_probability=min_probability)

    def correct(self, word: str) -> str:
        """The word, corrected: as it is where it is known or where nothing is likely enough.

        >>> Corrector.load("en").correct("Recieve")
        'Receive'
        """
        return self.correct_many([word])[0]

    def correct_many(self, words: Sequence[str]) -> list[str]:
        """Each of the words, corrected, as ``correct`` does; a word that comes again costs nothing more."""
        unknown = dict.fromkeys(word for word in words if word not in self.lexicon and self._spelled(word))
        corrected = {}
        for word, suggestions in zip(unknown, self.suggest_many(unknown, 1), strict=True):
            if suggestions and suggestions[0].probability >= self.min_probability:
                corrected[word] = suggestions[0].word
        return [corrected.get(word, word) for word in words]

    def suggest(self, word: str, n: int = 5) -> list[Suggestion]:
        """The ``n`` words most likely meant, best first; a known word comes first itself, then what else it may be.

        >>> Corrector.load("en").suggest("recieve", 1)[0].word
        'receive'
        """
        return self.suggest_many([word], n)[0]

    def suggest_many(self, words: Iterable[str], n: int = 5, *, depth: Depth = "full") -> list[list[Suggestion]]:
        """Suggestions for each of the words, as ``suggest`` gives.

        Args:
            words: what was written.
            n: how many suggestions a word gets at most.
            depth: how far the ranking looks; ``plain`` is for measuring what the network adds.
        """
        if n < 1:
            raise ValueError(f"n is how many suggestions to give, at least 1, not {n}")
        words = list(words)
        folded = [fold(word) for word in words]
        distinct = sorted({word for word in folded if 0 < len(word) <= LONGEST}, key=lambda word: (len(word), word))
        found: dict[str, list[tuple[int, float]]] = {}
        parts = [distinct[start : start + AT_ONCE] for start in range(0, len(distinct), AT_ONCE)]
        with ThreadPoolExecutor(READERS) if len(parts) > 1 else nullcontext() as threads:
            for ranked in (threads.map if threads else map)(partial(self._rank, n=n, depth=depth), parts):
                found |= ranked
        return [
            [self._suggestion(word, index, probability) for index, probability in found.get(key, [])]
            for word, key in zip(words, folded, strict=True)
        ]

    def _rank(self, words: list[str], n: int, depth: Depth) -> dict[str, list[tuple[int, float]]]:
        """For each folded word, the ``n`` best indices in the lexicon with their probabilities."""
        candidates = self.search.find(words, depth=depth)
        probabilities = candidates.probabilities(getattr(self.bundle.ranking, depth))
        ends = np.searchsorted(candidates.rows, np.arange(len(words) + 1))
        ranked = {}
        for word, start, end in zip(words, ends, ends[1:], strict=False):
            probability = dict(
                zip(candidates.indices[start:end].tolist(), probabilities[start:end].tolist(), strict=True)
            )
            as_written = probability.pop(AS_WRITTEN)
            best = sorted(probability, key=lambda index: -probability[index])
            known = self.lexicon.index(word)
            if known is not None:
                probability[known] = probability.get(known, 0.0) + as_written
                best = [known, *(index for index in best if index != known)]
            ranked[word] = [(index, probability[index]) for index in best[:n]]
        return ranked

    def _suggestion(self, written: str, index: int, probability: float) -> Suggestion:
        word = match_case(written, self.lexicon.usual_case(index))
        return Suggestion(word, probability, Levenshtein.distance(fold(written), self.lexicon.words[index]))

    def _spelled(self, word: str) -> bool:
        """Whether the word is made of the lexicon's characters, a letter among them: not "24/7", "'" or "naïve☺"."""
        letters = fold(word)
        is_word = len(letters) <= LONGEST and any(map(str.isalpha, letters))
        return is_word and set(letters).issubset(self.lexicon.alphabet.characters)
