"""Images in a frame: where they lie, their size and channels, replicas, triangles, tables."""

import warnings

import pytest
import torch
from torch.nn import functional

from skreprogram._input_space import InputSpace
from skreprogram.transformations import PaddingTransformation
from skreprogram.transformations._placement import resized

PIXELS = InputSpace((3, 9, 11), (0.0, 1.0))


def pad(X, space=PIXELS, seed=0, **settings):
    """Inputs, program and the padding, freshly drawn."""
    padding = PaddingTransformation(**settings)
    params = padding.init(X, space, torch.Generator().manual_seed(seed))
    return padding.apply(params, X, space), params, padding


def images(*shape):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(1))


def test_at_the_start_the_image_is_unchanged_inside_a_frame_of_grey():
    X = images(2, 3, 4, 5)
    got, _, _ = pad(X)
    frame = torch.ones(9, 11, dtype=torch.bool)
    frame[2:6, 3:8] = False
    assert torch.equal(got[:, :, 2:6, 3:8], X)
    assert (got[:, :, frame] == 0.5).all()


@pytest.mark.parametrize("side", [3, 4, 8, 9])
@pytest.mark.parametrize("placement", ["centre", "start", "end", (1, 0)])
@pytest.mark.parametrize("n_replicas", [1, 4])
def test_image_and_mask_agree_to_the_pixel(side, placement, n_replicas):
    if n_replicas > 1 and not (isinstance(placement, str) and side < 5):
        return
    if placement == (1, 0) and side == 9:
        return
    X, room = torch.ones(1, 1, side, side), InputSpace((1, 9, 10), (0.0, 1.0))
    padding = PaddingTransformation(placement, n_replicas=n_replicas)
    params = padding.init(X, room, torch.Generator())
    params["program"] = torch.zeros(1, 9, 10, requires_grad=True)
    got = padding.apply(params, X, room)
    got.sum().backward()
    assert torch.equal(got[0] == 1.0, params["program"].grad == 0)
    assert (got == 1.0).sum() == n_replicas * side**2


def test_a_corner_in_pixels_is_where_the_image_begins():
    X = images(1, 3, 4, 5)
    got, _, _ = pad(X, placement=(5, 6))
    assert torch.equal(got[:, :, 5:9, 6:11], X)
    with pytest.raises(ValueError, match=r"would take \(3, 10, 11\)"):
        pad(X, placement=(6, 6))


def test_grey_images_are_repeated_and_colours_averaged():
    grey, colours = images(1, 1, 4, 5), images(1, 3, 4, 5)
    got, _, _ = pad(grey)
    assert torch.equal(got[:, :, 2:6, 3:8], grey.expand(-1, 3, -1, -1))
    got, _, _ = pad(colours, InputSpace((1, 9, 11), (0.0, 1.0)))
    assert torch.equal(got[:, :, 2:6, 3:8], colours.mean(1, keepdim=True))


def test_images_are_resized_to_the_longer_side_or_to_height_and_width():
    X = images(1, 3, 4, 5)
    for size, shape in ((10, (8, 10)), ((3, 7), (3, 7)), (2, (2, 2))):
        got, _, _ = pad(X, size=size, program="none", placement="start")
        smooth = torch.nn.functional.interpolate(X, shape, mode="bilinear", antialias=True)
        torch.testing.assert_close(got[:, :, : shape[0], : shape[1]], smooth)
        assert (got[:, :, shape[0] :] == 0.5).all() and (got[:, :, :, shape[1] :] == 0.5).all()


def test_images_that_are_too_large_are_shrunk_with_a_warning():
    X = images(2, 3, 18, 10)
    with pytest.warns(UserWarning, match=r"are shrunk to \(9, 5\). Set size=\(9, 5\)"):
        shrunk, _, _ = pad(X)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        asked, _, _ = pad(X, size=(9, 5))
    assert torch.equal(shrunk, asked)


