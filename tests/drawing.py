"""Series drawn for sources of images. Tests import this module."""

import pytest
import torch

from skreprogram._input_space import InputSpace
from skreprogram.transformations import (
    GramianField,
    LineDrawing,
    RecurrencePlot,
    Spectrogram,
    StackedSegments,
)

KINDS = [StackedSegments, LineDrawing, RecurrencePlot, GramianField, Spectrogram]
COLOURS = InputSpace((3, 14, 17), (-0.8, 0.7))
every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)


def grey(height, width):
    """A grey source whose values are brightness."""
    return InputSpace((1, height, width), (0.0, 1.0))


def drawn(transformation, X, space, fitted_on=None):
    """Source inputs of series."""
    params = transformation.init(X if fitted_on is None else fitted_on, space, torch.Generator())
    return transformation.apply(params, X, space)


def noise(*shape, seed=0, dtype=torch.float32):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)
