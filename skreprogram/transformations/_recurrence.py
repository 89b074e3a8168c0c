"""Series as pictures: recurrence plots."""

import torch

from skreprogram.transformations._parameters import check_whole
from skreprogram.transformations._series_picture import SeriesPicture, stretched


class RecurrencePlot(SeriesPicture, name="recurrence"):
    """Show how near any two moments of the series are.

    ``brightness[i, j] = 1 - |x_i - x_j|``, values between 0 and 1, for the moment i from the top
    and the moment j from the left: recurrence plots [1]_ without the threshold, which convolutional
    networks classify well [2]_.

    Parameters
    ----------
    threshold : float or None, default=None
        Distance from which two moments count as apart, a share of the scale; None shows the
        distance itself.
    softness : float, default=0.05
        Width of the step at the threshold, ``sigmoid((threshold - distance) / softness)``.
    dimension : int, default=1
        Moments that are compared together, each `delay` after the one before; the distance is
        their mean.
    delay : int, default=1
        Pixels between them.
    side : int, default=96
        Pixels of both sides where the source takes any size (``flexible``), else its own.
    scale : {"series", "range", "set", "rank"}, default="series"
        What sets the value of a point, as in :class:`StackedSegments`.
    channels : tuple of str, default=("values", "differences", "sums")
        What the image channels show, as in :class:`StackedSegments`.

    Notes
    -----
    The series is resampled to the sides of the picture first. Differentiable in the series, but
    for equal values, where the gradient is 0.

    References
    ----------
    .. [1] J.-P. Eckmann, S. O. Kamphorst, D. Ruelle, "Recurrence Plots of Dynamical Systems",
       Europhysics Letters 4(9), 1987.
    .. [2] N. Hatami, Y. Gavet, J. Debayle, "Classification of Time-Series Images Using Deep
       Convolutional Neural Networks", ICMV 2017.

    Examples
    --------
    >>> import torch
    >>> from skreprogram._input_space import InputSpace
    >>> from skreprogram.transformations import RecurrencePlot
    >>> recurrence, space = RecurrencePlot(scale="range"), InputSpace((1, 3, 3), (0.0, 1.0))
    >>> X = torch.tensor([[[0.0, 4.0, 1.0]]])
    >>> recurrence.apply(recurrence.init(X, space, torch.Generator()), X, space)
    tensor([[[[1.0000, 0.0000, 0.7500],
              [0.0000, 1.0000, 0.2500],
              [0.7500, 0.2500, 1.0000]]]])
    """

    def __init__(
        self,
        threshold=None,
        softness=0.05,
        dimension=1,
        delay=1,
        side=96,
        scale="series",
        channels=("values", "differences", "sums"),
    ):
        self.threshold = threshold
        self.softness = softness
        self.dimension = dimension
        self.delay = delay
        self.side = side
        self.scale = scale
        self.channels = channels

    def init(self, X, space, generator):
        check_whole(self, "dimension")
        check_whole(self, "delay")
        if not self.softness > 0:
            raise ValueError(
                f"Got softness={self.softness!r} in RecurrencePlot, expected a number above 0."
            )
        return super().init(X, space, generator)

    def painted(self, heights, words, size):
        from_top, from_left = (stretched(heights, n_points) for n_points in size)
        shifts = [self.delay * number for number in range(self.dimension)]
        distance = sum(
            (_later(from_top, shift).unsqueeze(-1) - _later(from_left, shift).unsqueeze(-2)).abs()
            for shift in shifts
        )
        if self.dimension > 1:
            distance = distance / self.dimension
        if self.threshold is None:
            return 1 - distance
        return torch.sigmoid((self.threshold - distance) / self.softness)


def _later(X, shift):
    """The series from a later moment on; its last point stays."""
    if shift == 0:
        return X
    places = torch.arange(X.shape[-1], device=X.device) + shift
    return X[..., places.clamp_max(X.shape[-1] - 1)]
