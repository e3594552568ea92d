"""``speller info``: what a model is."""

import json

import click

from speller.bundle import Config, find
from speller.commands.options import model_option


@click.command()
@model_option
def info(model: str) -> None:
    """Tell a model's language, objective, data, licence, size and figures."""
    folder = find(model)
    config = Config.read(folder)
    size = sum(stated["bytes"] for stated in config.files.values())
    click.echo(f"{'model':<12} {folder}\n{'size':<12} {size / 1e6:.1f} MB")
    for name, value in config.card.items():
        click.echo(f"{name:<12} {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}")
