"""What is judged: anything that answers a misspelling with suggestions, best first."""

from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import Protocol, runtime_checkable

from speller.breadth import SEVERAL
from speller.candidates import LONGEST
from speller.corrector import Corrector

ENTRY_POINTS = "speller.baselines"
"""The entry-point group under which a package offers baselines of its own: a name and a ``Factory``."""


class Suggested(Protocol):
    """A suggestion that knows its probability; a plain text does as well."""

    @property
    def word(self) -> str:
        """The suggested word."""

    @property
    def probability(self) -> float:
        """How likely it is that this word was meant, from 0 to 1."""


class System(Protocol):
    """Answers one misspelling."""

    def suggest(self, word: str, n: int) -> Sequence[str | Suggested]:
        """At most ``n`` suggestions for the word, best first; the word itself may be among them."""


@runtime_checkable
class BatchSystem(Protocol):
    """A system that answers many misspellings faster together than one by one, with the same answers."""

    def suggest(self, word: str, n: int) -> Sequence[str | Suggested]:
        """As ``System.suggest``."""

    def suggest_many(self, words: Sequence[str], n: int) -> Sequence[Sequence[str | Suggested]]:
        """``suggest`` for every word, in their order."""


class UnavailableError(Exception):
    """A system cannot run here; the message says what it lacks."""


Factory = Callable[[Corrector], System]
"""Makes a system beside the corrector that is judged, whose lexicon and language it may use.

It raises ``UnavailableError`` where the system cannot run.
"""


def find_systems() -> Mapping[str, Factory]:
    """Every system by its name: the project's own, the baselines, and those that installed packages offer.

    A package's is loaded only when it is made, and takes no name that one of the others has.
    """
    # The baselines are systems.
    from speller.eval.baselines import BASELINES

    offered = {entry_point.name: _offered(entry_point) for entry_point in entry_points(group=ENTRY_POINTS)}
    return {**OWN, **BASELINES, **{name: make for name, make in offered.items() if name not in (*OWN, *BASELINES)}}


def _offered(entry_point: EntryPoint) -> Factory:
    def make(corrector: Corrector) -> System:
        try:
            factory: Factory = entry_point.load()
        except (ImportError, AttributeError) as error:
            raise UnavailableError(f"the entry point {entry_point.value} cannot be loaded: {error}") from error
        return factory(corrector)

    return make


class WithoutModel:
    """The corrector's nearest words, ranked by frequency and distance alone."""

    def __init__(self, corrector: Corrector) -> None:
        self._corrector = corrector

    def suggest(self, word: str, n: int) -> Sequence[Suggested]:
        """As ``System.suggest``."""
        return self.suggest_many([word], n)[0]

    def suggest_many(self, words: Sequence[str], n: int) -> Sequence[Sequence[Suggested]]:
        """As ``BatchSystem.suggest_many``."""
        return self._corrector.suggest_many(words, n, depth="plain")


class Beam:
    """What the corrector's model writes along the lexicon, as likely as it writes it, with no other ranking."""

    def __init__(self, corrector: Corrector) -> None:
        self._corrector = corrector

    def suggest(self, word: str, n: int) -> list[str]:
        """As ``System.suggest``."""
        return self.suggest_many([word], n)[0]

    def suggest_many(self, words: Sequence[str], n: int) -> list[list[str]]:
        """As ``BatchSystem.suggest_many``."""
        # Batches of like length spend least on padding; no other word is short enough to be looked at.
        readable = sorted({word for word in words if 0 < len(word) <= LONGEST}, key=lambda word: (len(word), word))
        spelled = self._corrector.lexicon.words
        answers: dict[str, list[str]] = {}
        for start in range(0, len(readable), SEVERAL.together):
            batch = readable[start : start + SEVERAL.together]
            for word, found in zip(batch, self._corrector.search.write(batch), strict=True):
                answers[word] = [spelled[index] for index, _ in found[:n]]
        return [answers.get(word, []) for word in words]


OWN: Mapping[str, Factory] = {
    "speller": lambda corrector: corrector,
    "speller-no-model": WithoutModel,
    "speller-beam": Beam,
}
"""The corrector itself, and what is left of it without its network, and of the network without the rest."""
