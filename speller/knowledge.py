"""What a corrector knows at one time: its words, the search among them, and what it remembers of both."""

import math
import unicodedata
from array import array
from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from speller.breadth import breadth_for
from speller.bundle import Bundle
from speller.candidates import AS_WRITTEN, LONGEST, READERS, CandidateSearch, Depth
from speller.lexicon import Lexicon, fold
from speller.reader import Reader
from speller.recent import Recent
from speller.spacing import beside, split_features
from speller.text import CHUNK, Word, core, hide, in_doubt, is_prose, words_of
from speller.vocabulary import GAP

KEPT = 5
"""So many words an answer that is remembered has at most."""

SHARED = 16
"""Fewer words are not worth another thread."""

ANSWERS = 1 << 13
"""The answers to so many words are remembered: 4 MB."""

CHUNKS = 1 << 14
"""So many chunks of text with nothing to correct are remembered: 2 MB."""

CHUNK_LENGTH = 32
"""Longer chunks are not."""

LONG = 4 * LONGEST
"""Longer ones are no words, however many characters a letter is written with."""

USAGE = 0.5
"""In a text, a word comes as often as its frequency tells, and in a list once: a candidate there counts by it.

Its odds grow with this power of its frequency. In the texts of ``corrector.IN_TEXT``, F0.5 is 0.66 with 0, 0.75 with
this power and 0.85 with 1; but of good text, then, 4.5 words among 10,000 are changed, and not 2.8.
"""

RARE_ZIPF = 3.0
"""Candidates that are rarer lose no more than this: if they did, as much of good text would be changed."""

USUAL_ZIPF = 5.0
"""The Zipf frequency of a candidate whose odds stay as they are."""

CLITIC = 4
"""In so many words, what an apostrophe sets off is found, at least."""


class Answer:
    """What may have been meant by a word. Thousands are remembered: what it holds lies together, a third as large.

    Args:
        meant: words in their usual letter case, with their probabilities, best first.
        as_written: the probability that the word is right as written.
        log_total: the logarithm of what all that may have been meant weighs together, in the scores of the ranking.
    """

    __slots__ = ("_probabilities", "_words", "as_written", "log_total")

    def __init__(
        self, meant: Sequence[tuple[str, float]] = (), as_written: float = 1.0, log_total: float = math.inf
    ) -> None:
        self._words = GAP.join(word for word, _ in meant)
        self._probabilities = array("d", [probability for _, probability in meant]).tobytes()
        self.as_written = as_written
        self.log_total = log_total

    @property
    def meant(self) -> tuple[tuple[str, float], ...]:
        """The words, with their probabilities, best first."""
        # Of no words, one is left that is empty and has no probability.
        return tuple(zip(self._words.split(GAP), array("d", self._probabilities), strict=False))


def key(word: str) -> str:
    """The form under which a word's answer is looked up; nothing for what is too long to be a word.

    The first look is at the length as written: marks are put in order (NFC) in a time that grows with its square.
    """
    folded = fold(word) if len(word) <= LONG else ""
    return folded if len(folded) <= LONGEST else ""


