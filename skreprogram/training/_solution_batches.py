"""Batches of which one half is solved and the other half predicted."""

import torch

from skreprogram.training._batches import StackedBatches


class PairedBatches(StackedBatches):
    """Batches in which most rows have a neighbour of their class."""

    def _order(self, k):
        y, generator = self.tasks[k].y.cpu(), self.generators[k]
        drawn = torch.randperm(len(y), generator=generator)
        if y.is_floating_point():
            return drawn
        drawn = drawn[y[drawn].argsort(stable=True)]
        n_pairs = len(y) // 2
        pairs = drawn[: 2 * n_pairs].view(n_pairs, 2)
        pairs = pairs[torch.randperm(n_pairs, generator=generator)]
        return torch.cat([pairs.flatten(), drawn[2 * n_pairs :]])


def halve(y, generator):
    """Choose the rows of a batch that are predicted: every other one of each class.

    Parameters
    ----------
    y : torch.Tensor of int of shape (n_rows,), or of float of shape (n_rows, n_targets)
        Classes, or values; these are halved as one class.
    generator : torch.Generator
        Draws which ones.

    Returns
    -------
    asked : torch.Tensor of bool of shape (n_rows,)
        A class with one row is solved; where all have one, half of the rows are predicted.
    """
    drawn = torch.randperm(len(y), generator=generator)
    codes = torch.zeros(len(y), dtype=torch.long) if y.is_floating_point() else y.cpu()
    order = codes[drawn].argsort(stable=True)
    ordered = codes[drawn][order]
    rank = torch.arange(len(y)) - torch.searchsorted(ordered, ordered)
    asked = torch.zeros(len(y), dtype=torch.bool)
    asked[drawn[order]] = rank % 2 == 1
    if not asked.any():
        asked[drawn[: len(y) // 2]] = True
    return asked
