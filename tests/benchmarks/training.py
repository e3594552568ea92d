"""Training's speed on the CPU beside the arithmetic's limit: words per second of steps, of products, of the input.

    python tests/benchmarks/training.py [--recipe FILE] [--batch 512] [--threads 1] [--rounds 5] [--json FILE]

A step is what ``speller train`` does with a batch: loss, gradients, clipping, optimiser. Its matrix products alone are
the limit: those that it asks torch for, forward and backward, are noted once and then done again on tensors of the same
shapes, strides and types. For each batch of one block of the recipe's stream, each round times the step and the
products one after the other, so that a busy machine is busy for both; what counts is each batch's median. On one thread
the time is that of the processor, in which other processes do not count; on several it is that of the clock.

``fresh`` is the first pass over the batches: for products of a size that is new to it, oneDNN has to write code.
"""

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map_only

from speller.train.examples import BATCHES_AT_ONCE, Examples
from speller.train.loop import open_accelerator, open_optimizer, take_step
from speller.train.model import SpellingModel
from speller.train.objectives import read_objective
from speller.train.recipe import Recipe
from speller.train.run import learn_errors, make_examples, new_model
from speller.train.sources import read_sources

PRODUCTS = {torch.ops.aten.mm, torch.ops.aten.addmm, torch.ops.aten.addmm_, torch.ops.aten.bmm, torch.ops.aten.baddbmm}
WARM = 4

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
    optimizer = open_optimizer(model, recipe)
    step = partial(take_step, recipe, model, optimizer, objective, accelerator=accelerator, done=recipe.steps / 2)
    clock = time.process_time if threads == 1 else time.perf_counter

    def seconds(function: Callable[[], object]) -> float:
        start = clock()
        function()
        return clock() - start

    inputs = [seconds(partial(examples.batch, block * BATCHES_AT_ONCE)) for block in range(rounds)]
    batches = [examples.batch(place) for place in range(BATCHES_AT_ONCE)]
    for batch in batches[:WARM]:
        step(batch=batch)
    fresh = sum(seconds(partial(step, batch=batch)) for batch in batches)
    steps = limit = operations = 0.0
    for batch in batches:
        with Products() as products:
            step(batch=batch)
        multiply(products.noted)
        both = partial(step, batch=batch), partial(multiply, products.noted)
        times = [tuple(map(seconds, both)) for _ in range(rounds)]
        steps += statistics.median(of_step for of_step, _ in times)
        limit += statistics.median(of_products for _, of_products in times)
        operations += products.operations
    words, drawing = recipe.batch * len(batches), statistics.median(inputs)
    return {
        "step, words/s": words / steps,
        "fresh, words/s": words / fresh,
        "its products alone, words/s": words / limit,
        "share of the limit": limit / steps,
        "products, GFLOP/s": operations / limit / 1e9,
        "input alone, words/s": words / drawing,
        "input's share of the time": drawing / (steps + drawing),
    }


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
    figures: dict[str, dict[str, float]] = {}
    errors = learn_errors(sources)
    for size in options.batch:
        sized = replace(recipe, batch=size)
        examples = make_examples(sized, sources, errors, device=torch.device("cpu"))
        model = new_model(sized, sources.lexicon)
        title = f"batches of {size}, {open_accelerator('cpu').mixed_precision}, {options.threads} threads"
        figures[title] = measure(sized, examples, model, options.rounds, options.threads)
        print(f"\n{title}, {platform.processor() or platform.machine()}")
        for name, figure in figures[title].items():
            print(f"  {name:28}{figure:12,.2f}")
    if out:
        out.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
