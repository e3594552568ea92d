"""``speller eval``: judges a model beside its baselines."""

import json
from pathlib import Path

import click
from rich.console import Console

from speller.eval.judging import judge_all, read_rows
from speller.eval.report import Report, as_data, tables

WIDEST = 240
"""The most columns of text that a table is given."""


@click.command("eval")
@click.argument("sources", metavar="[PAIRS]...", nargs=-1)
@click.option("--model", default="en", show_default=True, metavar="NAME|FOLDER", help="The model to judge.")
@click.option(
    "--baselines",
    default="rf-levenshtein,rf-osa,rf-jarowinkler",
    show_default=True,
    metavar="NAME,...",
    help="The systems to hold it against; 'none' for the model alone.",
)
@click.option(
    "-n",
    "--limit",
    type=click.IntRange(min=1),
    default=1000,
    show_default=True,
    help="The most rows of each source, drawn at random, for all systems and in every run the same ones.",
)
@click.option(
    "--seen", multiple=True, metavar="PAIRS", help="Pairs that were trained on: seen and unseen pairs and words apart."
)
@click.option("--json", "as_json", is_flag=True, help="JSON on stdout, with every interval and comparison.")
@click.option(
    "--html",
    type=click.Path(path_type=Path, dir_okay=False, writable=True),
    metavar="FILE",
    help="Write a page with plots and examples.",
)
def evaluate(
    sources: tuple[str, ...],
    model: str,
    baselines: str,
    limit: int,
    seen: tuple[str, ...],
    as_json: bool,
    html: Path | None,
) -> None:
    """Judge a model on misspellings whose right words are known.

    PAIRS is a file (TSV, CSV, JSONL, parquet; Mitton's .dat; Norvig's or codespell's .txt), 'codespell', or the name
    of a data set on the hub. Without any, the part of codespell's dictionary that training leaves out is judged. A
    pair of equal words is a valid word, to be left alone. Letter case does not count.

    Baselines: speller-no-model and speller-beam, which are the model's lexicon without its network and its network
    without the ranking; rapidfuzz over the same lexicon, as rf-levenshtein, rf-osa, rf-damerau, rf-jarowinkler and
    rf-ratio; and where installed symspell2, symspell3, symspell4, pyspellchecker, autocorrect, hunspell, aspell and
    aspell-bad. A package adds its own through the entry-point group 'speller.baselines'.
    """
    others = [name.strip() for name in baselines.split(",") if name.strip() != "none"]
    names = list(dict.fromkeys(["speller", *others]))
    if html and not html.absolute().parent.is_dir():
        raise ValueError(f"{html}: there is no folder {html.absolute().parent}")
    rows = read_rows(sources, limit=limit, seen=seen)
    judgements, skipped = judge_all(model, names, rows)
    report = Report.of(rows, judgements, skipped=skipped)
    if html:
        from speller.eval.page import page

        try:
            html.write_text(page(report), encoding="utf-8")
        except OSError as error:
            raise ValueError(f"{html} cannot be written: {error.strerror}") from error
    if as_json:
        click.echo(json.dumps(as_data(report), indent=1, ensure_ascii=False))
    else:
        # As wide as a table wants: a narrow terminal wraps it, and a pipe gets it whole.
        console = Console(width=WIDEST)
        for table in tables(report):
            console.print(table)
    for name, reason in skipped.items():
        click.echo(f"{name} is left out: {reason}", err=True)
