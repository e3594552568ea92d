"""What a step back through time leaves of the decoder's gradient, with each recurrent cell.

    python tests/benchmarks/gradient_flow.py [--json FILE]

Trains the recipe gradient-flow.toml with each cell and seed, a minute each, and takes the factor by which the gradient
of the model that comes out grows: TensorBoard shows its logarithm as gradient-flow/decoder.
"""

import argparse
import dataclasses
import json
import math
import tempfile
import textwrap
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from statistics import mean
from typing import Any

from speller.eval.checksum import recipe_checksum
from speller.train.errors import ErrorModel
from speller.train.gradient_flow import gradient_flow, probe, slope
from speller.train.loop import open_accelerator, train
from speller.train.model import Cell
from speller.train.recipe import Recipe
from speller.train.run import learn_errors, make_examples, new_model
from speller.train.sources import Sources, read_sources

RECIPE = Path(__file__).parents[2] / "train/recipes/gradient-flow.toml"

CELLS: tuple[Cell, ...] = ("rnn", "gru", "lstm")

SEEDS = (0, 1, 2)


def factor(recipe: Recipe, sources: Sources, errors: ErrorModel) -> float:
    """By how much the decoder's gradient grows with each step back, once a model is trained as a recipe says."""
    accelerator = open_accelerator("cpu")
    examples = make_examples(recipe, sources, errors, device=accelerator.device)
    model = new_model(recipe, sources.lexicon)
    with tempfile.TemporaryDirectory() as out:
        held_out = sources.parts["fit"]
        train(recipe, model, examples, held_out, sources.lexicon, out=Path(out), accelerator=accelerator)
    return math.exp(slope(gradient_flow(model, probe(sources.lexicon))["decoder"]))


def markdown(figures: Mapping[str, Any]) -> str:
    """The figures as the README has them."""
    cells = [
        f"{mean(factors):.2f} with `{cell}` ({min(factors):.2f} to {max(factors):.2f})"
        for cell, factors in figures["factors"].items()
    ]
    sentence = (
        f"Each step back leaves of the decoder's gradient {', '.join(cells[:-1])} and {cells[-1]}: the mean of "
        f"{len(figures['seeds'])} seeds, their lowest and highest."
    )
    return textwrap.fill(sentence, 120) + "\n"


def main() -> None:
    """Measures and prints it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    options = parser.parse_args()
    recipe = Recipe.read(RECIPE)
    sources = read_sources(recipe)
    errors = learn_errors(sources)
    figures = {
        "recipe_sha256": recipe_checksum(recipe),
        "recipe": dataclasses.asdict(recipe),
        "seeds": SEEDS,
        "factors": {
            cell: [factor(replace(recipe, cell=cell, seed=seed), sources, errors) for seed in SEEDS] for cell in CELLS
        },
    }
    print(markdown(figures))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
