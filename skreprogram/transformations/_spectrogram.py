"""Series as pictures: a spectrogram."""

import math

import torch
from torch.nn import functional

from skreprogram.transformations._parameters import check_whole
from skreprogram.transformations._placement import resized
from skreprogram.transformations._series_picture import SeriesPicture


class Spectrogram(SeriesPicture, name="spectrogram"):
    """Show which frequencies the series has when: time to the right, frequency upwards.

    ``brightness = log(1 + power / floor) / log(1 + 1 / floor)``, where the power is that of the
    short-time Fourier transform of the deviations from the mean, and 1 at most.

    Parameters
    ----------
    window : int or None, default=None
        Points of the series in a window; None takes twice the root of its length, so that there
        are about as many frequencies as moments. At most the length of the series.
    floor : float, default=1e-6
        Power that begins to show.
    side : int, default=96
        Pixels of both sides where the source takes any size (``flexible``), else its own.
    scale : {"series", "range", "set", "rank"}, default="series"
        What sets the value of a point, as in :class:`StackedSegments`.
    channels : tuple of str, default=("values", "differences", "levels")
        What the image channels show, as in :class:`StackedSegments`.

    Notes
    -----
    Windows of Hann overlap by seven eighths; before its start and after its end the series is at
    its mean. Flat series are dark. Differentiable in the series.

    Examples
    --------
    >>> import torch
    >>> from skreprogram._input_space import InputSpace
    >>> from skreprogram.transformations import Spectrogram
    >>> spectrogram, space = Spectrogram(window=16), InputSpace((1, 9, 50), (0.0, 1.0))
    >>> X = torch.sin(2 * torch.pi * torch.arange(200.0) * 4 / 16).reshape(1, 1, -1)
    >>> picture = spectrogram.apply(spectrogram.init(X, space, torch.Generator()), X, space)
    >>> picture[0, 0, :, 25].argmax()  # the fourth of eight frequencies, from below
    tensor(4)
    """

    def __init__(
        self,
        window=None,
        floor=1e-6,
        side=96,
        scale="series",
        channels=("values", "differences", "levels"),
    ):
        self.window = window
        self.floor = floor
        self.side = side
        self.scale = scale
        self.channels = channels

    def init(self, X, space, generator):
        if self.window is not None:
            check_whole(self, "window")
        if not self.floor > 0:
            raise ValueError(f"Got floor={self.floor!r} in Spectrogram, expected a power above 0.")
        return super().init(X, space, generator)

    def painted(self, heights, words, size):
        length = heights.shape[-1]
        window = round(2 * math.sqrt(length)) if self.window is None else self.window
        window = min(window, length)
        shape = torch.hann_window(
            window + 2, periodic=False, dtype=heights.dtype, device=heights.device
        )[1:-1]
        deviation = heights - heights.mean(-1, keepdim=True)
        padded = functional.pad(deviation, (window // 2, window // 2))
        frames = padded.unfold(-1, window, max(1, window // 8))
        waves = torch.fft.rfft(frames * (shape / shape.sum()))
        power = waves.real.square() + waves.imag.square()
        brightness = torch.log1p(power / self.floor) / math.log1p(1 / self.floor)
        return resized(brightness.mT.flip(-2), size)
