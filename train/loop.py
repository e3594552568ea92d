"""The training loop, in its order of execution."""

import ctypes
import os
import platform
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Literal

import torch
from accelerate import Accelerator
from rich.console import Console
from rich.progress import Progress, TextColumn, TimeRemainingColumn
from torch import Tensor

from speller.alphabet import MISSPELL
from speller.lexicon import Lexicon
from speller.train.batch import Batch
from speller.train.checkpoint import Done, load_checkpoint, save_checkpoint
from speller.train.examples import Examples, seed_of
from speller.train.graphs import Graphs, differentiate
from speller.train.model import SpellingModel
from speller.train.monitor import Monitor
from speller.train.objectives import CrossEntropy, Loss, Objective, read_objective
from speller.train.pairs import Pair
from speller.train.recipe import Recipe
from speller.train.watching import Watcher

CHECKPOINT = "checkpoint.safetensors"
SECONDS_BETWEEN_CHECKPOINTS = 120
STEPS_BETWEEN_SCALARS = 50
STEPS_BETWEEN_HELD_OUT = 500

PRODUCTS_KEPT = 4096
"""For so many sizes of products oneDNN keeps the code that it wrote for them; its own 1024 are fewer than there are."""

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
LARGEST_KEPT = 32 * 2**20
"""Bytes: larger blocks always go back to the system; glibc takes no larger number."""

Device = Literal["cpu", "cuda"]


def open_accelerator(device: Device | None) -> Accelerator:
    """The device that trains: the named one, else a GPU where there is one; bf16 where its processor multiplies in it.

    Raises:
        ValueError: for ``cuda`` where there is none.
    """
    if device == "cuda" and not torch.cuda.is_available():
        raise ValueError("device 'cuda' is asked for, but torch sees no CUDA device; leave it out, or say 'cpu'")
    on_cpu = device == "cpu" or not torch.cuda.is_available()
    if on_cpu:
        keep_freed_memory()
        os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", str(PRODUCTS_KEPT))
    fast = torch.cpu._is_avx512_bf16_supported() if on_cpu else torch.cuda.is_bf16_supported()
    return Accelerator(cpu=on_cpu, mixed_precision="bf16" if fast else "no")


def describe(accelerator: Accelerator) -> str:
    """What a run is trained on, in words."""
    if accelerator.device.type == "cuda":
        return f"{accelerator.num_processes} x {torch.cuda.get_device_name()}, {accelerator.mixed_precision}"
    threads = accelerator.num_processes * torch.get_num_threads()
    return f"{threads} {'thread' if threads == 1 else 'threads'} of a CPU, {accelerator.mixed_precision}"


