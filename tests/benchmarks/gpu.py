"""What a GPU makes of it: training, the distances' kernels, the objectives, corrections.

    python tests/benchmarks/gpu.py PAIRS [--recipe FILE] [--batch 512 2048 8192] [--json FILE]

A step is what ``speller train`` does with a batch, with CUDA graphs. The kernels of one without them are the limit: a
profile sums how long they run, and what is left of the step the GPU waits for the CPU. The input is drawn on the GPU, a
block of batches at a time.

``soft_alignment`` and ``soft_dtw`` are timed as in ``distances.py``, at 4,096 x 24 x 24, beside pysdtw where it is
installed (``pip install --no-deps pysdtw``) and beside the moving of their bytes alone: costs read, two weights written
and read, the gradient written, read and scaled. Exact distances are those of 65,536 pairs of twelve letters, and equal
the CPU's. PAIRS are misspellings with their right words, of whose first column ``correct_many`` corrects 10,000, on the
GPU and on the CPU.
"""

import argparse
import copy
import json
import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from correcting import read_misspellings
from distances import time_all
from torch.autograd import DeviceType
from torch.profiler import ProfilerActivity, profile

from speller import Corrector
from speller.train.batch import Batch
from speller.train.distance import edit_distance
from speller.train.examples import BATCHES_AT_ONCE, Examples
from speller.train.graphs import Graphs, seconds
from speller.train.loop import open_accelerator, open_optimizer, take_step
from speller.train.model import SpellingModel
from speller.train.objectives import OBJECTIVES, read_objective
from speller.train.recipe import Recipe
from speller.train.run import learn_errors, make_examples, new_model
from speller.train.sources import Sources, read_sources

ROUNDS = 3
SOFT = (4096, 24)
WEIGHTS = Path(__file__).parents[2] / "speller/en.safetensors"
"""The objectives start from these: what a model without any training writes is longer than words are."""
EXACT = (65536, 12)
WORDS = 10_000
STEPS = 24
"""So many steps of each objective are timed, after half as many."""


def stepper(recipe: Recipe, model: SpellingModel, *, replayed: bool) -> Callable[[Batch], object]:
    """Trains a model on a batch, as in the middle of a run, with CUDA graphs or without."""
    objective, accelerator = read_objective(recipe.objective, recipe.options), open_accelerator("cuda")
    optimizer = open_optimizer(model, recipe)
    graphs, done = Graphs(model, accelerator) if replayed else None, recipe.steps / 2
    return lambda batch: take_step(recipe, model, optimizer, objective, batch, accelerator, done=done, graphs=graphs)


def of_recipe(examples: Examples, recipe: Recipe) -> Examples:
    """The same stream, cut as another recipe says."""
    changed = copy.copy(examples)
    changed.recipe = recipe
    return changed


def time_training(recipe: Recipe, examples: Examples, sources: Sources) -> dict[str, float]:
    """Words per second of a recipe's steps, of their kernels and of the input."""
    examples = of_recipe(examples, recipe)
    inputs = [seconds(partial(examples.batch, block * BATCHES_AT_ONCE)) for block in range(ROUNDS + 1)][1:]
    batches = [examples.batch(place) for place in range(BATCHES_AT_ONCE)]

    def training(*, replayed: bool) -> Callable[[], None]:
        """Trains a model on all of them, once it has done so."""
        step = stepper(recipe, new_model(recipe, sources.lexicon).cuda(), replayed=replayed)

        def block() -> None:
            for batch in batches:
                step(batch)

        block()
        return block

    one_by_one, as_graphs = training(replayed=False), training(replayed=True)
    of_each, of_block = (statistics.median(seconds(block) for _ in range(ROUNDS)) for block in (one_by_one, as_graphs))
    with profile(activities=[ProfilerActivity.CUDA]) as found:
        seconds(one_by_one)
    kernels = [event for event in found.events() or () if event.device_type == DeviceType.CUDA]
    busy = sum(each.time_range.elapsed_us() for each in kernels if not each.is_user_annotation) / 1e6
    words, drawing = recipe.batch * BATCHES_AT_ONCE, statistics.median(inputs)
    return {
        "step, words/s": words / of_block,
        "step without CUDA graphs, words/s": words / of_each,
        "its kernels alone, words/s": words / busy,
        "share of the limit": busy / of_block,
        "input alone, words/s": words / drawing,
        "input's share of the time": drawing / (drawing + of_block),
    }


