"""Times correcting beside its peers, in one run: one word, a batch, memory, a cold start, running text.

    python tests/benchmarks/correcting.py PAIRS.tsv --text FILE [--model en] [--words 3000] [--rounds 5] [--json FILE]

The text, plain prose, is corrected three times: its known words alone, the same with a misspelling, never the same
twice, in every 33rd place, and that once more. PAIRS.tsv holds misspellings, one a line, the first column of a table.
Each system runs in a process of its own. The peers (rapidfuzz over the lexicon, symspellpy with 2 edits,
pyspellchecker, hunspell, aspell) are left out where they are not installed, and get as many words as they manage in
``PATIENCE`` seconds. Processor time counts beside the clock: on a busy machine it is what stays comparable. Memory is
the resident set after the batch, and at its largest; the corrector's also after ``LONGER`` further batches, whose words
have another letter at one place each, so that it meets hardly one of them twice. A cold start is that of an installed
package, whose bytecode lies there: in a checkout where imports write none, run ``python -m compileall -q speller``
first.
"""

import argparse
import importlib.util
import json
import os
import random
import shutil
import statistics
import string
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from speller import Corrector

ALONE = 300
"""So many words are looked at one by one."""

EVERY = 33
"""A word in so many is misspelled in running text."""

LONGER = 10
"""So many further batches show whether memory grows."""

PATIENCE = 60.0

MEDIAN, SLOW, BATCH = "one word, median ms", "one word, 99 % ms", "batch, words/s"
MEMORY = "memory at most, MB"
MEMORY_LATER = f"memory at most, {LONGER} batches later, MB"
TEXTS = ("clean, words/s", "3 % misspelled, words/s", "the same again, words/s")
"""What the figures are called."""

START = "from speller.cli import main; main()"
STATUS = Path("/proc/self/status")

Answer = Callable[[Sequence[str]], object]
"""Looks up suggestions for some words."""


def speller(model: str) -> Answer:
    """The corrector itself."""
    return Corrector.load(model).correct_many


def rapidfuzz(model: str) -> Answer:
    """The nearest words of the same lexicon by optimal string alignment, each one compared."""
    from rapidfuzz import process
    from rapidfuzz.distance import OSA

    words = list(Corrector.load(model).lexicon.words)
    return lambda some: [process.extract(word, words, scorer=OSA.distance, limit=5) for word in some]


def symspellpy(model: str) -> Answer:
    """Its dictionary is the lexicon."""
    from symspellpy import SymSpell, Verbosity

    lexicon = Corrector.load(model).lexicon
    peer = SymSpell(max_dictionary_edit_distance=2)
    for index in lexicon.offered.tolist():
        peer.create_dictionary_entry(lexicon.words[index], int(10 ** lexicon.zipf[index]) + 1)
    return lambda some: [peer.lookup(word, Verbosity.CLOSEST, max_edit_distance=2) for word in some]


def pyspellchecker(model: str) -> Answer:
    """With its own English dictionary."""
    from spellchecker import SpellChecker

    peer = SpellChecker()
    return lambda some: [peer.candidates(word) for word in some]


def pipe(*command: str) -> Answer:
    """A program that takes words and answers each with a line of suggestions, and an empty one, after a greeting."""
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdout.readline()

    def answer(some: Sequence[str]) -> None:
        for word in some:
            process.stdin.write(f"^{word}\n")
            process.stdin.flush()
            while process.stdout.readline().strip():
                pass

    return answer


SYSTEMS: dict[str, Callable[[str], Answer]] = {
    "speller": speller,
    "rapidfuzz": rapidfuzz,
    "symspellpy": symspellpy,
    "pyspellchecker": pyspellchecker,
    "hunspell": lambda model: pipe("hunspell", "-a", "-d", "en_US"),
    "aspell": lambda model: pipe("aspell", "-a", "--lang=en_US"),
}
MODULES = {"symspellpy": "symspellpy", "pyspellchecker": "spellchecker"}


def installed(name: str) -> bool:
    """Whether a system can be run."""
    if name in ("hunspell", "aspell"):
        return shutil.which(name) is not None
    return name not in MODULES or importlib.util.find_spec(MODULES[name]) is not None


def resident(field: str, status: str) -> float:
    """A process's resident memory in megabytes, by its status: ``VmRSS`` now, ``VmHWM`` at its largest."""
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith(field))


def processor_name() -> str:
    """What the processor is called."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), "unknown processor")


def measure(name: str, model: str, words: Sequence[str]) -> dict[str, float]:
    """One system's figures; its first word is not counted."""
    answer = SYSTEMS[name](model)
    answer(words[:1])
    alone, batch = words[1 : 1 + ALONE], words[1 + ALONE :]
    times = []
    start = time.perf_counter()
    for word in alone:
        begun = time.perf_counter()
        answer([word])
        times.append(1000 * (time.perf_counter() - begun))
        if time.perf_counter() - start > PATIENCE:
            break
    centiles = statistics.quantiles(times, n=100)
    figures = {MEDIAN: centiles[49], SLOW: centiles[98]}
    batch = batch[: int(PATIENCE / (sum(times) / len(times) / 1000))]
    start, processor = time.perf_counter(), time.process_time()
    answer(batch)
    figures[BATCH] = len(batch) / (time.perf_counter() - start)
    if name not in ("hunspell", "aspell"):  # they are other processes
        figures["batch, words/s of one processor"] = len(batch) / (time.process_time() - processor)
        status = STATUS.read_text()
        figures |= {"memory, MB": resident("VmRSS", status), MEMORY: resident("VmHWM", status)}
    if name == "speller":
        for seed in range(LONGER):
            answer(altered(batch, seed))
        figures[MEMORY_LATER] = resident("VmHWM", STATUS.read_text())
    return figures


