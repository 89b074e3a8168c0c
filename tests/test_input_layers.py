"""Trained input layers: convolution, affine map, dense layer."""

import pytest
import torch
from torch.nn import functional

from skreprogram._input_space import InputSpace
from skreprogram.transformations import AffineInput, ConvolutionalInput, DenseInput

SPACE = InputSpace((3, 8, 9), (0.0, 1.0))


def G(seed=0):
    return torch.Generator().manual_seed(seed)


def images(*shape):
    return torch.rand(*shape, generator=G(1))


def shown(layer, X, space=SPACE, **changed):
    params = {**layer.init(X, space, G()), **changed}
    return layer.apply(params, X, space)


@pytest.mark.parametrize("layer", [AffineInput(), ConvolutionalInput(), ConvolutionalInput(1)])
@pytest.mark.parametrize("n_samples", [1, 3])
def test_a_layer_starts_as_the_identity(layer, n_samples):
    X = images(n_samples, 3, 8, 9)
    torch.testing.assert_close(shown(layer, X), X)


def test_a_convolution_starts_by_repeating_and_averaging_channels():
    grey, colours, bands = images(2, 1, 8, 9), images(2, 3, 8, 9), images(2, 6, 8, 9)
    torch.testing.assert_close(shown(ConvolutionalInput(), grey), grey.expand(-1, 3, -1, -1))
    got = shown(ConvolutionalInput(), colours, InputSpace((1, 8, 9), (0.0, 1.0)))
    torch.testing.assert_close(got, colours.mean(1, keepdim=True))
    pairs = bands.reshape(2, 3, 2, 8, 9).mean(2)
    torch.testing.assert_close(shown(ConvolutionalInput(), bands), pairs)


def test_a_convolution_is_that_of_torch_around_the_middle_of_the_range():
    X, layer = images(2, 3, 4, 5), ConvolutionalInput()
    kernel, bias = 0.1 * torch.randn(3, 3, 3, 3, generator=G()), torch.tensor([0.1, 0.0, -0.1])
    got = shown(layer, X, kernel=kernel, bias=bias)
    maps = functional.conv2d(X - 0.5, kernel, bias / 2, padding=1) + 0.5
    expected = functional.interpolate(maps, (8, 9), mode="bilinear").clamp(0, 1)
    torch.testing.assert_close(got, expected)


def test_an_affine_layer_is_written_out_in_its_formula():
    X = images(2, 3, 8, 9)
    slope, bias = torch.randn(2, 3, 8, 9, generator=G())
    got = shown(AffineInput(), X, slope=slope, bias=bias)
    torch.testing.assert_close(got, (slope * (X - 0.5) + bias / 2 + 0.5).clamp(0, 1))


def test_an_affine_layer_takes_tables_of_the_sources_shape_and_no_others():
    space = InputSpace((4,), (-1.0, 1.0))
    X = 2 * images(3, 4) - 1
    torch.testing.assert_close(shown(AffineInput(), X, space), X)
    with pytest.raises(ValueError, match=r"expected samples of shape \(4,\)"):
        shown(AffineInput(), images(3, 5), space)


def test_a_dense_layer_is_written_out_in_its_formula():
    X, space = 100 * images(20, 4) + 7, InputSpace((2, 3), (0.0, 1.0))
    params = DenseInput().init(X, space, G())
    params["bias"] = torch.randn(6, generator=G(2))
    columns = (X - X.mean(0)) / X.std(0, correction=0)
    values = columns @ params["weight"].T + params["bias"]
    expected = 0.5 + 0.5 * torch.tanh(values).reshape(20, 2, 3)
    torch.testing.assert_close(DenseInput().apply(params, X, space), expected)


def test_a_dense_layer_uses_the_range_from_the_start_and_does_not_saturate():
    X = 1e6 * images(200, 30)
    got = shown(DenseInput(), X, InputSpace((3, 10, 10), (-1.0, 1.0)))
    assert 0.3 < got.std() < 0.7
    assert (got.abs() > 0.99).float().mean() < 0.01


def test_constant_columns_say_nothing_to_a_dense_layer():
    X = images(20, 3)
    X[:, 1] = 0.1
    params = DenseInput().init(X, SPACE, G())
    changed = params["weight"].clone()
    changed[:, 1] = 9.0
    got = DenseInput().apply({**params, "weight": changed}, X, SPACE)
    torch.testing.assert_close(got, DenseInput().apply(params, X, SPACE))


def test_unbounded_sources_take_the_values_of_a_dense_layer_as_they_are():
    X = images(5, 3)
    params = DenseInput().init(X, InputSpace((4,)), G())
    params["bias"] = torch.full((4,), 1e3)
    assert DenseInput().apply(params, X, InputSpace((4,))).min() > 900


@pytest.mark.parametrize(("size", "shape"), [(2, (3, 8, 9)), (0, (3, 8, 9)), (3, (2, 3, 8, 9))])
def test_even_kernels_and_data_that_are_no_images_are_refused(size, shape):
    with pytest.raises(ValueError, match="Got kernel_size=.*expected"):
        shown(ConvolutionalInput(size), images(2, *shape))
