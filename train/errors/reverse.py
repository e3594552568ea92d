"""Misspellings that the encoder-decoder writes itself, read in reverse: a word is read, a misspelling is sampled."""

from collections.abc import Sequence

import torch
from torch import Tensor

from speller.alphabet import MISSPELL, PADDING, Alphabet
from speller.train.batch import Batch
from speller.train.errors.sampling import GROWTH, Misspellings, Words
from speller.train.model import SpellingModel
from speller.train.writing import write_words

AT_ONCE = 512
"""So many words, of like length, are misspelled together."""


class ReverseSampler:
    """Misspells as a model learned to that was trained with batches in the direction ``MISSPELL``.

    Args:
        model: the model, on the device where words are drawn.
        words: what is misspelled.
        alphabet: the model's.
    """

    def __init__(self, model: SpellingModel, words: Sequence[str], alphabet: Alphabet) -> None:
        self._model = model
        self._words = Words(*alphabet.encode(words), device=model.never_written.device)

    @torch.no_grad()
    def sample(self, indices: Tensor, *, generator: torch.Generator) -> Misspellings:
        """As ``Misspeller.sample``, letter by letter; what is not at its end after ``GROWTH`` more is not used."""
        words, lengths = self._words.drawn(indices)
        symbols = words.new_full((len(words), words.shape[1] + GROWTH), PADDING)
        written_lengths = torch.zeros_like(lengths)
        order = lengths.argsort(stable=True)
        for start in range(0, len(order), AT_ONCE):
            rows = order[start : start + AT_ONCE]
            batch = Batch.of(words[rows], lengths[rows], words[rows], lengths[rows], direction=MISSPELL)
            memory = self._model.encode(batch.source, batch.source_lengths)
            longest = batch.target.shape[1] + GROWTH
            written = write_words(
                self._model, memory, direction=MISSPELL, longest=longest + 1, samples=1, generator=generator
            )
            ended = written.lengths <= longest
            width = min(written.words.shape[1], longest)
            symbols[rows, :width] = written.words[:, :width]
            written_lengths[rows] = written.lengths * ended
        return self._words.misspelled(indices, symbols, written_lengths)
