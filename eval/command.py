"""``speller eval``: judges a model beside its baselines."""

import functools
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress

from speller.corrector import Corrector
from speller.eval.judge import Judgement, Rows, judge
from speller.eval.report import Report, as_data, tables
from speller.eval.systems import OWN, Factory, UnavailableError, find_systems
from speller.train.pairs import read_pairs, split_pairs

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
@click.option("--seen", multiple=True, metavar="PAIRS", help="Pairs that were trained on: seen and unseen ones apart.")
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
    aspell-bad. A package adds its own through the entry-point group 'speller.systems'.
    """
    names = ["speller", *dict.fromkeys(name.strip() for name in baselines.split(",") if name.strip() != "none")]
    systems = find_systems()
    if unknown := [name for name in names if name not in systems]:
        raise ValueError(f"no system is called {', '.join(map(repr, unknown))}; there are {', '.join(systems)}")
    if html and not html.absolute().parent.is_dir():
        raise ValueError(f"{html}: there is no folder {html.absolute().parent}")
    rows = read_rows(sources, limit=limit, seen=seen)
    judgements, skipped = _judge_all(model, {name: systems[name] for name in names}, rows)
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


def read_rows(sources: Sequence[str], *, limit: int | None, seen: Sequence[str] = ()) -> Rows:
    """The rows that ``speller eval`` judges: those of the sources, or what training leaves out of codespell's.

    Raises:
        ValueError: a source cannot be read, or has no misspelling in it.
    """
    names = [Path(source).stem if Path(source).is_file() else source for source in sources]
    if len(set(names)) < len(set(sources)):
        names = list(sources)
    pairs = {name: read_pairs(source) for name, source in zip(names, sources, strict=True)}
    if not sources:
        pairs["codespell, test part"] = split_pairs(read_pairs("codespell"), language="en")["test"]
    known = [pair for source in seen for pair in read_pairs(source)] if seen else None
    rows = Rows.of(pairs, limit=limit, seen=known)
    if not rows.misspelt.any():
        raise ValueError(f"{', '.join(pairs)}: every pair's sides are the same but for letter case: nothing is wrong")
    return rows


def _judge_all(model: str, factories: Mapping[str, Factory], rows: Rows) -> tuple[list[Judgement], dict[str, str]]:
    """What each system answers, and which are left out, for what reason."""
    started = time.perf_counter()
    corrector = Corrector.load(model)
    load_seconds = time.perf_counter() - started
    judgements, skipped = [], {}
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        for name, factory in factories.items():
            task = progress.add_task(name, total=len(rows))
            started = time.perf_counter() - (load_seconds if name in OWN else 0)
            try:
                system = factory(corrector)
            except UnavailableError as error:
                skipped[name] = str(error)
                progress.remove_task(task)
                continue
            seconds = time.perf_counter() - started
            judgements.append(
                judge(name, system, rows, load_seconds=seconds, advance=functools.partial(progress.advance, task))
            )
    return judgements, skipped
