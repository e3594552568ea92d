"""``speller explain``: why words are corrected as they are."""

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import click

from speller.bundle import Bundle
from speller.commands.explanation_page import page
from speller.commands.explanation_text import for_people, legend
from speller.commands.options import model_option
from speller.commands.output import on_terminal, write
from speller.corrector import Corrector
from speller.explanation import Attribute, Candidate, Explanation, explain


@click.command("explain")
@click.argument("words", nargs=-1, required=True)
@model_option
@click.option("-n", "count", type=click.IntRange(1), default=5, show_default=True, help="Candidates for each word.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), help="Write a page with pictures, too.")
def explain_command(words: tuple[str, ...], model: str, count: int, as_json: bool, html: Path | None) -> None:
    """Explain why WORDS are corrected as they are, or left alone.

    The edits; what competes, and the parts of its score; and the letters that decide between the two likeliest.
    """
    corrector = Corrector.load(model)
    attribute = _attribute(corrector.bundle)
    color = on_terminal() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    width = shutil.get_terminal_size().columns
    explanations = []
    for place, word in enumerate(words):
        explanation = explain(corrector, word, count, attribute=attribute)
        explanations.append(explanation)
        if as_json:
            write(json.dumps(as_object(explanation), ensure_ascii=False) + "\n")
        else:
            write("\n" * bool(place) + for_people(explanation, color=color, width=width))
    if not as_json and (meanings := legend(explanations, color=color)):
        write("\n" + meanings)
    if html:
        html.write_text(page(explanations), encoding="utf-8")


def as_object(explanation: Explanation) -> dict[str, Any]:
    """An explanation as JSON has it: parts and letters in points of the ranking's score."""
    decision = explanation.decision
    return {
        "written": explanation.written,
        "known": explanation.known,
        "answer": explanation.answer,
        "verdict": explanation.verdict,
        "alignment": [vars(step) for step in explanation.alignment],
        "candidates": [_candidate(candidate) for candidate in explanation.candidates],
        "others": explanation.others,
        "decision": decision
        and {
            "between": [decision.chosen.word, decision.other.word],
            "letters": decision.letters,
            "attention": decision.attention.tolist(),
            "reading": None if decision.reading is None else decision.reading.tolist(),
            "reverse": decision.reverse.tolist(),
        },
    }


def _candidate(candidate: Candidate) -> dict[str, Any]:
    features = {part.feature: {"value": part.value, "weight": part.weight} for part in candidate.parts}
    return {
        "word": candidate.word,
        "kind": candidate.kind,
        "probability": candidate.probability,
        "score": candidate.score,
        "parts": candidate.points(),
        "features": features,
    }


def _attribute(bundle: Bundle) -> Attribute | None:
    """What attributes a model's reading to letters; without torch, nothing does, which is said on stderr."""
    try:
        from speller.train.attribution import Attribution
    except ModuleNotFoundError as error:
        message = f"no attribution to letters: it needs {error.name} (pip install 'speller[train]')"
        print(message, file=sys.stderr)
        return None
    return Attribution.of(bundle)
