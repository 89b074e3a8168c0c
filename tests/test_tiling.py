"""Tiling: the placement of Voice2Series, and stretching, its neighbour."""

import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from skreprogram._input_space import InputSpace
from skreprogram.transformations import StretchingTransformation, TilingTransformation

RANGE = (-1.0, 1.0)


def tile(tiling, X, space, seed=0):
    """Inputs and program of freshly drawn tensors."""
    params = tiling.init(X, space, torch.Generator().manual_seed(seed))
    return tiling.apply(params, X, space), params


def placed_by_the_authors(x, room, n_replicas):
    """Waveform and covered positions as the released code lays them out (methods 1.2)."""
    waveform, covered = np.zeros(room), np.zeros(room, dtype=bool)
    slots = room // len(x)
    step = slots // n_replicas
    for s in range(n_replicas):
        start = s * step * len(x)
        waveform[start : start + len(x)] += x
        covered[start : start + len(x)] = True
    return waveform, covered


@settings(derandomize=True, max_examples=30, deadline=None)
@given(length=st.integers(1, 9), slots=st.integers(1, 8), tail=st.integers(0, 8), data=st.data())
def test_replicas_lie_where_the_authors_code_puts_them(length, slots, tail, data):
    room = length * slots + min(tail, length - 1)
    n_replicas = data.draw(st.integers(1, slots))
    X = torch.rand(2, 1, length, generator=torch.Generator().manual_seed(length)) - 0.5
    space = InputSpace((room,), RANGE)
    got, params = tile(TilingTransformation(n_replicas), X, space)
    program = np.tanh(params["program"].numpy())
    for x, inputs in zip(X[:, 0].numpy(), got.numpy(), strict=True):
        waveform, covered = placed_by_the_authors(x, room, n_replicas)
        np.testing.assert_allclose(inputs, np.where(covered, waveform, program), atol=1e-6)


@pytest.mark.parametrize(("length", "slots"), [(2709, 5), (1092, 14)])
def test_long_series_of_the_archive_fit_as_often_as_the_methods_say(length, slots):
    X = torch.full((1, 1, length), 0.5)
    with pytest.warns(UserWarning, match=f"only {slots} copies"):
        got, _ = tile(TilingTransformation(18, program=False), X, InputSpace((16_000,), RANGE))
    assert (got == 0.5).sum() == slots * length


def test_too_many_replicas_give_what_the_largest_number_that_fits_gives():
    X, space = torch.rand(2, 1, 3), InputSpace((10,), RANGE)
    with pytest.warns(UserWarning, match="Set n_replicas=3"):
        got, _ = tile(TilingTransformation(4), X, space)
    assert torch.equal(got, tile(TilingTransformation(3), X, space)[0])


def test_a_number_of_replicas_that_fits_warns_of_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tile(TilingTransformation(np.int64(3)), torch.rand(2, 1, 3), InputSpace((10,), RANGE))


def test_a_series_longer_than_the_source_is_resampled_with_a_warning():
    X, space = torch.linspace(-1, 1, 21).reshape(1, 1, 21), InputSpace((11,), RANGE)
    with pytest.warns(UserWarning, match="21 points for a source input of 11"):
        got, _ = tile(TilingTransformation(), X, space)
    torch.testing.assert_close(got[0], torch.linspace(-1, 1, 11))


def test_channels_follow_one_another_in_each_replica():
    X = torch.tensor([[[0.1, 0.2], [0.3, 0.4]]])
    got, _ = tile(TilingTransformation(2, program=False), X, InputSpace((9,), RANGE))
    expected = [0.1, 0.2, 0.3, 0.4, 0.1, 0.2, 0.3, 0.4, 0.0]
    torch.testing.assert_close(got[0], torch.tensor(expected))


@pytest.mark.parametrize("kind", [TilingTransformation, StretchingTransformation])
def test_sources_with_a_channel_axis_get_their_shape(kind):
    space, X = InputSpace((2, 6), RANGE), torch.rand(3, 2, 4)
    transformation = kind()
    got, params = tile(transformation, X, space)
    flat = transformation.apply(
        {**params, "program": params["program"].flatten()}, X, InputSpace((12,), RANGE)
    )
    assert got.shape == (3, 2, 6)
    assert torch.equal(got.flatten(1), flat)


