"""Source labels drawn at random, without overlap."""

import torch

from skreprogram.mappings._base import LabelMapping, check_counts


class RandomMapping(LabelMapping, name="random"):
    """Give every target class source labels drawn at random, none of them twice.

    The many-to-one mapping of Voice2Series [1]_ and of BAR, which average the probabilities of
    ``floor(n_outputs / n_classes)`` source labels.

    Parameters
    ----------
    n_source_labels : int or None, default=None
        Source labels of each class; None takes as many as there are.
    aggregation : {"probabilities", "logits", "softmax"}, default="probabilities"
        How the source's outputs become class scores: see `LabelMapping`.

    References
    ----------
    .. [1] C.-H. H. Yang, Y.-Y. Tsai, P.-Y. Chen, "Voice2Series: Reprogramming Acoustic Models for
       Time Series Classification", ICML 2021, section 3.2.

    Examples
    --------
    >>> import torch
    >>> from skreprogram.mappings import RandomMapping
    >>> RandomMapping().estimate(torch.zeros(4, 2), torch.Generator()).sum(0)
    tensor([1., 1.])
    """

    def __init__(self, n_source_labels=None, aggregation="probabilities"):
        self.n_source_labels = n_source_labels
        self.aggregation = aggregation

    def estimate(self, counts, generator):
        self._check()
        m = check_counts(counts, self.n_source_labels, "random")
        columns = torch.arange(counts.shape[1]).repeat_interleave(m)
        rows = torch.randperm(len(counts), generator=generator)[: len(columns)]
        matrix = torch.zeros_like(counts)
        matrix[rows, columns] = 1 / m
        return matrix
