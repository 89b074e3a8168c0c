"""An additive program on a coarse grid."""

from skreprogram.transformations._full_size import AdditiveTransformation
from skreprogram.transformations._parameters import check_takes_images, check_whole
from skreprogram.transformations._placement import resized
from skreprogram.transformations._range import swing


class CoarseGridTransformation(AdditiveTransformation, name="coarse-grid"):
    """Resize the data to the source's input and add a program that is smooth.

    ``inputs = clip(resize(x) + upsample(delta))``: the program lives on a grid of few points and
    is interpolated bilinearly. With so few numbers gradients that are estimated from queries [1]_
    find their way: an estimate from q random directions in d dimensions keeps about q / d of the
    gradient's energy.

    Parameters
    ----------
    n_points : int, default=8
        Points of the grid along height and width.
    strength : float, default=1.0
        Largest addition, as a share of the width of the value range.
    clip : {"hard", "straight-through"}, default="hard"
        Whether gradients are 0 where the sum is cut off at the range's ends, or pass.
    l2 : float, default=0.0
        Weight of the squared grid in the training loss.

    References
    ----------
    .. [1] Y.-Y. Tsai, P.-Y. Chen, T.-Y. Ho, "Transfer Learning without Knowing: Reprogramming
       Black-box Machine Learning Models with Scarce Data and Limited Resources", ICML 2020:
       the one-sided averaged gradient estimate.

    Examples
    --------
    >>> import torch
    >>> from skreprogram._input_space import InputSpace
    >>> from skreprogram.transformations import CoarseGridTransformation
    >>> coarse, space = CoarseGridTransformation(2), InputSpace((3, 8, 9), (0.0, 1.0))
    >>> coarse.init(torch.rand(2, 3, 4, 4), space, torch.Generator())["program"].shape
    torch.Size([3, 2, 2])
    """

    trainable = ("program",)

    def __init__(self, n_points=8, strength=1.0, clip="hard", l2=0.0):
        self.n_points = n_points
        self.strength = strength
        self.clip = clip
        self.l2 = l2

    def drawn(self, X, space, generator):
        check_takes_images(self, space)
        check_whole(self, "n_points")
        return {"program": X.new_zeros(space.shape[0], self.n_points, self.n_points)}

    def addition(self, params, space):
        grid = swing(params["program"], space, self.strength).unsqueeze(0)
        return resized(grid, space.shape[1:])[0]
