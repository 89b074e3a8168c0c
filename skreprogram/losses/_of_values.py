"""What a wrong value costs."""

from abc import abstractmethod
from numbers import Real

import torch

from skreprogram._strategy import Strategy

# errors below a hundredth of the spread of y cost quadratically: minimisers then find the bottom
SMOOTHED = 0.01


class RegressionLoss(Strategy, family="regression loss"):
    """The loss of a sample, from the errors of its predicted values.

    Errors are those of standardised targets, which have mean zero and variance one in the training
    data. Several targets of a sample count alike: their costs are averaged. Where nothing before
    the source trains, the squared loss is solved in closed form and the others to the minimum of
    this loss.
    """

    # whether ridge regression minimises it
    closed_form = False

    @abstractmethod
    def costs(self, errors):
        """Cost of every error.

        Parameters
        ----------
        errors : torch.Tensor
            Target minus prediction.

        Returns
        -------
        costs : torch.Tensor
            Of the same shape, not negative, convex in the errors.
        """

    def rows(self, scores, y):
        """Loss of every sample.

        Parameters
        ----------
        scores : torch.Tensor of shape (..., n_targets)
            Predicted values.
        y : torch.Tensor of shape (..., n_targets)
            Targets.

        Returns
        -------
        losses : torch.Tensor of shape (...)
            Not negative.
        """
        return self.costs(y - scores).mean(-1)


class SquaredLoss(RegressionLoss, name="squared"):
    """The squared error, which is least at the mean.

    Examples
    --------
    >>> import torch
    >>> from skreprogram.losses import SquaredLoss
    >>> SquaredLoss().rows(torch.tensor([[1.0, 0.0]]), torch.tensor([[3.0, 0.0]]))
    tensor([2.])
    """

    closed_form = True

    def costs(self, errors):
        return errors.square()


class AbsoluteLoss(RegressionLoss, name="absolute"):
    """The absolute error, which is least at the median and forgives outliers.

    Notes
    -----
    Errors e below h = 0.01 standard deviations of y cost ``(e^2 + h^2) / 2h``, which meets ``|e|``
    at h with the same slope [1]_.

    References
    ----------
    .. [1] M. Fernandes, E. Guerre, E. Horta, "Smoothing Quantile Regressions", Journal of Business
       and Economic Statistics 39(1), 2021, with a uniform kernel.

    Examples
    --------
    >>> import torch
    >>> from skreprogram.losses import AbsoluteLoss
    >>> AbsoluteLoss().rows(torch.tensor([[1.0], [1.0]]), torch.tensor([[3.0], [0.0]]))
    tensor([2., 1.])
    """

    def costs(self, errors):
        return _smooth_absolute(errors)


class QuantileLoss(RegressionLoss, name="quantile"):
    """The pinball loss, which is least at a quantile.

    ``q e`` for targets above the prediction and ``(1 - q) |e|`` below it [1]_: with q = 0.9 nine
    targets of ten lie below the predictions.

    Parameters
    ----------
    q : float in (0, 1), default=0.5
        The quantile; 0.5 is the median.

    Notes
    -----
    Small errors are smoothed as in `AbsoluteLoss`, of which it is half for q = 0.5.

    References
    ----------
    .. [1] R. Koenker, G. Bassett, "Regression Quantiles", Econometrica 46(1), 1978.

    Examples
    --------
    >>> import torch
    >>> from skreprogram.losses import QuantileLoss
    >>> QuantileLoss(q=0.9).rows(torch.tensor([[1.0], [1.0]]), torch.tensor([[2.0], [0.0]]))
    tensor([0.9000, 0.1000])
    """

    def __init__(self, q=0.5):
        self.q = q

    def costs(self, errors):
        if not isinstance(self.q, Real) or not 0 < self.q < 1:
            raise ValueError(
                f"Got q={self.q!r} in QuantileLoss, expected a number between 0 and 1, such as 0.9."
            )
        return _smooth_absolute(errors) / 2 + (self.q - 0.5) * errors


def _smooth_absolute(errors):
    small = errors.abs() < SMOOTHED
    # clamped, because infinities of the branch not taken would spoil the gradient
    curved = (errors.clamp(-SMOOTHED, SMOOTHED).square() / SMOOTHED + SMOOTHED) / 2
    return torch.where(small, curved, errors.abs())
