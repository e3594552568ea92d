"""What a recipe names, read: the lexicon, the pairs and what they are for, the pronunciations."""

from collections.abc import Iterable
from typing import NamedTuple

from speller.bundle import LEXICON, find
from speller.lexicon import Lexicon, fold
from speller.train.errors import read_pronunciations
from speller.train.pairs import Pair, Part, read_pairs, split_pairs
from speller.train.recipe import Recipe


class Sources(NamedTuple):
    """What a recipe names, read.

    Attributes:
        lexicon: the words.
        parts: the pairs of single words, by whether they are trained on or held out.
        spaced: those of several words, without what is held out to test on.
        pronunciations: the sounds of those of the lexicon's words for which they are known.
    """

    lexicon: Lexicon
    parts: dict[Part, list[Pair]]
    spaced: list[Pair]
    pronunciations: dict[str, list[str]]

    @property
    def held_out(self) -> list[Pair]:
        """The pairs to fit a ranking on: none of them was trained on."""
        return self.parts["known"] + self.parts["fit"]


def read_sources(recipe: Recipe) -> Sources:
    """Read a recipe's lexicon, pairs and pronunciations.

    Raises:
        ValueError: for one that cannot be used; the message names it.
    """
    lexicon = Lexicon.load(recipe.lexicon or find("en") / LEXICON)
    pairs = [pair for source in recipe.pairs for pair in read_pairs(source, multiword=True)]
    single = [pair for pair in pairs if len(pair.wrong.split()) == len(pair.right.split()) == 1]
    if not single:
        raise ValueError(f"{', '.join(recipe.pairs)}: no pairs of single words to train on")
    several = split_pairs(set(pairs).difference(single), language=recipe.language)
    parts = split_pairs(single, language=recipe.language)
    # What is shown to be wrong is no evidence that it may be right, however often people write it.
    lexicon.attested = lexicon.attested.without(fold(wrong) for wrong, _ in parts["train"] + several["train"])
    spaced = sorted(several["train"] + several["known"] + several["fit"])
    spoken = read_pronunciations(recipe.pronunciations) if recipe.pronunciations else {}
    known = {word: sounds for word, sounds in spoken.items() if word in lexicon}
    return Sources(lexicon, parts, spaced, known)


def folded(pairs: Iterable[Pair]) -> list[tuple[str, str]]:
    """The pairs, both sides folded."""
    return [(fold(wrong), fold(right)) for wrong, right in pairs]
