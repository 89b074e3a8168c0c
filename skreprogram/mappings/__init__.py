"""Output mappings: from source outputs or features to target classes."""

from skreprogram.mappings._assignment import AssignmentMapping
from skreprogram.mappings._base import LabelMapping, OutputMapping
from skreprogram.mappings._bayesian import BayesianMapping
from skreprogram.mappings._features import FeaturesMapping
from skreprogram.mappings._first import FirstMapping
from skreprogram.mappings._frequency import FrequencyMapping
from skreprogram.mappings._given import GivenMapping
from skreprogram.mappings._heads import HeadsMapping
from skreprogram.mappings._linear import LinearMapping
from skreprogram.mappings._random import RandomMapping
from skreprogram.mappings._ridge_mapping import RidgeMapping
from skreprogram.mappings._semantic import SemanticMapping
from skreprogram.mappings._similarity import SimilarityMapping
from skreprogram.mappings._through_solution import ThroughSolution
from skreprogram.mappings._transport import TransportMapping

__all__ = [
    "AssignmentMapping",
    "BayesianMapping",
    "FeaturesMapping",
    "FirstMapping",
    "FrequencyMapping",
    "GivenMapping",
    "HeadsMapping",
    "LabelMapping",
    "LinearMapping",
    "OutputMapping",
    "RandomMapping",
    "RidgeMapping",
    "SemanticMapping",
    "SimilarityMapping",
    "ThroughSolution",
    "TransportMapping",
]
