"""Training's speed on the CPU beside the arithmetic's limit: words per second of steps, of products, of the input.

    python tests/benchmarks/training.py [--recipe FILE] [--batch 512] [--threads 1] [--rounds 5] [--json FILE]

A step is what ``speller train`` does with a batch: loss, gradients, clipping, optimiser. Its matrix products alone are
the limit: those that it asks torch for, forward and backward, are noted once and then done again on tensors of the same
shapes, strides and types. For each batch of one block of the recipe's stream, each round times the step and the
products one after the other, so that a busy machine is busy for both; what counts is each batch's median. A step of the
same model with torch's own recurrence takes its turn, too. On one thread the time is that of the processor, in which
other processes do not count; on several it is that of the clock.

``fresh`` is the first pass over the batches: for products of a size that is new to it, oneDNN has to write code.
"""

import argparse
import dataclasses
import json
import os
import platform
import statistics
import textwrap
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map_only

from speller.eval.checksum import recipe_checksum
from speller.train.examples import BATCHES_AT_ONCE, Examples
from speller.train.loop import open_accelerator, open_optimizer, take_step
from speller.train.model import SpellingModel
from speller.train.objectives import read_objective
from speller.train.recipe import Recipe
from speller.train.run import learn_errors, make_examples, new_model
from speller.train.sources import read_sources

PRODUCTS = {torch.ops.aten.mm, torch.ops.aten.addmm, torch.ops.aten.addmm_, torch.ops.aten.bmm, torch.ops.aten.baddbmm}
WARM = 4

STEP, TORCH, SHARE = "step, words/s", "step with torch's recurrence, words/s", "share of the limit"
"""What the README's figures are called."""

Product = tuple[Callable[..., Tensor], tuple[Any, ...], dict[str, Any]]


class Products(TorchDispatchMode):
    """Notes the matrix products that are asked for within it, with tensors that stand for theirs."""

    def __init__(self) -> None:
        super().__init__()
        self.noted: list[Product] = []
        self.operations = 0

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if function.overloadpacket in PRODUCTS:
            left, right = args[-2:]
            self.operations += 2 * left.numel() * right.shape[-1]
            self.noted.append((function, tree_map_only(Tensor, alike, args), kwargs or {}))
        return function(*args, **kwargs or {})


class Fused(SpellingModel):
    """The model with torch's own recurrence."""

    def _compiled(self, tensor: Tensor) -> bool:
        return False


def alike(tensor: Tensor) -> Tensor:
    """Another tensor of the same shape, strides and type."""
    return torch.empty_strided(tensor.shape, tensor.stride(), dtype=tensor.dtype).normal_()


def multiply(products: list[Product]) -> None:
    """Does the products again."""
    for function, args, kwargs in products:
        function(*args, **kwargs)


def measure(recipe: Recipe, examples: Examples, model: SpellingModel, rounds: int, threads: int) -> dict[str, float]:
    """Words per second of a recipe's steps, of their products and of the input, and what follows from them."""
    accelerator, objective = open_accelerator("cpu"), read_objective(recipe.objective, recipe.options)
    fused = Fused(model.config)
    step, fused_step = (
        partial(
            take_step,
            recipe,
            each,
            open_optimizer(each, recipe),
            objective,
            accelerator=accelerator,
            done=recipe.steps / 2,
        )
        for each in (model, fused)
    )
    clock = time.process_time if threads == 1 else time.perf_counter

    def seconds(function: Callable[[], object]) -> float:
        start = clock()
        function()
        return clock() - start

    inputs = [seconds(partial(examples.batch, block * BATCHES_AT_ONCE)) for block in range(rounds)]
    batches = [examples.batch(place) for place in range(BATCHES_AT_ONCE)]
    for batch in batches[:WARM]:
        step(batch=batch)
        fused_step(batch=batch)
    fresh = sum(seconds(partial(step, batch=batch)) for batch in batches)
    steps = fused_steps = limit = operations = 0.0
    for batch in batches:
        with Products() as products:
            step(batch=batch)
        multiply(products.noted)
        fused_step(batch=batch)  # it may be new to torch, too
        all_three = partial(step, batch=batch), partial(fused_step, batch=batch), partial(multiply, products.noted)
        times = [[seconds(function) for function in all_three] for _ in range(rounds)]
        of_step, of_fused, of_products = map(statistics.median, zip(*times, strict=True))
        steps, fused_steps, limit = steps + of_step, fused_steps + of_fused, limit + of_products
        operations += products.operations
    words, drawing = recipe.batch * len(batches), statistics.median(inputs)
    return {
        STEP: words / steps,
        TORCH: words / fused_steps,
        "fresh, words/s": words / fresh,
        "its products alone, words/s": words / limit,
        SHARE: limit / steps,
        "products, GFLOP/s": operations / limit / 1e9,
        "input alone, words/s": words / drawing,
        "input's share of the time": drawing / (steps + drawing),
    }


def markdown(figures: Mapping[str, Any]) -> str:
    """The figures as the README has them, for the recipe's own batch."""
    found, threads = figures["batches"][str(figures["recipe"]["batch"])], figures["threads"]
    time_of = "one thread's time" if threads == 1 else f"{threads} threads' time"
    sentence = (
        f"On a CPU the LSTM runs compiled over packed sequences: {found[STEP]:,.0f} words a second of {time_of} in "
        f"{figures['precision']}, {found[STEP] / found[TORCH]:.1f} times what torch's own does, and {found[SHARE]:.2f} "
        "of the speed of its matrix products alone (`python tests/benchmarks/training.py`)."
    )
    return textwrap.fill(sentence, 120) + "\n"


def main() -> None:
    """Measures and prints it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", type=Path, help="a TOML file; what it names is read from its own folder")
    parser.add_argument("--batch", type=int, nargs="+", default=[512])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    out = options.json and options.json.absolute()
    recipe = Recipe()
    if options.recipe:
        os.chdir(options.recipe.parent)
        recipe = Recipe.read(Path(options.recipe.name))
    sources = read_sources(recipe)
    errors = learn_errors(sources)
    figures: dict[str, Any] = {
        "recipe_sha256": recipe_checksum(recipe),
        "recipe": dataclasses.asdict(recipe),
        "precision": open_accelerator("cpu").mixed_precision,
        "threads": options.threads,
        "batches": {},
    }
    print(f"{figures['precision']}, {options.threads} threads, {platform.processor() or platform.machine()}")
    for size in options.batch:
        sized = replace(recipe, batch=size)
        examples = make_examples(sized, sources, errors, device=torch.device("cpu"))
        model = new_model(sized, sources.lexicon)
        figures["batches"][str(size)] = found = measure(sized, examples, model, options.rounds, options.threads)
        print(f"\nbatches of {size}")
        for name, figure in found.items():
            print(f"  {name:40}{figure:12,.2f}")
    if str(recipe.batch) in figures["batches"]:
        print(f"\n{markdown(figures)}")
    if out:
        out.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
