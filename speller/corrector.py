"""The public face: words and running text in, corrections out."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from threading import Lock

from rapidfuzz.distance import Levenshtein

from speller.bundle import Bundle
from speller.candidates import CandidateSearch, Depth
from speller.knowledge import KEPT, Answer, Knowledge, key
from speller.letter_case import match_apostrophe, match_case
from speller.lexicon import Lexicon, fold
from speller.text import Word

MIN_PROBABILITY = 0.5
"""A word is changed where that is more likely than not to be what was meant."""

IN_TEXT = 6.0
"""So many times likelier is an unknown word right as written in a text than in a list of words to correct.

In the nine texts of tests/benchmarks/harmless.py, 2.8 words among 10,000 are then changed, some of them rightly, in the
texts' mean; 3.4 at 3 and 4.6 at 1. F0.5 is 0.75, 0.79 and 0.80 where TOEFL-Spell's misspellings are put in.
"""

IN_DOUBT = 100.0
"""So many times where it is most likely a name, an acronym or a term: 4.1 words among 10,000 are changed at 30."""

ADDED_ZIPF = 5.0
"""The Zipf frequency of an added word that has none: a hundred in a million words, more than a language writes it.

Who adds a word writes it often. Of misspellings of 60 words, 0.79 were put right with this number for each of them,
0.67 with 4 and 0.57 with 3; of misspellings of others, 0.683 with any of the three.
"""


FOREIGN_WORDS = 2
"""Where at least so many unknown words of a line are left alone …"""

FOREIGN_SHARE = 0.25
"""… and so many of all its words, the line is in another language, or no prose."""

IN_FOREIGN = 400.0
"""So many times likelier is an unknown word right there: its short words are a letter from ours ("als")."""


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


@dataclass(frozen=True)
class Edit:
    """A word of a text that would be changed.

    Attributes:
        start: its first character's place in the text, in code points.
        end: the place after its last character.
        wrong: what stands there.
        suggestions: what may have been meant, best first, at least one; a name's or an acronym's place in the text
            is part of their probabilities.
    """

    start: int
    end: int
    wrong: str
    suggestions: list[Suggestion]

    @property
    def replacement(self) -> str:
        """What would stand there instead."""
        return self.suggestions[0].word


class Corrector:
    """Corrects words and running text with a model. Several threads may use it at once.

    Args:
        bundle: the model.
        min_probability: an unknown word is corrected where its best suggestion has at least this probability.
    """

    def __init__(self, bundle: Bundle, *, min_probability: float = MIN_PROBABILITY) -> None:
        if not 0 <= min_probability <= 1:
            raise ValueError(f"min_probability is between 0 and 1, not {min_probability}")
        self.bundle = bundle
        self.min_probability = min_probability
        self._knowledge = Knowledge(bundle)
        self._adding = Lock()

    @property
    def lexicon(self) -> Lexicon:
        """The words that are known now."""
        return self._knowledge.lexicon

    @property
    def search(self) -> CandidateSearch:
        """The search for candidates among them."""
        return self._knowledge.search

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

        One word is looked for less broadly than ``suggest`` looks for several: where the likeliest is far from what was
        written, they need not find the same one.

        >>> Corrector.load("en").correct("Recieve")
        'Receive'
        """
        return self.correct_many([word])[0]

    def correct_many(self, words: Sequence[str]) -> list[str]:
        """Each of the words, corrected, as ``correct`` does; a word that comes again costs nothing more."""
        knowledge = self._knowledge
        unknown = {word: key(word) for word in words if not knowledge.is_known(word) and knowledge.is_spelled(word)}
        answers = knowledge.answers(unknown.values(), 1)
        corrected = {}
        for word, asked in unknown.items():
            best = _suggestions(word, answers[asked], 1)
            if best and best[0].probability >= self.min_probability:
                corrected[word] = best[0].word
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
        _check_count(n)
        words = list(words)
        keys = {word: key(word) for word in words}
        answers = self._knowledge.answers(keys.values(), max(n, KEPT), depth=depth)
        return [_suggestions(word, answers[keys[word]], n) for word in words]

    def correct_text(self, text: str) -> str:
        """The text with every edit's replacement; all else stays as it is, byte for byte.

        >>> Corrector.load("en").correct_text("Teh qick brown fox, see https://recieve.com")
        'The quick brown fox, see https://recieve.com'
        """
        parts, place = [], 0
        for edit in self.edits(text, 1):
            parts += [text[place : edit.start], edit.replacement]
            place = edit.end
        return "".join([*parts, text[place:]])

    def edits(self, text: str, n: int = 5) -> list[Edit]:
        """The words of a running text that would be changed, in order, each with its ``n`` best suggestions at most.

        Known words are left alone, and so is what is no word: addresses, paths, code, numbers, acronyms (``text``
        tells what). Every line is looked at on its own, so that a text may be cut at its line ends. What comes first
        does not hang on ``n``; other suggestions share what it leaves of 1 as ``suggest`` has them.
        """
        _check_count(n)
        knowledge = self._knowledge
        lines = list(knowledge.unknown(text))
        written = {text[word.start : word.end] for _, words in lines for word in words}
        stems = {word: stem for word in written if (stem := knowledge.stem(word))}
        answers = knowledge.answers(map(key, [*written, *(word[stem] for word, stem in stems.items())]), 1)

        @cache
        def answer_in_text(word: str, doubt: float) -> Answer:
            return knowledge.in_text(answers[key(word)], doubt=doubt)

        def edits_of(words: Iterable[Word], *, foreign: bool) -> Iterator[Edit]:
            end = 0
            for word in words:
                if word.start < end:
                    continue  # joined with the one before
                wrong = text[word.start : word.end]
                doubt = IN_FOREIGN if foreign else IN_DOUBT if word.doubtful else IN_TEXT
                answer = answer_in_text(wrong, doubt)
                suggestions = _suggestions(wrong, answer, KEPT)
                if stem := stems.get(wrong):
                    of_stem = _suggestions(wrong[stem], answer_in_text(wrong[stem], doubt), KEPT)
                    suggestions = _with_stem(wrong, stem, suggestions, of_stem)
                edit = Edit(word.start, word.end, wrong, suggestions[:1])
                joined = knowledge.join(text, word, answer)
                if joined and joined[0] >= end and (not suggestions or joined[3] > suggestions[0].probability):
                    edit = _joining(text, *joined)
                likely = edit.suggestions and edit.suggestions[0].probability >= self.min_probability
                if likely and edit.replacement != edit.wrong:
                    end = edit.end
                    yield edit

        edits: list[Edit] = []
        for chunks, words in lines:
            of_line = list(edits_of(words, foreign=False))
            left = len(words) - len(of_line)
            foreign = left >= FOREIGN_WORDS and left >= FOREIGN_SHARE * chunks
            edits += edits_of(words, foreign=True) if foreign else of_line
        return self._with_others(edits, n) if n > 1 else edits

    def _with_others(self, edits: Sequence[Edit], n: int) -> list[Edit]:
        """The edits with other suggestions too, ``n`` in all; words that are joined have none."""
        asked = {edit.wrong: key(edit.wrong) for edit in edits if self._knowledge.is_spelled(edit.wrong)}
        answers = self._knowledge.answers(asked.values(), max(n, KEPT))
        found = []
        for edit in edits:
            (first,) = edit.suggestions
            own = _suggestions(edit.wrong, answers[asked[edit.wrong]], n) if edit.wrong in asked else []
            others = [each for each in own if each.word != first.word]
            left = 1 - sum(each.probability for each in own if each.word == first.word)
            share = (1 - first.probability) / left if left > 0 else 0.0
            others = [replace(each, probability=each.probability * share) for each in others]
            found.append(replace(edit, suggestions=[first, *others][:n]))
        return found

    def add_words(self, words: Mapping[str, float] | Iterable[str]) -> None:
        """Know more words from now on, each in its usual letter case, and offer them as corrections.

        Args:
            words: with their Zipf frequencies, or without: then ``ADDED_ZIPF`` is taken.

        Raises:
            ValueError: a word is empty or holds white space or a surrogate; a frequency is negative or not finite.
        """
        zipf = words if isinstance(words, Mapping) else dict.fromkeys(words, ADDED_ZIPF)
        with self._adding:
            self._knowledge = self._knowledge.with_words(zipf)

    def remove_words(self, words: Iterable[str]) -> None:
        """Know some words no longer, in whatever letter case; those that were never known are passed over.

        Raises:
            ValueError: no word would be left.
        """
        with self._adding:
            self._knowledge = self._knowledge.without_words(words)


