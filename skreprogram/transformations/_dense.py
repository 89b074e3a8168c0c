"""A trained dense layer in front of the source."""

import math

import torch

from skreprogram.transformations._base import InputTransformation
from skreprogram.transformations._range import bounded


class DenseInput(InputTransformation, name="dense"):
    """Send rows through a trained dense layer to the source's input, of any shape.

    A trainable input layer [1]_: ``inputs = centre + half_range * tanh(W u + b)`` for columns u
    with mean 0 and variance 1 over the training data; unbounded sources take ``W u + b``.

    Parameters
    ----------
    init_scale : float, default=0.5
        Standard deviation of ``W u`` at the start, where W is drawn at random and b is 0: most of
        the range is used, and little of it saturates.

    Notes
    -----
    It has ``n_features + 1`` weights for each value of the source's input: 462 million from 32 to
    224 pixels in colour. For images :class:`ConvolutionalInput` is the layer to take.

    References
    ----------
    .. [1] E. Kloberdanz, J. Tian, W. Le, "An Improved (Adversarial) Reprogramming Technique for
       Neural Networks", ICANN 2021.

    Examples
    --------
    >>> import torch
    >>> from skreprogram._input_space import InputSpace
    >>> from skreprogram.transformations import DenseInput
    >>> dense, space = DenseInput(), InputSpace((3, 8, 8), (0.0, 1.0))
    >>> X = torch.rand(5, 4)
    >>> dense.apply(dense.init(X, space, torch.Generator()), X, space).shape
    torch.Size([5, 3, 8, 8])
    """

    trainable = ("bias", "weight")

    def __init__(self, init_scale=0.5):
        self.init_scale = init_scale

    def init(self, X, space, generator):
        rows = X.flatten(1)
        spread = rows.std(0, correction=0)
        # a constant column has rounding errors for a spread
        constant = spread <= 1e-6 * rows.abs().amax(0)
        drawn = torch.randn(space.size, rows.shape[1], generator=generator, dtype=X.dtype)
        return {
            "mean": rows.mean(0),
            "spread": torch.where(constant, torch.ones_like(spread), spread),
            "weight": drawn * (self.init_scale / math.sqrt(rows.shape[1])),
            "bias": X.new_zeros(space.size),
        }

    def apply(self, params, X, space):
        rows = (X.flatten(1) - params["mean"]) / params["spread"]
        values = rows @ params["weight"].T + params["bias"]
        return bounded(values, space).reshape(len(X), *space.shape)
