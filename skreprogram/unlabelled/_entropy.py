"""Entropy: a program should know what it thinks of a row."""

from skreprogram.unlabelled._base import Unlabelled


class EntropyMinimisation(Unlabelled, name="entropy"):
    """Push the class probabilities of unlabelled rows towards certainty.

    The loss of a row is the entropy of its probabilities in nats [1]_.

    Parameters
    ----------
    weight : float, default=0.1
        Weight of the unlabelled rows in the loss.
    warm_up : float in [0, 1], default=0.3
        Share of the epochs over which the weight grows to that.
    batch_size : int, default=128
        Unlabelled rows a gradient step.

    References
    ----------
    .. [1] Y. Grandvalet, Y. Bengio, "Semi-supervised Learning by Entropy Minimization", NeurIPS
       2004.

    Examples
    --------
    >>> import torch
    >>> from skreprogram.unlabelled import EntropyMinimisation
    >>> EntropyMinimisation().rows(torch.tensor([[0.0, 0.0]]))
    tensor([0.6931])
    """

    def __init__(self, weight=0.1, warm_up=0.3, batch_size=128):
        self.weight = weight
        self.warm_up = warm_up
        self.batch_size = batch_size

    def rows(self, scores, changed=None):
        log_p = scores.log_softmax(-1)
        return -(log_p.exp() * log_p).sum(-1)
