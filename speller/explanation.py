"""Why a word is corrected as it is: what competes, what speaks for each, and which letters decide."""

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from speller.alignment import Step, align
from speller.candidates import AS_WRITTEN
from speller.corrector import Corrector
from speller.knowledge import KEPT, Knowledge, key
from speller.letter_case import match_apostrophe, match_case
from speller.letter_evidence import attention, written_log_probs
from speller.ranking import COLUMN, FEATURES, Stage
from speller.reader import Reader
from speller.spacing import SPLIT_FEATURES, split_features, split_places

GROUPS: Mapping[str, tuple[str, ...]] = {
    "frequency": (
        "frequency",
        "kept",
        "kept-listed",
        "kept-frequency",
        "split",
        "split-frequency",
        "split-neighbours",
    ),
    "distance": ("distance", "relative", "share", "first", "outline"),
    "sound": ("sound",),
    "length": ("length", "kept-length"),
    "reading": ("read", "unread", "kept-read", "kept-unread"),
    "reverse": ("reverse", "kept-reverse"),
}
"""The features of the ranking, by what they have in common."""

MEANINGS: Mapping[str, str] = {
    "probability": "as `suggest` has it; above, as `correct` does, which looks at fewer words",
    "score": "points above or below the first; a point is a factor of 2.7 in probability",
    "frequency": "how usual it is: as a word, as one no lexicon has, as two run together",
    "distance": "how many edits away it is",
    "sound": "how unlike it sounds",
    "length": "its length",
    "reading": "how probably the model writes it, having read what was written",
    "reverse": "how probably the model writes what was written, having read it",
    "attention": "where the model looks, having read the letters, while it writes the first",
    "attribution": "what a letter adds to reading (integrated gradients) and to reverse",
}
"""What a person is told of each figure."""

_GROUP = {feature: group for group, features in GROUPS.items() for feature in features}

Kind = Literal["word", "as written", "two words"]

Attribute = Callable[[str, Sequence[tuple[str, float]]], NDArray[np.float64]]
"""What each letter of a word that was read adds to a weighted sum of the log-probabilities of words.

``speller.train.attribution`` has one.
"""


@dataclass(frozen=True)
class Part:
    """A part of a score.

    Attributes:
        feature: its name, as in ``FEATURES`` and ``SPLIT_FEATURES``.
        value: what it is for the candidate.
        weight: how much of it counts.
    """

    feature: str
    value: float
    weight: float

    @property
    def points(self) -> float:
        """What it adds to the score."""
        return self.value * self.weight


@dataclass(frozen=True)
class Candidate:
    """What may have been meant, or the word as it was written.

    Attributes:
        word: as an answer would give it.
        folded: as the model reads and writes it.
        kind: one word of the lexicon, two of them, or what was written.
        probability: of its having been meant.
        parts: of its score, whose sum is the logarithm of the probability, but for a term that all candidates share.
    """

    word: str
    folded: str
    kind: Kind
    probability: float
    parts: tuple[Part, ...]

    @property
    def score(self) -> float:
        """The sum of the parts."""
        return sum(part.points for part in self.parts)

    def points(self) -> dict[str, float]:
        """The score by ``GROUPS``."""
        points = dict.fromkeys(GROUPS, 0.0)
        for part in self.parts:
            points[_GROUP[part.feature]] += part.points
        return points

    def weight(self, *features: str) -> float:
        """The weight of the one of some features that it is judged by."""
        return next((part.weight for part in self.parts if part.feature in features), 0.0)


@dataclass(frozen=True)
class Decision:
    """Which letters decide between the two likeliest candidates that the model judges.

    Attributes:
        chosen: the likelier one.
        other: the next.
        letters: what was written, folded, letter by letter.
        attention: ``(letters + 1,)``, the share of the model's look while it writes the likelier one, having read what
            was written; the first is that of the symbol before the first letter.
        reading: ``(letters,)``, what each letter adds to the likelier one's lead in "reading", against no letters;
            None where there was nothing to attribute it with.
        reverse: ``(letters + 1,)``, what each letter, and last the end of the word, adds to its lead in "reverse".
    """

    chosen: Candidate
    other: Candidate
    letters: tuple[str, ...]
    attention: NDArray[np.float64]
    reading: NDArray[np.float64] | None
    reverse: NDArray[np.float64]

    @property
    def attribution(self) -> NDArray[np.float64] | None:
        """``(letters + 1,)``, what each letter, and last the end, adds to the lead in both; None without "reading"."""
        return None if self.reading is None else np.append(self.reading, 0) + self.reverse


@dataclass(frozen=True)
class Explanation:
    """Why a word is corrected as it is.

    Attributes:
        written: the word.
        known: whether it is a known word, which is never changed.
        spelled: whether it is made of the letters of the model's words; what is not is never changed either.
        answer: what ``Corrector.correct`` makes of it.
        probability: of the likeliest word, as ``Corrector.correct`` sees it.
        least: the probability from which on a word is changed.
        candidates: the likeliest, and the word as it was written, best first; none for what is too long to be a word.
        others: the probability of all other candidates together.
        decision: None where there are no two candidates that the model judges.
    """

    written: str
    known: bool
    spelled: bool
    answer: str
    probability: float
    least: float
    candidates: tuple[Candidate, ...]
    others: float
    decision: Decision | None

    def leads(self) -> list[dict[str, float]]:
        """By how many points each candidate's score, and each of its ``GROUPS``, is above the first candidate's."""
        of_all = [{"score": each.score} | each.points() for each in self.candidates]
        return [{name: points - of_all[0][name] for name, points in each.items()} for each in of_all]

    @property
    def proposed(self) -> Candidate | None:
        """The likeliest candidate that differs from what was written."""
        return next((each for each in self.candidates if each.folded != key(self.written)), None)

    @property
    def alignment(self) -> list[Step]:
        """How what was written becomes what is proposed."""
        return align(unicodedata.normalize("NFC", self.written), self.proposed.word) if self.proposed else []

    @property
    def verdict(self) -> str:
        """What becomes of the word, and why, in a few words."""
        other = self.proposed
        if self.known:
            likeliest = f"; instead, likeliest, {other.word}, {other.probability:.2f}" if other else ""
            return f"a known word, left as it is{likeliest}"
        if not self.written:
            return "nothing was written"
        if not self.candidates:
            return "too long for a word, left as it is"
        if self.answer != self.written:
            return f"corrected to {self.answer}, {self.probability:.2f}"
        if not self.spelled:
            return "left as it is: it is not made of the letters of the model's words"
        return f"left as it is: no other word is as probable as {self.least:.2f}"


