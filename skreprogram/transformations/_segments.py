"""Series as pictures: segments stacked below each other."""

import math

from skreprogram.transformations._parameters import check_share, check_whole
from skreprogram.transformations._placement import resized
from skreprogram.transformations._series_picture import SeriesPicture, stretched


class StackedSegments(SeriesPicture, name="segments"):
    """Cut the series into rows that lie below each other, values as brightness.

    Time runs as in a text, so that what repeats with the length of a row becomes a vertical
    stripe. Features that a frozen vision transformer has of such pictures classify series well
    [1]_.

    Parameters
    ----------
    row_length : int or None, default=None
        Points in a row; None takes the root of the series' length, rounded up. Longer than the
        series, it becomes a single row.
    overlap : float in [0, 1], default=0.0
        Share of a row that the next one repeats, as far as there are pixels for more rows.
    side : int, default=96
        Pixels of both sides where the source takes any size (``flexible``), else its own.
    scale : {"series", "range", "set", "rank"}, default="series"
        What sets the brightness of a point: "series", the mean and variance of its own series;
        "range", the lowest and the highest value of that; "set", mean and variance of the training
        set, which keeps amplitudes apart; "rank", the share of the series' points below it, which
        passes no gradient. Series of one or two points use "set" for the first two.
    channels : tuple of str, default=("values", "differences", "levels")
        What the image channels show of a single series: "values"; "differences" of neighbours;
        "sums", running, of deviations from the mean; "levels", the values on the scale of the
        training set. ``"values"`` is a grey picture. Of several series each image channel shows
        one, by the first word, and further ones lie in tiles below.

    Notes
    -----
    The series is resampled so that the last row is full. Differentiable in the series.

    References
    ----------
    .. [1] S. Roschmann et al., "Time Series Representations for Classification Lie Hidden in
       Pretrained Vision Transformers", 2025 (TiViT).

    Examples
    --------
    >>> import torch
    >>> from skreprogram._input_space import InputSpace
    >>> from skreprogram.transformations import StackedSegments
    >>> segments, space = StackedSegments(scale="range"), InputSpace((1, 2, 3), (0.0, 5.0))
    >>> X = torch.tensor([[[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]]])
    >>> segments.apply(segments.init(X, space, torch.Generator()), X, space)
    tensor([[[[0., 1., 2.],
              [3., 4., 5.]]]])
    """

    def __init__(
        self,
        row_length=None,
        overlap=0.0,
        side=96,
        scale="series",
        channels=("values", "differences", "levels"),
    ):
        self.row_length = row_length
        self.overlap = overlap
        self.side = side
        self.scale = scale
        self.channels = channels

    def init(self, X, space, generator):
        if self.row_length is not None:
            check_whole(self, "row_length")
        check_share(self, "overlap")
        return super().init(X, space, generator)

    def painted(self, heights, words, size):
        length = heights.shape[-1]
        row = math.isqrt(length - 1) + 1 if self.row_length is None else self.row_length
        row = min(row, length)
        # more rows than pixels would show nothing more
        least = -(-(length - row) // max(size[0] - 1, 1))
        step = min(row, max(1, least, round(row * (1 - self.overlap))))
        n_rows = 1 - (row - length) // step
        full = stretched(heights, (n_rows - 1) * step + row)
        return resized(full.unfold(-1, row, step), size)
