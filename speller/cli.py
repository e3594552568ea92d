"""The ``speller`` command: a list of subcommands, each imported only when it runs."""

import gc
import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import click
from click.shell_completion import CompletionItem

from speller.commands.output import end_as_a_pipe_does

INTERRUPTED = 130
"""The exit status on Ctrl-C, as shells count it."""


class Place(NamedTuple):
    """Where a subcommand is: its module, its name there, what it does in a line, and the extra that it needs."""

    module: str
    name: str
    help: str
    extra: str = ""


COMMANDS = {
    "correct": Place("speller.commands.words", "correct", "Correct words, one a line."),
    "suggest": Place("speller.commands.words", "suggest", "Suggest what may have been meant by words."),
    "text": Place("speller.commands.text", "text", "Correct running text, in files or on a pipe."),
    "check": Place("speller.commands.check", "check", "List the misspellings in files."),
    "explain": Place("speller.commands.explain", "explain_command", "Explain why words are corrected as they are."),
    "info": Place("speller.commands.info", "info", "Tell a model's language, data, licence and size."),
    "completion": Place("speller.commands.completion", "completion", "Print what completes this command in a shell."),
    "lexicon": Place(
        "speller.train.lexicon_command", "lexicon_command", "Build a lexicon from word lists with frequencies.", "train"
    ),
    "train": Place("speller.train.command", "train", "Train a model.", "train"),
    "eval": Place("speller.eval.command", "evaluate", "Judge a model and its rivals on misspelling pairs.", "eval"),
    "figures": Place(
        "speller.eval.figures_command", "figures", "Measure published figures anew, as a recipe says.", "train"
    ),
    "study": Place(
        "speller.eval.study_command",
        "study",
        "Hold training objectives against each other with the same work.",
        "train",
    ),
    "sources": Place(
        "speller.eval.sources_command", "sources", "Train without each source of misspellings in turn.", "train"
    ),
    "errors": Place(
        "speller.eval.errors_command",
        "errors",
        "Hold ways to misspell against people, and against each other.",
        "train",
    ),
}
"""The subcommands, in order of use."""


class BadInput(click.ClickException):
    """One line on stderr and exit status 2."""

    exit_code = 2

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split("\n")))


class Speller(click.Group):
    """The command, which turns bad input into one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All subcommands, in order of use."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A subcommand by its name, imported now."""
        if cmd_name not in COMMANDS:
            return None
        place = COMMANDS[cmd_name]
        try:
            command: click.Command = getattr(importlib.import_module(place.module), place.name)
        except ModuleNotFoundError as error:
            if not place.extra:
                raise
            raise BadInput(
                f"`speller {cmd_name}` needs {error.name}: install it with pip install 'speller[{place.extra}]'"
            ) from None
        # What was imported stays to the end: searches for garbage, the last ones among them, are to pass over it.
        gc.freeze()
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the subcommands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, place.help) for name, place in COMMANDS.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """What completes the command, without importing the subcommands."""
        names = [
            CompletionItem(name, help=place.help) for name, place in COMMANDS.items() if name.startswith(incomplete)
        ]
        return [*names, *click.Command.shell_complete(self, ctx, incomplete)]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """See ``click.Group.parse_args``; what is wrong there is said in one line."""
        if not args:  # which shows the help
            return super().parse_args(ctx, args)
        with _in_one_line():
            return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run, and say what was wrong with the input in one line."""
        with _in_one_line():
            return super().invoke(ctx)


@contextmanager
def _in_one_line() -> Iterator[None]:
    """Bad input gets a line and exit status 2; whoever stops the command, or stops reading, is told nothing."""
    try:
        yield
    except BrokenPipeError:
        end_as_a_pipe_does()
    except KeyboardInterrupt:
        raise click.exceptions.Exit(INTERRUPTED) from None
    except click.UsageError as error:
        raise BadInput(error.format_message()) from None
    except ValueError as error:
        raise BadInput(str(error)) from error
    except OSError as error:
        message = error.strerror or str(error)
        raise BadInput(message if error.filename is None else f"{error.filename}: {message}") from error


@click.group(cls=Speller, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="speller")
def main() -> None:
    """Correct spelling, and train and judge what corrects it."""
