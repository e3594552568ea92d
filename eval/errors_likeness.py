"""Each way to misspell on the words that people misspelled, to hold it against them."""

from collections.abc import Iterable, Mapping, Sequence

import torch

from speller.alphabet import MISSPELL, PADDING
from speller.candidates import LONGEST
from speller.lexicon import Lexicon, fold
from speller.train.batch import Batch
from speller.train.errors import ErrorModel, Misspeller, ReverseSampler, uniform_sampler
from speller.train.model import SpellingModel
from speller.train.pairs import Pair
from speller.train.watching import AT_ONCE

COPIES = 8
"""So many misspellings are sampled for each one that people made."""


def misspellings(pairs: Iterable[tuple[str, str]]) -> list[Pair]:
    """The pairs of unequal words, each once, as a lexicon folds words."""
    folded = (Pair(fold(wrong), fold(right)) for wrong, right in pairs)
    return list(dict.fromkeys(pair for pair in folded if pair.wrong != pair.right))


def sampled_alike(pairs: Iterable[Pair], lexicon: Lexicon) -> list[Pair]:
    """Those that a way to misspell might sample: of the alphabet's letters alone, and no known word."""
    letters = set(lexicon.alphabet.characters)
    return [
        pair
        for pair in pairs
        if pair.wrong not in lexicon and letters.issuperset(pair.wrong + pair.right) and len(pair.right) <= LONGEST
    ]


def misspell(
    people: Sequence[Pair], lexicon: Lexicon, errors: ErrorModel, reverse: SpellingModel
) -> Mapping[str, list[Pair]]:
    """What random edits, the learned error model and a reverse model make of the words that people misspelled.

    Each word is misspelled ``COPIES`` times as often as people did.
    """
    place = {right: number for number, right in enumerate(dict.fromkeys(right for _, right in people))}
    words = list(place)
    ways: dict[str, Misspeller] = {
        "uniform": uniform_sampler(words, lexicon.alphabet),
        "learned": errors.sampler(words),
        "reverse": ReverseSampler(reverse, words, lexicon.alphabet),
    }
    indices = torch.tensor([place[right] for _, right in people]).repeat(COPIES)
    written = {}
    for way, misspeller in ways.items():
        drawn = misspeller.sample(indices, generator=torch.Generator().manual_seed(0))
        wrongs = lexicon.alphabet.decode(drawn.symbols[drawn.wrong].numpy())
        rights = [words[index] for index in indices[drawn.wrong].tolist()]
        written[way] = sampled_alike(map(Pair, wrongs, rights), lexicon)
    return written


def share_reached(people: Sequence[Pair], written: Sequence[Pair]) -> float:
    """The share of what people wrote that was written at least once."""
    return len({*people} & {*written}) / len({*people})


@torch.no_grad()
def cross_entropy(model: SpellingModel, people: Sequence[Pair], lexicon: Lexicon) -> float:
    """Minus the mean log-probability, in nats, that a reverse model gives what people wrote, the end counted in."""
    total = 0.0
    for start in range(0, len(people), AT_ONCE):
        wrongs, rights = zip(*people[start : start + AT_ONCE], strict=True)
        sides = [torch.from_numpy(array) for words in (rights, wrongs) for array in lexicon.alphabet.encode(words)]
        batch = Batch.of(*sides, direction=MISSPELL)
        log_probs = model(batch.source, batch.source_lengths, batch.previous)
        chosen = log_probs.gather(-1, batch.written[..., None])[..., 0]
        total -= float(chosen.masked_fill(batch.written == PADDING, 0).sum())
    return total / len(people)