def keep_freed_memory() -> None:
    """Let the C library keep what is freed, where it is glibc: a step's tensors come anew in each, page by page."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if platform.libc_ver()[0] == "glibc" else None
    if mallopt:
        mallopt(M_TRIM_THRESHOLD, 2**31 - 1)
        mallopt(M_MMAP_THRESHOLD, LARGEST_KEPT)


def open_optimizer(model: SpellingModel, recipe: Recipe) -> torch.optim.Optimizer:
    """AdamW as the recipe says, all parameters in one call."""
    return torch.optim.AdamW(model.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay, fused=True)


def train(
    recipe: Recipe,
    model: SpellingModel,
    examples: Examples,
    held_out: Sequence[Pair],
    lexicon: Lexicon,
    *,
    out: Path,
    accelerator: Accelerator,
) -> Done:
    """Train a model in place, going on from ``out``'s checkpoint where it has one.

    Ctrl-C ends the training early, as if it were done. TensorBoard's files and the checkpoint go into ``out``. Of
    several processes each takes its share of every batch, and the first alone writes and shows anything.

    Args:
        held_out: real pairs on whose words nothing is trained, to watch the edit distance on.

    Returns:
        how far the run has come.

    Raises:
        ValueError: for a batch that the processes cannot share evenly, or an ``out`` that they do not share.
    """
    objective = read_objective(recipe.objective, recipe.options)
    likelihood = CrossEntropy()
    optimizer = open_optimizer(model, recipe)
    main, processes = accelerator.is_main_process, accelerator.num_processes
    if recipe.batch % processes:
        raise ValueError(f"batch is to be shared by {processes} processes: a multiple of that, not {recipe.batch}")

    checkpoint = out / CHECKPOINT
    step, seconds, hardware = load_checkpoint(checkpoint, model, optimizer) if checkpoint.exists() else Done(0, 0.0, "")
    if step < recipe.steps and not hardware.endswith(here := describe(accelerator)):
        hardware = f"{hardware}, then {here}" if hardware else here
    if processes > 1 and float(average(accelerator, torch.tensor(step, dtype=torch.float64))) != step:
        raise ValueError(f"{out} is to be one folder for all machines: it is at step {step} here, but not elsewhere")
    # What is shown of a step is written before its checkpoint is.
    monitor = Monitor(out, step=step + 1 if step else 0) if main else None
    watcher = Watcher(recipe, held_out, lexicon, monitor, accelerator) if monitor else None
    console = Console(stderr=True, quiet=not main)
    console.print(f"{accelerator.device.type}, {accelerator.mixed_precision}, from step {step} of {recipe.steps}")
    columns = (TextColumn("step {task.completed}/{task.total}  {task.fields[state]}"), TimeRemainingColumn())
    graphs = Graphs(model, accelerator) if accelerator.device.type == "cuda" and processes == 1 else None
    saved = counted = time.monotonic()
    begun = saved - seconds
    words, stopped = 0, False
    with Progress(*columns, console=console) as bar, Interrupt() as interrupt:
        task = bar.add_task("", total=recipe.steps, completed=step, state="")
        if watcher and not step:
            console.print(watcher.look(model, step=step))
        while step < recipe.steps and not stopped:
            # What an objective samples is a function of the step alone, so that a resumed run samples the same.
            torch.manual_seed(seed_of(recipe.seed, step) + accelerator.process_index)
            batch = examples.batch(step).share(accelerator.process_index, processes)
            kind = "misspell" if batch.direction == MISSPELL else "unread" if batch.unread else "correct"
            # Nobody reads what it writes there: it is the probabilities that are wanted.
            chosen = objective if kind == "correct" else likelihood
            loss, norm = take_step(recipe, model, optimizer, chosen, batch, accelerator, done=step, graphs=graphs)
            step += 1
            words += recipe.batch

            stopped = interrupt.received and processes == 1
            if step % STEPS_BETWEEN_SCALARS == 0:
                # All processes stop after the same step, whichever of them heard of it first.
                stopped = bool(average(accelerator, torch.tensor(float(interrupt.received))) > 0)
                speed, counted, words = words / (time.monotonic() - counted), time.monotonic(), 0
                scalars: dict[str, float | Tensor] = {}
                shown = {**loss.scalars, "loss": loss.value.detach()}
                scalars |= {f"{kind}/{name}": average(accelerator, value) for name, value in shown.items()}
                scalars |= {"run/gradient-norm": norm, "run/words-per-second": speed}
                scalars |= {"run/learning-rate": learning_rate(recipe, step)}
                if monitor:
                    monitor.scalars(step, scalars)
                state = f"{speed:,.0f} words/s  loss {float(scalars[f'{kind}/loss']):.3f}"
                bar.update(task, completed=step, state=state)
            last = stopped or step == recipe.steps
            if watcher and (last or step % STEPS_BETWEEN_HELD_OUT == 0):
                console.print(watcher.look(model, step=step, last=last))
            if monitor and (last or time.monotonic() - saved > SECONDS_BETWEEN_CHECKPOINTS):
                monitor.flush()
                save_checkpoint(checkpoint, model, optimizer, Done(step, time.monotonic() - begun, hardware))
                saved = time.monotonic()
    if stopped:
        console.print(f"stopped at step {step}")
    if monitor:
        monitor.close()
    return Done(step, time.monotonic() - begun, hardware)


def take_step(
    recipe: Recipe,
    model: SpellingModel,
    optimizer: torch.optim.Optimizer,
    objective: Objective,
    batch: Batch,
    accelerator: Accelerator,
    *,
    done: float,
    graphs: Graphs | None = None,
) -> tuple[Loss, Tensor]:
    """Train a model in place on one batch.

    Args:
        done: how many of the recipe's steps are done; the learning rate and what is annealed go by it.
        graphs: what replays the model's gradients on a GPU, instead of starting each kernel.

    Returns:
        the loss, and the gradient's norm before it was clipped.
    """
    options = {"rate": learning_rate(recipe, done), "clip": recipe.clip, "progress": done / recipe.steps}
    return update(model, optimizer, objective, batch, accelerator, **options, graphs=graphs)


def update(
    model: SpellingModel,
    optimizer: torch.optim.Optimizer,
    objective: Objective,
    batch: Batch,
    accelerator: Accelerator,
    *,
    rate: float,
    clip: float,
    progress: float,
    graphs: Graphs | None = None,
) -> tuple[Loss, Tensor]:
    """``take_step`` with this learning rate, this largest norm of the gradient, this share of the training done."""
    for group in optimizer.param_groups:
        group["lr"] = rate
    if graphs:
        loss, gradients = graphs.differentiate(objective, batch, progress=progress)
    else:
        loss, gradients = differentiate(model, objective, batch, accelerator, progress=progress)
    for parameter, gradient in zip(model.parameters(), gradients, strict=True):
        parameter.grad = gradient
    if accelerator.num_processes > 1:
        average_gradients(accelerator, model)
    norm: Tensor = accelerator.clip_grad_norm_(model.parameters(), clip)
    optimizer.step()
    optimizer.zero_grad()
    return loss, norm


def average_gradients(accelerator: Accelerator, model: SpellingModel) -> None:
    """Replace each process's gradients by their mean, all in one message.

    What wraps a model to do so sees its ``forward`` alone, and objectives call other methods too.
    """
    gradients = [parameter.grad for parameter in model.parameters() if parameter.grad is not None]
    means = average(accelerator, torch.cat([gradient.flatten() for gradient in gradients]))
    for gradient, mean in zip(gradients, torch.split(means, [gradient.numel() for gradient in gradients]), strict=True):
        gradient.copy_(mean.view_as(gradient))


def average(accelerator: Accelerator, tensor: Tensor) -> Tensor:
    """The mean over all processes of each one's tensor."""
    mean: Tensor = accelerator.reduce(tensor.to(accelerator.device), reduction="mean")
    return mean


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
