"""A trained gain and bias for every value of the source's input."""

from skreprogram.transformations._full_size import FullSizeTransformation


class AffineInput(FullSizeTransformation, name="affine"):
    """Give every value of the source's input a trained gain and bias.

    A trainable input layer [1]_, the diagonal one: ``inputs = clip(gain * x + bias)`` around the
    middle of the value range. It starts as the identity. Images are resized to the source's input;
    other data must have its shape.

    Parameters
    ----------
    clip : {"hard", "straight-through"}, default="hard"
        Whether gradients are 0 where values are cut off at the range's ends, or pass.

    See Also
    --------
    DenseInput : The full matrix, for rows of a table.
    ConvolutionalInput : The same weights at every pixel.

    References
    ----------
    .. [1] E. Kloberdanz, J. Tian, W. Le, "An Improved (Adversarial) Reprogramming Technique for
       Neural Networks", ICANN 2021.

    Examples
    --------
    >>> import torch
    >>> from skreprogram._input_space import InputSpace
    >>> from skreprogram.transformations import AffineInput
    >>> affine, space = AffineInput(), InputSpace((3,), (0.0, 1.0))
    >>> X = torch.tensor([[0.25, 0.5, 1.0]])
    >>> params = affine.init(X, space, torch.Generator())
    >>> affine.apply({**params, "slope": torch.tensor([0.0, 1.0, 0.5])}, X, space)
    tensor([[0.5000, 0.5000, 0.7500]])
    """

    trainable = ("bias", "slope")

    def __init__(self, clip="hard"):
        self.clip = clip

    def drawn(self, X, space, generator):
        return {"slope": X.new_ones(space.shape), "bias": X.new_zeros(space.shape)}

    def changed(self, params, images, space):
        centred = params["slope"] * (images - space.centre)
        return centred + space.half_range * params["bias"] + space.centre
