"""What leaving sources out came to, as a table in Markdown."""

from speller.eval.sources_recipe import ALL
from speller.eval.sources_study import Results


def markdown(results: Results) -> str:
    """The table, and what it says: an arm a row, a source a column, in bold where the arm went without the source."""
    names = list(results.sets)
    header = [f"{name} ({results.sets[name]:,}; {results.shared[name]:.0%} elsewhere too)" for name in names]
    lines = [["trained", *header], ["---"] * (len(names) + 1)]
    for arm, of_sets in results.measures.items():
        cells = [
            f"{of_sets[name]['top1'].value:.3f} / {of_sets[name]['top5'].value:.3f}, "
            f"{of_sets[name]['distance_after'].value:.2f}"
            for name in names
        ]
        shown = [f"**{cell}**" if name == arm else cell for name, cell in zip(names, cells, strict=True)]
        lines.append(["on all" if arm == ALL else f"without {arm}", *shown])
    gaps = [results.gaps[name] for name in names]
    differences = [
        f"{gap.difference.value:+.3f} ({gap.difference.low:+.3f} to {gap.difference.high:+.3f}), p = {gap.p_value:.3f}"
        for gap in gaps
    ]
    lines.append(["what the source gives", *differences])
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return (
        f"{table}\n\nTop-1 / top-5 and mean edit distance after, of misspellings of words that no arm was shown in any "
        "form; in bold without the very source. The last row: top-1 trained on all less that without the source "
        "(approximate randomization over right words).\n"
    )
