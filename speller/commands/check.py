"""``speller check``: misspellings are listed, and fail a build."""

import click

from speller.commands.dictionary import read_dictionaries
from speller.commands.edit_reports import Listed
from speller.commands.options import dictionary_option, project_min_probability_option, project_model_option
from speller.commands.output import write
from speller.commands.proofreading import Source, proofread

LISTED = 3
"""So many suggestions are shown of each misspelling."""


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(allow_dash=True))
@click.option("--json", "as_json", is_flag=True, help="One JSON object for every misspelling, one a line.")
@dictionary_option
@project_model_option
@project_min_probability_option
def check(
    files: tuple[str, ...],
    as_json: bool,
    dictionaries: tuple[str, ...],
    model: str | None,
    min_probability: float | None,
) -> None:
    """List the misspellings in FILES as FILE:LINE:COLUMN; - is stdin.

    The exit status is 1 where there is one, 0 where there is none, 2 where a file cannot be read. A file's nearest
    pyproject.toml may set more in its table [tool.speller].
    """
    words = read_dictionaries(dictionaries)
    sources = [Source.of(file, words=words, model=model, min_probability=min_probability) for file in files]
    sources = [source for source in sources if not source.excluded]
    found, refused = proofread(sources, lambda source: Listed(source.path, write, as_json=as_json), suggestions=LISTED)
    if refused or found:
        raise click.exceptions.Exit(2 if refused else 1)
