"""The image that a program is laid over: a pure function."""

import numpy as np
import torch

from skreprogram.transformations._placement import laid_out, resized
from skreprogram.transformations._range import clipped


def host_image(host, space, size, dtype=torch.float32):
    """Check an image, give it the source's channels, and resize it.

    Parameters
    ----------
    host : array-like of shape (height, width) or (channels, height, width)
        The image, inside the source's value range.
    space : InputSpace
        What the source takes.
    size : (int, int)
        Height and width to give it.
    dtype : torch.dtype, default=torch.float32
        Type of the result.

    Returns
    -------
    image : torch.Tensor of shape (channels, *size)
    """
    image = torch.as_tensor(np.asarray(host, dtype=float)).to(dtype)
    image = laid_out(image.unsqueeze(0), space) if image.ndim in (2, 3) else image
    if image.ndim != 4 or image.shape[1] != space.shape[0]:
        raise ValueError(
            f"Got a host of shape {np.shape(host)}, expected (height, width) or "
            f"({space.shape[0]}, height, width), the source's channels first."
        )
    ends = (float(image.min()), float(image.max()))
    if space.value_range and not (
        space.value_range[0] <= ends[0] <= ends[1] <= space.value_range[1]
    ):
        raise ValueError(
            f"Got a host with values from {ends[0]:.4g} to {ends[1]:.4g}, expected the "
            f"source's range {tuple(space.value_range)}. Scale it, for example divide bytes "
            "by 255."
        )
    return clipped(resized(image, size)[0], space)
