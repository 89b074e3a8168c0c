"""Small target tasks for the training loop, around a small dense source. Tests import this."""

import numpy as np
import torch
from toys import table_network

from skreprogram.sources import SourceModel
from skreprogram.training import Composition, Task, TrainingOptions, rows_of
from skreprogram.transformations import InputTransformation, TilingTransformation

TILED = TilingTransformation(2, init_scale=0.5)


def composition(mapping, transformation=TILED, dtype=torch.float64):
    """A source of 12 inputs and 6 outputs between two strategies."""
    source = SourceModel.from_module(table_network(12, 6), (12,), value_range=(-1, 1))
    transformation = InputTransformation.resolve(transformation)
    return Composition(source.load(dtype=dtype), source.input_space, transformation, mapping)


def rows(n_rows, seed, n_classes=2, dtype=np.float64):
    """Noisy series of four points whose class is the sign of a contrast of them."""
    rng = np.random.RandomState(seed)
    y = np.arange(n_rows) % n_classes
    X = 0.5 * rng.normal(size=(n_rows, 1, 4)) + np.linspace(-1, 1, n_classes)[y][:, None, None]
    X[:, :, ::2] *= -1
    return rows_of(X.astype(dtype), y, rng.uniform(0.5, 2, n_rows).astype(dtype))


def task(n_rows=20, seed=0, n_valid=0, **kind):
    """Training rows, and validation rows of the same kind."""
    valid = rows(n_valid, seed + 100, **kind) if n_valid else None
    return Task(rows(n_rows, seed, **kind), kind.get("n_classes", 2), seed, valid)


def options(**changes):
    """Few epochs of few rows, no early stopping."""
    return TrainingOptions(**{"max_epochs": 4, "batch_size": 8, "patience": None, **changes})


def assert_equal_programs(first, second, atol=1e-5):
    """Both programs have the same tensors and histories."""
    for side in ("input", "output"):
        arrays, expected = getattr(first, side), getattr(second, side)
        assert set(arrays) == set(expected)
        for name, array in arrays.items():
            np.testing.assert_allclose(array, expected[name], atol=atol, err_msg=name)
    assert len(first.history) == len(second.history)
    for row, other in zip(first.history, second.history, strict=True):
        assert set(row) == set(other)
        np.testing.assert_allclose(list(row.values()), list(other.values()), atol=atol)
