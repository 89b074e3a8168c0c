"""Log-mel frames of a waveform, the front end of the speech sources."""

import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional


def mel_matrix(n_fft, n_mels, low, high, sample_rate):
    """Triangular bands, evenly spaced on the mel scale ``2595 log10(1 + f / 700)``.

    Parameters
    ----------
    n_fft : int
        Length of the Fourier transform.
    n_mels : int
        Number of bands.
    low, high : float
        Lower edge of the first and upper edge of the last band, in hertz.
    sample_rate : int
        Samples per second.

    Returns
    -------
    ndarray of shape (n_fft // 2 + 1, n_mels)
        Weights of the frequencies in the bands; the peak of a band is 1.

    Notes
    -----
    The mel formula is O'Shaughnessy's [1]_, the one of the HTK book.

    References
    ----------
    .. [1] D. O'Shaughnessy, "Speech Communication: Human and Machine", Addison-Wesley, 1987,
       p. 150.
    """
    first, last = (2595 * math.log10(1 + hertz / 700) for hertz in (low, high))
    edges = 700 * (10 ** (np.linspace(first, last, n_mels + 2) / 2595) - 1)
    frequencies = np.linspace(0, sample_rate / 2, n_fft // 2 + 1)[:, None]
    rising = (frequencies - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - frequencies) / (edges[2:] - edges[1:-1])
    return np.maximum(0, np.minimum(rising, falling))


class LogMel(nn.Module):
    """Log-mel spectrogram of waveforms, differentiable and local in time.

    Nothing is normalised per recording, so that a frame depends on its own window only.

    Parameters
    ----------
    n_mels : int, default=40
        Number of mel bands.
    hop : int, default=160
        Samples from one frame to the next.
    window : int, default=400
        Samples of a frame.
    n_fft : int, default=512
        Length of the Fourier transform.
    low, high : float, default=20.0 and 7600.0
        Range of the bands in hertz.
    sample_rate : int, default=16000
        Samples per second.

    Notes
    -----
    ``n`` samples give ``n // hop`` frames, and at least ``hop`` samples are needed. A sine of
    amplitude 1 has power 1; the constants of the final affine map bring speech near zero mean
    and unit variance.
    """

    floor = 1e-7
    mean = -13.5
    scale = 3.0

    def __init__(
        self, n_mels=40, hop=160, window=400, n_fft=512, low=20.0, high=7600.0, sample_rate=16_000
    ):
        super().__init__()
        self.hop = hop
        self.n_fft = n_fft
        taper = np.hanning(window + 1)[:-1]
        bands = mel_matrix(n_fft, n_mels, low, high, sample_rate) * (2 / taper.sum()) ** 2
        # from_numpy, because torch.tensor would follow a default device such as "meta".
        self.register_buffer("window", torch.from_numpy(taper.astype(np.float32)))
        self.register_buffer("bands", torch.from_numpy(bands.astype(np.float32)))

    @property
    def length(self):
        """Samples of a window."""
        return len(self.window)

    @property
    def before(self):
        """Zeros put in front of a waveform."""
        return (self.length - self.hop) // 2

    def pad(self, waveform):
        """Put zeros around waveforms of shape ``(n, samples)``."""
        return functional.pad(waveform, (self.before, self.length - self.hop - self.before))

    def frames(self, padded):
        """Compute a frame for every window that fits.

        Parameters
        ----------
        padded : torch.Tensor of shape (n, samples)
            Samples in [-1, 1].

        Returns
        -------
        frames : torch.Tensor of shape (n, n_mels, (samples - window) // hop + 1)
            Scaled logarithms of the power in each band.
        """
        windows = padded.unfold(-1, self.length, self.hop)
        # Sixteen bits are too few for powers that span ten decades.
        with torch.autocast(padded.device.type, enabled=False):
            spectrum = torch.fft.rfft(windows * self.window, n=self.n_fft)
            # both parts of a number in one product: a sum over strides of two takes longer
            squares = torch.view_as_real(spectrum).square().flatten(-2)
            power = squares @ self.bands.repeat_interleave(2, 0)
            level = (power + self.floor).log()
        return ((level - self.mean) / self.scale).transpose(1, 2)

    def forward(self, waveform):
        """Compute the frames.

        Parameters
        ----------
        waveform : torch.Tensor of shape (n, samples)
            Samples in [-1, 1].

        Returns
        -------
        frames : torch.Tensor of shape (n, n_mels, samples // hop)
            Scaled logarithms of the power in each band.
        """
        return self.frames(self.pad(waveform))
