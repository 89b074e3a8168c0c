"""Rows of a table inside a host image."""

import numpy as np
import torch
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.spatial.distance import squareform

from skreprogram.transformations._base import InputTransformation
from skreprogram.transformations._host import host_image
from skreprogram.transformations._parameters import (
    check_choice,
    check_share,
    check_takes_images,
    check_whole,
)
from skreprogram.transformations._placement import placed, squares
from skreprogram.transformations._range import clipped, swing


class HostImageTransformation(InputTransformation, name="host-image"):
    """Embed rows of a table in a host image and add one program to all of them.

    The scheme of AdvRFD [1]_ for transactions: the features are pixels of a patch in the middle of
    an ordinary image, and a universal perturbation tells the source what they mean:
    ``inputs = clip((1 - alpha A) host + alpha A patch(x) + M strength tanh(W))``, where A is 1 on
    the patch. At its start the program adds nothing.

    Parameters
    ----------
    host : array-like of shape (height, width) or (channels, height, width), or None, default=None
        The image, inside the source's value range; it is resized to the source's input. None is
        grey, the middle of the range.
    alpha : float in [0, 1], default=1.0
        How much of the host the patch replaces.
    upscale : int or None, default=None
        Pixels along each side of a feature; None takes as many as leave half of the host free.
    program : {"around", "everywhere"}, default="around"
        Where the program acts: outside the patch, or on it as well.
    strength : float, default=1.0
        Largest addition, as a share of the width of the value range.
    quantile : float in [0, 0.5), default=0.01
        Share of the training values of each feature that are cut off at either end, because a
        single huge amount would leave no contrast to the others. Features that are constant without
        these, such as a rare flag, keep them.
    feature_order : {"given", "correlation"}, default="given"
        Order in which the features fill the lines of the patch; "correlation" brings those near
        one another that are correlated in the training data.
    l2 : float, default=0.0
        Weight of the squared program in the training loss.

    Notes
    -----
    The paper's code is not public; details are ours. Pixels of the patch without a feature hold
    the lowest value, constant features the middle of the range.

    References
    ----------
    .. [1] L. Chen, Y. Fan, Y. Ye, "Adversarial Reprogramming of Pretrained Neural Networks for
       Fraud Detection", CIKM 2021.

    Examples
    --------
    >>> import torch
    >>> from skreprogram._input_space import InputSpace
    >>> from skreprogram.transformations import HostImageTransformation
    >>> hosted, space = HostImageTransformation(quantile=0.0), InputSpace((1, 4, 4), (0.0, 1.0))
    >>> X = torch.tensor([[0.0, 5.0, 2.0], [10.0, 9.0, 2.0]])
    >>> hosted.apply(hosted.init(X, space, torch.Generator()), X, space)[1, 0]
    tensor([[0.5000, 0.5000, 0.5000, 0.5000],
            [0.5000, 1.0000, 1.0000, 0.5000],
            [0.5000, 0.5000, 0.0000, 0.5000],
            [0.5000, 0.5000, 0.5000, 0.5000]])
    """

    trainable = ("program",)

    def __init__(
        self,
        host=None,
        alpha=1.0,
        upscale=None,
        program="around",
        strength=1.0,
        quantile=0.01,
        feature_order="given",
        l2=0.0,
    ):
        self.host = host
        self.alpha = alpha
        self.upscale = upscale
        self.program = program
        self.strength = strength
        self.quantile = quantile
        self.feature_order = feature_order
        self.l2 = l2

    def init(self, X, space, generator):
        self._check(X, space)
        rows = X.flatten(1)
        low, high = _ends(rows, self.quantile)
        params = {
            "low": low,
            "high": high,
            "host": self._host(X, space),
            "program": X.new_zeros(space.shape),
        }
        if self.feature_order == "correlation":
            params["order"] = _correlated_order(rows)
        return params

    def apply(self, params, X, space):
        patch = self._patches(params, X, space)
        covered = placed(torch.ones_like(patch[:1]), space.shape, "centre")
        spread = placed(patch, space.shape, "centre")
        canvas = (1 - self.alpha * covered) * params["host"] + self.alpha * spread
        addition = swing(params["program"], space, self.strength)
        if self.program == "around":
            addition = (1 - covered) * addition
        return clipped(canvas + addition, space)

    def penalty(self, params):
        return self.l2 * params["program"].square().sum() if self.l2 else 0.0

    def _patches(self, params, X, space):
        """Features as pixels: (n_samples, channels, side, side)."""
        low, high = params["low"] / 2, params["high"] / 2  # halves do not overflow
        span = high - low
        share = (X.flatten(1) / 2 - low) / torch.where(span > 0, span, 1.0)
        share = torch.where(span > 0, share, 0.5).clamp(0, 1)
        if "order" in params:
            share = share[:, params["order"]]
        patch = space.centre + space.half_range * (2 * squares(share, 0.0) - 1)
        upscale = self._upscale(patch.shape[-1], space)
        patch = patch.repeat_interleave(upscale, -2).repeat_interleave(upscale, -1)
        return patch.expand(-1, space.shape[0], -1, -1)

    def _upscale(self, side, space):
        # half of the host's area is left to the program
        most = int(min(space.shape[1:]) / 2**0.5)
        return max(1, most // side) if self.upscale is None else self.upscale

    def _host(self, X, space):
        if self.host is None:
            return X.new_full(space.shape, space.centre)
        return host_image(self.host, space, space.shape[1:], X.dtype)

    def _check(self, X, space):
        check_takes_images(self, space)
        check_choice(self, "program", ("around", "everywhere"))
        check_choice(self, "feature_order", ("given", "correlation"))
        check_share(self, "alpha")
        if self.upscale is not None:
            check_whole(self, "upscale")
        if not 0 <= self.quantile < 0.5:
            raise ValueError(
                f"Got quantile={self.quantile!r} in HostImageTransformation, expected a share in "
                "[0, 0.5)."
            )
        side = squares(X[:1].flatten(1), 0.0).shape[-1]
        pixels = side * self._upscale(side, space)
        if pixels > min(space.shape[1:]):
            raise ValueError(
                f"Got {X[0].numel()} features with upscale={self.upscale}, a patch of {pixels} "
                f"pixels a side, expected at most {min(space.shape[1:])}. Use a smaller upscale, "
                "or fewer features."
            )


def _ends(rows, quantile):
    """Quantiles of each column; the whole range of columns that are constant but for outliers."""
    ordered = rows.sort(0).values
    low, high = _at_share(ordered, quantile), _at_share(ordered, 1 - quantile)
    rare = low == high
    return torch.where(rare, ordered[0], low), torch.where(rare, ordered[-1], high)


def _at_share(ordered, share):
    """Quantiles of sorted columns; torch.quantile refuses large tensors."""
    place = share * (len(ordered) - 1)
    before = int(place)
    behind = min(before + 1, len(ordered) - 1)
    return torch.lerp(ordered[before], ordered[behind], place - before)


def _correlated_order(rows):
    """Leaves of a clustering by absolute correlation; columns of one cluster are neighbours."""
    if rows.shape[1] < 3:
        return torch.arange(rows.shape[1])
    centred = (rows - rows.mean(0)).double()
    length = centred.norm(dim=0)
    unit = centred / torch.where(length > 0, length, 1.0)
    distance = (1 - (unit.T @ unit).abs()).clamp_min(0).numpy()
    leaves = leaves_list(linkage(squareform(distance, checks=False), "average"))
    return torch.from_numpy(leaves.astype(np.int64))
