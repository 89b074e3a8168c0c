"""Pseudo-labels: believe what one is sure of."""

from torch.nn.functional import cross_entropy

from skreprogram.unlabelled._base import Unlabelled, confident


class PseudoLabels(Unlabelled, name="pseudo-label"):
    """Take the likeliest class of an unlabelled row for its label, where it is likely enough.

    Where something trains by gradient, the labels are those of the moment [1]_. Where the mapping
    is solved behind a frozen transformation, this is self-training in rounds [2]_: solve, label
    the rows that are sure enough, solve with them, and again until the labels stay the same. The
    source runs once in either case where nothing before it trains.

    Parameters
    ----------
    threshold : float in [0, 1], default=0.95
        Least probability of the class.
    weight : float, default=1.0
        Weight of the unlabelled rows in the loss; in rounds, of each row that is labelled so.
    warm_up : float in [0, 1], default=0.3
        Share of the epochs over which the weight grows to that; without effect in rounds.
    batch_size : int, default=128
        Unlabelled rows a gradient step; without effect in rounds.
    max_rounds : int, default=10
        Rounds at most; without effect where something trains by gradient.

    References
    ----------
    .. [1] D.-H. Lee, "Pseudo-Label: The Simple and Efficient Semi-Supervised Learning Method for
       Deep Neural Networks", ICML workshop on challenges in representation learning, 2013.
    .. [2] D. Yarowsky, "Unsupervised Word Sense Disambiguation Rivaling Supervised Methods", ACL
       1995.

    Examples
    --------
    >>> import torch
    >>> from skreprogram.unlabelled import PseudoLabels
    >>> scores = torch.tensor([[0.0, 0.0], [0.0, 4.0]])
    >>> PseudoLabels(threshold=0.9).rows(scores)
    tensor([0.0000, 0.0181])
    """

    closed_form = True

    def __init__(self, threshold=0.95, weight=1.0, warm_up=0.3, batch_size=128, max_rounds=10):
        self.threshold = threshold
        self.weight = weight
        self.warm_up = warm_up
        self.batch_size = batch_size
        self.max_rounds = max_rounds

    def rows(self, scores, changed=None):
        codes, sure = confident(scores, self.threshold)
        of_rows = cross_entropy(scores.flatten(0, -2), codes.flatten(), reduction="none")
        return of_rows.reshape(codes.shape) * sure