def time_objectives(recipe: Recipe, examples: Examples, sources: Sources) -> dict[str, float]:
    """Words per second of each objective's steps, where misspellings are read."""
    found = {}
    for name in OBJECTIVES:
        alone = replace(recipe, objective=name, options={}, prior=0.0, misspelling=0.0, start=str(WEIGHTS))
        step = stepper(alone, new_model(alone, sources.lexicon).cuda(), replayed=True)
        some = of_recipe(examples, alone)
        batches = [some.batch(place) for place in range(STEPS)]
        for batch in batches[: STEPS // 2]:
            step(batch)
        found[name] = alone.batch * STEPS / seconds(lambda: [step(batch) for batch in batches])  # noqa: B023
    return found


def time_distances() -> dict[str, Any]:
    """Milliseconds of the kernels, and the share of the memory's speed that they reach."""
    times = time_all("cuda", SOFT, 25)
    source = torch.rand(2**28, device="cuda")
    copying = min(seconds(source.clone) for _ in range(5))
    floats = 8 * SOFT[0] * SOFT[1] ** 2
    share = 1000 * floats * copying / (2 * source.numel()) / times["soft_alignment"]
    a, b = torch.randint(0, 26, (2, *EXACT), generator=torch.Generator().manual_seed(0))
    on_gpu = a.cuda(), b.cuda()
    if not torch.equal(edit_distance(*on_gpu).cpu(), edit_distance(a, b)):
        raise SystemExit("edit_distance differs between the GPU and the CPU")
    exact = statistics.median(seconds(lambda: edit_distance(*on_gpu)) for _ in range(9))
    return {"ms": times, "share of the memory's speed": share, "exact, pairs/s": EXACT[0] / exact}


def time_corrections(words: Sequence[str]) -> dict[str, float]:
    """Words per second of ``correct_many``, and how many answers are the same."""
    answers, speeds = {}, {}
    for device in ("cuda", "cpu"):
        corrector = Corrector.load("en", device=device)
        corrector.correct_many([word + "q" for word in words[:200]])
        start = time.perf_counter()
        answers[device] = corrector.correct_many(words)
        speeds[f"{device}, words/s"] = len(words) / (time.perf_counter() - start)
    same = sum(ours == theirs for ours, theirs in zip(*answers.values(), strict=True))
    return {**speeds, "words": len(words), "same answers": same}


def main() -> None:
    """Measures and prints it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pairs", type=Path, help="a TSV of misspellings and right words")
    parser.add_argument("--recipe", type=Path, help="a TOML file; what it names is read from its own folder")
    parser.add_argument("--batch", type=int, nargs="+", default=[512, 2048, 8192])
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    options = parser.parse_args()
    words = read_misspellings(options.pairs)[:WORDS]
    out = options.json and options.json.absolute()
    recipe = Recipe()
    if options.recipe:
        os.chdir(options.recipe.parent)
        recipe = Recipe.read(Path(options.recipe.name))
    figures: dict[str, Any] = {
        "device": torch.cuda.get_device_name(),
        "torch": torch.__version__,
        "precision": open_accelerator("cuda").mixed_precision,
    }

    def measured(name: str, found: Any) -> None:
        figures[name] = found
        print(name, json.dumps(found, indent=1), flush=True)
        if out:
            out.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")

    measured("distances", time_distances())
    measured("corrections", time_corrections(words))
    sources = read_sources(recipe)
    examples = make_examples(recipe, sources, learn_errors(sources), device=torch.device("cuda"))
    sizes = {str(size): replace(recipe, batch=size) for size in options.batch}
    measured("training", {size: time_training(sized, examples, sources) for size, sized in sizes.items()})
    measured("objectives", time_objectives(recipe, examples, sources))


if __name__ == "__main__":
    main()
