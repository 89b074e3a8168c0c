"""Model reprogramming: solve new tasks with frozen pretrained models, the scikit-learn way."""

__version__ = "0.1.0.dev0"

from skreprogram._classifier import ReprogrammingClassifier
from skreprogram._generator import GeneratorReprogrammer
from skreprogram._persistence import load
from skreprogram._regressor import ReprogrammingRegressor
from skreprogram._sequence import SequenceReprogrammer
from skreprogram._time_series import TimeSeriesReprogrammer
from skreprogram._time_series_regressor import TimeSeriesReprogrammingRegressor

__all__ = [
    "GeneratorReprogrammer",
    "ReprogrammingClassifier",
    "ReprogrammingRegressor",
    "SequenceReprogrammer",
    "TimeSeriesReprogrammer",
    "TimeSeriesReprogrammingRegressor",
    "__version__",
    "load",
]
