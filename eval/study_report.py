"""What a study came to: as plain data for JSON, as a table and as a plot."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.figure import Figure
from rich.box import SIMPLE_HEAD
from rich.table import Table

from speller.eval.plots import COLORS
from speller.eval.study import Reading, Results, Run
from speller.eval.study_recipe import CONTROL


@dataclass(frozen=True)
class Spread:
    """A figure over an arm's seeds."""

    mean: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """The mean, the lowest and the highest of some values."""
        return cls(sum(values) / len(values), min(values), max(values))


@dataclass(frozen=True)
class Summary:
    """How an arm fared, over its seeds."""

    distance: Spread
    """The mean edit distance when the budget was spent."""
    top1: Spread
    top5: Spread
    unchanged: Spread
    """The share of misspellings that were left as they were written."""
    against_control: float
    """The relative difference of the mean edit distance from the control's; below 0 where it is smaller."""
    apart: bool
    """Whether the seeds' range of edit distances and the control's have nothing in common."""
    speed: Spread
    """Words per second of processor time, as a ratio to cross-entropy."""
    words: Spread
    """The words that were seen for the budget."""
    distance_at_words: dict[int, Spread]
    """The mean edit distance after so many words, where all seeds came that far."""


def summarize(results: Results) -> dict[str, Summary]:
    """Every arm's summary."""
    control = Spread.of([run.over_budget[-1].distance for run in _runs(results, CONTROL)])
    return {arm: _summarize(_runs(results, arm), control) for arm in results.recipe.arms}


def as_data(results: Results) -> dict[str, Any]:
    """All numbers, and what they come from, as plain data for JSON."""
    return {
        **results.identity,
        "recipe": results.recipe.as_data(),
        "untouched": results.untouched,
        "start": asdict(results.runs[0].over_budget[0]),
        "summary": {arm: asdict(summary) for arm, summary in summarize(results).items()},
        "runs": [asdict(run) for run in results.runs],
    }


def table(results: Results) -> Table:
    """The table for a terminal."""
    made = Table(box=SIMPLE_HEAD, title=_title(results), caption=_caption(results), title_justify="left")
    names, *rows = cells(results)
    for place, name in enumerate(names):
        made.add_column(name, justify="right" if place else "left")
    for row in rows:
        made.add_row(*row)
    return made


def markdown(results: Results) -> str:
    """The table as Markdown, with its title and caption."""
    names, *rows = cells(results)
    lines = [names, ["---", *["---:"] * (len(names) - 1)], *rows]
    text = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"**{_title(results)}**\n\n{text}\n\n{_caption(results)}\n"


def cells(results: Results) -> list[list[str]]:
    """The table's cells, row by row, the columns' names first."""
    summaries = summarize(results)
    common = set.intersection(*(set(summary.distance_at_words) for summary in summaries.values()))
    names = ["objective", "edit distance", "vs. control", "top-1", "top-5", "left as written", "words/s", "words seen"]
    if common:
        names.append(f"edit distance at {max(common):,} words")
    rows = [names]
    for arm, summary in summaries.items():
        difference = f"{summary.against_control:+.1%}{'' if summary.apart else ' (not apart)'}"
        row = [arm, _shown(summary.distance), "" if arm == CONTROL else difference]
        row += [_shown(summary.top1), _shown(summary.top5), f"{summary.unchanged.mean:.3f}"]
        row += [f"×{summary.speed.mean:.2f}", f"{summary.words.mean:,.0f}"]
        if common:
            row.append(_shown(summary.distance_at_words[max(common)]))
        rows.append(row)
    return rows


def plot(results: Results, *paths: Path) -> None:
    """Draw the edit distance over the budget, by objective, with the seeds' range shaded; SVG, PNG or PDF by name."""
    figure = Figure(figsize=(8, 4.8), layout="constrained")
    axes = figure.add_subplot()
    axes.set_xlabel("work, in steps of cross-entropy")
    axes.set_ylabel("mean edit distance on held-out words")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#e5e5e5")
    readings, budget = results.recipe.readings, results.recipe.training.steps
    across = [budget * place / readings for place in range(readings + 1)]
    for place, arm in enumerate(results.recipe.arms):
        curves = zip(*(run.over_budget for run in _runs(results, arm)), strict=True)
        spreads = [Spread.of([reading.distance for reading in point]) for point in curves]
        # More arms than colours: the next ones are dashed.
        color, style = COLORS[place % len(COLORS)], ("-", "--", ":")[place // len(COLORS) % 3]
        axes.plot(across, [spread.mean for spread in spreads], style, color=color, label=arm)
        low, high = [spread.low for spread in spreads], [spread.high for spread in spreads]
        axes.fill_between(across, low, high, color=color, alpha=0.15, linewidth=0)
    figure.legend(loc="outside right upper", frameon=False, fontsize="small")
    # Text as text, and no date: small, and the same for the same study.
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "speller"}):
        for path in paths:
            figure.savefig(path, dpi=150, metadata={"Date": None} if path.suffix == ".svg" else None)


def _summarize(runs: Sequence[Run], control: Spread) -> Summary:
    def last(figure: Callable[[Reading], float]) -> Spread:
        return Spread.of([figure(run.over_budget[-1]) for run in runs])

    distance = last(lambda reading: reading.distance)
    reached = set.intersection(*(set(run.at_words) for run in runs))
    return Summary(
        distance=distance,
        top1=last(lambda reading: reading.top1),
        top5=last(lambda reading: reading.top5),
        unchanged=last(lambda reading: reading.unchanged),
        against_control=distance.mean / control.mean - 1,
        apart=distance.high < control.low or distance.low > control.high,
        speed=Spread.of([run.steps / run.work for run in runs]),
        words=last(lambda reading: reading.words),
        distance_at_words={
            count: Spread.of([run.at_words[count].distance for run in runs]) for count in sorted(reached)
        },
    )


def _runs(results: Results, arm: str) -> list[Run]:
    return [run for run in results.runs if run.arm == arm]


def _shown(spread: Spread) -> str:
    return f"{spread.mean:.3f} ({spread.low:.3f} to {spread.high:.3f})"


def _title(results: Results) -> str:
    recipe = results.recipe
    return (
        f"{recipe.training.steps:,} cross-entropy steps' work, {len(recipe.seeds)} seeds, held-out half {recipe.part!r}"
    )


def _caption(results: Results) -> str:
    start = results.runs[0].over_budget[0]
    return (
        f"To change nothing: edit distance {results.untouched:.3f}. At the start: {start.distance:.3f}, top-1 "
        f"{start.top1:.3f}, top-5 {start.top5:.3f}, left as written {start.unchanged:.3f}. Plain beam search of width "
        "8, no lexicon, no ranking; the mean over the seeds, and their lowest to highest. words/s: per processor "
        "second, as a ratio to cross-entropy. At equal words, the learning rate of a cheaper objective has further to "
        "fall."
    )
