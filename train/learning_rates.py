"""Looks for the learning rate of a run: it is raised step by step until the training breaks (Smith 2017)."""

import copy
import dataclasses
import math
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from rich.console import Console
from rich.progress import track

from speller.train.examples import Examples, seed_of
from speller.train.loop import Device, open_accelerator, open_optimizer, update
from speller.train.model import SpellingModel
from speller.train.objectives import Loss, WeightedSum, read_objective
from speller.train.pictures import draw_sweep
from speller.train.recipe import Recipe
from speller.train.run import learn_to_misspell, new_model
from speller.train.sources import read_sources
from speller.train.sweep import Sweep

STEPS = 300
"""In a sweep: 50 for each power of ten."""

LOWEST, HIGHEST = 1e-6, 1.0
"""The rates that a sweep begins with and would end with."""

PLOT = "learning-rates.png"


def find_learning_rate(recipe: Recipe, out: Path, *, device: Device | None = None) -> str:
    """Sweep the learning rate of a recipe's run from the weights that it would begin with, and plot it.

    Args:
        recipe: what would be trained; its learning rate does not matter.
        out: the folder for the plot; a run that it holds is left as it is.
        device: where to train; ``None`` takes a GPU where there is one.

    Returns:
        the rate that is proposed, what the sweep showed, and where its plot is, in a line.

    Raises:
        ValueError: for input that cannot be used, several processes, or a loss that falls at no rate.
    """
    accelerator = open_accelerator(device)
    if accelerator.num_processes > 1:
        raise ValueError(f"a sweep of the learning rate runs in one process, not in {accelerator.num_processes}")
    # The other batches are trained with cross-entropy whatever the objective: their losses are of another kind.
    recipe = dataclasses.replace(recipe, prior=0.0, misspelling=0.0)
    sources = read_sources(recipe)
    console = Console(stderr=True)
    with console.status(f"learning how people misspell from {len(sources.parts['train']):,} pairs"):
        _, examples = learn_to_misspell(recipe, sources, device=accelerator.device)
    model = new_model(recipe, sources.lexicon).to(accelerator.device)
    found = sweep(recipe, model, examples, accelerator=accelerator, console=console)
    told, figure = str(found), draw_sweep(found, title=f"{recipe.objective}, {recipe.cell}")
    out.mkdir(parents=True, exist_ok=True)
    figure.savefig(out / PLOT)
    return f"{told}; {out / PLOT}"


def sweep(
    recipe: Recipe, model: SpellingModel, examples: Examples, *, accelerator: Accelerator, console: Console
) -> Sweep:
    """Raise the learning rate from step to step, on copies of a model, until its training breaks.

    Each step's loss is compared with that of the model as it was given, on the same batch and the same samples.
    """
    objective = read_objective(recipe.objective, recipe.options)
    trained, untouched = copy.deepcopy(model), copy.deepcopy(model)
    optimizer = open_optimizer(trained, recipe)
    rates = np.geomspace(LOWEST, HIGHEST, STEPS)
    losses: list[float] = []
    for step in track(range(STEPS), "sweeping the learning rate", console=console, transient=True):
        batch = examples.batch(step)
        seed = seed_of(recipe.seed, step)
        torch.manual_seed(seed)
        with torch.no_grad(), accelerator.autocast():
            before = measure(objective, objective(untouched, batch, progress=0.0))
        torch.manual_seed(seed)
        rate = float(rates[step])
        loss, _ = update(trained, optimizer, objective, batch, accelerator, rate=rate, clip=recipe.clip, progress=0.0)
        change = measure(objective, loss) - before
        if not math.isfinite(change):
            break
        losses.append(change)
    return Sweep(rates[: len(losses)], np.array(losses))


def measure(objective: WeightedSum, loss: Loss) -> float:
    """What a loss says of the model: its value, in which a part that has a reward counts as minus that.

    The value of a policy gradient's loss means nothing: only its gradient does.
    """
    total = 0.0
    for name, (weight, _) in objective.parts.items():
        reward = loss.scalars.get(f"{name}/reward")
        total += weight * float(loss.scalars[f"{name}/loss"] if reward is None else -reward)
    return total
