"""Many rows in parts that fit a processor's caches."""

import torch
from torch.utils._pytree import tree_map

# input numbers that a CPU takes through a network at once: activations of more rows leave its
# caches, which made photographs two and a half times as slow
NUMBERS_AT_ONCE = 2**19


def by_parts(function):
    """Let a function of rows see so many of them at once as fit, where nothing trains.

    Parameters
    ----------
    function : callable
        From a tensor of rows to a tensor of rows, or to a tree of them.

    Returns
    -------
    whole : callable
        The same function of all rows.
    """

    def whole(inputs):
        size = max(1, NUMBERS_AT_ONCE // max(inputs[:1].numel(), 1))
        if torch.is_grad_enabled() or len(inputs) <= size:
            return function(inputs)
        return tree_map(lambda *parts: torch.cat(parts), *map(function, inputs.split(size)))

    return whole
