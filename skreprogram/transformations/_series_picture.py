"""Series as pictures: what all ways of drawing them share."""

import math
from abc import abstractmethod

import torch
from torch.nn import functional

from skreprogram.transformations._base import InputTransformation
from skreprogram.transformations._heights import SCALES, fitted_to, heights
from skreprogram.transformations._parameters import check_choice, check_takes_images, check_whole
from skreprogram.transformations._placement import resized
from skreprogram.transformations._range import clipped


class SeriesPicture(InputTransformation):
    """Base of transformations that draw a series for a source of images; nothing of them trains.

    A subclass has the parameters ``side``, ``scale`` and ``channels``, and says how points become
    brightness.

    A single series fills the picture. The image channels, red, green and blue, show what
    ``channels`` says of it, in this order and again from the start; sources of one channel show
    the first. Of several series each image channel shows one, and what the first of ``channels``
    says of it; where there are more series than image channels, tiles lie below each other, and in
    as many columns as there are whole numbers to the root of their number. What is left is dark.
    """

    @property
    def contents(self):
        """What an image channel may show: words, and functions from series to series."""
        return {
            "values": lambda X: X,
            "levels": lambda X: X,
            "differences": _differences,
            "sums": _sums,
        }

    @abstractmethod
    def painted(self, heights, words, size):
        """Draw series.

        Parameters
        ----------
        heights : torch.Tensor of shape (n_samples, n_planes, length)
            Series between 0 and 1.
        words : list of str
            What each of them shows.
        size : tuple of (int, int)
            Height and width of the drawing in pixels.

        Returns
        -------
        brightness : torch.Tensor of shape (n_samples, n_planes, *size)
            From 0 to 1.
        """

    def init(self, X, space, generator):
        self._check(X, space)
        params = {}
        for word in dict.fromkeys(self._words(X, space)):
            fitted = fitted_to(self.contents[word](X), self._scale(word))
            params.update({f"{word}_{name}": tensor for name, tensor in fitted.items()})
        return params

    def apply(self, params, X, space):
        words = self._words(X, space)
        n_series, n_channels, size = X.shape[1], space.shape[0], self._size(space)
        planes = torch.cat([self._heights(params, X, word) for word in words], 1)
        if n_series == 1:
            painted = self.painted(planes, words, size)
            if len(words) != n_channels:
                painted = painted.repeat(1, -(-n_channels // len(words)), 1, 1)[:, :n_channels]
        else:
            grid = _grid(n_series, n_channels)
            tile = size[0] // grid[0], size[1] // grid[1]
            painted = _tiled(self.painted(planes, words * n_series, tile), grid, n_channels, size)
        return clipped(space.centre + space.half_range * (2 * painted - 1), space)

    def _heights(self, params, X, word):
        prefix = f"{word}_"
        constants = {n.removeprefix(prefix): t for n, t in params.items() if n.startswith(prefix)}
        return heights(constants, self.contents[word](X), self._scale(word))

    def _scale(self, word):
        return "set" if word == "levels" else self.scale

    def _words(self, X, space):
        channels = [self.channels] if isinstance(self.channels, str) else list(self.channels)
        return channels[: space.shape[0] if X.shape[1] == 1 else 1]

    def _size(self, space):
        return (self.side, self.side) if space.flexible else tuple(space.shape[1:])

    def _check(self, X, space):
        check_takes_images(self, space)
        check_whole(self, "side")
        check_choice(self, "scale", SCALES)
        if X.ndim != 3:
            raise ValueError(
                f"Got samples of shape {tuple(X.shape[1:])} for {type(self).__name__}, expected "
                "series of shape (n_channels, length). Use TimeSeriesReprogrammer, or another "
                "input_transformation."
            )
        words = [self.channels] if isinstance(self.channels, str) else self.channels
        if not words or any(word not in self.contents for word in words):
            raise ValueError(
                f"Got channels={self.channels!r} in {type(self).__name__}, expected words among "
                f"{list(self.contents)}."
            )
        grid, size = _grid(X.shape[1], space.shape[0]), self._size(space)
        if X.shape[1] > 1 and (grid[0] > size[0] or grid[1] > size[1]):
            raise ValueError(
                f"Got series of {X.shape[1]} channels in {type(self).__name__}, {grid[0]} x "
                f"{grid[1]} tiles, expected at most one for each of {size[0]} x {size[1]} pixels. "
                "Use a larger side, or fewer channels."
            )


def stretched(X, n_points):
    """Resample series linearly, averaged beforehand where they become shorter.

    Parameters
    ----------
    X : torch.Tensor of shape (n_samples, n_channels, length)
        Series.
    n_points : int
        New length.

    Returns
    -------
    X : torch.Tensor of shape (n_samples, n_channels, n_points)
        Where it is longer, from the first to the last point.
    """
    if n_points < X.shape[-1]:
        return resized(X.unsqueeze(-2), (1, n_points)).squeeze(-2)
    return functional.interpolate(X, size=n_points, mode="linear", align_corners=True)


def _differences(X):
    """Changes along a series, the last one twice so that the length stays."""
    if X.shape[-1] == 1:
        return torch.zeros_like(X)
    changes = X.diff(dim=-1)
    return torch.cat([changes, changes[..., -1:]], -1)


def _sums(X):
    """Running sums of the deviations from the mean; rounding of flat series is no deviation."""
    deviation = X - X.mean(-1, keepdim=True)
    rounding = 1e-6 * X.abs().amax(-1, keepdim=True)
    return (deviation * (deviation.abs().amax(-1, keepdim=True) > rounding)).cumsum(-1)


def _grid(n_series, n_channels):
    """Rows and columns of tiles, each of which shows a series in every image channel."""
    n_tiles = -(-n_series // n_channels)
    columns = math.isqrt(n_tiles)
    return -(-n_tiles // columns), columns


def _tiled(planes, grid, n_channels, size):
    """Lay drawings of single series out as one picture of (n_channels, *size)."""
    n_samples, n_series, height, width = planes.shape
    rows, columns = grid
    missing = rows * columns * n_channels - n_series
    planes = functional.pad(planes, (0, 0, 0, 0, 0, missing))
    tiles = planes.reshape(n_samples, rows, columns, n_channels, height, width)
    picture = tiles.permute(0, 3, 1, 4, 2, 5).reshape(
        n_samples, n_channels, rows * height, columns * width
    )
    return functional.pad(picture, (0, size[1] - columns * width, 0, size[0] - rows * height))
