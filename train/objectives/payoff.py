"""Words near the right one, each as likely as its edit distance makes it."""

import math

import torch
from torch import Tensor

from speller.alphabet import PADDING, SPECIALS
from speller.train.distance import edit_distance, soft_alignment

LONGER = 5
"""By how many letters a sampled word may be longer than the right one."""

TRIES = 2
"""How many proposals are made at once for each word that is still wanted."""

MOST_INSERTED = 0.1
"""The largest odds of one more inserted letter at any place. Far above it, proposals are hardly ever accepted."""


def hottest(letters: int) -> float:
    """The highest temperature that words over so many letters can be sampled at."""
    return 1 / math.log(letters / MOST_INSERTED)


@torch.no_grad()
def sample_near(targets: Tensor, lengths: Tensor, *, temperature: float, symbols: int) -> tuple[Tensor, Tensor]:
    """Sample words w with probability proportional to exp(-D(w, y) / temperature), D the Levenshtein distance.

    The support is all words of at most ``LONGER`` letters more than y. Sampling is exact, by rejection: a random edit
    script is proposed (before each letter and at the end a geometric number of insertions, each letter kept, replaced
    or deleted, each edit weighing x = exp(-1 / temperature)). It makes w with a weight W(w), the sum of x^edits over
    all scripts that make w, which is what the soft alignment of w and y at gamma = temperature gives. Since the
    shortest script is among them, W(w) >= x^D, and to accept w with probability x^D / W(w) leaves the wanted
    distribution. (Nearly, for a y with an unknown character in it: that is kept or edited away, but never put in.)

    Args:
        targets: ``(rows, longest)``, the right words, padded with anything.
        lengths: ``(rows,)``.
        temperature: above 0, at most ``hottest(symbols - SPECIALS)``.
        symbols: how many symbols there are, the special ones counted in; the others are the letters.

    Returns:
        symbols ``(rows, longest + LONGER)``, padded with ``PADDING``, and lengths ``(rows,)``.

    Raises:
        ValueError: for a temperature that is too high, and an alphabet without letters.
    """
    letters = symbols - SPECIALS
    if letters < 1:
        raise ValueError(f"symbols must be more than the {SPECIALS} special ones, not {symbols}")
    if not 0 < temperature <= hottest(letters):
        raise ValueError(
            f"temperature must be above 0 and at most {hottest(letters):.4f} for an alphabet of {letters} letters, "
            f"not {temperature!r}: above it, more and more words are nothing but inserted letters"
        )
    rows, longest = targets.shape
    words = targets.new_full((rows, longest + LONGER), PADDING)
    found = torch.zeros(rows, dtype=torch.bool, device=targets.device)
    found_lengths = torch.zeros_like(lengths)
    repeated, repeated_lengths = targets.repeat(TRIES, 1), lengths.repeat(TRIES)
    while not bool(found.all()):
        proposed, proposed_lengths = propose(
            repeated, repeated_lengths, weight=math.exp(-1 / temperature), letters=letters
        )
        accepted = _accept(proposed, proposed_lengths, repeated, repeated_lengths, temperature).view(TRIES, rows)
        # Of a word's proposals, the first that is accepted: argmax names the first of equals.
        first = accepted.int().argmax(dim=0)
        chosen = first * rows + torch.arange(rows, device=targets.device)
        new = accepted.any(dim=0) & ~found
        words = torch.where(new[:, None], proposed[chosen], words)
        found_lengths = torch.where(new, proposed_lengths[chosen], found_lengths)
        found = found | new
    return words, found_lengths


def propose(targets: Tensor, lengths: Tensor, *, weight: float, letters: int) -> tuple[Tensor, Tensor]:
    """Apply a random edit script to each word, each edit of it weighing ``weight``.

    Returns:
        symbols ``(rows, longest + LONGER)`` and lengths ``(rows,)``; what is longer than its tensor was cut off, and
        keeps its length.
    """
    rows, longest = targets.shape
    device = targets.device
    places = torch.arange(longest + 1, device=device)
    inserted = _geometric((rows, longest + 1), letters * weight, device)
    inserted = inserted.masked_fill(places > lengths[:, None], 0)

    # An unknown character has one replacement more than a letter, which is not replaced by itself.
    is_letter = targets >= SPECIALS
    replacements = weight * (letters - is_letter.float())
    drawn = torch.rand(rows, longest, device=device) * (1 + replacements + weight)
    deleted = (drawn > 1 + replacements) | (places[:-1] >= lengths[:, None])
    replaced = (drawn > 1) & ~deleted
    other = SPECIALS + (torch.rand(rows, longest, device=device) * (letters - is_letter.long())).long()
    other = other + (is_letter & (other >= targets)).long()
    kept = torch.where(replaced, other, targets)

    # Inserted letters are random, so they need no places of their own: they are what the kept ones leave free.
    width = longest + LONGER
    words = torch.randint(SPECIALS, SPECIALS + letters, (rows, width + 1), device=device)
    stays = (~deleted).long()
    where = inserted[:, :-1].cumsum(dim=1) + stays.cumsum(dim=1) - 1
    words = words.scatter(1, torch.where(deleted, width, where.clamp(0, width)), kept)[:, :width]
    new_lengths = inserted.sum(dim=1) + stays.sum(dim=1)
    return words.masked_fill(torch.arange(width, device=device) >= new_lengths[:, None], PADDING), new_lengths


def _geometric(shape: tuple[int, ...], ratio: float, device: torch.device) -> Tensor:
    """Whole numbers n with probabilities (1 - ratio) ratio^n."""
    uniform = torch.rand(shape, device=device, dtype=torch.float64)
    return ((1 - uniform).log() / math.log(ratio)).long()


def _accept(words: Tensor, lengths: Tensor, targets: Tensor, target_lengths: Tensor, temperature: float) -> Tensor:
    """Which proposals ``(rows, steps)`` to take: those short enough, with probability x^D / W."""
    fits = lengths <= target_lengths + LONGER
    lengths = lengths.clamp_max(words.shape[1])
    differs = (words[:, :, None] != targets[:, None]).double()
    bound = soft_alignment(differs, lengths=lengths, target_lengths=target_lengths, gamma=temperature)
    distances = edit_distance(words, targets, a_lengths=lengths, b_lengths=target_lengths)
    chance = ((bound - distances) / temperature).exp()
    return fits & (torch.rand(len(words), device=words.device) < chance)
