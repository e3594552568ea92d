"""``speller train``."""

from pathlib import Path
from typing import Any

import click

from speller.train.learning_rates import find_learning_rate
from speller.train.recipe import Recipe
from speller.train.run import run


@click.command()
@click.option("--recipe", type=click.Path(path_type=Path), help="A TOML file; the options below override what it says.")
@click.option("--objective", help='A sum, such as "soft-edit+0.1*cross-entropy".')
@click.option("--pairs", multiple=True, help="A file of misspelling pairs, codespell, or a hub name; may be repeated.")
@click.option("--lexicon", help="The lexicon, as `speller lexicon` builds it [default: the English one].")
@click.option("--language", help="Its language's code, to hold out words with their inflections [default: en].")
@click.option("--start", help="Weights (.safetensors) to train on from.")
@click.option("--cell", type=click.Choice(["lstm", "gru", "rnn"]), help="[default: lstm]")
@click.option("--steps", type=int, help="How many batches.")
@click.option("--batch", type=int, help="Words in a batch.")
@click.option("--learning-rate", type=float, help="The highest one.")
@click.option("--find-lr", is_flag=True, help="Train nothing: sweep the learning rate, plot it in OUT, propose one.")
@click.option("--seed", type=int, help="Decides weights, batches and samples.")
@click.option("--device", type=click.Choice(["cpu", "cuda"]), help="[default: a GPU where there is one]")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="The run's folder.")
def train(recipe: Path | None, pairs: tuple[str, ...], device: Any, out: Path, find_lr: bool, **changes: Any) -> None:
    """Train a model; the same command goes on with a run that was stopped.

    It ends, also on Ctrl-C, with a model in OUT/model. To watch it: tensorboard --logdir OUT
    """
    if find_lr:
        for name in ("learning_rate", "steps"):
            if changes[name] is not None:
                option = name.replace("_", "-")
                raise click.UsageError(f"--find-lr sweeps learning rates in steps of its own: leave out --{option}")
    stated = {name: value for name, value in changes.items() if value is not None}
    if pairs:
        stated["pairs"] = pairs
    chosen = Recipe.read(recipe, **stated) if recipe else Recipe(**stated)
    if find_lr:
        click.echo(find_learning_rate(chosen, out, device=device))
        return
    folder = run(chosen, out, device=device)
    if folder:
        click.echo(str(folder))
