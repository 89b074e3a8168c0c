"""The default for time series: several modulated tones side by side."""

from skreprogram.transformations._base import InputTransformation
from skreprogram.transformations._differences import DifferencesTransformation
from skreprogram.transformations._modulation import FrequencyModulation
from skreprogram.transformations._side_by_side import SideBySide
from skreprogram.transformations._sums import SumsTransformation


def modulations():
    """Make the default input transformation for time series; nothing of it trains.

    Two views last as long as the series, with a frame of the spectrogram for each point: its
    values and its differences. Six last one second: value and slope together in two bands, a voice
    of eight harmonics, values and differences on the scale of the whole set, running sums, and
    ranks.

    Returns
    -------
    transformation : SideBySide
        Eight views. They were chosen on the development sets of ``benchmarks/ucr.py``.

    Examples
    --------
    >>> from skreprogram.transformations import modulations
    >>> len(modulations().transformations)
    8
    """

    return SideBySide(
        [
            FrequencyModulation(),
            DifferencesTransformation(FrequencyModulation()),
            DifferencesTransformation(_second(), keep=True),
            _second(low=100.0, high=500.0, harmonics=8),
            _second(scale="set"),
            DifferencesTransformation(_second(scale="set")),
            SumsTransformation(_second()),
            _second(scale="rank"),
        ]
    )


def one_modulation():
    """Make the tone that says most for its time; nothing of it trains.

    Value and slope together, on the scale of the whole set, a frame of the spectrogram for each
    point up to one second.

    Returns
    -------
    transformation : DifferencesTransformation
        One view. It was chosen on the development sets of ``benchmarks/ucr.py``.

    Examples
    --------
    >>> from skreprogram.transformations import one_modulation
    >>> one_modulation().keep
    True
    """
    tone = FrequencyModulation(scale="set", shortest=0.25, longest=1.0)
    return DifferencesTransformation(tone, keep=True)


def _second(**options):
    return FrequencyModulation(shortest=1.0, longest=1.0, **options)


InputTransformation.register("modulations", modulations)
InputTransformation.register("one-modulation", one_modulation)
