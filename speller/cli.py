"""The ``speller`` command; the subcommands of the upper floors are imported only when they run."""

import importlib
import json
import os
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import click

from speller.bundle import Config, find
from speller.corrector import MIN_PROBABILITY, Corrector

ELSEWHERE = {
    "lexicon": ("speller.train.lexicon_command", "lexicon_command", "train"),
    "train": ("speller.train.command", "train", "train"),
    "eval": ("speller.eval.command", "evaluate", "eval"),
    "study": ("speller.eval.study_command", "study", "train"),
    "errors": ("speller.eval.errors_command", "errors", "train"),
}
"""Subcommands of the upper floors: module, name there, and the extra that it needs."""


class BadInput(click.ClickException):
    """One line on stderr and exit status 2."""

    exit_code = 2


class Speller(click.Group):
    """The command, which turns bad input into one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All subcommands, in order of use."""
        return [*self.commands, *ELSEWHERE]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A subcommand by its name, imported now if it lives elsewhere."""
        if cmd_name not in ELSEWHERE:
            return super().get_command(ctx, cmd_name)
        module, name, extra = ELSEWHERE[cmd_name]
        try:
            command: click.Command = getattr(importlib.import_module(module), name)
        except ModuleNotFoundError as error:
            raise BadInput(
                f"`speller {cmd_name}` needs {error.name}: install it with pip install 'speller[{extra}]'"
            ) from None
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the subcommands without importing those that need an extra."""
        rows = [(name, command.get_short_help_str(80)) for name, command in self.commands.items()]
        rows += [(name, HELP_ELSEWHERE[name]) for name in ELSEWHERE]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def invoke(self, ctx: click.Context) -> Any:
        """Run; a ``ValueError``, or a file that cannot be opened, says what was wrong with the input."""
        try:
            return super().invoke(ctx)
        except ValueError as error:
            raise BadInput(str(error)) from error
        except (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError, FileExistsError) as error:
            raise BadInput(f"{error.filename}: {error.strerror}") from error


HELP_ELSEWHERE = {
    "lexicon": "Build a lexicon from word lists with frequencies.",
    "train": "Train a model.",
    "eval": "Judge a model and its rivals on misspelling pairs.",
    "study": "Hold training objectives against each other with the same work.",
    "errors": "Hold ways to misspell against people, and against each other.",
}

model_option = click.option("--model", default="en", show_default=True, help="A model that ships, or a model's folder.")
device_option = click.option(
    "--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True, help="Where the model runs."
)


@click.group(cls=Speller, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="speller")
def main() -> None:
    """Correct spelling, and train and judge what corrects it."""


@main.command()
@click.argument("words", nargs=-1)
@model_option
@device_option
@click.option("--min-probability", type=click.FloatRange(0, 1), default=MIN_PROBABILITY, show_default=True,
              help="Correct an unknown word where its best suggestion is at least this probable.")  # fmt: skip
def correct(words: tuple[str, ...], model: str, device: str, min_probability: float) -> None:
    """Correct WORDS, one a line; without any, the lines of stdin."""
    corrector = Corrector.load(model, device=device, min_probability=min_probability)
    for some in [words] if words else read_lines():
        for word in corrector.correct_many(some):
            click.echo(word)


@main.command()
@click.argument("words", nargs=-1)
@model_option
@device_option
@click.option("-n", "count", type=click.IntRange(1), default=5, show_default=True, help="Suggestions for each word.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def suggest(words: tuple[str, ...], model: str, device: str, count: int, as_json: bool) -> None:
    """Suggest what may have been meant by WORDS, or by the lines of stdin."""
    corrector = Corrector.load(model, device=device)
    for some in [words] if words else read_lines():
        for word, suggestions in zip(some, corrector.suggest_many(some, count), strict=True):
            if as_json:
                listed = [vars(suggestion) for suggestion in suggestions]
                click.echo(json.dumps({"written": word, "suggestions": listed}, ensure_ascii=False))
            else:
                found = "  ".join(f"{suggestion.word} {suggestion.probability:.2f}" for suggestion in suggestions)
                click.echo(f"{word}: {found}" if word else "")


@main.command()
@model_option
def info(model: str) -> None:
    """Tell a model's language, objective, data, licence, size and figures."""
    folder = find(model)
    config = Config.read(folder)
    size = sum(stated["bytes"] for stated in config.files.values())
    click.echo(f"{'model':<12} {folder}\n{'size':<12} {size / 1e6:.1f} MB")
    for name, value in config.card.items():
        click.echo(f"{name:<12} {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}")


def read_lines() -> Iterator[Sequence[str]]:
    """The lines of stdin as they come: many at a time from a fast pipe, one at a time from a hand."""
    for stream in (sys.stdin, sys.stdout):  # bytes that are no UTF-8 pass through
        stream.reconfigure(encoding="utf-8", errors="surrogateescape")  # type: ignore[union-attr]
    begun = b""
    while chunk := os.read(sys.stdin.fileno(), 1 << 16):
        *lines, begun = (begun + chunk).split(b"\n")
        if lines:
            yield [line.decode("utf-8", "surrogateescape").removesuffix("\r") for line in lines]
    if begun:
        yield [begun.decode("utf-8", "surrogateescape")]
