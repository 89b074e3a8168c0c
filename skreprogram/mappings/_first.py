"""The first source labels, in their order."""

import torch

from skreprogram.mappings._base import LabelMapping, check_counts


class FirstMapping(LabelMapping, name="first"):
    """Give target class t the source labels t * m ... t * m + m - 1.

    The mapping of the first adversarial reprogramming paper [1]_ with m = 1, and of the released
    code of Voice2Series with larger m.

    Parameters
    ----------
    n_source_labels : int or None, default=1
        Source labels of each class, m; None takes as many as there are.
    aggregation : {"probabilities", "logits", "softmax"}, default="probabilities"
        How the source's outputs become class scores: see `LabelMapping`.

    References
    ----------
    .. [1] G. Elsayed, I. Goodfellow, J. Sohl-Dickstein, "Adversarial Reprogramming of Neural
       Networks", ICLR 2019.

    Examples
    --------
    >>> import torch
    >>> from skreprogram.mappings import FirstMapping
    >>> FirstMapping().estimate(torch.zeros(3, 2), torch.Generator())
    tensor([[1., 0.],
            [0., 1.],
            [0., 0.]])
    """

    def __init__(self, n_source_labels=1, aggregation="probabilities"):
        self.n_source_labels = n_source_labels
        self.aggregation = aggregation

    def estimate(self, counts, generator):
        self._check()
        m = check_counts(counts, self.n_source_labels, "first")
        columns = torch.arange(counts.shape[1]).repeat_interleave(m)
        matrix = torch.zeros_like(counts)
        matrix[torch.arange(len(columns)), columns] = 1 / m
        return matrix
