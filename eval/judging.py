"""Judging several systems one after another, on rows of one's own or on those that training leaves out."""

import functools
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from speller.corrector import Corrector
from speller.eval.judge import Judgement, Rows, judge
from speller.eval.systems import OWN, UnavailableError, find_systems
from speller.train.pairs import Pair, read_pairs, split_pairs

HELD_OUT = "codespell, test part"
"""The name of the rows that are judged where no others are named."""


def held_out() -> Mapping[str, Sequence[Pair]]:
    """The part of codespell's dictionary that training leaves out, by its name."""
    return {HELD_OUT: split_pairs(read_pairs("codespell"), language="en")["test"]}


def read_rows(sources: Sequence[str], *, limit: int | None, seen: Sequence[str] = ()) -> Rows:
    """The rows that ``speller eval`` judges: those of the sources, or what training leaves out of codespell's.

    Raises:
        ValueError: a source cannot be read, or has no misspelling in it.
    """
    names = [Path(source).stem if Path(source).is_file() else source for source in sources]
    if len(set(names)) < len(set(sources)):
        names = list(sources)
    pairs = {name: read_pairs(source) for name, source in zip(names, sources, strict=True)} or held_out()
    known = [pair for source in seen for pair in read_pairs(source)] if seen else None
    rows = Rows.of(pairs, limit=limit, seen=known)
    if not rows.misspelt.any():
        raise ValueError(f"{', '.join(pairs)}: every pair's sides are the same but for letter case: nothing is wrong")
    return rows


def judge_all(model: str, names: Sequence[str], rows: Rows) -> tuple[list[Judgement], dict[str, str]]:
    """What each system answers, and which are left out, for what reason; progress is shown on a terminal's stderr.

    Raises:
        ValueError: there is no system of that name, or no such model.
    """
    systems = find_systems()
    if unknown := [name for name in names if name not in systems]:
        raise ValueError(f"no system is called {', '.join(map(repr, unknown))}; there are {', '.join(systems)}")
    started = time.perf_counter()
    corrector = Corrector.load(model)
    load_seconds = time.perf_counter() - started
    judgements, skipped = [], {}
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        for name in names:
            task = progress.add_task(name, total=len(rows))
            started = time.perf_counter() - (load_seconds if name in OWN else 0)
            try:
                system = systems[name](corrector)
                seconds = time.perf_counter() - started
                advance = functools.partial(progress.advance, task)
                judgements.append(judge(name, system, rows, load_seconds=seconds, advance=advance))
            except UnavailableError as error:
                skipped[name] = str(error)
                progress.remove_task(task)
    return judgements, skipped
