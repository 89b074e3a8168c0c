"""Series stretched over the source's input, as a slow waveform."""

import torch
from torch.nn import functional

from skreprogram.transformations._base import InputTransformation
from skreprogram.transformations._range import affine_to_range, bounded, into_range


class StretchingTransformation(InputTransformation, name="stretching"):
    """Resample the series to the length of the source's input.

    Parameters
    ----------
    program : bool, default=True
        Whether an additive program is trained over the whole input.
    init_scale : float, default=0.0
        Standard deviation of the program at its start.
    l2 : float, default=0.04
        Weight of the squared program in the training loss.

    Notes
    -----
    Channels are laid one after the other, and so are the channels of the source. With a program,
    half of the value range is left to it, so that the sum stays inside.

    Examples
    --------
    >>> import torch
    >>> from skreprogram._input_space import InputSpace
    >>> from skreprogram.transformations import StretchingTransformation
    >>> stretching, space = StretchingTransformation(program=False), InputSpace((5,))
    >>> X = torch.tensor([[[0.0, 1.0, 2.0]]])
    >>> stretching.apply(stretching.init(X, space, torch.Generator()), X, space)
    tensor([[0.0000, 0.5000, 1.0000, 1.5000, 2.0000]])
    """

    def __init__(self, program=True, init_scale=0.0, l2=0.04):
        self.program = program
        self.init_scale = init_scale
        self.l2 = l2

    @property
    def trainable(self):
        return ("program",) if self.program else ()

    def init(self, X, space, generator):
        params = affine_to_range(X, space)
        if self.program:
            drawn = torch.randn(space.shape, generator=generator, dtype=X.dtype)
            params["program"] = drawn * self.init_scale
        return params

    def apply(self, params, X, space):
        flat = into_range(params, X, space).flatten(1)
        stretched = functional.interpolate(
            flat.unsqueeze(1), size=space.size, mode="linear", align_corners=True
        ).reshape(len(X), *space.shape)
        if not self.program:
            return stretched
        if space.value_range is None:
            return stretched + params["program"]
        return (stretched + bounded(params["program"], space)) / 2

    def penalty(self, params):
        return self.l2 * params["program"].square().sum() if self.program and self.l2 else 0.0
