"""The stream of batches that a model is trained on: a mixture of real pairs, sampled errors and right words."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from speller.alphabet import MISSPELL, PADDING
from speller.candidates import LONGEST
from speller.lexicon import Lexicon, fold
from speller.train.batch import Batch
from speller.train.errors import ErrorModel, Misspeller, ReverseSampler, uniform_sampler
from speller.train.model import SpellingModel
from speller.train.pairs import Pair, part_of
from speller.train.recipe import Recipe

BATCHES_AT_ONCE = 32
"""Batches are cut from this many batches' worth of examples, sorted by length, so that little is padding."""


SPARE = 256
"""So many words, at least, are misspelt at once: not one of them misspelt is no accident."""


class Sides(NamedTuple):
    """Both sides of some examples: symbols ``(examples, longest)``, padded, and lengths ``(examples,)`` of each."""

    wrong: Tensor
    wrong_lengths: Tensor
    right: Tensor
    right_lengths: Tensor


class Examples:
    """Batches by step: each is a function of the recipe's seed and the step alone, so that a resumed run sees the same.

    Args:
        recipe: shares, batch size and seed.
        lexicon: the words to draw from. Those that ``part_of`` holds out are never drawn.
        pairs: real pairs to train on; those held out are left out.
        errors: the error model that misspells words.
        reverse: the model that misspells the recipe's share of them, on the device.
        device: where sampling runs and batches are made.
    """

    def __init__(
        self,
        recipe: Recipe,
        lexicon: Lexicon,
        pairs: Sequence[Pair],
        errors: ErrorModel,
        *,
        reverse: SpellingModel | None = None,
        device: torch.device,
    ) -> None:
        self.recipe = recipe
        self.device = device
        offered = [index for index in lexicon.offered.tolist() if len(lexicon.words[index]) <= LONGEST]
        drawn = [index for index in offered if part_of(lexicon.words[index], language=recipe.language) == "train"]
        if not drawn:
            raise ValueError("the lexicon offers no word to train on: one with a frequency above 0 is needed")
        words = [lexicon.words[index] for index in drawn]
        symbols, lengths = lexicon.alphabet.encode(words)
        self.words = torch.from_numpy(symbols).to(device)
        self.word_lengths = torch.from_numpy(lengths).to(device)
        weights = 10.0 ** (recipe.word_power * lexicon.zipf[drawn].astype(np.float64))
        self.word_weights = torch.from_numpy(weights).to(device)
        self.misspellers: list[tuple[float, Misspeller]] = []
        """The ways in which words are misspelled, with their shares; what rounding leaves is the first's."""
        if learned := recipe.learned:
            self.misspellers.append((learned, errors.sampler(words, device=device)))
        if recipe.uniform:
            self.misspellers.append((recipe.uniform, uniform_sampler(words, lexicon.alphabet, device=device)))
        if recipe.reverse:
            if reverse is None:
                raise ValueError(f"a model that misspells a share of {recipe.reverse} is needed, none was given")
            self.misspellers.append((recipe.reverse, ReverseSampler(reverse, words, lexicon.alphabet)))
        trained = [
            (fold(wrong), fold(right))
            for wrong, right in pairs
            if part_of(right, language=recipe.language) == "train" and max(len(wrong), len(right)) <= LONGEST
        ]
        if recipe.real and not trained:
            raise ValueError(
                f"no pair to train on among {len(pairs)}, but the recipe asks for a share of {recipe.real}"
            )
        encoded = [lexicon.alphabet.encode([pair[side] for pair in trained]) for side in (0, 1)]
        self.pairs = Sides(*(torch.from_numpy(array).to(device) for side in encoded for array in side))
        self._drawn: tuple[int, list[Batch]] = (-1, [])

    def batch(self, step: int) -> Batch:
        """The batch of a step, counted from 0."""
        block, place = divmod(step, BATCHES_AT_ONCE)
        if self._drawn[0] != block:
            self._drawn = (block, self._draw(block))
        return self._drawn[1][place]

    def _draw(self, block: int) -> list[Batch]:
        generator = torch.Generator(self.device).manual_seed(seed_of(self.recipe.seed, block))
        drawn = self._examples(self.recipe.batch * BATCHES_AT_ONCE, generator)
        turns = torch.rand(BATCHES_AT_ONCE, generator=generator, device=self.device)
        reading = turns[turns >= self.recipe.prior]
        unread = BATCHES_AT_ONCE - len(reading)
        rows = torch.randperm(len(drawn.wrong), generator=generator, device=self.device)
        rows = rows.view(BATCHES_AT_ONCE, self.recipe.batch)
        # Nearly equal lengths are mixed, so that a batch is not all one kind of error. Where nothing is read, all are:
        # a batch of one length would teach it as that of any word.
        blur = torch.rand(len(drawn.wrong), generator=generator, device=self.device)
        rest = rows[unread:].flatten()
        by_length = rest[(drawn.wrong_lengths + drawn.right_lengths + blur)[rest].argsort()].view_as(rows[unread:])
        order = torch.cat((rows[:unread], by_length))  # (batches, batch)
        # All at once, not for each batch: a GPU would have to be waited for each time.
        wrong_lengths, right_lengths = (lengths[order].cpu() for lengths in (drawn.wrong_lengths, drawn.right_lengths))
        misspelling = (reading < self.recipe.prior + self.recipe.misspelling).tolist()
        batches = []
        for place, some in enumerate(order):
            wrong, right = (drawn.wrong[some], wrong_lengths[place]), (drawn.right[some], right_lengths[place])
            if place < unread:
                batches.append(Batch.of(wrong[0], torch.zeros_like(wrong[1]), *right))
            elif misspelling[place - unread]:
                batches.append(Batch.of(*right, *wrong, direction=MISSPELL))
            else:
                batches.append(Batch.of(*wrong, *right))
        places = torch.randperm(BATCHES_AT_ONCE, generator=generator, device=self.device).tolist()
        return [batches[place] for place in places]

    def _examples(self, count: int, generator: torch.Generator) -> Sides:
        """``count`` examples of the mixture, one kind after the other."""
        real, identical = (round(count * share) for share in (self.recipe.real, self.recipe.identity))
        sampled = [round(count * share) for share, _ in self.misspellers]
        if sampled:
            sampled[0] = count - real - identical - sum(sampled[1:])
        else:
            real = count - identical
        parts = [
            self._misspelt(some, misspeller, generator)
            for some, (_, misspeller) in zip(sampled, self.misspellers, strict=True)
            if some
        ]
        if real:
            rows = torch.randint(len(self.pairs[0]), (real,), generator=generator, device=self.device)
            parts.append(Sides(*(side[rows] for side in self.pairs)))
        if identical:
            rows = self._drawn_words(identical, generator)
            words, lengths = self.words[rows], self.word_lengths[rows]
            parts.append(Sides(words, lengths, words, lengths))
        return Sides(*(_stack(side) for side in zip(*parts, strict=True)))

    def _misspelt(self, count: int, misspeller: Misspeller, generator: torch.Generator) -> Sides:
        parts: list[Sides] = []
        while (missing := count - sum(len(part.wrong) for part in parts)) > 0:
            # Some samples come out as a known word: a few more are drawn than are needed.
            words = self._drawn_words(missing + missing // 8 + SPARE, generator)
            symbols, lengths, wrong = misspeller.sample(words, generator=generator)
            some = wrong.nonzero()[:missing, 0]
            if not len(some):
                raise ValueError(
                    f"{type(misspeller).__name__} misspells none of the lexicon's words: it has learned too little"
                )
            rows = words[some]
            parts.append(Sides(symbols[some], lengths[some], self.words[rows], self.word_lengths[rows]))
        return Sides(*(_stack(side) for side in zip(*parts, strict=True)))

    def _drawn_words(self, count: int, generator: torch.Generator) -> Tensor:
        """``(count,)`` places among the words, drawn with their frequency to the recipe's power."""
        return torch.multinomial(self.word_weights, count, replacement=True, generator=generator)


def seed_of(seed: int, number: int) -> int:
    """A seed for the numbered part of a run, unlike those of all other parts."""
    return int(np.random.SeedSequence((seed, number)).generate_state(1)[0])


def _widen(symbols: Tensor, width: int) -> Tensor:
    return torch.nn.functional.pad(symbols, (0, width - symbols.shape[1]), value=PADDING)


def _stack(parts: tuple[Tensor, ...]) -> Tensor:
    if parts[0].dim() == 1:
        return torch.cat(parts)
    return torch.cat([_widen(part, max(part.shape[1] for part in parts)) for part in parts])
