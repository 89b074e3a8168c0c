"""Series as pictures: a line plot."""

import torch
from torch.nn import functional

from skreprogram.transformations._series_picture import SeriesPicture, stretched


class LineDrawing(SeriesPicture, name="drawing"):
    """Draw the series as a line, time to the right and values upwards.

    Vision transformers classify irregular series from line plots [1]_. Here the line is rasterised
    softly, ``brightness = clip((width + 1) / 2 - distance, 0, 1)``, where the distance in pixels is
    that to the stretch between the lowest and the highest point of the pixel's column.

    Parameters
    ----------
    width : float, default=2.0
        Width of the line in pixels.
    side : int, default=96
        Pixels of both sides where the source takes any size (``flexible``), else its own.
    scale : {"series", "range", "set", "rank"}, default="range"
        What sets the height of a point, as in :class:`StackedSegments`.
    channels : tuple of str, default=("values", "differences", "sums")
        What the image channels show, as in :class:`StackedSegments`.

    Notes
    -----
    Differentiable in the series, with gradients where pixels are neither dark nor bright.

    References
    ----------
    .. [1] Z. Li, S. Li, X. Yan, "Time Series as Images: Vision Transformer for Irregularly Sampled
       Time Series", NeurIPS 2023 (ViTST).

    Examples
    --------
    >>> import torch
    >>> from skreprogram._input_space import InputSpace
    >>> from skreprogram.transformations import LineDrawing
    >>> drawing, space = LineDrawing(width=1), InputSpace((1, 3, 5), (0.0, 1.0))
    >>> X = torch.tensor([[[0.0, 0.5, 1.0, 0.5, 0.0]]])
    >>> drawing.apply(drawing.init(X, space, torch.Generator()), X, space)
    tensor([[[[0.0000, 0.5000, 1.0000, 0.5000, 0.0000],
              [0.5000, 1.0000, 0.5000, 1.0000, 0.5000],
              [1.0000, 0.5000, 0.0000, 0.5000, 1.0000]]]])
    """

    def __init__(
        self, width=2.0, side=96, scale="range", channels=("values", "differences", "sums")
    ):
        self.width = width
        self.side = side
        self.scale = scale
        self.channels = channels

    def init(self, X, space, generator):
        if not self.width > 0:
            raise ValueError(f"Got width={self.width!r} in LineDrawing, expected pixels above 0.")
        return super().init(X, space, generator)

    def painted(self, heights, words, size):
        low, high = _stretches(heights, size[1])
        rows = torch.arange(size[0], dtype=heights.dtype, device=heights.device).unsqueeze(-1)
        # the first row is the top
        top = ((size[0] - 1) * (1 - high)).unsqueeze(-2)
        bottom = ((size[0] - 1) * (1 - low)).unsqueeze(-2)
        outside = torch.maximum(top - rows, rows - bottom)
        return ((self.width + 1) / 2 - outside).clamp(0, 1)


def _stretches(heights, n_columns):
    """Lowest and highest point of the line in each column, up to half way to its neighbours."""
    per_column = -(-heights.shape[-1] // n_columns)
    points = stretched(heights, n_columns * per_column)
    before = functional.pad(points, (1, 0), mode="replicate")[..., :-1]
    behind = functional.pad(points, (0, 1), mode="replicate")[..., 1:]
    near = torch.stack([(before + points) / 2, points, (points + behind) / 2], -1)
    columns = near.reshape(*points.shape[:-1], n_columns, 3 * per_column)
    return columns.amin(-1), columns.amax(-1)