def explain(corrector: Corrector, word: str, n: int = KEPT, *, attribute: Attribute | None = None) -> Explanation:
    """Why a word is corrected as it is.

    Args:
        corrector: what corrects it.
        word: what was written.
        n: how many candidates to show, beside the word as it was written; their scores and probabilities are those of
            ``Corrector.suggest`` where it is asked for as many, or for five where these are fewer.
        attribute: what attributes the model's reading to letters.

    Raises:
        ValueError: n is less than 1.
    """
    if n < 1:
        raise ValueError(f"n is how many candidates to show, at least 1, not {n}")
    knowledge = Knowledge(corrector.bundle, corrector.lexicon)
    known = knowledge.is_known(word)
    candidates, decided = (
        _candidates(corrector, word, known, wanted=wanted) if key(word) else [] for wanted in (max(n, KEPT), 1)
    )
    shown = [each for each in candidates if each.kind != "as written"][:n]
    shown += [each for each in candidates if each.kind == "as written"]
    shown.sort(key=lambda each: -each.probability)
    return Explanation(
        written=word,
        known=known,
        spelled=knowledge.is_spelled(word),
        answer=corrector.correct(word),
        probability=next((each.probability for each in decided if each.kind != "as written"), 0.0),
        least=corrector.min_probability,
        candidates=tuple(shown),
        others=max(0.0, 1 - sum(each.probability for each in shown)) if shown else 0.0,
        decision=_decision(corrector, candidates, attribute),
    )


def _candidates(corrector: Corrector, word: str, known: bool, *, wanted: int) -> list[Candidate]:
    """All candidates that the ranking's last stage judges, best first, where so many are wanted."""
    folded, lexicon, ranking = key(word), corrector.lexicon, corrector.bundle.ranking
    found = corrector.search.find([folded], wanted=wanted)
    listed: list[tuple[str, Kind, tuple[Part, ...]]] = []
    for index, features in zip(found.indices.tolist(), found.features, strict=True):
        kind: Kind = "as written" if index == AS_WRITTEN else "word"
        listed.append(
            (word if index == AS_WRITTEN else lexicon.usual_case(index), kind, _parts(ranking.full, features))
        )
    if ranking.spacing and not known:
        weights = ranking.spacing.weights
        for first, second in split_places(folded, lexicon):
            values = split_features(first, second, lexicon, ranking.spacing.least_counted)
            named = zip(SPLIT_FEATURES, values, strict=True)
            parts = tuple(Part(name, value, weights[name]) for name, value in named)
            listed.append((f"{lexicon.usual_case(first)} {lexicon.usual_case(second)}", "two words", parts))
    scores = np.array([sum(part.points for part in parts) for _, _, parts in listed])
    of_splits = [score for score, (_, kind, _) in zip(scores, listed, strict=True) if kind == "two words"]
    total = np.logaddexp.reduce([found.weighed(ranking.full)[1][0], *of_splits])
    shares = np.exp(scores - total).tolist()
    candidates = []
    for (text, kind, parts), probability in zip(listed, shares, strict=True):
        shown = text if kind == "as written" else match_apostrophe(word, match_case(word, text))
        candidates.append(Candidate(shown, key(text), kind, probability, parts))
    return sorted(candidates, key=lambda each: -each.probability)


def _parts(stage: Stage, features: NDArray[np.float32]) -> tuple[Part, ...]:
    """The parts of a stage's score that are not 0 for a candidate's features."""
    looked_at = [(name, float(features[COLUMN[name]])) for name in FEATURES if name in stage.weights]
    return tuple(Part(name, value, stage.weights[name]) for name, value in looked_at if value)


def _decision(corrector: Corrector, candidates: Sequence[Candidate], attribute: Attribute | None) -> Decision | None:
    judged = [each for each in candidates if each.kind != "two words"]
    chosen = judged[0] if judged else None
    other = next((each for each in judged if chosen and each.folded != chosen.folded), None)
    if chosen is None or other is None:
        return None
    written = next(each.folded for each in candidates if each.kind == "as written")
    reader = Reader(corrector.lexicon, corrector.bundle.runtime)
    forward, backward = (
        np.array([each.weight(name, f"kept-{name}") * sign for each, sign in ((chosen, 1), (other, -1))])
        for name in ("read", "reverse")
    )
    both = (chosen.folded, other.folded)
    return Decision(
        chosen=chosen,
        other=other,
        letters=tuple(written),
        attention=attention(reader, written, chosen.folded),
        reading=attribute(written, list(zip(both, forward.tolist(), strict=True))) if attribute else None,
        reverse=backward @ written_log_probs(reader, written, both),
    )
