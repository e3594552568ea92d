"""Looks at a model while it learns: what it writes, where it looks, and how far back its gradients reach."""

import dataclasses
import time
from collections.abc import Mapping, Sequence
from typing import TypeVar

import torch
from accelerate import Accelerator
from rapidfuzz.distance import Levenshtein
from torch import Tensor

from speller.alphabet import CORRECT
from speller.candidates import LONGEST
from speller.lexicon import Lexicon, fold
from speller.train.alignments import align
from speller.train.batch import Batch
from speller.train.errors.alignment import edits
from speller.train.errors.comparison import ASPECTS
from speller.train.gradient_flow import gradient_flow, probe, slope
from speller.train.model import SpellingModel
from speller.train.monitor import Correction, Monitor, Point
from speller.train.pairs import Pair
from speller.train.pictures import draw_alignment, draw_flow
from speller.train.recipe import Recipe
from speller.train.writing import write_words

Item = TypeVar("Item")

HELD_OUT = 1000
AT_ONCE = 250
SHOWN = 20
"""So many corrections are in the table."""

DRAWN = 4
"""So many pairs are drawn with their attention."""

DRAWN_LENGTHS = range(4, 15)
"""Words of so many letters are drawn: few tell little, and many cannot be read."""

POINTS = 200
"""So many misspellings are in the Projector, with their right words."""

SHARE = 0.02
"""Pictures are drawn while looking has taken no more of a run's time than this."""

COMPARED = ("objective", "cell", "learning_rate", "batch", "steps")
"""The settings in which runs mostly differ."""

METRICS = {
    "held-out/edit-distance": "edit distance",
    "held-out/top-1": "top-1",
    "held-out/unchanged": "left as written",
    "correct/loss": "loss",
    "gradient-flow/decoder": "gradient flow, decoder",
    "gradient-flow/encoder-forward": "gradient flow, encoder forward",
    "gradient-flow/encoder-backward": "gradient flow, encoder backward",
}
"""What the HParams tab shows beside a run's settings."""


