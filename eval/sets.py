"""Sets of misspellings that a command is given by name."""

from collections.abc import Collection, Sequence

from speller.train.pairs import Pair, read_pairs


def read_sets(stated: Sequence[str], *, taken: Collection[str] = ()) -> dict[str, list[Pair]]:
    """The pairs of ``NAME=PAIRS`` options, by name; those of one name are one set.

    Args:
        stated: the options; PAIRS as ``read_pairs`` takes them.
        taken: names that no set may have.

    Raises:
        ValueError: an option is not of that form, its name is taken, or its pairs cannot be read.
    """
    sets: dict[str, list[Pair]] = {}
    for option in stated:
        name, equals, source = option.partition("=")
        if not (name and equals and source) or name in taken:
            other = f", with a name other than {' and '.join(taken)}" if taken else ""
            raise ValueError(f"a set is NAME=PAIRS{other}, not {option!r}")
        sets.setdefault(name, []).extend(read_pairs(source))
    return sets
