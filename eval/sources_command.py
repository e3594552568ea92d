"""``speller sources``: leaves each source of misspellings out in turn."""

import json
from dataclasses import asdict
from pathlib import Path

import click
import torch

from speller.eval.sources_recipe import SourcesRecipe
from speller.eval.sources_report import markdown
from speller.eval.sources_study import run_sources


@click.command()
@click.option(
    "--recipe", type=click.Path(path_type=Path), required=True, help="A TOML file: eval/recipes/sources.toml."
)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="The study's folder.")
def sources(recipe: Path, out: Path) -> None:
    """Tell learning to spell from learning a source: train on all sources, and without each in turn.

    The same command goes on with a study that was stopped. It ends with OUT/results.json, and the table on stdout and
    in OUT/table.md.
    """
    torch.set_num_threads(1)
    results = run_sources(SourcesRecipe.read(recipe), out)
    (out / "results.json").write_text(json.dumps(asdict(results), indent=1) + "\n", encoding="utf-8")
    (out / "table.md").write_text(markdown(results), encoding="utf-8")
    click.echo(markdown(results), nl=False)
