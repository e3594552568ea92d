"""What the letters of a word have to do with what the model makes of it."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from speller.alphabet import MISSPELL
from speller.reader import Reader
from speller.runtime import ZERO


def attention(reader: Reader, written: str, meant: str) -> NDArray[np.float64]:
    """Where the model looks while it writes a word, having read another one: the mean over its letters and its end.

    Args:
        reader: the model.
        written: what it read, folded.
        meant: what it writes, folded.

    Returns:
        shares ``(letters of written + 1,)`` that sum to 1; the first is that of the direction symbol.
    """
    query = reader.beginnings.at(reader.spell([meant]).places[0])[0].astype(np.float64)
    keys = reader.read([written]).keys[0].astype(np.float64)
    scores = (query - ZERO) / (ZERO - 1) @ keys.T * keys.shape[1] ** -0.5  # (steps, letters + 1)
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares: NDArray[np.float64] = (weights / weights.sum(axis=1, keepdims=True)).mean(axis=0)
    return shares


def written_log_probs(reader: Reader, written: str, meant: Sequence[str]) -> NDArray[np.float64]:
    """How probably the model writes each letter of a word after those before it, having read what may have been meant.

    Args:
        reader: the model.
        written: what it writes, folded.
        meant: what it read, folded.

    Returns:
        log-probabilities ``(words of meant, letters of written + 1)``, the last that of the word's end; a row's sum is
        what ``Reader.reverse_log_probs`` gives.
    """
    spelt = reader.spell([written], MISSPELL)
    memory = reader.read(meant, direction=MISSPELL)
    following = reader.beginnings.all_followed(np.tile(spelt.places, (len(meant), 1)), memory)
    chosen: NDArray[np.float64] = following[:, np.arange(len(spelt.symbols[0])), spelt.symbols[0]].astype(np.float64)
    return chosen
