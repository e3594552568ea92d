"""Where one word's time goes: the steps of correcting it, each without those within it.

    python tests/benchmarks/stages.py PAIRS.tsv [--model en] [--words 2000] [--json FILE]

PAIRS.tsv holds misspellings, one a line, the first column of a table. They are corrected one at a time, on one thread.
A step is timed by the clock around its function, which takes a fifth of a microsecond.
"""

import argparse
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from correcting import ALONE, read_misspellings

from speller import Corrector, candidates
from speller.beginnings import Beginnings
from speller.candidates import Candidates, CandidateSearch
from speller.eval.figures import bundle_checksum
from speller.knowledge import Knowledge
from speller.neighbours import Neighbours
from speller.reader import Reader
from speller.runtime import OnnxRuntime
from speller.sounds import Sounds
from speller.spacing import Spacing

STEPS: dict[str, tuple[tuple[Any, str], ...]] = {
    "encoder, in ONNX Runtime": ((OnnxRuntime, "encode"),),
    "decoder, in ONNX Runtime": ((OnnxRuntime, "advance"),),
    "attention and output, in ONNX Runtime": ((OnnxRuntime, "expect"),),
    "nearest words": ((Neighbours, "nearest"),),
    "how the word sounds": ((Sounds, "_read"), (Sounds, "alike")),
    "beam search": ((candidates, "beam_search"),),
    "gathering and describing candidates": ((CandidateSearch, "_gather"),),
    "keeping the best": ((Candidates, "best"), (Candidates, "weighed")),
    "spelling candidates, remembered beginnings": ((Reader, "spell"), (Beginnings, "_make"), (Beginnings, "make_room")),
    "asking the model, and summing up": (
        (Reader, "read"),
        (Reader, "log_probs"),
        (Reader, "unread_log_probs"),
        (Reader, "reverse_log_probs"),
    ),
    "sounds and outlines of candidates": ((CandidateSearch, "judge"), (CandidateSearch, "judge_reversed")),
    "two words for one": ((Spacing, "splits"),),
    "answers": ((Knowledge, "answers"),),
}
"""The functions of each step."""

OTHER = "all else"


def measure(model: str, words: list[str]) -> dict[str, dict[str, float]]:
    """For each step, its microseconds and calls a word, in the mean."""
    spent, calls = dict.fromkeys((*STEPS, OTHER), 0), dict.fromkeys((*STEPS, OTHER), 0)
    within = [0]

    def timed(step: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(*arguments: Any, **named: Any) -> Any:
            within.append(0)
            start = time.perf_counter_ns()
            try:
                return function(*arguments, **named)
            finally:
                took = time.perf_counter_ns() - start
                spent[step] += took - within.pop()
                within[-1] += took
                calls[step] += 1

        return wrapper

    for step, functions in STEPS.items():
        for owner, name in functions:
            setattr(owner, name, timed(step, getattr(owner, name)))
    correct = Corrector.load(model).correct
    for word in words[:ALONE]:
        correct(word)
    for counted in (spent, calls):
        counted.update(dict.fromkeys(counted, 0))
    one = timed(OTHER, correct)
    for word in words[ALONE:]:
        one(word)
    asked = len(words) - ALONE
    return {step: {"us": spent[step] / asked / 1e3, "calls": calls[step] / asked} for step in spent}


def markdown(results: Mapping[str, Any]) -> str:
    """The table."""
    steps = results["steps"]
    total = sum(step["us"] for step in steps.values())
    lines = ["| step | µs a word | share | calls |", "| --- | ---: | ---: | ---: |"]
    for name, step in sorted(steps.items(), key=lambda each: -each[1]["us"]):
        lines.append(f"| {name} | {step['us']:.0f} | {step['us'] / total:.0%} | {step['calls']:.1f} |")
    lines.append(f"| together | {total:,.0f} | | |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measures, and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pairs", type=Path)
    parser.add_argument("--model", default="en")
    parser.add_argument("--words", type=int, default=2000, help=f"of these, the first {ALONE} are not counted")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    words = read_misspellings(arguments.pairs)[: arguments.words]
    if len(words) <= ALONE:
        parser.error(f"more than {ALONE} distinct misspellings are needed, not {len(words)}")
    checksum = bundle_checksum(arguments.model)
    results = {"bundle_sha256": checksum, "words": len(words) - ALONE, "steps": measure(arguments.model, words)}
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(markdown(results), end="")


if __name__ == "__main__":
    main()
