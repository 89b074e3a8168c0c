"""Images resized to what the source takes, and nothing else."""

from numbers import Integral

from skreprogram.transformations._base import InputTransformation
from skreprogram.transformations._full_size import check_fills
from skreprogram.transformations._parameters import check_takes_images
from skreprogram.transformations._placement import laid_out, resized
from skreprogram.transformations._range import affine_to_range, into_range


class ResizingTransformation(InputTransformation, name="resizing"):
    """Resize images to the source's input; no program.

    With nothing to train before the source, every image goes through it once. This is what a
    linear probe sees, and the control of every visual prompt.

    Parameters
    ----------
    size : int or None, default=None
        Pixels of both sides. None takes the source's own size; where the source takes any size
        (``flexible``), three times the longer side of the data, but at least 32 and at most the
        source's own: larger is slower, and small images hold nothing to be shown larger.

    Examples
    --------
    >>> import torch
    >>> from skreprogram._input_space import InputSpace
    >>> from skreprogram.transformations import ResizingTransformation
    >>> resizing, space = ResizingTransformation(), InputSpace((3, 32, 32), (0.0, 1.0))
    >>> X = torch.rand(2, 1, 28, 28)
    >>> resizing.apply(resizing.init(X, space, torch.Generator()), X, space).shape
    torch.Size([2, 3, 32, 32])
    """

    def __init__(self, size=None):
        self.size = size

    def init(self, X, space, generator):
        check_takes_images(self, space)
        check_fills(self, X, space)
        own = space.shape[1:]
        whole = isinstance(self.size, Integral) and not isinstance(self.size, bool)
        if self.size is not None and (not whole or self.size < 1):
            raise ValueError(
                f"Got size={self.size!r} in ResizingTransformation, expected None or a positive "
                "whole number of pixels."
            )
        if self.size is not None and not space.flexible and (self.size, self.size) != own:
            raise ValueError(
                f"Got size={self.size} in ResizingTransformation, but the source takes images of "
                f"{own[0]} x {own[1]} pixels only. Leave size out."
            )
        return affine_to_range(X, space)

    def apply(self, params, X, space):
        images = laid_out(into_range(params, X, space), space)
        return resized(images, self._size(images.shape, space))

    def _size(self, shape, space):
        if self.size is not None:
            return self.size, self.size
        if not space.flexible:
            return space.shape[1:]
        return tuple(min(max(3 * max(shape[-2:]), 32), own) for own in space.shape[1:])
