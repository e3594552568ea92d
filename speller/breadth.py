"""How broadly to search: how many candidates are looked at, and how closely."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Breadth:
    """How many candidates a search looks at.

    Attributes:
        neighbours: how many nearest words of the lexicon are candidates.
        beyond: of these, none that is farther than the nearest by more edits.
        sounding: how many words that sound as one reading of what was written are candidates, whatever their edits.
        near: where a word is this near, in edits a letter, the model proposes none.
        proposed: how many words it may propose otherwise, along the lexicon.
        plain: how many candidates for each word the ranking's first stage hands on to its second.
        plain_margin: none whose score is farther than this below that of the last one wanted.
        read: how many of these the second hands on to the third.
        read_margin: none whose score is farther below.
        together: for how many words the search is one on a CPU; more are no faster, and take more memory.
    """

    neighbours: int
    beyond: int
    sounding: int
    near: float
    proposed: int
    plain: int
    plain_margin: float
    read: int
    read_margin: float
    together: int


ONE = Breadth(
    neighbours=40,
    beyond=2,
    sounding=6,
    near=1 / 4,
    proposed=6,
    plain=28,
    plain_margin=3.5,
    read=12,
    read_margin=3.0,
    together=96,
)
"""For the likeliest word alone."""

SEVERAL = Breadth(
    neighbours=150,
    beyond=3,
    sounding=20,
    near=1 / 6,
    proposed=16,
    plain=40,
    plain_margin=5.0,
    read=16,
    read_margin=4.0,
    together=8,
)
"""For a list of words, of which any may be the right one."""


def breadth_for(wanted: int) -> Breadth:
    """How broadly to search for so many words."""
    return ONE if wanted == 1 else SEVERAL
