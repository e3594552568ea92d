"""``speller errors``: holds ways to misspell against people, and against each other."""

import json
from dataclasses import asdict
from pathlib import Path

import click
import torch

from speller.eval.errors_recipe import ErrorsRecipe
from speller.eval.errors_report import markdown, plot
from speller.eval.errors_study import HELD_OUT, TOGETHER, run_errors
from speller.eval.sets import read_sets


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
    results = run_errors(ErrorsRecipe.read(recipe), read_sets(judged, taken=(HELD_OUT, TOGETHER)), out)
    (out / "results.json").write_text(json.dumps(asdict(results), indent=1) + "\n", encoding="utf-8")
    (out / "table.md").write_text(markdown(results) + "\n", encoding="utf-8")
    plot(results, out / "plot.svg", out / "plot.png")
    click.echo(markdown(results))
