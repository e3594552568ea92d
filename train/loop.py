"""The training loop, in its order of execution."""

import signal
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Literal

import torch
from accelerate import Accelerator
from rapidfuzz.distance import Levenshtein
from rich.console import Console
from rich.progress import Progress, TextColumn, TimeRemainingColumn
from torch import Tensor

from speller.alphabet import CORRECT
from speller.candidates import LONGEST
from speller.lexicon import Lexicon, fold
from speller.train.batch import Batch
from speller.train.checkpoint import load_checkpoint, save_checkpoint
from speller.train.examples import Examples, seed_of
from speller.train.model import SpellingModel
from speller.train.monitor import Correction, Monitor
from speller.train.objectives import CrossEntropy, Loss, Objective, read_objective
from speller.train.pairs import Pair
from speller.train.recipe import Recipe
from speller.train.writing import write_words

CHECKPOINT = "checkpoint.safetensors"
SECONDS_BETWEEN_CHECKPOINTS = 120
STEPS_BETWEEN_SCALARS = 50
STEPS_BETWEEN_HELD_OUT = 500
HELD_OUT = 1000
AT_ONCE = 250
SHOWN = 20

Device = Literal["cpu", "cuda"]


def open_accelerator(device: Device | None) -> Accelerator:
    """The device that trains: the named one, else a GPU where there is one; bf16 where its processor multiplies in it.

    Raises:
        ValueError: for ``cuda`` where there is none.
    """
    if device == "cuda" and not torch.cuda.is_available():
        raise ValueError("device 'cuda' is asked for, but torch sees no CUDA device; leave it out, or say 'cpu'")
    on_cpu = device == "cpu" or not torch.cuda.is_available()
    fast = torch.cpu._is_avx512_bf16_supported() if on_cpu else torch.cuda.is_bf16_supported()
    return Accelerator(cpu=on_cpu, mixed_precision="bf16" if fast else "no")


