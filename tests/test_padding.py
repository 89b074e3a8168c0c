"""Padding: equation 1 of the survey, `pad(x) + M * delta`."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from skreprogram._input_space import InputSpace
from skreprogram.transformations import PaddingTransformation

BOUNDED = InputSpace((2, 7, 6), (-0.5, 1.5))
UNBOUNDED = InputSpace((2, 7, 6))


def drawn(space=BOUNDED, shape=(2, 3, 3), **settings):
    """A padding with a program that is not at its start, and data inside the range."""
    padding = PaddingTransformation(init_scale=2.0, **settings)
    X = torch.rand(4, *shape, generator=torch.Generator().manual_seed(1))
    params = padding.init(X, space, torch.Generator().manual_seed(0))
    return padding, params, X


def written_out(x, program, space, placement):
    """Equation 1 for one sample, a pixel at a time."""
    if x.ndim == 3 and (x.shape[0], space.shape[0]) == (1, 3):
        x = x.repeat(3, 0)
    before = [
        {"centre": (room - length) // 2, "start": 0, "end": room - length}[placement]
        for length, room in zip(x.shape, space.shape, strict=True)
    ]
    inputs = np.empty(space.shape)
    for place in np.ndindex(space.shape):
        inside = tuple(p - b for p, b in zip(place, before, strict=True))
        if all(0 <= p < length for p, length in zip(inside, x.shape, strict=True)):
            inputs[place] = x[inside]
        elif space.value_range is None:
            inputs[place] = program[place]
        else:
            low, high = space.value_range
            inputs[place] = (low + high) / 2 + (high - low) / 2 * np.tanh(program[place])
    return inputs


@settings(derandomize=True, max_examples=25, deadline=None)
@given(
    sides=st.lists(st.tuples(st.integers(1, 4), st.integers(0, 4)), min_size=1, max_size=3),
    placement=st.sampled_from(["centre", "start", "end"]),
    value_range=st.sampled_from([None, (0.0, 1.0), (-1.0, 3.0)]),
)
def test_padding_is_equation_1_for_any_shape(sides, placement, value_range):
    shape = tuple(length for length, _ in sides)
    space = InputSpace(tuple(length + free for length, free in sides), value_range)
    padding, params, X = drawn(space, shape, placement=placement)
    got = padding.apply(params, X, space)
    for x, inputs in zip(X, got, strict=True):
        expected = written_out(x.numpy(), params["program"].numpy(), space, placement)
        np.testing.assert_allclose(inputs, expected, atol=1e-6)


def test_an_odd_frame_leaves_the_larger_part_behind():
    padding, space = PaddingTransformation(program="none"), InputSpace((6,))
    X = torch.ones(1, 3)
    got = padding.apply(padding.init(X, space, torch.Generator()), X, space)
    assert got.tolist() == [[0, 1, 1, 1, 0, 0]]


def test_the_gradient_is_exactly_zero_under_the_data_and_nowhere_else():
    padding, params, X = drawn()
    program = params["program"].requires_grad_()
    inputs = padding.apply(params, X, BOUNDED)
    torch.sin(3 * inputs).sum().backward()
    covered = torch.zeros(2, 7, 6, dtype=torch.bool)
    covered[:, 2:5, 1:4] = True
    assert torch.equal(program.grad == 0, covered)


def test_program_entries_under_the_data_do_not_matter():
    padding, params, X = drawn()
    changed = params["program"].clone()
    changed[:, 2:5, 1:4] = 1e6
    got = padding.apply({**params, "program": changed}, X, BOUNDED)
    assert torch.equal(got, padding.apply(params, X, BOUNDED))


def test_data_inside_the_range_are_recoverable():
    padding, params, X = drawn()
    assert torch.equal(padding.apply(params, X, BOUNDED)[:, :, 2:5, 1:4], X)


def test_data_outside_the_range_are_recoverable_through_one_affine_map():
    padding = PaddingTransformation()
    X = torch.linspace(-30, 50, 36).reshape(2, 2, 3, 3)
    params = padding.init(X, BOUNDED, torch.Generator())
    placed = padding.apply(params, X, BOUNDED)[:, :, 2:5, 1:4]
    assert (placed.min(), placed.max()) == (-0.5, 1.5)
    back = (placed - BOUNDED.centre) / params["gain"] + params["offset"]
    torch.testing.assert_close(back, X, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("program", ["around", "everywhere", "none"])
def test_a_huge_program_and_new_large_data_stay_in_the_range(program):
    padding, params, X = drawn(program=program)
    if program != "none":
        params["program"] = 1e4 * params["program"]
    got = padding.apply(params, 100 * X - 50, BOUNDED)
    assert got.min() >= -0.5 and got.max() <= 1.5


def test_an_unbounded_source_takes_data_and_program_as_they_are():
    padding, params, X = drawn(UNBOUNDED)
    got = padding.apply(params, 1e4 * X, UNBOUNDED)
    assert torch.equal(got[:, :, 2:5, 1:4], 1e4 * X)
    assert torch.equal(got[0, :, 0], params["program"][:, 0])


@pytest.mark.parametrize("value", [0.25, 1e20])
def test_constant_data_give_finite_inputs_in_the_range(value):
    padding = PaddingTransformation()
    X = torch.full((3, 2, 3, 3), value)
    got = padding.apply(padding.init(X, BOUNDED, torch.Generator()), X, BOUNDED)
    assert torch.isfinite(got).all() and got.min() >= -0.5 and got.max() <= 1.5


def test_data_near_the_largest_floats_give_finite_inputs():
    padding = PaddingTransformation()
    X = torch.tensor([[-3e38, 0.0, 3e38]])
    space = InputSpace((3,), (-1.0, 1.0))
    got = padding.apply(padding.init(X, space, torch.Generator()), X, space)
    torch.testing.assert_close(got, torch.tensor([[-1.0, 0.0, 1.0]]))


def test_a_program_everywhere_adds_to_the_data_and_is_cut_off():
    padding = PaddingTransformation(program="everywhere")
    space, X = InputSpace((3,), (-1.0, 1.0)), torch.tensor([[0.5, 0.5]])
    params = padding.init(X, space, torch.Generator())
    params["program"] = torch.tensor([0.1, 2.0, 0.1])
    got = padding.apply(params, X, space)
    expected = torch.tensor([[0.5 + np.tanh(0.1), 1.0, np.tanh(0.1)]])
    torch.testing.assert_close(got, expected, check_dtype=False)


def test_a_series_of_one_channel_is_padded_to_a_waveform():
    padding, space = PaddingTransformation(), InputSpace((6,), (-1.0, 1.0))
    X = torch.full((2, 1, 4), 0.5)
    got = padding.apply(padding.init(X, space, torch.Generator()), X, space)
    assert got.tolist() == [[0, 0.5, 0.5, 0.5, 0.5, 0]] * 2


@pytest.mark.parametrize("shape", [(2, 2, 3, 3), (3, 3, 3)])
def test_data_that_do_not_fit_are_refused(shape):
    X = torch.zeros(2, *shape)
    with pytest.raises(ValueError, match=r"expected at most \(2, 7, 6\).*Make the samples smaller"):
        PaddingTransformation().init(X, BOUNDED, torch.Generator())


@pytest.mark.parametrize(
    "wrong",
    [
        {"placement": "middle"},
        {"placement": (0, -1)},
        {"placement": (0, 0), "n_replicas": 2},
        {"program": "inside"},
        {"size": 0},
        {"size": (3,)},
        {"n_replicas": 0},
    ],
)
def test_parameters_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValueError, match=f"Got {next(iter(wrong))}=.*expected"):
        PaddingTransformation(**wrong).init(torch.zeros(1, 2, 3, 3), BOUNDED, torch.Generator())


def test_the_penalty_is_l2_times_the_squared_program():
    padding, params, _ = drawn(l2=0.5)
    expected = 0.5 * (params["program"].numpy() ** 2).sum()
    assert padding.penalty(params).item() == pytest.approx(expected, rel=1e-5)


GRIDS = pytest.mark.parametrize(
    ("space", "shape", "points"),
    [
        (InputSpace((3, 8, 6), (0.0, 1.0)), (3, 4, 2), (3, 3, 3)),
        (InputSpace((2, 9), (0.0, 1.0)), (2, 5), (2, 3)),
        (InputSpace((9,), (-1.0, 1.0)), (5,), (3,)),
        (InputSpace((9,)), (5,), (3,)),
    ],
)


@GRIDS
def test_a_coarse_program_has_few_numbers(space, shape, points):
    assert drawn(space, shape, n_points=3)[1]["program"].shape == points


@GRIDS
@pytest.mark.parametrize("program", ["around", "everywhere"])
def test_a_coarse_program_of_zeros_is_a_fine_one_of_zeros(space, shape, points, program):
    inputs = []
    for n_points in (3, None):
        padding, params, X = drawn(space, shape, n_points=n_points, program=program)
        params["program"] = torch.zeros_like(params["program"])
        inputs.append(padding.apply(params, X, space))
    assert torch.equal(*inputs)


@GRIDS
def test_a_coarse_program_is_interpolated_between_its_points(space, shape, points):
    padding, params, X = drawn(space, shape, n_points=3)
    # equal in channels and rows: what is left is a line
    params["program"] = torch.tensor([-1.0, 0.5, 1.0]).expand(points).clone()
    values = params["program"].reshape(-1, 3)[0]
    if space.value_range is not None:
        values = space.centre + space.half_range * torch.tanh(values)
    length = space.shape[-1]
    # the points lie in the middle of thirds
    places = (np.arange(length) + 0.5) * 3 / length - 0.5
    expected = np.interp(places, np.arange(3), values.numpy())
    frame = padding.apply(params, X, space)[0].reshape(-1, length)[0]
    assert frame[[0, 1, -1]].numpy() == pytest.approx(expected[[0, 1, -1]], abs=1e-6)


@GRIDS
def test_a_coarse_program_leaves_the_data_alone(space, shape, points):
    padding, params, X = drawn(space, shape, n_points=3)
    program = params["program"].requires_grad_()
    covered = [
        slice((r - n) // 2, (r - n) // 2 + n) for n, r in zip(shape, space.shape, strict=True)
    ]
    inputs = padding.apply(params, X, space)
    inside = inputs[(slice(None), *covered)]
    torch.testing.assert_close(inside.detach(), X)
    inside.square().sum().backward(retain_graph=True)
    assert not program.grad.any()
    inputs.square().sum().backward()
    assert program.grad.any()


@GRIDS
def test_stacked_coarse_programs_are_those_of_each_alone(space, shape, points):
    padding, params, X = drawn(space, shape, n_points=3)
    programs = torch.randn(4, *points, generator=torch.Generator().manual_seed(2))
    together = torch.func.vmap(
        lambda program: padding.apply({**params, "program": program}, X, space)
    )(programs)
    for got, program in zip(together, programs, strict=True):
        torch.testing.assert_close(got, padding.apply({**params, "program": program}, X, space))


@pytest.mark.parametrize("n_points", [0, 7, 2.0, True])
def test_more_points_than_values_and_other_nonsense_are_refused(n_points):
    with pytest.raises(ValueError, match=f"Got n_points={n_points}.*a whole number from 1 to 6"):
        drawn(n_points=n_points)


def test_points_for_a_source_of_other_axes_are_refused():
    with pytest.raises(ValueError, match=r"Got n_points=2.*\(2, 3, 4, 5\).*Set n_points=None"):
        drawn(InputSpace((2, 3, 4, 5)), (2, 3, 4, 5), n_points=2)
