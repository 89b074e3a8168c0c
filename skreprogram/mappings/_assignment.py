"""Source labels by optimal assignment."""

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment

from skreprogram.mappings._base import LabelMapping, check_counts, class_shares


class AssignmentMapping(LabelMapping, name="assignment"):
    """Give the classes the disjoint source labels whose counts have the largest sum.

    `FrequencyMapping` takes the best pair first, which can cost the others more than it gains.
    This is the optimum, a rectangular linear assignment with every class repeated
    `n_source_labels` times [1]_.

    Parameters
    ----------
    n_source_labels : int or None, default=1
        Source labels of each class; None takes as many as there are.
    normalise : bool, default=True
        Whether a class's counts are divided by their sum first: then the mean over classes of the
        share of samples that answer with a label of theirs is largest, whatever the sizes of the
        classes. Otherwise the number of such samples is.
    refit_every : int or None, default=None
        Epochs between two estimates; None estimates once, with the program of the start.
    refresh : {"epoch", "exact"}, default="epoch"
        Where a refit's counts come from: gathered for nothing while the epoch trains, or by a
        further pass over the data.
    aggregation : {"probabilities", "logits", "softmax"}, default="probabilities"
        How the source's outputs become class scores: see `LabelMapping`.

    Notes
    -----
    Nothing is drawn: of several optima the same one is found for the same counts. Without any
    counts the classes get the source labels in their order, as from `FirstMapping`.

    References
    ----------
    .. [1] D. F. Crouse, "On implementing 2D rectangular assignment algorithms", IEEE Transactions
       on Aerospace and Electronic Systems 52(4), 2016 (the algorithm of scipy).

    Examples
    --------
    Greedy choice would take the pair of count 10, and then that of 0.

    >>> import torch
    >>> from skreprogram.mappings import AssignmentMapping
    >>> counts = torch.tensor([[10.0, 9.0], [9.0, 0.0]])
    >>> AssignmentMapping(normalise=False).estimate(counts, torch.Generator())
    tensor([[0., 1.],
            [1., 0.]])
    """

    uses_counts = True

    def __init__(
        self,
        n_source_labels=1,
        normalise=True,
        refit_every=None,
        refresh="epoch",
        aggregation="probabilities",
    ):
        self.n_source_labels = n_source_labels
        self.normalise = normalise
        self.refit_every = refit_every
        self.refresh = refresh
        self.aggregation = aggregation

    def estimate(self, counts, generator):
        self._check()
        m = check_counts(counts, self.n_source_labels, "assignment")
        scores = class_shares(counts) if self.normalise else counts
        return assign(scores.double().numpy(), m).to(counts.dtype)


def assign(scores, n_source_labels):
    """Find the disjoint source labels with the largest sum of scores.

    Parameters
    ----------
    scores : ndarray of shape (n_outputs, n_classes)
        How well a source label suits a class.
    n_source_labels : int
        Source labels of each class, m, with ``m * n_classes <= n_outputs``.

    Returns
    -------
    matrix : torch.Tensor of float64 of shape (n_outputs, n_classes)
        ``1 / m`` at the chosen pairs.
    """
    repeated = np.repeat(scores, n_source_labels, axis=1)
    source_labels, places = linear_sum_assignment(repeated, maximize=True)
    matrix = torch.zeros(scores.shape, dtype=torch.float64)
    matrix[source_labels, places // n_source_labels] = 1 / n_source_labels
    return matrix