def train(
    recipe: Recipe,
    model: SpellingModel,
    examples: Examples,
    held_out: Sequence[Pair],
    lexicon: Lexicon,
    *,
    out: Path,
    accelerator: Accelerator,
) -> int:
    """Train a model in place, going on from ``out``'s checkpoint where it has one.

    Ctrl-C ends the training early, as if it were done. TensorBoard's files and the checkpoint go into ``out``.

    Args:
        held_out: real pairs on whose words nothing is trained, to watch the edit distance on.

    Returns:
        how many steps were trained in all.
    """
    objective = read_objective(recipe.objective, recipe.options)
    misspelling_objective = CrossEntropy()
    optimizer = torch.optim.AdamW(model.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
    model, optimizer = accelerator.prepare(model, optimizer)

    checkpoint = out / CHECKPOINT
    step = load_checkpoint(checkpoint, model, optimizer) if checkpoint.exists() else 0
    monitor = Monitor(out, step=step)
    console = Console(stderr=True)
    console.print(f"{accelerator.device.type}, {accelerator.mixed_precision}, from step {step} of {recipe.steps}")
    columns = (TextColumn("step {task.completed}/{task.total}  {task.fields[state]}"), TimeRemainingColumn())
    saved = counted = time.monotonic()
    words = 0
    with Progress(*columns, console=console) as bar, Interrupt() as interrupt:
        task = bar.add_task("", total=recipe.steps, completed=step, state="")
        while step < recipe.steps and not interrupt.received:
            if step % STEPS_BETWEEN_HELD_OUT == 0:
                console.print(watch(model, held_out, lexicon, monitor, accelerator, step=step))
            # What an objective samples is a function of the step alone, so that a resumed run samples the same.
            torch.manual_seed(seed_of(recipe.seed, step))
            batch = examples.batch(step)
            chosen = objective if batch.direction == CORRECT else misspelling_objective
            loss, norm = take_step(recipe, model, optimizer, chosen, batch, accelerator, done=step)
            step += 1
            words += len(batch)

            if step % STEPS_BETWEEN_SCALARS == 0:
                speed, counted, words = words / (time.monotonic() - counted), time.monotonic(), 0
                direction = "correct" if batch.direction == CORRECT else "misspell"
                scalars: dict[str, float | Tensor] = {}
                scalars |= {f"{direction}/{name}": value for name, value in loss.scalars.items()}
                scalars |= {f"{direction}/loss": loss.value.detach(), "run/gradient-norm": norm}
                scalars |= {"run/words-per-second": speed, "run/learning-rate": learning_rate(recipe, step)}
                monitor.scalars(step, scalars)
                bar.update(task, completed=step, state=f"{speed:,.0f} words/s  loss {float(loss.value.detach()):.3f}")
            if time.monotonic() - saved > SECONDS_BETWEEN_CHECKPOINTS:
                save_checkpoint(checkpoint, model, optimizer, step=step)
                saved = time.monotonic()
    if interrupt.received:
        console.print(f"stopped at step {step}")
    save_checkpoint(checkpoint, model, optimizer, step=step)
    console.print(watch(model, held_out, lexicon, monitor, accelerator, step=step))
    monitor.close()
    return step


def take_step(
    recipe: Recipe,
    model: SpellingModel,
    optimizer: torch.optim.Optimizer,
    objective: Objective,
    batch: Batch,
    accelerator: Accelerator,
    *,
    done: float,
) -> tuple[Loss, Tensor]:
    """Train a model in place on one batch.

    Args:
        done: how many of the recipe's steps are done; the learning rate and what is annealed go by it.

    Returns:
        the loss, and the gradient's norm before it was clipped.
    """
    for group in optimizer.param_groups:
        group["lr"] = learning_rate(recipe, done)
    with accelerator.autocast():
        loss = objective(model, batch, progress=done / recipe.steps)
    accelerator.backward(loss.value)
    norm: Tensor = accelerator.clip_grad_norm_(model.parameters(), recipe.clip)
    optimizer.step()
    optimizer.zero_grad()
    return loss, norm


class Interrupt:
    """Notes a Ctrl-C, so that the step it falls into is finished; a second one interrupts at once."""

    received = False

    def __enter__(self) -> "Interrupt":
        """Listen."""
        self._before = signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        """Leave Ctrl-C to whom it was left before."""
        signal.signal(signal.SIGINT, self._before)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.received = True
        signal.signal(signal.SIGINT, self._before)


def learning_rate(recipe: Recipe, step: float) -> float:
    """The learning rate of a step: a linear rise, then a linear fall to 0."""
    rise = min(1.0, (step + 1) / max(recipe.warmup, 1))
    fall = (recipe.steps - step) / max(recipe.steps - recipe.warmup, 1)
    return recipe.learning_rate * min(rise, fall)


def watch(
    model: SpellingModel,
    held_out: Sequence[Pair],
    lexicon: Lexicon,
    monitor: Monitor,
    accelerator: Accelerator,
    *,
    step: int,
) -> str:
    """Show how the model, greedily and without a lexicon, writes held-out words.

    Returns:
        the mean Levenshtein distance from the right word, the shares written right and left unchanged, in a line.
    """
    pairs = [(fold(wrong), fold(right)) for wrong, right in held_out if len(wrong) <= LONGEST]
    pairs = pairs[:: -(-len(pairs) // HELD_OUT) or 1]  # evenly from all sources
    written = []
    for start in range(0, len(pairs), AT_ONCE):
        some = [wrong for wrong, _ in pairs[start : start + AT_ONCE]]
        symbols, lengths = map(torch.from_numpy, lexicon.alphabet.encode(some))
        batch = Batch.of(symbols, lengths, symbols, lengths).to(accelerator.device)
        with torch.no_grad(), accelerator.autocast():
            memory = model.encode(batch.source, batch.source_lengths)
            words = write_words(model, memory, direction=CORRECT, longest=LONGEST).words
        written += lexicon.alphabet.decode(words.cpu().numpy())
    corrections = [Correction(wrong, word, right) for (wrong, right), word in zip(pairs, written, strict=True)]
    if not corrections:
        return f"step {step}: no pair is held out"
    distance = sum(Levenshtein.distance(c.written, c.right) for c in corrections) / len(corrections)
    top1 = sum(c.written == c.right for c in corrections) / len(corrections)
    unchanged = sum(c.written == c.wrong for c in corrections) / len(corrections)
    scalars = {"held-out/edit-distance": distance, "held-out/top-1": top1, "held-out/unchanged": unchanged}
    monitor.scalars(step, scalars)
    monitor.corrections(step, corrections[:SHOWN])
    return f"step {step}: held out, mean edit distance {distance:.3f}, right {top1:.3f}, unchanged {unchanged:.3f}"