def test_the_program_under_the_copies_has_no_gradient():
    tiling, space = TilingTransformation(2), InputSpace((10,), RANGE)
    X = torch.rand(3, 1, 2)
    params = tiling.init(X, space, torch.Generator())
    program = params["program"].requires_grad_()
    tiling.apply(params, X, space).square().sum().backward()
    assert (program.grad == 0).tolist() == [True, True, False, False] * 2 + [False] * 2


def test_dropout_drops_its_share_and_scales_the_rest():
    tiling = TilingTransformation(dropout=0.4)
    params = {"program": torch.ones(20_000), "gain": torch.tensor(2.0)}
    disturbed = tiling.disturb(params, torch.Generator().manual_seed(0))
    program = disturbed["program"]
    torch.testing.assert_close(program.unique(), torch.tensor([0.0, 1 / 0.6]))
    assert (program == 0).float().mean() == pytest.approx(0.4, abs=0.015)
    assert disturbed["gain"] is params["gain"]


def test_dropout_leaves_apply_alone():
    X, space = torch.rand(2, 1, 3), InputSpace((10,), RANGE)
    with_dropout, _ = tile(TilingTransformation(dropout=0.4), X, space)
    assert torch.equal(with_dropout, tile(TilingTransformation(), X, space)[0])


def test_dropout_without_a_program_disturbs_nothing():
    params = {"gain": torch.tensor(2.0)}
    tiling = TilingTransformation(dropout=0.4, program=False)
    assert tiling.disturb(params, torch.Generator()) == params


def test_the_program_starts_with_the_spread_of_the_authors_code():
    tiling, space = TilingTransformation(), InputSpace((16_000,), RANGE)
    params = tiling.init(torch.rand(1, 1, 5), space, torch.Generator().manual_seed(0))
    assert params["program"].std() == pytest.approx(0.0112, rel=0.05)


@pytest.mark.parametrize("kind", [TilingTransformation, StretchingTransformation])
def test_the_penalty_is_four_hundredths_of_the_squared_program(kind):
    penalty = kind().penalty({"program": torch.tensor([1.0, -2.0])})
    assert penalty.item() == pytest.approx(0.04 * 5)


@pytest.mark.parametrize(
    "wrong", [{"n_replicas": 0}, {"n_replicas": 1.5}, {"dropout": 1.0}, {"dropout": -0.1}]
)
def test_numbers_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValueError, match=f"Got {next(iter(wrong))}=.*expected"):
        tile(TilingTransformation(**wrong), torch.rand(1, 1, 3), InputSpace((10,)))


@pytest.mark.parametrize("length", [3, 40])
def test_stretching_interpolates_between_the_points(length):
    X = torch.rand(2, 1, length, generator=torch.Generator().manual_seed(0))
    space = InputSpace((17,), RANGE)
    got, _ = tile(StretchingTransformation(program=False), X, space)
    for x, inputs in zip(X[:, 0].numpy(), got.numpy(), strict=True):
        places = np.linspace(0, length - 1, 17)
        np.testing.assert_allclose(inputs, np.interp(places, np.arange(length), x), atol=1e-6)


def test_a_stretched_series_and_its_program_share_the_range_in_halves():
    stretching, space = StretchingTransformation(), InputSpace((3,), (0.0, 1.0))
    X = torch.tensor([[[0.0, 0.5, 1.0]]])
    params = stretching.init(X, space, torch.Generator())
    params["program"] = torch.tensor([100.0, 0.0, -100.0])
    assert stretching.apply(params, X, space).tolist() == [[0.5, 0.5, 0.5]]


@pytest.mark.parametrize(("n_replicas", "channels"), [(1, 1), (2, 1), (3, 2)])
def test_samples_differ_in_their_own_spans_and_nowhere_else(n_replicas, channels):
    tiling, space, X = (
        TilingTransformation(n_replicas),
        InputSpace((47,)),
        torch.rand(2, channels, 5),
    )
    got, _ = tile(tiling, X, space)
    own = torch.zeros(47, dtype=torch.bool)
    for start, stop in tiling.own_spans((channels, 5), space):
        own[start:stop] = True
    assert torch.equal(got[0] != got[1], own)


@pytest.mark.parametrize(("shape", "length"), [((2, 20), 5), ((20,), 30)])
def test_where_samples_differ_is_not_said_of_several_axes_and_of_resampled_series(shape, length):
    assert TilingTransformation().own_spans((1, length), InputSpace(shape)) is None
