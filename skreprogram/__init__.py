"""Model reprogramming: solve new tasks with frozen pretrained models, the scikit-learn way."""

__version__ = "0.1.0.dev0"

from skreprogram._classifier import ReprogrammingClassifier
from skreprogram._generator import GeneratorReprogrammer
from skreprogram._persistence import load
from skreprogram._sequence import SequenceReprogrammer
from skreprogram._time_series import TimeSeriesReprogrammer

__all__ = [
    "GeneratorReprogrammer",
    "ReprogrammingClassifier",
    "SequenceReprogrammer",
    "TimeSeriesReprogrammer",
    "__version__",
    "load",
]