class Watcher:
    """Shows a run in TensorBoard, beside its scalars: always the same words, so that steps and runs can be compared.

    Args:
        recipe: what decides the run.
        held_out: real pairs on whose words nothing is trained.
        lexicon: the words.
        monitor: where all goes.
        accelerator: what the model is on.
    """

    def __init__(
        self, recipe: Recipe, held_out: Sequence[Pair], lexicon: Lexicon, monitor: Monitor, accelerator: Accelerator
    ) -> None:
        pairs = [(fold(wrong), fold(right)) for wrong, right in held_out if len(wrong) <= LONGEST]
        self.pairs = evenly(pairs, HELD_OUT)  # from all sources
        fits = [pair for pair in self.pairs if all(len(word) in DRAWN_LENGTHS for word in pair)]
        self.drawn = evenly(fits, DRAWN)
        self.lexicon, self.monitor, self.accelerator = lexicon, monitor, accelerator
        self.probe = probe(lexicon)
        self.begun, self.spent = time.monotonic(), 0.0
        monitor.settings(settings(recipe), compared=COMPARED, metrics=METRICS)

    def look(self, model: SpellingModel, *, step: int, last: bool = False) -> str:
        """Show what the model makes of held-out words, and how far back its gradients reach.

        Pictures of how it does so are drawn in the last look, and before where time allows.

        Returns:
            the mean Levenshtein distance from the right word, the shares written right and left unchanged, in a line.
        """
        begun = time.monotonic()
        line = self.write(model, step=step)
        flows = gradient_flow(model, self.probe)
        self.monitor.scalars(step, {f"gradient-flow/{name}": slope(norms) for name, norms in flows.items()})
        if last or self.spent <= SHARE * (begun - self.begun):
            self.draw(model, flows, step=step)
        self.spent += time.monotonic() - begun
        return line

    def write(self, model: SpellingModel, *, step: int) -> str:
        """Show how the model, greedily and without a lexicon, writes held-out words; returns the line of ``look``."""
        if not self.pairs:
            return f"step {step}: no pair is held out"
        written: list[str] = []
        for start in range(0, len(self.pairs), AT_ONCE):
            batch = self._batch([wrong for wrong, _ in self.pairs[start : start + AT_ONCE]])
            with torch.no_grad(), self.accelerator.autocast():
                memory = model.encode(batch.source, batch.source_lengths)
                words = write_words(model, memory, direction=CORRECT, longest=LONGEST).words
            written += self.lexicon.alphabet.decode(words.cpu().numpy())
        corrections = [Correction(wrong, word, right) for (wrong, right), word in zip(self.pairs, written, strict=True)]
        distance = sum(Levenshtein.distance(c.written, c.right) for c in corrections) / len(corrections)
        top1 = sum(c.written == c.right for c in corrections) / len(corrections)
        unchanged = sum(c.written == c.wrong for c in corrections) / len(corrections)
        scalars = {"held-out/edit-distance": distance, "held-out/top-1": top1, "held-out/unchanged": unchanged}
        self.monitor.scalars(step, scalars)
        self.monitor.corrections(step, evenly(corrections, SHOWN))
        return f"step {step}: held out, mean edit distance {distance:.3f}, right {top1:.3f}, unchanged {unchanged:.3f}"

    def draw(self, model: SpellingModel, flows: Mapping[str, Tensor], *, step: int) -> None:
        """Show how gradients go back through time, the attention of a few pairs, and the encoder's states."""
        title = f"Gradient flow through time, {model.config.cell}, step {step:,}"
        self.monitor.picture(step, "gradient-flow/norms", draw_flow(flows, title=title))
        if self.drawn:
            with self.accelerator.autocast():
                found = align(model, self.lexicon.alphabet, self.drawn, device=self.accelerator.device)
            for number, alignment in enumerate(found, 1):
                self.monitor.picture(step, f"attention/{number}", draw_alignment(alignment))
        self.project(model)

    def project(self, model: SpellingModel) -> None:
        """Show what the encoder makes of misspellings and of their right words, the mean over their letters."""
        points = [
            Point(word, len(word), error, right)
            for wrong, right in evenly(self.pairs, POINTS)
            for word, error in ((wrong, kind_of_error(wrong, right)), (right, "none"))
        ]
        points = list(dict.fromkeys(points))
        if not points:
            return
        batch = self._batch([point.word for point in points])
        with torch.no_grad(), self.accelerator.autocast():
            memory = model.encode(batch.source, batch.source_lengths)
        states = memory.states.float().masked_fill(~memory.mask[:, :, None], 0).sum(dim=1)
        self.monitor.points(states / memory.mask.sum(dim=1, keepdim=True), points)

    def _batch(self, words: Sequence[str]) -> Batch:
        symbols, lengths = map(torch.from_numpy, self.lexicon.alphabet.encode(words))
        return Batch.of(symbols, lengths, symbols, lengths).to(self.accelerator.device)


def evenly(items: Sequence[Item], most: int) -> list[Item]:
    """At most so many of the items, evenly from all."""
    return list(items[:: -(-len(items) // most) or 1])


def kind_of_error(wrong: str, right: str) -> str:
    """What was done to a word to misspell it.

    >>> kind_of_error("recieve", "receive"), kind_of_error("acomodation", "accommodation")
    ('swapped', 'several errors')
    """
    kinds = list(ASPECTS["kind"](wrong, right, edits(wrong, right)))
    return kinds[0] if len(kinds) == 1 else "several errors" if kinds else "none"


def settings(recipe: Recipe) -> dict[str, str | float]:
    """The recipe for the HParams tab: numbers and texts under the same names, whatever the objective.

    >>> settings(Recipe(objective="mrt", options={"mrt": {"samples": 4}}, pairs=("a.tsv", "b.tsv")))["options"]
    'mrt: samples=4'
    """
    stated = dataclasses.asdict(recipe)
    stated["pairs"] = ", ".join(recipe.pairs)
    stated["options"] = "; ".join(
        f"{name}: " + ", ".join(f"{option}={value}" for option, value in table.items())
        for name, table in recipe.options.items()
    )
    return {name: "" if value is None else value for name, value in stated.items()}