def test_replicas_fill_a_grid_and_the_program_the_rest():
    X = images(2, 3, 3, 3)
    got, params, _ = pad(X, n_replicas=5, init_scale=1.0, placement="start")
    corners = [(0, 0), (0, 3), (0, 7), (4, 0), (4, 3)]
    rest = torch.ones(9, 11, dtype=torch.bool)
    for row, column in corners:
        assert torch.equal(got[:, :, row : row + 3, column : column + 3], X)
        rest[row : row + 3, column : column + 3] = False
    program = 0.5 + 0.5 * torch.tanh(params["program"])
    torch.testing.assert_close(got[0][:, rest], program[:, rest])


def test_more_replicas_than_fit_are_cut_down_with_a_warning():
    X = images(1, 3, 4, 3)
    with pytest.warns(UserWarning, match="only 6 images.*Set n_replicas=6"):
        got, _, _ = pad(X, n_replicas=7)
    assert torch.equal(got, pad(X, n_replicas=6)[0])


def test_the_lower_triangle_belongs_to_the_program():
    X = images(3, 1, 4, 4)
    X = (X + X.mT) / 2
    space = InputSpace((1, 6, 6), (0.0, 1.0))
    _, params, padding = pad(X, space, program="lower triangle")
    program = params["program"] = torch.zeros(1, 6, 6, requires_grad=True)
    got = padding.apply(params, X, space)
    got.sum().backward()
    data = torch.zeros(6, 6, dtype=torch.bool)
    data[1:5, 1:5] = torch.ones(4, 4, dtype=torch.bool).triu(1)
    assert torch.equal(program.grad[0] == 0, data)
    assert torch.equal(got[:, 0][:, data], X[:, 0][:, torch.ones(4, 4).triu(1) > 0])
    assert (got[:, 0][:, ~data] == 0.5).all()


def test_a_lower_triangle_needs_square_images():
    with pytest.raises(ValueError, match="expected square matrices"):
        pad(images(1, 3, 4, 5), program="lower triangle")


def test_rows_become_squares_for_sources_of_images():
    X = torch.tensor([[0.1, 0.2, 0.3, 0.4, 0.5]])
    got, _, _ = pad(X, InputSpace((3, 5, 5), (0.0, 1.0)))
    square = torch.tensor([[0.1, 0.2, 0.3], [0.4, 0.5, 0.0], [0.0, 0.0, 0.0]])
    for channel in got[0]:
        torch.testing.assert_close(channel[1:4, 1:4], square)


@pytest.mark.parametrize("settings", [{"size": 3}, {"n_replicas": 2}, {"placement": (0, 0)}])
def test_what_concerns_images_needs_a_source_of_images(settings):
    with pytest.raises(ValueError, match="expected one that takes images"):
        pad(torch.zeros(1, 1, 4), InputSpace((9,)), **settings)


@pytest.mark.parametrize("program", ["everywhere", "none"])
def test_what_no_data_cover_starts_at_the_middle_of_the_range(program):
    got, _, _ = pad(torch.tensor([[2.0]]), InputSpace((3,), (1.0, 3.0)), program=program)
    assert got.tolist() == [[2.0, 2.0, 2.0]]


@pytest.mark.parametrize(("size", "shrinks"), [((13, 7), False), ((5, 9), False), ((4, 9), True)])
def test_colours_are_resized_as_torch_resizes_them(size, shrinks):
    X = images(2, 3, 5, 6)
    expected = functional.interpolate(X, size=size, mode="bilinear", antialias=shrinks)
    torch.testing.assert_close(resized(X, size), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("size", [(13, 7), (3, 4)])
def test_grey_images_in_several_channels_are_those_of_the_one_channel(size):
    grey = images(2, 1, 5, 6)
    got = resized(grey.expand(-1, 3, -1, -1), size)
    assert torch.equal(got, resized(grey, size).repeat(1, 3, 1, 1))
