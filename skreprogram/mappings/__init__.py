"""Output mappings: from source outputs or features to target classes."""

from skreprogram.mappings._base import LabelMapping, OutputMapping
from skreprogram.mappings._features import FeaturesMapping
from skreprogram.mappings._first import FirstMapping
from skreprogram.mappings._frequency import FrequencyMapping
from skreprogram.mappings._linear import LinearMapping
from skreprogram.mappings._random import RandomMapping

__all__ = [
    "FeaturesMapping",
    "FirstMapping",
    "FrequencyMapping",
    "LabelMapping",
    "LinearMapping",
    "OutputMapping",
    "RandomMapping",
]
