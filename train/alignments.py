"""Where a model looks while it writes, beside how the words are aligned by their edit distance."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from speller.alphabet import CORRECT, END, Alphabet
from speller.candidates import LONGEST
from speller.train.batch import Batch, decoder_input
from speller.train.distance import alignment_marginals
from speller.train.model import SpellingModel
from speller.train.writing import write_words

GAMMA = 0.1
"""The softmin's smoothing of the alignments that are shown: that of the objectives when they end."""


class Alignment(NamedTuple):
    """One misspelling, its right word, and what the model writes for it by itself, greedily.

    Attributes:
        wrong, right, written: the three words.
        attention: ``(right + 1, wrong + 1)``, the share of its attention that the model, told the right word so far,
            gives to the direction symbol and to each letter of the misspelling as it writes each letter and the end.
        edits: ``(right, wrong)``, how likely the letters are matched under the Gibbs distribution of alignments, as the
            edit distance of the two words sees them: what the attention might look like, were it to look at letters.
        reached: ``(written, right)``, the same as the soft edit distance sees what is written: the cost of a match is
            that part of a step's probability of the letters that the right one does not have.
    """

    wrong: str
    right: str
    written: str
    attention: Tensor
    edits: Tensor
    reached: Tensor


@torch.no_grad()
def align(
    model: SpellingModel, alphabet: Alphabet, pairs: Sequence[tuple[str, str]], *, device: torch.device
) -> list[Alignment]:
    """The alignments of pairs ``(wrong, right)``, both folded and of a letter at least; tensors are on the CPU."""
    sides = (map(torch.from_numpy, alphabet.encode([pair[side] for pair in pairs])) for side in (0, 1))
    batch = Batch.of(*(tensor for side in sides for tensor in side)).to(device)
    memory = model.encode(batch.source, batch.source_lengths)
    attention = attention_of(model, batch)
    output = write_words(model, memory, direction=CORRECT, longest=LONGEST)
    words, lengths = output.words, output.lengths
    log_probs, _ = model.decode(decoder_input(words, CORRECT), None, memory)
    letters = log_probs[:, :-1].index_fill(2, torch.tensor([END], device=device), -torch.inf).softmax(dim=2)
    steps, targets = letters.shape[1], batch.target.shape[1]
    chances = letters.gather(2, batch.target[:, None].expand(-1, steps, targets))  # (pairs, steps, targets)
    reached = alignment_marginals(1 - chances, lengths=lengths, target_lengths=batch.target_lengths, gamma=GAMMA)
    wrong, wrong_lengths = batch.source[:, 1:], batch.source_lengths.to(device) - 1
    differ = (batch.target[:, :, None] != wrong[:, None]).to(chances.dtype)
    edits = alignment_marginals(differ, lengths=batch.target_lengths, target_lengths=wrong_lengths, gamma=GAMMA)
    return [
        Alignment(
            *pair,
            spelled,
            attention[row, : len(pair[1]) + 1, : len(pair[0]) + 1].float().cpu(),
            edits.match[row, : len(pair[1]), : len(pair[0])].cpu(),
            reached.match[row, : len(spelled), : len(pair[1])].cpu(),
        )
        for row, (pair, spelled) in enumerate(zip(pairs, alphabet.decode(words.cpu().numpy()), strict=True))
    ]


def attention_of(model: SpellingModel, batch: Batch) -> Tensor:
    """The attention's weights under teacher forcing: ``(batch, longest + 1, time)``."""
    hidden = model.decoder(model.embedding(batch.previous))[0]
    weights: Tensor = model.attend(hidden, model.encode(batch.source, batch.source_lengths))[1]
    return weights
