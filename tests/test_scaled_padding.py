"""Padding with a scale that trains."""

import pytest
import torch

from skreprogram._input_space import InputSpace
from skreprogram.transformations import PaddingTransformation, ScaledPadding

SPACE = InputSpace((3, 12, 14), (0.0, 1.0))


def G(seed=0):
    return torch.Generator().manual_seed(seed)


def images(*shape):
    return torch.rand(*shape, generator=G(1))


def test_at_the_start_it_is_padding():
    X = images(2, 3, 6, 6)
    padding, scaled = PaddingTransformation(), ScaledPadding(size=6)
    expected = padding.apply(padding.init(X, SPACE, G()), X, SPACE)
    got = scaled.apply(scaled.init(X, SPACE, G()), X, SPACE)
    torch.testing.assert_close(got, expected)
    assert (got[:, :, 0] == 0.5).all()


@pytest.mark.parametrize("scale", [0.5, 1.0, 1.5, 2.0])
def test_the_image_covers_as_many_pixels_as_its_scale_says(scale):
    X, scaled = torch.ones(1, 1, 6, 6), ScaledPadding(size=6, scale=scale)
    got = scaled.apply(scaled.init(X, SPACE, G()), X, SPACE)
    torch.testing.assert_close((2 * got - 1).sum(), torch.tensor(3.0 * (6 * scale) ** 2))


def test_a_doubled_image_is_interpolated_about_the_centre():
    X, scaled = images(1, 3, 6, 6), ScaledPadding(size=6, scale=2.0)
    got = scaled.apply(scaled.init(X, SPACE, G()), X, SPACE)
    expected = torch.nn.functional.interpolate(X, (12, 12), mode="bilinear")
    torch.testing.assert_close(got[..., 1:13], expected)


@pytest.mark.parametrize("scale", [0.7, 1.0, 1.33, 5.0])
def test_the_scale_has_a_gradient(scale):
    X, scaled = images(2, 3, 6, 6), ScaledPadding(scale=scale)
    params = scaled.init(X, SPACE, G())
    params["scale"].requires_grad_()
    torch.sin(5 * scaled.apply(params, X, SPACE)).sum().backward()
    assert torch.isfinite(params["scale"].grad) and params["scale"].grad != 0


def test_the_gradient_of_the_scale_is_that_of_finite_differences():
    X, scaled = images(1, 3, 6, 6).double(), ScaledPadding(size=6)
    params = scaled.init(X, SPACE, G())
    params["program"] = torch.randn(3, 12, 14, generator=G(), dtype=torch.float64)

    def loss(scale):
        return scaled.apply({**params, "scale": scale}, X, SPACE).square().sum()

    scale = torch.tensor(1.27, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(loss, scale)


def test_the_program_has_no_gradient_inside_the_image_and_one_outside():
    X, scaled = images(2, 3, 6, 6), ScaledPadding(size=6)
    params = scaled.init(X, SPACE, G())
    program = params["program"].requires_grad_()
    scaled.apply(params, X, SPACE).sum().backward()
    inside = torch.zeros(12, 14, dtype=torch.bool)
    inside[3:9, 4:10] = True
    assert torch.equal(program.grad == 0, inside.expand(3, -1, -1))


@pytest.mark.parametrize(("scale", "kept"), [(-3.0, 0.1), (0.01, 0.1), (40.0, 5.0)])
def test_the_scale_is_kept_between_its_limits_and_can_come_back(scale, kept):
    X, scaled = images(2, 3, 6, 6), ScaledPadding()
    params = scaled.init(X, SPACE, G())
    scale = torch.tensor(scale, requires_grad=True)
    got = scaled.apply({**params, "scale": scale}, X, SPACE)
    limit = scaled.apply({**params, "scale": torch.tensor(kept)}, X, SPACE)
    assert torch.equal(got, limit)
    torch.sin(5 * got).sum().backward()
    assert scale.grad != 0


@pytest.mark.parametrize("wrong", [{"size": 0}, {"scale": 0.01}, {"scale": 9}, {"softness": 0}])
def test_parameters_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValueError, match=f"Got {next(iter(wrong))}=.*expected"):
        ScaledPadding(**wrong).init(images(1, 3, 6, 6), SPACE, G())


def test_channels_that_no_rule_changes_are_refused():
    with pytest.raises(ValueError, match="expected images of 3 channels"):
        ScaledPadding().init(images(1, 5, 6, 6), SPACE, G())
