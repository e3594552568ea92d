"""Which letters that were read a model's choice between words hangs on: integrated gradients."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from speller.alphabet import CORRECT, END, Alphabet
from speller.bundle import DECODER, ENCODER, OUTPUT, Bundle
from speller.train.exported import read_exported
from speller.train.model import Memory, SpellingModel

POINTS = 32
"""So many points of the way are looked at; for a score's gradients along it, 16 and 128 gave the same to 0.01."""


@torch.enable_grad()
def integrated_gradients(
    function: Callable[[Tensor], Tensor], inputs: Tensor, baseline: Tensor, *, points: int = POINTS
) -> Tensor:
    """What each number of an input adds to a function's value, against a baseline's (Sundararajan, Taly & Yan 2017).

    The gradient's mean along the straight way from the baseline, by Gauss and Legendre's rule, times the way. All parts
    sum to the difference of the two values, as nearly as the points allow.

    Args:
        function: takes a batch ``(points, …)``, each on its own, and gives ``(points,)``.
        inputs: of any shape.
        baseline: of the same shape.
        points: how many points of the way are looked at.

    Returns:
        of the inputs' shape.
    """
    nodes, weights = (torch.as_tensor(part / 2, dtype=inputs.dtype) for part in np.polynomial.legendre.leggauss(points))
    way = inputs.detach() - baseline.detach()
    passed = baseline.detach() + (nodes + 0.5).reshape(-1, *[1] * way.dim()) * way  # (points, …)
    passed.requires_grad_()
    (gradient,) = torch.autograd.grad(function(passed) @ weights, passed)
    return gradient.sum(dim=0) * way


class Attribution:
    """Attributes what a model makes of words, having read one, to that one's letters.

    The baseline is a word of as many letters whose vectors are zeros: what speaks for a word whatever letters were
    read, its mere frequency above all, is no letter's.

    Args:
        model: as training or ``read_exported`` gives it.
        alphabet: its symbols.
    """

    def __init__(self, model: SpellingModel, alphabet: Alphabet) -> None:
        self._model = model
        self._alphabet = alphabet

    @classmethod
    def of(cls, bundle: Bundle) -> "Attribution":
        """Of a bundle's model."""
        model = read_exported(*(bundle.folder / name for name in (ENCODER, DECODER, OUTPUT)))
        return cls(model.eval(), bundle.lexicon.alphabet)

    def __call__(self, written: str, meant: Sequence[tuple[str, float]]) -> NDArray[np.float64]:
        """What each letter adds to a weighted sum of log-probabilities of words.

        Args:
            written: what is read, folded, at least one letter.
            meant: folded words, each with its weight: 1 and -1 give the log-odds of two.

        Returns:
            ``(letters of written,)``; a letter that adds nothing has 0.
        """
        embedded = self._embed(written)
        baseline = torch.cat((embedded[:1], torch.zeros_like(embedded[1:])))
        parts = integrated_gradients(lambda words: self._weigh(words, meant), embedded, baseline)
        attributed: NDArray[np.float64] = parts[1:].sum(dim=-1).double().numpy()
        return attributed

    @torch.no_grad()
    def _embed(self, written: str) -> Tensor:
        embedded: Tensor = self._model.embedding(torch.tensor([CORRECT, *self._symbols(written)]))
        return embedded

    def _weigh(self, embedded: Tensor, meant: Sequence[tuple[str, float]]) -> Tensor:
        """The sum ``(points,)`` where words were read as vectors ``(points, time, embedding)``."""
        states = self._model.memory(self._model.encoder(embedded)[0])
        memory = Memory(states, torch.ones(states.shape[:2], dtype=torch.bool))
        total = torch.zeros(len(embedded), dtype=embedded.dtype)
        for word, weight in meant:
            symbols = self._symbols(word)
            previous = self._model.embedding(torch.tensor([CORRECT, *symbols])).expand(len(embedded), -1, -1)
            log_probs, _ = self._model.decode_embedded(previous, None, memory)  # (points, steps, symbols)
            chosen = log_probs[:, torch.arange(len(symbols) + 1), torch.tensor([*symbols, END])]
            total = total + weight * chosen.sum(dim=1)
        return total

    def _symbols(self, word: str) -> list[int]:
        symbols: list[int] = self._alphabet.encode([word])[0][0].tolist()
        return symbols
