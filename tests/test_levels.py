"""Rounding to the values that a black box can be told."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skreprogram.sources._levels import Levels


@given(st.integers(2, 70_000), st.floats(-1e3, 1e3), st.floats(0.1, 1e3), st.integers(0, 2**32 - 1))
def test_a_rounded_value_is_a_level_and_the_nearest_one(n_levels, low, width, seed):
    levels = Levels((low, low + width), n_levels)
    values = np.random.RandomState(seed).uniform(low, low + width, (3, 7))
    rounded = levels.values(levels.codes(values), np.float64)
    grid = np.linspace(low, low + width, n_levels)
    distances = np.abs(rounded[..., None] - grid[None, None]).min(-1)
    assert distances.max() < 1e-9 * (abs(low) + width)
    assert np.abs(rounded - values).max() <= width / (n_levels - 1) / 2 + 1e-9 * (abs(low) + width)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_pixels_are_the_fractions_that_others_compute(dtype):
    pixels = np.arange(256, dtype=np.uint8)[None]
    assert np.array_equal(Levels((0.0, 1.0), 256).values(pixels, dtype), pixels / dtype(255))


@pytest.mark.parametrize("value_range", [(0, 255), (0, 1), (-1, 1), (-3, 7)])
def test_rounding_twice_is_rounding_once(value_range):
    levels = Levels(value_range, 256)
    codes = np.arange(256, dtype=np.uint8)[None]
    assert np.array_equal(levels.codes(levels.values(codes, np.float32)), codes)


def test_values_outside_of_the_range_are_its_ends():
    levels = Levels((-1, 1), 256)
    assert levels.codes(np.float32([[-3, -1.001, 1.001, 1e9]])).tolist() == [[0, 0, 255, 255]]


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_no_number_has_no_level(wrong):
    with pytest.raises(FloatingPointError):
        Levels((0, 1), 256).codes(np.float32([[0.5, wrong]]))


@pytest.mark.parametrize(
    ("n_levels", "dtype"), [(256, "uint8"), (257, "uint16"), (2**17, "uint32")]
)
def test_codes_take_as_few_bytes_as_they_can(n_levels, dtype):
    assert Levels((0, 1), n_levels).codes(np.ones((1, 1))).dtype == dtype


def test_many_rows_are_rounded_as_each_alone():
    values = np.random.RandomState(0).uniform(-1, 1, (5, 90_000)).astype(np.float32)
    levels = Levels((-1, 1), 256)
    codes = levels.codes(values)
    assert all(
        np.array_equal(levels.codes(row[None])[0], code)
        for row, code in zip(values, codes, strict=True)
    )
    again = levels.values(codes, np.float32)
    assert np.abs(again - values).max() <= 1 / 255 + 1e-6
