"""The edit distance's table of written words and right ones: what each beginning of a word is worth."""

import torch
from torch import Tensor


def prefix_distances(
    words: Tensor, targets: Tensor, target_lengths: Tensor, *, transposition: bool = False
) -> tuple[Tensor, Tensor]:
    """The distance of every beginning of the words from every beginning of their right words.

    Row by row, by tensor operations: within a row, D_j = min_{k<=j} (D'_k + j - k) for the best D' that does not end
    with an insertion, which is a running minimum.

    Args:
        words: ``(rows, steps)`` symbols.
        targets: ``(rows, longest)`` symbols.
        target_lengths: ``(rows,)``.
        transposition: whether a swap of neighbouring letters is one edit (optimal string alignment).

    Returns:
        the table ``(rows, steps + 1, longest + 1)``, int64, of which columns beyond a target's length are larger than
        any distance; and the least of each of its rows, ``(rows, steps + 1)``: the best distance of a beginning of the
        word to any beginning of the right word.
    """
    columns = torch.arange(targets.shape[1] + 1, device=words.device)
    table = [columns.expand(len(words), -1)]
    for step in range(words.shape[1]):
        row = table[-1]
        differs = (targets != words[:, step, None]).long()
        best = torch.minimum(row[:, 1:] + 1, row[:, :-1] + differs)
        if transposition and step > 0 and targets.shape[1] > 1:
            crosses = (targets[:, 1:] == words[:, step - 1, None]) & (targets[:, :-1] == words[:, step, None])
            swapped = torch.where(crosses, table[-2][:, :-2] + 1, best[:, 1:])
            best = torch.cat((best[:, :1], torch.minimum(best[:, 1:], swapped)), dim=1)
        best = torch.cat((row[:, :1] + 1, best), dim=1)
        table.append((best - columns).cummin(dim=1).values + columns)
    distances = torch.stack(table, dim=1)  # (rows, steps + 1, longest + 1)
    impossible = words.shape[1] + targets.shape[1] + 1
    distances = distances.masked_fill((columns > target_lengths[:, None])[:, None], impossible)
    return distances, distances.amin(dim=-1)
