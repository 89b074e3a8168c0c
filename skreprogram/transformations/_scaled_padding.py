"""Padding whose image has a scale that trains."""

from numbers import Real

import torch
from torch.nn import functional

from skreprogram.transformations._base import InputTransformation
from skreprogram.transformations._parameters import check_takes_images, check_whole
from skreprogram.transformations._placement import laid_out, resized, size_of
from skreprogram.transformations._range import affine_to_range, bounded, clipped, into_range

# the authors' 128 pixels in 224
SHARE = 128 / 224
LOWEST, HIGHEST = 0.1, 5.0


class ScaledPadding(InputTransformation, name="scaled-padding"):
    """Place the image in the middle, with a program around it and a scale that trains.

    The input scaling of AutoVP [1]_: the image is resampled about the centre of the source's input
    at a learned scale between 0.1 and 5, and the program fills what is left.

    Parameters
    ----------
    size : int or None, default=None
        Pixels of the image's longer side at scale 1; None stands for 128 of 224.
    scale : float, default=1.0
        Scale at the start.
    softness : float, default=1.0
        Width in pixels of the ramp between image and program. Through it the scale has a gradient;
        outside it M is exactly 0 or 1.
    l2 : float, default=0.0
        Weight of the squared program in the training loss.

    Notes
    -----
    The authors round the frame to whole pixels, so that their scale learns from the image alone;
    with the ramp it also learns how much room the program is worth. Gradients pass the limits of
    the scale, so that it can come back from them.

    References
    ----------
    .. [1] H.-A. Tsao, L. Hsiung, P.-Y. Chen, S. Liu, T.-Y. Ho, "AutoVP: An Automated Visual
       Prompting Framework and Benchmark", ICLR 2024: "Input Scaling".

    Examples
    --------
    >>> import torch
    >>> from skreprogram._input_space import InputSpace
    >>> from skreprogram.transformations import ScaledPadding
    >>> padding, space = ScaledPadding(size=2), InputSpace((1, 6, 6), (0.0, 1.0))
    >>> X = torch.ones(1, 1, 2, 2)
    >>> params = padding.init(X, space, torch.Generator())
    >>> padding.apply({**params, "scale": torch.tensor(2.0)}, X, space)[0, 0, :3]
    tensor([[0.5000, 0.5000, 0.5000, 0.5000, 0.5000, 0.5000],
            [0.5000, 1.0000, 1.0000, 1.0000, 1.0000, 0.5000],
            [0.5000, 1.0000, 1.0000, 1.0000, 1.0000, 0.5000]])
    """

    trainable = ("program", "scale")

    def __init__(self, size=None, scale=1.0, softness=1.0, l2=0.0):
        self.size = size
        self.scale = scale
        self.softness = softness
        self.l2 = l2

    def init(self, X, space, generator):
        check_takes_images(self, space)
        self._check_numbers()
        shape = tuple(laid_out(X[:1], space).shape[1:])
        if len(shape) != 3 or shape[0] != space.shape[0]:
            raise ValueError(
                f"Got samples of shape {tuple(X.shape[1:])} for a source that takes "
                f"{tuple(space.shape)}, expected images of {space.shape[0]} channels (1 and 3 "
                "become one another), or rows of a table. Change the number of channels."
            )
        return {
            **affine_to_range(X, space),
            "program": X.new_zeros(space.shape),
            "scale": X.new_tensor(self.scale),
        }

    def apply(self, params, X, space):
        images = laid_out(into_range(params, X, space), space)
        side = round(SHARE * min(space.shape[1:])) if self.size is None else self.size
        images = resized(images, size_of(max(1, side), images.shape))
        scale = params["scale"]
        scale = scale.clamp(LOWEST, HIGHEST).detach() + (scale - scale.detach())
        places, masks = [], []
        for length, room in zip(images.shape[2:], space.shape[1:], strict=True):
            # distance of every pixel's centre from the middle; the image ends at `half`
            place = torch.arange(room, dtype=X.dtype, device=X.device) + 0.5 - room / 2
            half = scale * length / 2
            places.append(place / half)
            masks.append(((half - place.abs()) / self.softness + 0.5).clamp(0, 1))
        grid = torch.stack(torch.meshgrid(places[1], places[0], indexing="xy"), -1)
        scaled = functional.grid_sample(
            images, grid.expand(len(X), *grid.shape), padding_mode="border", align_corners=False
        )
        mask = masks[0].unsqueeze(-1) * masks[1]
        program = bounded(params["program"], space)
        return clipped(mask * scaled + (1 - mask) * program, space)

    def penalty(self, params):
        return self.l2 * params["program"].square().sum() if self.l2 else 0.0

    def _check_numbers(self):
        if self.size is not None:
            check_whole(self, "size")
        if not (isinstance(self.scale, Real) and LOWEST <= self.scale <= HIGHEST):
            raise ValueError(
                f"Got scale={self.scale!r} in ScaledPadding, expected a number from {LOWEST} to "
                f"{HIGHEST}."
            )
        if not (isinstance(self.softness, Real) and self.softness > 0):
            raise ValueError(
                f"Got softness={self.softness!r} in ScaledPadding, expected a positive number of "
                "pixels."
            )