class Knowledge:
    """Known words and what was meant by others. It never changes but for what it remembers; threads may share it.

    Args:
        bundle: the model.
        lexicon: the words to know instead of the model's own.
        priors: ``(words of the lexicon,)``, the log-probability of each where the model read nothing.
    """

    def __init__(
        self, bundle: Bundle, lexicon: Lexicon | None = None, priors: NDArray[np.floating] | None = None
    ) -> None:
        self.bundle = bundle
        self.lexicon = bundle.lexicon if lexicon is None else lexicon
        self._priors: NDArray[np.floating] = bundle.priors if priors is None else priors
        self._characters = frozenset(self.lexicon.alphabet.characters)
        self._answers = Recent[tuple[str, int], Answer](ANSWERS)
        self._passed: set[str] = set()

    @cached_property
    def search(self) -> CandidateSearch:
        """The search for candidates among the words."""
        return CandidateSearch(self.lexicon, self.bundle.runtime, self._priors, self.bundle.ranking)

    def with_words(self, zipf: Mapping[str, float]) -> "Knowledge":
        """What is known where some words are known too, each in its usual letter case, with its Zipf frequency."""
        if not zipf:
            return self
        new = sorted({fold(word) for word in zipf if word not in self.lexicon})
        lexicon = self.lexicon.with_words(zipf)
        places = [bisect_left(self.lexicon.words, word) for word in new]
        reader = Reader(self.bundle.lexicon, self.bundle.runtime)
        priors = np.insert(self._priors, places, reader.priors(new))
        return Knowledge(self.bundle, lexicon, priors)

    def without_words(self, words: Iterable[str]) -> "Knowledge":
        """What is known where some words are not."""
        words = list(words)
        gone = sorted({index for word in words if (index := self.lexicon.index(word)) is not None})
        return Knowledge(self.bundle, self.lexicon.without_words(words), np.delete(self._priors, gone))

    def is_known(self, word: str) -> bool:
        """Whether the word is known, in whatever letter case."""
        return len(word) <= LONG and word in self.lexicon

    def is_spelled(self, word: str) -> bool:
        """Whether the word is made of the lexicon's characters, a letter among them: not "24/7", "'" or "naïve☺"."""
        letters = key(word)
        return any(map(str.isalpha, letters)) and self._characters.issuperset(letters)

    def stem(self, word: str) -> slice | None:
        """Where a word's stem is that an apostrophe sets off, as in "Jhon's" and "l'hommme"; None for other words."""
        apostrophes = [place for place, letter in enumerate(word) if letter in "'’"]
        if not apostrophes:
            return None
        folded, (before, after) = fold(word), self._clitics
        for place in apostrophes if len(folded) == len(word) else ():
            if folded[place:] in after:
                return slice(0, place)
            if folded[: place + 1] in before:
                return slice(place + 1, len(word))
        return None

    def unknown(self, text: str) -> Iterator[tuple[int, list[Word]]]:
        """The words of each line that are not known and that a correction may touch, and how many chunks it has.

        Lines without such words are passed over.
        """
        place = 0
        for line in text.splitlines(keepends=True):
            chunks = line.split()
            # What stands around a chunk can only hide some of it: where all chunks have passed, so has the line.
            if not self._passed.issuperset(chunks) and (unknown := list(self._unknown_of(line, place))):
                yield len(chunks), unknown
            place += len(line)

    def answers(self, words: Iterable[str], n: int = KEPT, *, depth: Depth = "full") -> dict[str, Answer]:
        """The answers to words as ``key`` gives them; a known word's begins with itself.

        Args:
            words: what was written.
            n: how many words are wanted, and how broadly they are looked for: one is found sooner, and what else was
                looked at for it comes with it.
            depth: how far the ranking looks.
        """
        # What an answer is must not hang on what was asked before: one of a single word is not taken from a longer one.
        wanted = n if n == 1 else max(n, KEPT)
        remembered = self._answers if depth == "full" and n <= KEPT else Recent[tuple[str, int], Answer](0)
        found: dict[str, Answer] = {}
        missing = []
        for word in set(words):
            if (answer := remembered.get((word, wanted))) is not None:
                found[word] = answer
            elif word:
                missing.append(word)
            else:
                found[word] = Answer()
        if not missing:
            return found
        missing.sort(key=lambda word: (len(word), word))
        # Words of like length together, in parts of one size, as many for each thread.
        call_size = self.bundle.runtime.call_size
        readers = READERS if len(missing) >= SHARED * call_size else 1
        turns = math.ceil(len(missing) / (breadth_for(wanted).together * call_size * readers))
        size = math.ceil(len(missing) / (turns * readers))
        parts = [missing[start : start + size] for start in range(0, len(missing), size)]
        todo = iter(parts)

        def rank_rest() -> None:
            try:
                for some in todo:
                    for word, answer in zip(some, self._rank(some, wanted, depth), strict=True):
                        found[word] = answer
                        remembered.put((word, wanted), answer)
            finally:  # after an error, no thread goes on
                deque(todo, maxlen=0)

        if readers == 1:
            rank_rest()
        else:
            # A single word is not to pay for importing what makes threads.
            from speller.helpers import share

            share(rank_rest, readers - 1)
        return found

    def in_text(self, answer: Answer, *, doubt: float) -> Answer:
        """What may have been meant by an unknown word where it stands in a running text.

        The candidates are weighed by how often texts have them; what they leave of 1 is weighed as it is.

        Args:
            answer: to the word on its own.
            doubt: how many times likelier it is to be right there than on its own.
        """
        weighed = [(word, probability * self._usage(word)) for word, probability in answer.meant]
        weighed.sort(key=lambda each: -each[1])
        others = 1.0 - answer.as_written - sum(probability for _, probability in answer.meant)
        as_written = doubt * answer.as_written
        total = as_written + max(0.0, others) + sum(weight for _, weight in weighed)
        meant = [(word, weight / total) for word, weight in weighed]
        return Answer(meant, as_written / total, answer.log_total + math.log(total))

    def join(self, text: str, word: Word, answer: Answer) -> tuple[int, int, str, float] | None:
        """The likeliest word that a word of a text makes with a neighbour: where both stand, the word, its probability.

        Args:
            text: the text.
            word: one that is not known.
            answer: what else may have been meant by it in the text.
        """
        spacing = self.bundle.ranking.spacing
        found = []
        for start, end in beside(text, word.start, word.end) if spacing else ():
            first, second = sorted(((start, end), (word.start, word.end)))
            before, after = (fold(text[slice(*place)]) for place in (first, second))
            joined = spacing.join(before, after, fold(text[start:end]), self.lexicon) if spacing else None
            if joined:
                score = joined[1] + math.log(self._usage(joined[0]))
                found.append((first[0], second[1], joined[0], math.exp(score - np.logaddexp(answer.log_total, score))))
        return max(found, key=lambda each: each[3], default=None)

    def _usage(self, word: str) -> float:
        """How many times likelier a known word, or a pair of them, was meant in a text than in a list of words."""
        spacing = self.bundle.ranking.spacing
        indices = [index for part in word.split(" ") if (index := self.lexicon.index(part)) is not None]
        if spacing and len(indices) == 2:
            zipf = split_features(indices[0], indices[1], self.lexicon, spacing.least_counted)[1]
        else:
            zipf = float(self.lexicon.zipf[indices[0]])
        return float(10 ** (USAGE * (max(zipf, RARE_ZIPF) - USUAL_ZIPF)))

    def _rank(self, words: Sequence[str], n: int, depth: Depth) -> list[Answer]:
        """The answers to folded words, of whose candidates ``n`` are wanted."""
        held = max(n, KEPT)
        candidates = self.search.find(words, wanted=n, depth=depth)
        stage = getattr(self.bundle.ranking, depth)
        probabilities, log_totals = candidates.weighed(stage)
        ends = np.searchsorted(candidates.rows, np.arange(len(words) + 1))
        answers = []
        for word, start, end, log_total in zip(words, ends, ends[1:], log_totals.tolist(), strict=False):
            probability = dict(
                zip(candidates.indices[start:end].tolist(), probabilities[start:end].tolist(), strict=True)
            )
            as_written = probability.pop(AS_WRITTEN)
            best = sorted(probability, key=lambda index: -probability[index])
            known = self.lexicon.index(word)
            if known is not None:
                probability[known] = probability.get(known, 0.0) + as_written
                best = [known, *(index for index in best if index != known)]
            meant = [(self.lexicon.usual_case(index), probability[index]) for index in best[:held]]
            answer = Answer(meant, as_written, log_total)
            answers.append(self._with_splits(word, answer, held) if known is None and depth == "full" else answer)
        return answers

    def _with_splits(self, word: str, answer: Answer, n: int) -> Answer:
        """The answer with the pairs of words, too, that a word may be run together from."""
        spacing = self.bundle.ranking.spacing
        splits = spacing.splits(word, self.lexicon) if spacing else []
        if not splits:
            return answer
        log_total = float(np.logaddexp.reduce([answer.log_total, *(score for _, score in splits)]))
        share = math.exp(answer.log_total - log_total)
        meant = [(other, probability * share) for other, probability in answer.meant]
        meant += [(pair, math.exp(score - log_total)) for pair, score in splits]
        meant.sort(key=lambda each: -each[1])
        return Answer(meant[:n], answer.as_written * share, log_total)

    def _unknown_of(self, line: str, place: int) -> Iterator[Word]:
        hidden = hide(line)
        mixed, prose = not hidden.isupper(), None
        for found in CHUNK.finditer(line):
            chunk = found[0]
            if chunk in self._passed:
                continue
            unknown = [word for word in words_of(chunk) if self._is_unknown(chunk[word.start : word.end])]
            if unknown and (self.is_known(whole := core(chunk)) or self.is_known(whole.replace("-", ""))):
                unknown = []  # "C++", "mis-judged"
            if not unknown and len(chunk) <= CHUNK_LENGTH:
                if len(self._passed) >= CHUNKS:
                    self._passed = set()
                self._passed.add(chunk)
            for word in unknown:
                start, end = found.start() + word.start, found.start() + word.end
                if line.startswith(hidden[start:end], start):
                    doubtful = word.doubtful or in_doubt(hidden, start, end, mixed=mixed)
                    if not doubtful:  # few are not, and the whole line is looked at for these
                        prose = is_prose(hidden) if prose is None else prose
                        doubtful = not prose
                    yield Word(place + start, place + end, doubtful)

    def _is_unknown(self, written: str) -> bool:
        if self.is_known(written) or not self.is_spelled(written):
            return False
        stem = self.stem(written)
        known = stem is not None and written[stem] in self.lexicon
        return not known and not (written[0].isupper() and self._is_form_of_name(written))

    def _is_form_of_name(self, written: str) -> bool:
        """Whether a word is a name that is known in a form close by: "Randalls" of Randall, "Raphaël" of Raphael."""
        if _unmarked(written) in self.lexicon:
            return True
        for ending in self._clitics[1]:
            name = written.removesuffix(ending[1:])
            if 2 < len(name) < len(written) and (index := self.lexicon.index(name)) is not None:
                return self.lexicon.has_capitals(index)
        return False

    @cached_property
    def _clitics(self) -> tuple[frozenset[str], frozenset[str]]:
        """What comes before and after an apostrophe where the rest is a word too, the apostrophe with it."""
        before, after = Counter[str](), Counter[str]()
        for word in self.lexicon.words:
            if "'" in word:
                first, _, last = word.partition("'")
                before[first + "'"] += last in self.lexicon
                after["'" + last] += first in self.lexicon
        return _frequent(before), _frequent(after)


def _frequent(parts: Counter[str]) -> frozenset[str]:
    return frozenset(part for part, count in parts.items() if count >= CLITIC)


def _unmarked(word: str) -> str:
    """The word without its letters' marks."""
    return "".join(letter for letter in unicodedata.normalize("NFD", word) if not unicodedata.combining(letter))
