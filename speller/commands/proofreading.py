"""Files and streams of running text, looked through for what is misspelled."""

import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, partial

import click

from speller.commands.dictionary import Words
from speller.commands.edit_reports import Report
from speller.commands.jobs import in_order
from speller.commands.output import Progress
from speller.commands.pieces import Piece, open_raw, read_pieces
from speller.commands.project import find_project
from speller.corrector import ADDED_ZIPF, MIN_PROBABILITY, Corrector, Edit

STDIN = "-"


@dataclass(frozen=True)
class Settings:
    """What makes a corrector.

    Attributes:
        model: a model that ships, or a model's folder.
        device: where it runs.
        min_probability: an unknown word is corrected where its best suggestion has at least this probability.
        words: known beside the model's.
    """

    model: str
    device: str
    min_probability: float
    words: Words

    def corrector(self) -> Corrector:
        """The corrector, ready to work."""
        corrector = Corrector.load(self.model, device=self.device, min_probability=self.min_probability)
        if self.words:
            corrector.add_words({word: ADDED_ZIPF if zipf is None else zipf for word, zipf in self.words})
        return corrector


@dataclass
class Source:
    """A text to look through.

    Attributes:
        path: of its file, or ``-`` for stdin.
        settings: of its project and the command.
        excluded: whether its project wants it left alone.
        found: what ``os.fstat`` said of the file when it was opened.
    """

    path: str
    settings: Settings
    excluded: bool
    found: os.stat_result | None = field(default=None, init=False)

    @classmethod
    def of(
        cls,
        path: str,
        *,
        words: Words = (),
        model: str | None = None,
        device: str = "cpu",
        min_probability: float | None = None,
    ) -> "Source":
        """A file, as its project and the command's options want it looked through; the options count for more.

        Raises:
            OSError: the project's file, or a dictionary that it names, cannot be read.
            ValueError: something is wrong in them; names the place.
        """
        project = find_project("." if path == STDIN else path)
        chosen = next((least for least in (min_probability, project.min_probability) if least is not None), None)
        settings = Settings(
            model or project.model or "en",
            device,
            MIN_PROBABILITY if chosen is None else chosen,
            project.words + words,
        )
        return cls(path, settings, path != STDIN and project.excludes(path))

    def pieces(self, *, replaced: bool) -> Iterator[Piece]:
        """Its text, piece by piece.

        Args:
            replaced: whether the file is to be written to.

        Raises:
            OSError: it cannot be read, or not written to where it is to be.
            ValueError: it is no text.
        """
        with open_raw(self.path) as file:
            self.found = os.fstat(file.fileno())
            if replaced and not stat.S_ISREG(self.found.st_mode):
                raise ValueError("not a regular file, so nothing is written to it")
            if replaced and not os.access(self.path, os.W_OK, effective_ids=os.access in os.supports_effective_ids):
                raise ValueError("not writable")
            yield from read_pieces(file, binary=self.excluded or self.path == STDIN)


Request = tuple[int, str]
"""Which of the settings, and a text."""

Event = Piece | OSError | ValueError | None
"""A piece of a source, what ended it too early, or its end."""


def proofread(
    sources: Sequence[Source],
    report_on: Callable[[Source], Report],
    *,
    suggestions: int,
    jobs: int = 1,
    replaced: bool = False,
) -> tuple[int, int]:
    """Look through texts, one after the other, and report on each; what cannot be read is told of in a line on stderr.

    Args:
        sources: the texts.
        report_on: makes a source's report.
        suggestions: how many are wanted for each misspelling.
        jobs: how many processes do the work.
        replaced: whether the files are to be written to.

    Returns:
        how many misspellings were found, and how many sources could not be looked through.
    """
    if not sources:
        return 0, 0
    settings = tuple(dict.fromkeys(source.settings for source in sources))
    items = _items(sources, settings, replaced=replaced)
    progress = Progress()
    found = refused = 0
    current: Source | None = None
    report: Report | None = None  # none after its end, or after an error
    try:
        for (source, event), edits in in_order(partial(finder, settings, suggestions), items, jobs=jobs):
            if source is not current:
                current, report = source, None if isinstance(event, Exception) else report_on(source)
            elif report is None:  # something went wrong before
                continue
            error = event if isinstance(event, Exception) else None
            try:
                if report and isinstance(event, Piece):
                    report.take(event.text, edits or ())
                    found += len(edits or ())
                    progress.count(event.text)
                elif report and error is None:
                    report.finish()
                    report = None
            except OSError as trouble:
                if trouble.filename is None:  # stdout's, and so every file's
                    raise
                error = trouble
            if error:
                if report:
                    report.abandon()
                    report = None
                refused += 1
                progress.clear()
                click.echo(f"Error: {source.path}: {_reason(error)}", err=True)
    finally:
        if report:
            report.abandon()
        progress.clear()
    return found, refused


def finder(settings: Sequence[Settings], suggestions: int) -> Callable[[Request], list[Edit]]:
    """What finds the edits of a text by one of the settings; a corrector is made when it is first needed."""
    corrector = cache(lambda place: settings[place].corrector())
    corrector(0)  # what is wrong with the settings shows before any text is read
    return lambda request: corrector(request[0]).edits(request[1], suggestions)


def _items(
    sources: Iterable[Source], settings: Sequence[Settings], *, replaced: bool
) -> Iterator[tuple[tuple[Source, Event], Request | None]]:
    """Every source's pieces, those to look through as requests, then its end."""
    for source in sources:
        place = settings.index(source.settings)
        try:
            for piece in source.pieces(replaced=replaced):
                yield (source, piece), (place, piece.text) if piece.legible and not source.excluded else None
        except (OSError, ValueError) as error:
            yield (source, error), None
        else:
            yield (source, None), None


def _reason(error: Exception) -> str:
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)
