"""What a wrong class costs."""

from abc import abstractmethod
from numbers import Real

import numpy as np
import torch

from skreprogram._strategy import Strategy


class Loss(Strategy, family="loss"):
    """The loss of a sample, from the scores of the target classes.

    The loss of a program is the weighted mean of its samples' losses. `rows` acts where something
    trains by gradient; a mapping in closed form has a loss of its own. `class_weights` multiply the
    sample weights, and so act in closed forms and in the counts of labels as well.
    """

    # ridge regression stands in for every loss of classes
    closed_form = True

    @abstractmethod
    def rows(self, scores, y):
        """Loss of every sample.

        Parameters
        ----------
        scores : torch.Tensor of shape (..., n_classes)
            Unnormalised logarithms of probabilities.
        y : torch.Tensor of int of shape (...)
            Class codes.

        Returns
        -------
        losses : torch.Tensor of shape (...)
            Not negative.
        """

    def class_weights(self, n_samples):
        """Weight of every class; one, unless a loss says otherwise.

        Parameters
        ----------
        n_samples : ndarray of shape (n_classes,)
            Training samples of each class.

        Returns
        -------
        weights : ndarray of shape (n_classes,)
            One on average over the samples.
        """
        return np.ones(len(n_samples))


class CrossEntropy(Loss, name="cross-entropy"):
    """The negative logarithm of the probability of the right class.

    Parameters
    ----------
    label_smoothing : float in [0, 1), default=0.0
        Share of a label that is spread evenly over all classes [1]_.

    References
    ----------
    .. [1] C. Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", CVPR
       2016, section 7.

    Examples
    --------
    >>> import torch
    >>> from skreprogram.losses import CrossEntropy
    >>> CrossEntropy().rows(torch.tensor([[0.0, 0.0]]), torch.tensor([1]))
    tensor([0.6931])
    """

    def __init__(self, label_smoothing=0.0):
        self.label_smoothing = label_smoothing

    def rows(self, scores, y):
        _check_share(self, "label_smoothing")
        return torch.nn.functional.cross_entropy(
            scores.flatten(0, -2),
            y.flatten(),
            reduction="none",
            label_smoothing=self.label_smoothing,
        ).reshape(y.shape)


class FocalLoss(Loss, name="focal"):
    """Cross-entropy that counts less for samples that are right already.

    ``-(1 - p)^gamma log p`` with the probability p of the right class [1]_; black-box adversarial
    reprogramming uses it for rare classes [2]_.

    Parameters
    ----------
    gamma : float, default=2.0
        How fast right answers lose their weight; 0 is the cross-entropy.

    References
    ----------
    .. [1] T.-Y. Lin, P. Goyal, R. Girshick, K. He, P. Dollar, "Focal Loss for Dense Object
       Detection", ICCV 2017, equation 4.
    .. [2] Y.-Y. Tsai, P.-Y. Chen, T.-Y. Ho, "Transfer Learning without Knowing: Reprogramming
       Black-box Machine Learning Models with Scarce Data and Limited Resources", ICML 2020.

    Examples
    --------
    >>> import torch
    >>> from skreprogram.losses import FocalLoss
    >>> FocalLoss(gamma=1.0).rows(torch.tensor([[0.0, 0.0]]), torch.tensor([1]))
    tensor([0.3466])
    """

    def __init__(self, gamma=2.0):
        self.gamma = gamma

    def rows(self, scores, y):
        _check_not_negative(self, "gamma")
        log_p = scores.log_softmax(-1).gather(-1, y.unsqueeze(-1)).squeeze(-1)
        # 1 - exp(log p) in this form keeps its digits, and its gradient, near p = 1
        return -((-torch.expm1(log_p)).clamp_min(1e-12) ** self.gamma) * log_p


class ClassBalancedLoss(FocalLoss, name="class-balanced"):
    """Focal loss whose classes weigh as much as their effective number of samples.

    A class of n samples has the weight ``(1 - beta) / (1 - beta^n)`` [1]_, scaled to a mean of
    one over the samples.

    Parameters
    ----------
    beta : float in [0, 1), default=0.999
        0 leaves all classes alike; towards 1 a class weighs as if it were as large as the others.
    gamma : float, default=0.0
        As in `FocalLoss`; 0 is the cross-entropy.

    References
    ----------
    .. [1] Y. Cui, M. Jia, T.-Y. Lin, Y. Song, S. Belongie, "Class-Balanced Loss Based on Effective
       Number of Samples", CVPR 2019, equation 3.

    Examples
    --------
    >>> import numpy as np
    >>> from skreprogram.losses import ClassBalancedLoss
    >>> ClassBalancedLoss(beta=0.9).class_weights(np.array([1, 100])).round(3)
    array([9.182, 0.918])
    """

    def __init__(self, beta=0.999, gamma=0.0):
        self.beta = beta
        self.gamma = gamma

    def class_weights(self, n_samples):
        _check_share(self, "beta")
        # a class that a fold lacks has no samples to weigh
        weights = (1 - self.beta) / (1 - self.beta ** np.maximum(n_samples, 1))
        return weights * n_samples.sum() / (weights * n_samples).sum()


def _check_share(loss, name):
    value = getattr(loss, name)
    if not isinstance(value, Real) or not 0 <= value < 1:
        raise ValueError(
            f"Got {name}={value!r} in {type(loss).__name__}, expected a share in [0, 1)."
        )


def _check_not_negative(loss, name):
    value = getattr(loss, name)
    if not isinstance(value, Real) or not 0 <= value < float("inf"):
        raise ValueError(
            f"Got {name}={value!r} in {type(loss).__name__}, expected a number that is not "
            "negative."
        )
