"""Consistency: a changed copy of a row belongs to the same class."""

from torch.nn.functional import cross_entropy

from skreprogram.unlabelled._base import Unlabelled, confident


class Consistency(Unlabelled, name="consistency"):
    """Ask for the same class when an unlabelled row is augmented (FixMatch).

    The likeliest class of the row as it is, where likely enough, is the label of its augmented
    copy [1]_.

    Parameters
    ----------
    threshold : float in [0, 1], default=0.95
        Least probability of the class.
    weight : float, default=1.0
        Weight of the unlabelled rows in the loss.
    warm_up : float in [0, 1], default=0.3
        Share of the epochs over which the weight grows to that.
    batch_size : int, default=128
        Unlabelled rows a gradient step.
    augmentation : callable or None, default=None
        ``augmentation(X, generator)`` returns a changed copy of a batch; None takes that of the
        estimator, which changes the labelled rows as well.

    References
    ----------
    .. [1] K. Sohn et al., "FixMatch: Simplifying Semi-Supervised Learning with Consistency and
       Confidence", NeurIPS 2020.

    Examples
    --------
    >>> import torch
    >>> from skreprogram.unlabelled import Consistency
    >>> scores, changed = torch.tensor([[0.0, 4.0]]), torch.tensor([[0.0, 0.0]])
    >>> Consistency(threshold=0.9).rows(scores, changed)
    tensor([0.6931])
    """

    compares = True

    def __init__(self, threshold=0.95, weight=1.0, warm_up=0.3, batch_size=128, augmentation=None):
        self.threshold = threshold
        self.weight = weight
        self.warm_up = warm_up
        self.batch_size = batch_size
        self.augmentation = augmentation

    def rows(self, scores, changed=None):
        codes, sure = confident(scores, self.threshold)
        of_rows = cross_entropy(changed.flatten(0, -2), codes.flatten(), reduction="none")
        return of_rows.reshape(codes.shape) * sure
