"""The default for time series: several modulated tones side by side."""

from skreprogram.transformations._base import InputTransformation
from skreprogram.transformations._differences import DifferencesTransformation
from skreprogram.transformations._modulation import FrequencyModulation
from skreprogram.transformations._side_by_side import SideBySide
from skreprogram.transformations._sums import SumsTransformation


def modulations(trains=()):
    """Make the default input transformation for time series.

    Two views last as long as the series, with a frame of the spectrogram for each point: its
    values and its differences. Six last one second: value and slope together in two bands, a voice
    of eight harmonics, values and differences on the scale of the whole set, running sums, and
    ranks.

    Parameters
    ----------
    trains : tuple of {"band", "gain", "program"}, default=()
        What training changes in every view; see `FrequencyModulation`. By default nothing trains.

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
            FrequencyModulation(trains=trains),
            DifferencesTransformation(FrequencyModulation(trains=trains)),
            DifferencesTransformation(_second(trains), keep=True),
            _second(trains, low=100.0, high=500.0, harmonics=8),
            _second(trains, scale="set"),
            DifferencesTransformation(_second(trains, scale="set")),
            SumsTransformation(_second(trains)),
            _second(trains, scale="rank"),
        ]
    )


def two_modulations(trains=()):
    """Make the two of `modulations` that say most together.

    The values, with a frame of the spectrogram for each point, and value and slope together in
    one second.

    Parameters
    ----------
    trains : tuple of {"band", "gain", "program"}, default=()
        What training changes in every view; see `FrequencyModulation`. By default nothing trains.

    Returns
    -------
    transformation : SideBySide
        Two views. They were chosen on the development sets of ``benchmarks/ucr.py``.

    Examples
    --------
    >>> from skreprogram.transformations import two_modulations
    >>> len(two_modulations().transformations)
    2
    """
    return SideBySide(
        [
            FrequencyModulation(trains=trains),
            DifferencesTransformation(_second(trains), keep=True),
        ]
    )


def _second(trains, **options):
    return FrequencyModulation(shortest=1.0, longest=1.0, trains=trains, **options)


InputTransformation.register("modulations", modulations)
InputTransformation.register("two-modulations", two_modulations)
