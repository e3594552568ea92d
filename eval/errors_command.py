"""``speller errors``: holds ways to misspell against people, and against each other."""

import json
from dataclasses import asdict
from pathlib import Path

import click
import torch

from speller.eval.errors_recipe import ErrorsRecipe
from speller.eval.errors_report import markdown, plot
from speller.eval.errors_study import HELD_OUT, TOGETHER, run_errors
from speller.train.pairs import Pair, read_pairs


@click.command()
@click.option("--recipe", type=click.Path(path_type=Path), required=True, help="A TOML file; see eval/recipes.")
@click.option("--judge", "judged", multiple=True, metavar="NAME=PAIRS", help="Pairs to judge on; may be repeated.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="The comparison's folder.")
def errors(recipe: Path, judged: tuple[str, ...], out: Path) -> None:
    """Hold ways to misspell against what people wrote, and against each other by the models that they train.

    PAIRS are read as by speller eval; those of one NAME are one set. Nothing is learned from them. The same command
    goes on with a comparison that was stopped. It ends with OUT/results.json, the tables on stdout and in OUT/table.md,
    and the plot in OUT/plot.svg and OUT/plot.png.
    """
    torch.set_num_threads(1)
    results = run_errors(ErrorsRecipe.read(recipe), read_sets(judged), out)
    (out / "results.json").write_text(json.dumps(asdict(results), indent=1) + "\n", encoding="utf-8")
    (out / "table.md").write_text(markdown(results) + "\n", encoding="utf-8")
    plot(results, out / "plot.svg", out / "plot.png")
    click.echo(markdown(results))


def read_sets(judged: tuple[str, ...]) -> dict[str, list[Pair]]:
    """The pairs of ``NAME=PAIRS`` options, by name.

    Raises:
        ValueError: an option is not of that form, its name is taken, or its pairs cannot be read.
    """
    sets: dict[str, list[Pair]] = {}
    for stated in judged:
        name, equals, source = stated.partition("=")
        if not (name and equals and source) or name in (HELD_OUT, TOGETHER):
            raise ValueError(f"a set is NAME=PAIRS, with a name other than {HELD_OUT} and {TOGETHER}, not {stated!r}")
        sets.setdefault(name, []).extend(read_pairs(source))
    return sets
