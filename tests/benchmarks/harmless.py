"""What the corrector changes in good prose, and what it mends there where misspellings are put in.

    python tests/benchmarks/harmless.py texts/*.txt --set toefl=toefl.tsv [--set …] [--list] [--json FILE]

Any plain texts from outside the lexicon's sources; prose.py makes those of the README. Each set of misspellings is put
into every text by itself; several files of one name make one set. Texts and sets are told by their checksums.
"""

import argparse
import hashlib
import json
import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from speller import Corrector
from speller.eval.checksum import checksum
from speller.eval.figures import bundle_checksum
from speller.eval.harmless import Mended, changes, count_words, mended, misspell
from speller.eval.sets import read_sets
from speller.train.pairs import Pair


def measure_text(corrector: Corrector, path: Path, *, show: bool) -> dict[str, Any]:
    """What a text is, and how many of its words are changed."""
    text = path.read_text(encoding="utf-8")
    found = changes(corrector, text)
    for change in found if show else ():
        print(f"    {path}:{change.line}: {change.wrong} -> {change.meant} {change.probability:.2f}")
    digest = hashlib.sha256(text.encode()).hexdigest()
    return {"sha256": digest, "words": count_words(text), "changes": len(found)}


def measure_set(
    corrector: Corrector, texts: Sequence[Path], pairs: Sequence[Pair], *, rate: float, seed: int
) -> dict[str, Any]:
    """What a set of misspellings is, and what becomes of them in all texts together."""
    total: Counter[str] = Counter()
    for path in texts:
        text, spots = misspell(path.read_text(encoding="utf-8"), pairs, rate=rate, seed=seed)
        total.update(vars(mended(corrector.edits(text, 1), spots)))
    return {"sha256": checksum(pairs), "pairs": len(pairs), **total}


def markdown(figures: Mapping[str, Any]) -> str:
    """The figures as the README has them."""
    texts = figures["texts"].values()
    words, changed = (sum(text[of] for text in texts) for of in ("words", "changes"))
    each = {name: 10_000 * text["changes"] / text["words"] for name, text in figures["texts"].items()}
    listed = ", ".join(f"{name} {often:.1f}" for name, often in sorted(each.items(), key=lambda one: one[1]))
    results = {
        name: Mended(found["misspelled"], found["changed"], found["right"]) for name, found in figures["sets"].items()
    }
    f_half = ", ".join(f"{name} {result.f_half:.2f}" for name, result in results.items())
    recall, precision = ([getattr(each, of) for each in results.values()] for of in ("recall", "precision"))
    sentences = (
        f"In {words:,} words of good prose from Debian's packages it changes {10_000 * changed / words:.1f} in 10,000 "
        f"({listed}). With misspellings of the corpora below put in for {figures['rate']:.0%} of them, as far as a "
        f"corpus has any, {100 * min(recall):.0f} to {max(recall):.0%} are put right, and {100 * min(precision):.0f} "
        f"to {max(precision):.0%} of the changes are right: F0.5 {f_half}."
    )
    return textwrap.fill(sentences.replace("%", " %"), 120, break_on_hyphens=False) + "\n"


def main() -> None:
    """Measures and prints it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("texts", nargs="+", type=Path)
    parser.add_argument("--set", dest="sets", action="append", default=[], metavar="NAME=PAIRS")
    parser.add_argument("--rate", type=float, default=0.03, help="the share of the words that is misspelled")
    parser.add_argument("--seed", type=int, default=1, help="of which words are misspelled, and how")
    parser.add_argument("--model", default="en")
    parser.add_argument("--list", action="store_true", help="print every change, too")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    options = parser.parse_args()
    corrector = Corrector.load(options.model)
    figures: dict[str, Any] = {
        "bundle_sha256": bundle_checksum(options.model),
        "seed": options.seed,
        "rate": options.rate,
        "texts": {},
        "sets": {},
    }
    for path in options.texts:
        figures["texts"][path.stem] = found = measure_text(corrector, path, show=options.list)
        often = 10_000 * found["changes"] / found["words"]
        print(f"{path.stem:24}{found['words']:10,} words{found['changes']:6} changes{often:6.1f} in 10,000", flush=True)
    for name, pairs in read_sets(options.sets).items():
        figures["sets"][name] = found = measure_set(
            corrector, options.texts, pairs, rate=options.rate, seed=options.seed
        )
        result = Mended(found["misspelled"], found["changed"], found["right"])
        print(
            f"{name:24}{result.misspelled:10,} misspelled, precision {result.precision:.3f}, "
            f"recall {result.recall:.3f}, F0.5 {result.f_half:.3f}",
            flush=True,
        )
    if figures["sets"]:
        print(f"\n{markdown(figures)}")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
