"""Input transformations: from target data to source inputs."""

from skreprogram.transformations._base import InputTransformation
from skreprogram.transformations._differences import DifferencesTransformation
from skreprogram.transformations._identity import IdentityTransformation
from skreprogram.transformations._modulation import FrequencyModulation
from skreprogram.transformations._modulations import modulations
from skreprogram.transformations._padding import PaddingTransformation
from skreprogram.transformations._side_by_side import SideBySide
from skreprogram.transformations._stretching import StretchingTransformation
from skreprogram.transformations._sums import SumsTransformation
from skreprogram.transformations._tiling import TilingTransformation

__all__ = [
    "DifferencesTransformation",
    "FrequencyModulation",
    "IdentityTransformation",
    "InputTransformation",
    "PaddingTransformation",
    "SideBySide",
    "StretchingTransformation",
    "SumsTransformation",
    "TilingTransformation",
    "modulations",
]
