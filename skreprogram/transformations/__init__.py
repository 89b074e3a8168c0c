"""Input transformations: from target data to source inputs."""

from skreprogram.transformations._affine import AffineInput
from skreprogram.transformations._base import InputTransformation
from skreprogram.transformations._coarse_grid import CoarseGridTransformation
from skreprogram.transformations._convolution import ConvolutionalInput
from skreprogram.transformations._dense import DenseInput
from skreprogram.transformations._differences import DifferencesTransformation
from skreprogram.transformations._embedding import EmbeddingTransformation
from skreprogram.transformations._full_size import AdditiveTransformation
from skreprogram.transformations._gramian import GramianField
from skreprogram.transformations._host_image import HostImageTransformation
from skreprogram.transformations._identity import IdentityTransformation
from skreprogram.transformations._line_drawing import LineDrawing
from skreprogram.transformations._low_rank import LowRankTransformation
from skreprogram.transformations._modulation import FrequencyModulation
from skreprogram.transformations._modulations import modulations, one_modulation
from skreprogram.transformations._noise import NoiseTransformation
from skreprogram.transformations._overlay import OverlayTransformation
from skreprogram.transformations._padding import PaddingTransformation
from skreprogram.transformations._patch_embedding import PatchEmbedding
from skreprogram.transformations._per_source import PerSource
from skreprogram.transformations._pictures import pictures
from skreprogram.transformations._prompts import PromptTransformation
from skreprogram.transformations._recurrence import RecurrencePlot
from skreprogram.transformations._residual_noise import PerClassNoise, ResidualNoise
from skreprogram.transformations._resizing import ResizingTransformation
from skreprogram.transformations._sample_masks import MaskedTransformation
from skreprogram.transformations._scaled_padding import ScaledPadding
from skreprogram.transformations._segments import StackedSegments
from skreprogram.transformations._series_picture import SeriesPicture
from skreprogram.transformations._side_by_side import SideBySide
from skreprogram.transformations._sparse_vocabulary import SparseVocabularyTransformation
from skreprogram.transformations._spectrogram import Spectrogram
from skreprogram.transformations._state_matrix import StateMatrixTransformation
from skreprogram.transformations._stretching import StretchingTransformation
from skreprogram.transformations._sums import SumsTransformation
from skreprogram.transformations._tiling import TilingTransformation
from skreprogram.transformations._token_patches import TokenPatchesTransformation
from skreprogram.transformations._tokens import TokenTransformation
from skreprogram.transformations._vocabulary_remapping import VocabularyRemapping

__all__ = [
    "AdditiveTransformation",
    "AffineInput",
    "CoarseGridTransformation",
    "ConvolutionalInput",
    "DenseInput",
    "DifferencesTransformation",
    "EmbeddingTransformation",
    "FrequencyModulation",
    "GramianField",
    "HostImageTransformation",
    "IdentityTransformation",
    "InputTransformation",
    "LineDrawing",
    "LowRankTransformation",
    "MaskedTransformation",
    "NoiseTransformation",
    "OverlayTransformation",
    "PaddingTransformation",
    "PatchEmbedding",
    "PerClassNoise",
    "PerSource",
    "PromptTransformation",
    "RecurrencePlot",
    "ResidualNoise",
    "ResizingTransformation",
    "ScaledPadding",
    "SeriesPicture",
    "SideBySide",
    "SparseVocabularyTransformation",
    "Spectrogram",
    "StackedSegments",
    "StateMatrixTransformation",
    "StretchingTransformation",
    "SumsTransformation",
    "TilingTransformation",
    "TokenPatchesTransformation",
    "TokenTransformation",
    "VocabularyRemapping",
    "modulations",
    "one_modulation",
    "pictures",
]
