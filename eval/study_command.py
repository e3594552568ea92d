"""``speller study``: holds objectives against each other with the same work."""

import json
from pathlib import Path

import click
import torch
from rich.console import Console

from speller.eval.study import run_study
from speller.eval.study_recipe import StudyRecipe
from speller.eval.study_report import as_data, markdown, plot, table

WIDEST = 240
"""The most columns of text that the table is given."""


@click.command()
@click.option("--recipe", type=click.Path(path_type=Path), required=True, help="A TOML file; see eval/recipes.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="The study's folder.")
def study(recipe: Path, out: Path) -> None:
    """Hold training objectives against each other, with the same work and over several seeds.

    The same command goes on with a study that was stopped. It ends with OUT/results.json, the table on stdout and in
    OUT/table.md, and the plot in OUT/plot.svg and OUT/plot.png.
    """
    # Threads that wait for each other burn processor seconds, by which the budget goes.
    torch.set_num_threads(1)
    results = run_study(StudyRecipe.read(recipe), out)
    (out / "results.json").write_text(json.dumps(as_data(results), indent=1) + "\n", encoding="utf-8")
    (out / "table.md").write_text(markdown(results), encoding="utf-8")
    plot(results, out / "plot.svg", out / "plot.png")
    # As wide as the table wants: a narrow terminal wraps it, and a pipe gets it whole.
    Console(width=WIDEST).print(table(results))