def altered(words: Sequence[str], seed: int) -> list[str]:
    """Words, each with another letter somewhere."""
    chance = random.Random(seed)
    places = [chance.randrange(len(word)) for word in words]
    return [
        word[:place] + chance.choice(string.ascii_lowercase) + word[place + 1 :]
        for word, place in zip(words, places, strict=True)
    ]


def cold_starts(model: str, rounds: int) -> dict[str, float]:
    """Median seconds of the command for one word, and of importing what it stands on, one after the other."""
    commands = {
        "speller correct recieve, s": ["-c", START, "correct", "recieve", "--model", model],
        "import numpy, onnxruntime, s": ["-c", "import numpy, onnxruntime"],
    }
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            start = time.perf_counter()
            subprocess.run([sys.executable, *command], check=True, capture_output=True)
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(each) for name, each in times.items()}


def texts(model: str, text: str, misspellings: Sequence[str]) -> dict[str, float]:
    """Words a second of running text, each in lines of a dozen."""
    corrector = Corrector.load(model)
    corrector.correct_text("teh first words")
    known = [word for word in text.split() if word.strip(".,;:!?\"'()") in corrector.lexicon]
    misspelled = known[: EVERY * len(misspellings)]
    misspelled[::EVERY] = misspellings[: len(misspelled[::EVERY])]
    figures = {}
    clean, wrong = (
        "\n".join(" ".join(words[start : start + 12]) for start in range(0, len(words), 12))
        for words in (known, misspelled)
    )
    for name, lines, count in zip(TEXTS, (clean, wrong, wrong), map(len, (known, misspelled, misspelled)), strict=True):
        start = time.perf_counter()
        corrector.correct_text(lines)
        figures[name] = count / (time.perf_counter() - start)
    return figures | {MEMORY: memory_of_text(model, wrong)}


def memory_of_text(model: str, text: str) -> float:
    """Megabytes that ``speller text`` takes at most for a text."""
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".txt") as file:
        file.write(text)
        file.flush()
        code = f"try:\n    {START}\nfinally:\n    import sys; print(open('{STATUS}').read(), file=sys.stderr)"
        command = [sys.executable, "-c", code, "text", "--model", model, file.name]
        ended = subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    return resident("VmHWM", ended.stderr)


def markdown(figures: Mapping[str, Any]) -> str:
    """The figures as the README has them."""
    headings = (
        "one word, median",
        "one word, 99 %",
        f"{figures['words']:,} misspellings, words/s",
        "memory at most, MB",
    )
    lines = [f"| system | {' | '.join(headings)} |", "| --- | ---: | ---: | ---: | ---: |"]
    for name, found in figures["systems"].items():
        memory = f"{found[MEMORY]:.0f}" if MEMORY in found else ""
        cells = (f"{found[MEDIAN]:.2f} ms", f"{found[SLOW]:.2f} ms", f"{found[BATCH]:,.0f}", memory)
        lines.append(f"| {' | '.join((name, *cells))} |")
    (cold, imports), text = figures["cold start"].values(), figures["running text"]
    clean, wrong, again = (text[name] for name in TEXTS)
    sentence = (
        f"On {figures['cores']} cores ({figures['processor']}). A cold `speller correct recieve` takes {cold:.2f} s, "
        f"importing numpy and ONNX Runtime alone {imports:.2f} s. Running text: {clean:,.0f} words/s where all are "
        f"known, {wrong:,.0f} where 3 % are misspelled, never the same twice, {again:,.0f} once these are remembered; "
        f"`speller text` takes {text[MEMORY]:.0f} MB of memory at most. After {LONGER} more batches of as many other "
        f"misspellings, the corrector has taken {figures['systems']['speller'][MEMORY_LATER]:.0f} MB at most."
    )
    return "\n".join([*lines, "", *textwrap.wrap(sentence, 120), ""])


def read_misspellings(pairs: Path) -> list[str]:
    """The misspellings of a TSV of pairs, each once."""
    lines = pairs.read_text(encoding="utf-8").splitlines()
    return list(dict.fromkeys(line.split("\t")[0] for line in lines if line and not line.startswith("#")))


def main() -> None:
    """Runs everything and prints it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pairs", type=Path)
    parser.add_argument("--text", type=Path, required=True)
    parser.add_argument("--model", default="en")
    parser.add_argument("--words", type=int, default=3000)
    parser.add_argument("--rounds", type=int, default=20, help="cold starts")
    parser.add_argument("--json", metavar="FILE", help="write the figures there too")
    parser.add_argument("--system", choices=SYSTEMS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    words = read_misspellings(options.pairs)
    words = words[: 1 + ALONE + options.words]
    if options.system:
        print(json.dumps(measure(options.system, options.model, words)))
        return
    systems = {}
    for name in filter(installed, SYSTEMS):
        command = [sys.executable, __file__, *sys.argv[1:], "--system", name]
        systems[name] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    measured = {
        "words": len(words) - 1 - ALONE,
        "cores": os.cpu_count(),
        "processor": processor_name(),
        "cold start": cold_starts(options.model, options.rounds),
        "systems": systems,
        "running text": texts(options.model, options.text.read_text(encoding="utf-8"), words),
    }
    # With it comes torch, which is no part of the memory that was measured.
    from speller.eval.figures import bundle_checksum

    figures = {"bundle_sha256": bundle_checksum(options.model)} | measured
    print(markdown(figures))
    if options.json:
        Path(options.json).write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
