"""Standardised mel spectrograms, the two front ends of the attention RNN."""

import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional

_WINDOW = 1024
_HOP = 128
_N_MELS = 80
_LOW, _HIGH, _SAMPLE_RATE = 40.0, 8000.0, 16_000


def slaney_mel_matrix():
    """Bands on Slaney's mel scale [1]_ (linear below 1 kHz), each of area 1.

    Returns
    -------
    ndarray of shape (513, 80)
        Weights of the frequencies in the bands.

    References
    ----------
    .. [1] M. Slaney, "Auditory Toolbox", Technical Report 1998-010, Interval Research, 1998.
    """
    first, last = _slaney_mel(_LOW), _slaney_mel(_HIGH)
    edges = np.array([_slaney_hertz(mel) for mel in np.linspace(first, last, _N_MELS + 2)])
    frequencies = np.linspace(0, _SAMPLE_RATE / 2, _WINDOW // 2 + 1)
    return _triangles(frequencies, edges) * 2 / (edges[2:] - edges[:-2])


def straight_mel_matrix():
    """Bands that are triangles over the mel axis ``1127 log(1 + f / 700)``, each of peak 1.

    Returns
    -------
    ndarray of shape (513, 80)
        Weights of the frequencies in the bands; the constant component has none.
    """
    frequencies, low, high = (
        1127 * np.log1p(np.asarray(hertz) / 700)
        for hertz in (np.linspace(0, _SAMPLE_RATE / 2, _WINDOW // 2 + 1), _LOW, _HIGH)
    )
    return _triangles(frequencies, np.linspace(low, high, _N_MELS + 2))


def _triangles(frequencies, edges):
    rising = (frequencies[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - frequencies[:, None]) / (edges[2:] - edges[1:-1])
    return np.maximum(0, np.minimum(rising, falling))


def _slaney_mel(hertz):
    return hertz * 3 / 200 if hertz < 1000 else 15 + 27 * math.log(hertz / 1000) / math.log(6.4)


def _slaney_hertz(mel):
    return mel * 200 / 3 if mel < 15 else 1000 * math.exp((mel - 15) * math.log(6.4) / 27)


class _StandardisedMel(nn.Module):
    """Frames of 1024 samples every 128, mel levels, zero mean and unit variance per recording."""

    def __init__(self, bands):
        super().__init__()
        taper = np.hanning(_WINDOW + 1)[:-1]
        # from_numpy, because torch.tensor would follow a default device such as "meta".
        self.register_buffer("window", torch.from_numpy(taper.astype(np.float32)))
        self.register_buffer("bands", torch.from_numpy(bands.astype(np.float32)))

    hop = _HOP
    length = _WINDOW

    def pad(self, waveform):
        """Put zeros around waveforms of shape ``(n, samples)``."""
        n_frames = -(-waveform.shape[-1] // _HOP)
        missing = (n_frames - 1) * _HOP + _WINDOW - waveform.shape[-1]
        return functional.pad(waveform, (self.before, missing - self.before))

    def frames(self, padded):
        """Levels of the bands for every window that fits; shape ``(n, 80, frames)``."""
        # Sixteen bits are too few for powers that span ten decades.
        with torch.autocast(padded.device.type, enabled=False):
            spectrum = torch.fft.rfft(padded.unfold(-1, _WINDOW, _HOP) * self.window)
            return self._level(spectrum).transpose(1, 2)

    def standardise(self, frames):
        """Bring the levels of each recording to zero mean and unit variance."""
        centred = frames - frames.mean((1, 2), keepdim=True)
        # The root of exact zero, in silence, would have an infinite gradient.
        return centred / (centred.square().mean((1, 2), keepdim=True) + 1e-20).sqrt()

    def forward(self, waveform):
        """Compute the frames.

        Parameters
        ----------
        waveform : tensor of shape (n, samples)
            Samples at 16 kHz.

        Returns
        -------
        tensor of shape (n, 80, ceil(samples / 128))
            Levels of the bands; 0 on average over a recording, with standard deviation 1.
        """
        return self.standardise(self.frames(self.pad(waveform)))


class DecibelMel(_StandardisedMel):
    """Decibels below the loudest band, the front end of Voice2Series [1]_.

    Exactly invariant to the gain of a recording, as long as it is not near silence. The decibels
    are ten logarithms of a magnitude (not twenty), as the layer behind the published source
    networks computed them.

    References
    ----------
    .. [1] C.-H. Yang et al., "Voice2Series: Reprogramming Acoustic Models for Time Series
       Classification", ICML 2021.
    """

    floor = 1e-20
    deepest = -80.0

    def __init__(self):
        super().__init__(slaney_mel_matrix())

    before = (_WINDOW - _HOP) // 2

    def standardise(self, frames):
        """Decibels below the loudest band, cut off and standardised per recording."""
        below = frames - frames.amax((1, 2), keepdim=True)
        return super().standardise(below.clamp_min(self.deepest))

    def _level(self, spectrum):
        power = (spectrum.real.square() + spectrum.imag.square()) @ self.bands
        # A logarithm of the power instead of the root: finite gradients at zero.
        return 5 * power.clamp_min(self.floor).log10()


class LogMagnitudeMel(_StandardisedMel):
    """Logarithm of mel magnitudes, the front end of the published weights [1]_.

    References
    ----------
    .. [1] D. C. de Andrade et al., "A neural attention model for speech command recognition",
       arXiv:1808.08929, 2018; repository douglas125/SpeechCmdRecognition.
    """

    floor = 1e-6

    def __init__(self):
        super().__init__(straight_mel_matrix())

    before = 0

    def _level(self, spectrum):
        return (spectrum.abs() @ self.bands + self.floor).log()


FRONT_ENDS = {"decibel": DecibelMel, "log_magnitude": LogMagnitudeMel}
