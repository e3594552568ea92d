"""``speller figures``: measures published figures anew."""

import json
from pathlib import Path

import click

from speller.eval.figures import markdown, measure
from speller.eval.figures_recipe import FiguresRecipe
from speller.eval.folder import write_whole
from speller.eval.sets import read_sets


@click.command()
@click.option("--recipe", type=click.Path(path_type=Path), required=True, help="A TOML file: eval/recipes/readme.toml.")
@click.option("--set", "sets", multiple=True, metavar="NAME=PAIRS", help="One of the recipe's sets; may be repeated.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The JSON file to write.")
def figures(recipe: Path, sets: tuple[str, ...], out: Path) -> None:
    """Judge a model as a recipe says, and write the figures with the checksums of all that they are of.

    The tables come to stdout as Markdown. The README's stand between the lines `<!-- figures -->`; a test holds them to
    the JSON, and the JSON to the recipe and to the model that ships.
    """
    if not out.absolute().parent.is_dir():
        raise ValueError(f"{out}: there is no folder {out.absolute().parent}")
    data = measure(FiguresRecipe.read(recipe), read_sets(sets))
    write_whole(out, json.dumps(data, indent=1, ensure_ascii=False) + "\n")
    click.echo(markdown(data), nl=False)
