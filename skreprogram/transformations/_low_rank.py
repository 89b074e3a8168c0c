"""An additive program of low rank."""

import torch

from skreprogram.transformations._full_size import AdditiveTransformation
from skreprogram.transformations._parameters import check_takes_images, check_whole


class LowRankTransformation(AdditiveTransformation, name="low-rank"):
    """Resize the data to the source's input and add a program of low rank.

    ``inputs = clip(resize(x) + B_c A_c)`` in every channel c [1]_: neighbouring rows and columns
    share what they learn, and ``channels * rank * (height + width)`` numbers train, 5376 for a
    source of 224 pixels and rank 4.

    Parameters
    ----------
    rank : int, default=4
        Columns of B and rows of A.
    init_scale : float, default=0.01
        Standard deviation of A at its start. B starts at 0, so that nothing is added.
    clip : {"hard", "straight-through"}, default="hard"
        Whether gradients are 0 where the sum is cut off at the range's ends, or pass.
    l2 : float, default=0.0
        Weight of the squared factors in the training loss.

    Notes
    -----
    The product is not sent through tanh, which would raise its rank: only the sum is cut off.

    References
    ----------
    .. [1] C. Jin et al., "LoR-VP: Low-Rank Visual Prompting for Efficient Vision Model Adaptation",
       ICLR 2025.

    Examples
    --------
    >>> import torch
    >>> from skreprogram._input_space import InputSpace
    >>> from skreprogram.transformations import LowRankTransformation
    >>> low_rank, space = LowRankTransformation(2), InputSpace((3, 8, 9), (0.0, 1.0))
    >>> X = torch.rand(2, 3, 4, 4)
    >>> params = low_rank.init(X, space, torch.Generator())
    >>> params["B"].shape, params["A"].shape
    (torch.Size([3, 8, 2]), torch.Size([3, 2, 9]))
    """

    trainable = ("A", "B")

    def __init__(self, rank=4, init_scale=0.01, clip="hard", l2=0.0):
        self.rank = rank
        self.init_scale = init_scale
        self.clip = clip
        self.l2 = l2

    def drawn(self, X, space, generator):
        check_takes_images(self, space)
        channels, height, width = space.shape
        check_whole(self, "rank", 1, min(height, width))
        A = torch.randn(channels, self.rank, width, generator=generator, dtype=X.dtype)
        return {"A": A * self.init_scale, "B": X.new_zeros(channels, height, self.rank)}

    def addition(self, params, space):
        # in widths of the value range, which is 1 for pixels between 0 and 1
        return 2 * space.half_range * (params["B"] @ params["A"])