def _joining(text: str, start: int, end: int, word: str, probability: float) -> Edit:
    """The edit that makes one word of two."""
    wrong = text[start:end]
    distance = Levenshtein.distance(fold(wrong), fold(word))
    return Edit(start, end, wrong, [Suggestion(match_case(wrong, word), probability, distance)])


def _check_count(n: int) -> None:
    if n < 1:
        raise ValueError(f"n is how many suggestions to give, at least 1, not {n}")


def _suggestions(written: str, answer: Answer, n: int) -> list[Suggestion]:
    """The first words of an answer, as what was written is written."""
    letters = fold(written) if answer.meant else ""
    suggestions = []
    for word, probability in answer.meant[:n]:
        answered = match_apostrophe(written, match_case(written, word))
        suggestions.append(Suggestion(answered, probability, Levenshtein.distance(letters, fold(word))))
    return suggestions


def _with_stem(
    written: str, stem: slice, suggestions: Iterable[Suggestion], of_stem: Iterable[Suggestion]
) -> list[Suggestion]:
    """What may have been meant by a word whose apostrophe stays: by "dosn't" as a whole, by the stem of "Jhon's"."""
    kept = [suggestion for suggestion in suggestions if "'" in fold(suggestion.word)]
    for suggestion in of_stem:
        whole = written[: stem.start] + suggestion.word + written[stem.stop :]
        kept.append(replace(suggestion, word=whole))
    return sorted(kept, key=lambda suggestion: -suggestion.probability)
