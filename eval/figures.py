"""Published figures: measured as a recipe says, and rendered as the README has them."""

import hashlib
import os
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

from speller.bundle import CONFIG, find
from speller.eval.checksum import checksum
from speller.eval.figures_recipe import FiguresRecipe, FiguresTable
from speller.eval.judge import Rows
from speller.eval.judging import HELD_OUT, held_out, judge_all
from speller.eval.report import Report, as_data
from speller.train.pairs import Pair

VERSIONS = ("codespell", "numpy", "onnxruntime", "rapidfuzz")
"""The packages on which figures hang."""

DIGITS = 6
"""Figures are kept to so many decimals."""


def measure(recipe: FiguresRecipe, sets: Mapping[str, Sequence[Pair]]) -> dict[str, Any]:
    """Every table of a recipe as plain data, with all that tells which recipe, model and rows they are of.

    Of the rows themselves it holds checksums alone: they may not be anyone's to give away.

    Args:
        sets: the pairs of the recipe's sets.

    Raises:
        ValueError: a set is missing, or is not the recipe's; a system cannot run here, or there is none of its name.
    """
    if wrong := recipe.sets ^ set(sets):
        raise ValueError(
            f"the recipe's sets are {', '.join(sorted(recipe.sets)) or 'none'}: {', '.join(sorted(wrong))} "
            f"{'is' if len(wrong) == 1 else 'are'} missing, or not among them"
        )
    return {
        "recipe_sha256": recipe.digest,
        "bundle_sha256": bundle_checksum(recipe.model),
        "seed": recipe.seed,
        "recipe": recipe.as_data(),
        "versions": {package: version(package) for package in VERSIONS},
        "cores": os.cpu_count(),
        "tables": {name: _rounded(measure_table(recipe, table, sets)) for name, table in recipe.tables.items()},
    }


def measure_table(recipe: FiguresRecipe, table: FiguresTable, sets: Mapping[str, Sequence[Pair]]) -> dict[str, Any]:
    """One table: what ``speller eval --json`` tells of its rows, with their number and checksum by set."""
    chosen = {name: sets[name] for name in table.sets} or held_out()
    rows = Rows.of(chosen, limit=recipe.limit, seed=recipe.seed)
    judgements, skipped = judge_all(recipe.model, table.systems, rows)
    if skipped:
        raise ValueError("; ".join(f"{name} cannot run: {reason}" for name, reason in skipped.items()))
    report = as_data(Report.of(rows, judgements, skipped={}, seed=recipe.seed))
    return {"checksums": {name: _checksum(rows, name) for name in chosen}, **report}


def bundle_checksum(model: str) -> str:
    """The SHA-256 of a model's ``config.json``, which states those of its other files."""
    return hashlib.sha256((find(model) / CONFIG).read_bytes()).hexdigest()


def check(data: Mapping[str, Any], recipe: FiguresRecipe) -> None:
    """See that figures are those of a recipe and of its model.

    Raises:
        ValueError: they are not; the message says what to run.
    """
    of_what = {"recipe": (data["recipe_sha256"], recipe.digest)}
    of_what["model"] = (data["bundle_sha256"], bundle_checksum(recipe.model))
    if other := [name for name, (measured, here) in of_what.items() if measured != here]:
        raise ValueError(f"the figures are of another {' and another '.join(other)}: `speller figures` measures anew")


def markdown(data: Mapping[str, Any]) -> str:
    """The tables in Markdown, each followed by what it says in a sentence; the best of a column is bold."""
    names = data["recipe"]["names"]
    parts = []
    for name, table in data["tables"].items():
        headings = data["recipe"]["tables"][name]["sets"] or {HELD_OUT: "held out"}
        parts += [_table(table, headings, names), _sentence(table, names, cores=data["cores"])]
    return "\n\n".join(parts) + "\n"


def _table(table: Mapping[str, Any], headings: Mapping[str, str], names: Mapping[str, str]) -> str:
    systems = table["systems"]
    counts = table["rows"]["parts"]["source"]
    columns = []
    for part, heading in headings.items():
        of_systems = [system["splits"]["source"][part] for system in systems]
        before = of_systems[0]["distance_before"]["value"]
        shown = [[f"{_value(each, name):{form}}" for each in of_systems] for name, form, _ in _SHOWN]
        best = [most(values) for values, (_, _, most) in zip(shown, _SHOWN, strict=True)]
        cells = [
            "{} / {}, {}".format(*(f"**{one}**" if one == top else one for one, top in zip(row, best, strict=True)))
            for row in zip(*shown, strict=True)
        ]
        columns.append([f"{heading} ({counts[part]:,}; {before:.2f})", "---", *cells])
    first = ["system", "---", *(names.get(system["name"], system["name"]) for system in systems)]
    return "\n".join(f"| {' | '.join(row)} |" for row in zip(first, *columns, strict=True))


_SHOWN = (("top1", ".3f", max), ("top5", ".3f", max), ("distance_after", ".2f", min))
"""What a cell shows: the measure, its form, and what of several values is the best."""


def _value(measures: Mapping[str, Any], name: str) -> float:
    return float(measures[name]["value"])


def _sentence(table: Mapping[str, Any], names: Mapping[str, str], *, cores: int) -> str:
    """What the model's row says of all sets together: how far it is ahead, how calibrated, and how fast."""
    model, *others = table["systems"]
    next_best = max(others, key=lambda system: _value(system["measures"], "top1"))
    (comparison,) = (
        found["measures"]["top1"]
        for found in table["comparisons"]
        if (found["first"], found["second"]) == (model["name"], next_best["name"])
    )
    difference, p_value = comparison["difference"], comparison["p_value"]
    points = [100 * difference[end] for end in ("value", "low", "high")]
    chance = "p < 0.001" if p_value < 0.001 else f"p = {p_value:.3f}"
    error, milliseconds = model["calibration"]["error"], model["milliseconds"]
    return (
        f"All {table['rows']['misspelt']:,} together: top-1 {_value(model['measures'], 'top1'):.3f}, "
        f"{points[0]:+.1f} points against {names.get(next_best['name'], next_best['name'])} (95 %: {points[1]:+.1f} to "
        f"{points[2]:+.1f}, {chance}). Expected calibration error {error['value']:.3f} ({error['low']:.3f} to "
        f"{error['high']:.3f}). A word takes {milliseconds['p50']['value']:.1f} ms at the median and "
        f"{milliseconds['p99']['value']:.1f} at the 99th percentile; in batches of a hundred, "
        f"{model['words_per_second']['value']:,.0f} words/s on {cores} cores."
    )


def _checksum(rows: Rows, name: str) -> str:
    pairs = [pair for *pair, source in zip(rows.wrong, rows.right, rows.source, strict=True) if source == name]
    return checksum(pairs)


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, DIGITS)
    if isinstance(value, dict):
        return {name: _rounded(part) for name, part in value.items()}
    return [_rounded(part) for part in value] if isinstance(value, list) else value
