"""``speller correct`` and ``speller suggest``: words, one a line."""

import json
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TypeVar, cast

import click

from speller.commands.jobs import in_order
from speller.commands.options import check_jobs, device_option, jobs_option, min_probability_option, model_option
from speller.commands.output import Progress, write
from speller.commands.pieces import BYTE_ORDER_MARK, open_raw, read_pieces
from speller.corrector import Corrector, Suggestion

Answer = TypeVar("Answer")
Suggested = Sequence[tuple[str, Sequence[Suggestion]]]


@click.command()
@click.argument("words", nargs=-1)
@model_option
@device_option
@jobs_option
@min_probability_option
def correct(words: tuple[str, ...], model: str, device: str, jobs: int, min_probability: float) -> None:
    """Correct WORDS, one a line; without any, the lines of stdin."""
    check_jobs(jobs, device)
    start = partial(_correction, model, device, min_probability)
    for corrected in _answers(start, words, jobs):
        write("".join(f"{word}\n" for word in corrected))


@click.command()
@click.argument("words", nargs=-1)
@model_option
@device_option
@jobs_option
@click.option("-n", "count", type=click.IntRange(1), default=5, show_default=True, help="Suggestions for each word.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def suggest(words: tuple[str, ...], model: str, device: str, jobs: int, count: int, as_json: bool) -> None:
    """Suggest what may have been meant by WORDS, or by the lines of stdin."""
    check_jobs(jobs, device)
    tell = _as_object if as_json else _for_people
    for answers in _answers(partial(_suggestion, model, device, count), words, jobs):
        write("".join(f"{tell(word, suggestions)}\n" for word, suggestions in answers))


def _correction(model: str, device: str, min_probability: float) -> Callable[[Sequence[str]], list[str]]:
    return Corrector.load(model, device=device, min_probability=min_probability).correct_many


def _suggestion(model: str, device: str, count: int) -> Callable[[Sequence[str]], Suggested]:
    corrector = Corrector.load(model, device=device)
    return lambda words: list(zip(words, corrector.suggest_many(words, count), strict=True))


def _answers(
    start: Callable[[], Callable[[Sequence[str]], Answer]], words: Sequence[str], jobs: int
) -> Iterator[Answer]:
    """What the work's function makes of the words, or of the lines of stdin."""
    if words:
        yield start()(words)
        return
    progress = Progress()
    try:
        for lines, answer in in_order(start, ((lines, lines) for lines in _lines()), jobs=jobs):
            yield cast(Answer, answer)
            progress.count("\n".join(lines))
    finally:
        progress.clear()


def _lines() -> Iterator[Sequence[str]]:
    """The lines of stdin as they come: many at a time from a fast pipe, one at a time from a hand."""
    with open_raw("-") as file:
        unended: str | None = None
        for piece in read_pieces(file):
            if unended is not None:
                raise ValueError("stdin: a line is too long for a word; speller text corrects running text")
            if piece.text == BYTE_ORDER_MARK:
                continue
            if piece.text.endswith("\n"):
                yield [line.removesuffix("\r") for line in piece.text.split("\n")[:-1]]
            else:
                unended = piece.text
        if unended is not None:
            yield [unended]


def _as_object(word: str, suggestions: Sequence[Suggestion]) -> str:
    listed = [vars(suggestion) for suggestion in suggestions]
    return json.dumps({"written": word, "suggestions": listed}, ensure_ascii=False)


def _for_people(word: str, suggestions: Sequence[Suggestion]) -> str:
    found = "  ".join(f"{suggestion.word} {suggestion.probability:.2f}" for suggestion in suggestions)
    return f"{word}: {found}" if word else ""
