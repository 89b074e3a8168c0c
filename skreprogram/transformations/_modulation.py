"""Frequency modulation: the series as the pitch of a tone."""

import math
from numbers import Integral

import torch
from torch.nn import functional

from skreprogram.transformations._base import InputTransformation
from skreprogram.transformations._heights import shares_below

TRAINABLE = ("band", "gain", "program")


class FrequencyModulation(InputTransformation, name="modulation"):
    """Let the series modulate the pitch of a carrier.

    A series placed sample by sample in a waveform at 16 kHz lasts milliseconds, one frame of a
    spectrogram. As the pitch of a tone it fills the band and the seconds that a speech source
    knows: ``inputs = gain * sin(2 pi integral f) + delta``, where ``f`` runs between the two ends
    of the band on a logarithmic scale.

    Parameters
    ----------
    low, high : float, default=300.0 and 3500.0
        Ends of the band in hertz.
    samples_per_point : float, default=160
        Samples of sound for each point of the series.
    shortest, longest : float, default=0.5 and 4.0
        Limits of the duration in seconds. Sources with a fixed length get that length.
    harmonics : int, default=1
        Tones above each other, at whole multiples of the pitch and with amplitudes 1, 1/2, 1/3,
        ...: with several it sounds like a voice, and many bands move at once.
    scale : {"series", "set", "rank"}, default="series"
        What sets the height of a point: "series", the mean and variance of its own series; "set",
        those of the training set, which keeps amplitudes apart; "rank", the share of the series'
        points below it, which no monotone distortion changes. Series of one or two points use
        "set" for "series": by themselves they would only have an order.
    gain : float in (0, 1], default=0.5
        Amplitude of the tone, as a share of the source's range.
    trains : tuple of {"band", "gain", "program"}, default=()
        What training changes: the ends of the band, the amplitude, an additive waveform.
    l2 : float, default=0.04
        Weight of the squared additive program in the training loss.

    Notes
    -----
    Each channel of a multivariate series modulates a carrier in a band of its own, and the tones
    are averaged.

    Examples
    --------
    >>> import torch
    >>> from skreprogram._input_space import InputSpace
    >>> from skreprogram.transformations import FrequencyModulation
    >>> modulation = FrequencyModulation(samples_per_point=100)
    >>> space = InputSpace((16000,), (-1.0, 1.0), flexible=True, sampling_rate=16000)
    >>> X = torch.randn(3, 1, 150)
    >>> modulation.apply(modulation.init(X, space, torch.Generator()), X, space).shape
    torch.Size([3, 15000])
    """

    def __init__(
        self,
        low=300.0,
        high=3500.0,
        samples_per_point=160,
        shortest=0.5,
        longest=4.0,
        harmonics=1,
        scale="series",
        gain=0.5,
        trains=(),
        l2=0.04,
    ):
        self.low = low
        self.high = high
        self.samples_per_point = samples_per_point
        self.shortest = shortest
        self.longest = longest
        self.harmonics = harmonics
        self.scale = scale
        self.gain = gain
        self.trains = trains
        self.l2 = l2

    @property
    def trainable(self):
        return tuple(name for name in TRAINABLE if name in self.trains)

    def init(self, X, space, generator):
        self._check_source(X, space)
        self._check_numbers()
        edges = torch.linspace(
            math.log(self.low), math.log(self.high), X.shape[1] + 1, dtype=X.dtype
        )
        params = {
            "band": torch.stack([edges[:-1], edges[1:]]),
            "gain": X.new_tensor(math.log(self.gain)),
        }
        if self.scale == "set" or (self.scale == "series" and X.shape[-1] <= 2):
            params["centre"] = X.mean((0, 2))
            params["spread"] = X.std((0, 2), correction=0).maximum(1e-6 * _size(X, (0, 2)))
        if "program" in self.trains:
            params["program"] = X.new_zeros(self._samples(X.shape[-1], space))
        return params

    def apply(self, params, X, space):
        samples = self._samples(X.shape[-1], space)
        height = functional.interpolate(
            self._heights(params, X), size=samples, mode="linear", align_corners=True
        )
        low, high = params["band"][0].unsqueeze(-1), params["band"][1].unsqueeze(-1)
        pitch = (low + (high - low) * height).exp()
        cycles = torch.cumsum(pitch / space.sampling_rate, -1)
        # whole cycles are taken off because the sine of a large single precision number is rough
        tones = self._tones(2 * math.pi * (cycles - cycles.detach().floor()))
        waveform = params["gain"].exp().clamp(max=1.0) * tones.mean(1)
        if "program" in params:
            waveform = (waveform + torch.tanh(params["program"])).clamp(-1, 1)
        return space.centre + space.half_range * waveform

    def penalty(self, params):
        return self.l2 * params["program"].square().sum() if "program" in params else 0.0

    def _tones(self, phase):
        """The harmonics together, between -1 and 1."""
        numbers = range(1, self.harmonics + 1)
        loudest = sum(1 / number for number in numbers)
        return sum(torch.sin(number * phase) / number for number in numbers) / loudest

    def _heights(self, params, X):
        """Place of every point in the band, from 0 to 1."""
        if self.scale == "rank":
            return shares_below(X)
        if "centre" in params:
            centre, spread = params["centre"].unsqueeze(-1), params["spread"].unsqueeze(-1)
            deviation = (X - centre) / spread
        else:
            size = _size(X, -1).unsqueeze(-1)
            deviation = (X - X.mean(-1, keepdim=True)) / size
            # flat series have no variance; their differentiable root needs a floor
            deviation /= deviation.square().mean(-1, keepdim=True).clamp_min(1e-12).sqrt()
        return (1 + torch.tanh(deviation / 2)) / 2

    def _samples(self, length, space):
        if not space.flexible:
            return space.shape[-1]
        seconds = length * self.samples_per_point / space.sampling_rate
        return round(min(max(seconds, self.shortest), self.longest) * space.sampling_rate)

    def _check_source(self, X, space):
        if space.sampling_rate is None or len(space.shape) != 1:
            raise ValueError(
                f"Got a source with inputs of shape {space.shape} and sampling_rate="
                f"{space.sampling_rate} for the transformation 'modulation', expected a source of "
                "sound. Declare its sampling_rate, or use 'tiling' or 'stretching'."
            )
        if X.ndim != 3:
            raise ValueError(
                f"Got samples of shape {tuple(X.shape[1:])} for the transformation 'modulation', "
                "expected series of shape (n_channels, length). Use TimeSeriesReprogrammer, or "
                "another input_transformation."
            )
        if not 0 < self.low < self.high <= space.sampling_rate / 2:
            raise ValueError(
                f"Got a band from low={self.low} to high={self.high} hertz, expected 0 < low < "
                f"high <= {space.sampling_rate / 2:g}, half the source's sampling rate."
            )

    def _check_numbers(self):
        if not 0 < self.gain <= 1:
            raise ValueError(f"Got gain={self.gain}, expected a share above 0 and at most 1.")
        if not (self.samples_per_point > 0 and 0 < self.shortest <= self.longest):
            raise ValueError(
                f"Got samples_per_point={self.samples_per_point}, shortest={self.shortest} and "
                f"longest={self.longest}, expected positive numbers with shortest <= longest."
            )
        if self.scale not in ("series", "set", "rank"):
            raise ValueError(f"Got scale={self.scale!r}, expected 'series', 'set' or 'rank'.")
        if not isinstance(self.harmonics, Integral) or self.harmonics < 1:
            raise ValueError(f"Got harmonics={self.harmonics!r}, expected a positive whole number.")
        unknown = [name for name in self.trains if name not in TRAINABLE]
        if unknown:
            raise ValueError(f"Got {unknown} in trains, expected names among {list(TRAINABLE)}.")


def _size(X, dim):
    """Largest magnitude: whatever the units of X are, rounding is a millionth of this."""
    return X.abs().amax(dim).clamp_min(torch.finfo(X.dtype).tiny)
