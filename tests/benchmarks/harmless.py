"""What the corrector changes in good prose, and precision, recall and F0.5 with misspellings put in.

    python tests/benchmarks/harmless.py policy.txt novel.txt --pairs toefl.tsv [--pairs …] [--rate 0.03] [--list]

Plain texts from outside the lexicon's sources, as Debian's packages hold them: debian-policy's policy.txt.gz, and the
pages of debian-handbook, debian-reference-en, developers-reference and anarchism without their markup and code, the
novels of r-cran-janeaustenr, perl-doc's manuals, fortunes, and the licences of /usr/share/common-licenses.
"""

import argparse
from pathlib import Path

from speller import Corrector
from speller.eval.harmless import changes, count_words, mended, misspell
from speller.train.pairs import read_pairs


def main() -> None:
    """Print a row a text."""
    parser = argparse.ArgumentParser()
    parser.add_argument("texts", nargs="+", type=Path)
    parser.add_argument("--pairs", action="append", default=[])
    parser.add_argument("--rate", type=float, default=0.03)
    parser.add_argument("--model", default="en")
    parser.add_argument("--list", action="store_true", help="print every change, too")
    options = parser.parse_args()
    corrector = Corrector.load(options.model)
    pairs = [pair for source in options.pairs for pair in read_pairs(source)]
    print("text, words, changes, in 10,000 words; precision, recall and F0.5 with misspellings put in")
    for path in options.texts:
        text = path.read_text(encoding="utf-8")
        words, changed = count_words(text), changes(corrector, text)
        row = f"{path.stem:24} {words:8,} {len(changed):5} {10_000 * len(changed) / words:6.1f}"
        if pairs:
            misspelled, spots = misspell(text, pairs, rate=options.rate, seed=1)
            result = mended(corrector.edits(misspelled, 1), spots)
            row += f"   {result.precision:.3f} {result.recall:.3f} {result.f_half:.3f}"
        print(row, flush=True)
        for change in changed if options.list else ():
            print(f"    {path}:{change.line}: {change.wrong} -> {change.meant} {change.probability:.2f}")


if __name__ == "__main__":
    main()
