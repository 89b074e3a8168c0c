"""Series as pictures: Gramian angular fields and the Markov transition field."""

import torch

from skreprogram.transformations._parameters import check_whole
from skreprogram.transformations._series_picture import SeriesPicture, stretched


class GramianField(SeriesPicture, name="gramian"):
    """Show the angles of any two moments of the series, added and subtracted.

    Each value between 0 and 1 becomes an angle ``phi`` with ``cos(phi) = 2 value - 1``. For the
    moment i from the top and the moment j from the left the fields [1]_ are
    ``cos(phi_i + phi_j)``, ``sin(phi_i - phi_j)``, and how often a point as high as i is followed
    by one as high as j.

    Parameters
    ----------
    n_levels : int, default=8
        Levels of the transition field, as many points of the series on each.
    side : int, default=96
        Pixels of both sides where the source takes any size (``flexible``), else its own.
    scale : {"series", "range", "set", "rank"}, default="range"
        What sets the value of a point, as in :class:`StackedSegments`.
    channels : tuple of str, default=("summation", "difference", "transition")
        Fields that the image channels show of a single series. Of several series each image
        channel shows one, by the first field, and further ones lie in tiles below.

    Notes
    -----
    The series is resampled to the sides of the picture first. The angular fields are
    differentiable in the series; the transition field passes no gradient.

    References
    ----------
    .. [1] Z. Wang, T. Oates, "Imaging Time-Series to Improve Classification and Imputation", IJCAI
       2015.

    Examples
    --------
    >>> import torch
    >>> from skreprogram._input_space import InputSpace
    >>> from skreprogram.transformations import GramianField
    >>> gramian, space = GramianField(), InputSpace((1, 3, 3), (0.0, 1.0))
    >>> X = torch.tensor([[[-1.0, 0.0, 1.0]]])
    >>> gramian.apply(gramian.init(X, space, torch.Generator()), X, space).round(decimals=2)
    tensor([[[[1.0000, 0.5000, 0.0000],
              [0.5000, 0.0000, 0.5000],
              [0.0000, 0.5000, 1.0000]]]])
    """

    def __init__(
        self,
        n_levels=8,
        side=96,
        scale="range",
        channels=("summation", "difference", "transition"),
    ):
        self.n_levels = n_levels
        self.side = side
        self.scale = scale
        self.channels = channels

    @property
    def contents(self):
        """Fields that an image channel may show; all are made of the series as it is."""
        return dict.fromkeys(("summation", "difference", "transition"), lambda X: X)

    def init(self, X, space, generator):
        check_whole(self, "n_levels", 2)
        return super().init(X, space, generator)

    def painted(self, heights, words, size):
        from_top, from_left = (stretched(heights, n_points) for n_points in size)
        fields = {
            "summation": _summation,
            "difference": _difference,
            "transition": self._transitions,
        }
        if len(set(words)) == 1:
            return fields[words[0]](from_top, from_left)
        planes = [
            fields[word](from_top[:, i : i + 1], from_left[:, i : i + 1])
            for i, word in enumerate(words)
        ]
        return torch.cat(planes, 1)

    def _transitions(self, from_top, from_left):
        """Share of the steps from the level of one moment that lead to the level of another."""
        ordered = from_left.detach().sort(-1).values
        places = torch.arange(1, self.n_levels, device=ordered.device) * ordered.shape[-1]
        edges = ordered[..., places // self.n_levels]
        top, left = (_on_levels(X.detach(), edges) for X in (from_top, from_left))
        counts = left[..., :-1, :].mT @ left[..., 1:, :]
        shares = counts / counts.sum(-1, keepdim=True).clamp_min(1)
        return top @ shares @ left.mT


def _summation(from_top, from_left):
    """``cos(phi_i + phi_j)`` as brightness."""
    (cos_top, sin_top), (cos_left, sin_left) = _circle(from_top), _circle(from_left)
    field = cos_top.unsqueeze(-1) * cos_left.unsqueeze(-2)
    field = field - sin_top.unsqueeze(-1) * sin_left.unsqueeze(-2)
    return (1 + field) / 2


def _difference(from_top, from_left):
    """``sin(phi_i - phi_j)`` as brightness."""
    (cos_top, sin_top), (cos_left, sin_left) = _circle(from_top), _circle(from_left)
    field = sin_top.unsqueeze(-1) * cos_left.unsqueeze(-2)
    field = field - cos_top.unsqueeze(-1) * sin_left.unsqueeze(-2)
    return (1 + field) / 2


def _circle(heights):
    """Cosine and sine of the angles; at both ends the root's gradient needs a floor."""
    cosine = 2 * heights - 1
    return cosine, (1 - cosine.square()).clamp_min(1e-8).sqrt()


def _on_levels(X, edges):
    """Ones where a point is on a level: (n_samples, n_channels, length, n_levels)."""
    level = (X.unsqueeze(-1) >= edges.unsqueeze(-2)).sum(-1, keepdim=True)
    return (level == torch.arange(edges.shape[-1] + 1, device=X.device)).to(X)
