"""``speller text``: running text is corrected."""

import os

import click

from speller.commands.dictionary import read_dictionaries
from speller.commands.difference import Difference
from speller.commands.edit_reports import Corrected, InPlace, Listed, Report
from speller.commands.options import (
    check_jobs,
    device_option,
    dictionary_option,
    jobs_option,
    project_min_probability_option,
    project_model_option,
)
from speller.commands.output import on_terminal, write
from speller.commands.proofreading import STDIN, Source, proofread

LISTED = 5
"""So many suggestions stand in an object of ``--json``."""


@click.command()
@click.argument("files", nargs=-1, type=click.Path(allow_dash=True))
@click.option("--diff", is_flag=True, help="Write what would change, as a unified difference.")
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object for every misspelling, one a line.")
@click.option("--write", "in_place", is_flag=True, help="Change the FILES themselves.")
@dictionary_option
@jobs_option
@project_model_option
@device_option
@project_min_probability_option
def text(
    files: tuple[str, ...],
    diff: bool,
    as_json: bool,
    in_place: bool,
    dictionaries: tuple[str, ...],
    jobs: int,
    model: str | None,
    device: str,
    min_probability: float | None,
) -> None:
    """Correct the running text of FILES, or of stdin, and write it to stdout.

    Only misspelled words change: all else stays as it is, byte for byte. A file's nearest pyproject.toml may set more
    in its table [tool.speller].
    """
    check_jobs(jobs, device)
    if diff + as_json + in_place > 1:
        raise click.UsageError("--diff, --json and --write are three ways to tell of the same: choose one")
    if in_place:
        if not files or STDIN in files:
            raise click.UsageError("--write changes files: name them; stdin cannot be written to")
        files = tuple({os.path.realpath(file): file for file in reversed(files)}.values())[::-1]
    words = read_dictionaries(dictionaries)
    sources = [
        Source.of(file, words=words, model=model, device=device, min_probability=min_probability)
        for file in files or (STDIN,)
    ]

    if diff or as_json or in_place:
        sources = [source for source in sources if not source.excluded]

    def report_on(source: Source) -> Report:
        if source.found and in_place:
            return InPlace(source.path, source.found)
        if as_json:
            return Listed(source.path, write, as_json=True)
        if diff:
            return Difference(source.path, write, coloured=on_terminal() and not os.environ.get("NO_COLOR"))
        return Corrected(write)

    _, refused = proofread(sources, report_on, suggestions=LISTED if as_json else 1, jobs=jobs, replaced=in_place)
    if refused:
        raise click.exceptions.Exit(2)
