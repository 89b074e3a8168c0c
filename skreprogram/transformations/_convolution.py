"""A trained convolution in front of the source."""

import torch
from torch.nn import functional

from skreprogram.transformations._base import InputTransformation
from skreprogram.transformations._parameters import check_choice, check_takes_images, check_whole
from skreprogram.transformations._placement import resized, with_axes
from skreprogram.transformations._range import affine_to_range, clipped, into_range


class ConvolutionalInput(InputTransformation, name="convolution"):
    """Send images of any number of channels through a trained convolution to the source.

    A trainable input layer [1]_: ``inputs = clip(resize(kernel * x + bias))``. At its start each
    channel of the source is shown the channels that lie at its place, unchanged, repeated or
    averaged.

    Parameters
    ----------
    kernel_size : int, default=3
        Side of the kernel, an odd number.
    init_scale : float, default=0.0
        Standard deviation of what is added to the kernel at its start.
    clip : {"hard", "straight-through"}, default="hard"
        Whether gradients are 0 where values are cut off at the range's ends, or pass.

    Notes
    -----
    Around the image the convolution sees the middle of the value range.

    References
    ----------
    .. [1] E. Kloberdanz, J. Tian, W. Le, "An Improved (Adversarial) Reprogramming Technique for
       Neural Networks", ICANN 2021.

    Examples
    --------
    >>> import torch
    >>> from skreprogram._input_space import InputSpace
    >>> from skreprogram.transformations import ConvolutionalInput
    >>> convolution, space = ConvolutionalInput(), InputSpace((3, 8, 8), (0.0, 1.0))
    >>> X = torch.rand(2, 10, 4, 4)
    >>> params = convolution.init(X, space, torch.Generator())
    >>> params["kernel"].shape, convolution.apply(params, X, space).shape
    (torch.Size([3, 10, 3, 3]), torch.Size([2, 3, 8, 8]))
    """

    trainable = ("bias", "kernel")

    def __init__(self, kernel_size=3, init_scale=0.0, clip="hard"):
        self.kernel_size = kernel_size
        self.init_scale = init_scale
        self.clip = clip

    def init(self, X, space, generator):
        check_takes_images(self, space)
        check_choice(self, "clip", ("hard", "straight-through"))
        check_whole(self, "kernel_size")
        images = with_axes(X[:1], space)
        if self.kernel_size % 2 == 0 or images.ndim != 4:
            raise ValueError(
                f"Got kernel_size={self.kernel_size} and samples of shape {tuple(X.shape[1:])} in "
                "ConvolutionalInput, expected an odd number and images (channels, height, width)."
            )
        # each channel of the source is the mean of those at its place
        identity = torch.eye(images.shape[1], dtype=X.dtype).unsqueeze(0)
        mixing = functional.adaptive_avg_pool1d(identity, space.shape[0])[0].T
        middle = [self.kernel_size // 2] * 4
        kernel = functional.pad(mixing[:, :, None, None], middle)
        noise = torch.randn(kernel.shape, generator=generator, dtype=X.dtype)
        return {
            **affine_to_range(X, space),
            "kernel": kernel + self.init_scale * noise,
            "bias": X.new_zeros(space.shape[0]),
        }

    def apply(self, params, X, space):
        images = with_axes(into_range(params, X, space), space) - space.centre
        maps = functional.conv2d(images, params["kernel"], padding=self.kernel_size // 2)
        maps = maps + space.half_range * params["bias"][:, None, None] + space.centre
        return clipped(resized(maps, space.shape[1:]), space, self.clip)
