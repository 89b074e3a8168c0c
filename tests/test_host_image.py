"""Rows of a table inside a host image."""

import numpy as np
import pytest
import torch

from skreprogram._input_space import InputSpace
from skreprogram.transformations import HostImageTransformation

SPACE = InputSpace((3, 12, 10), (0.0, 1.0))


def G(seed=0):
    return torch.Generator().manual_seed(seed)


def rows(n_samples=50, n_features=7):
    return torch.randn(n_samples, n_features, generator=G(1))


def photo():
    return np.random.default_rng(0).random(SPACE.shape).astype("float32")


def hosted(X, space=SPACE, changed=None, **settings):
    transformation = HostImageTransformation(**settings)
    params = {**transformation.init(X, space, G()), **(changed or {})}
    return transformation.apply(params, X, space), params


def test_a_patch_of_no_weight_leaves_the_host_as_it_is():
    host = photo()
    got, _ = hosted(rows(3), host=host, alpha=0.0)
    assert torch.equal(got, torch.from_numpy(host).expand(3, -1, -1, -1))


def test_features_are_pixels_of_the_patch_and_the_host_is_around_them():
    X, host = rows(), photo()
    got, _ = hosted(X, host=host, upscale=2, quantile=0.0)
    share = (X - X.amin(0)) / (X.amax(0) - X.amin(0))
    for i in range(9):
        top, left = 3 + 2 * (i // 3), 2 + 2 * (i % 3)
        pixels = got[:, :, top : top + 2, left : left + 2]
        value = share[:, i] if i < 7 else torch.zeros(50)
        torch.testing.assert_close(pixels, value[:, None, None, None].expand_as(pixels))
    covered = torch.zeros(12, 10, dtype=torch.bool)
    covered[3:9, 2:8] = True
    assert torch.equal(got[0][:, ~covered], torch.from_numpy(host)[:, ~covered])


def test_half_a_weight_blends():
    host = photo()
    whole, _ = hosted(rows(), host=host)
    got, _ = hosted(rows(), host=host, alpha=0.5)
    torch.testing.assert_close(got, (whole + torch.from_numpy(host)) / 2)


def test_the_program_has_a_gradient_outside_the_patch_only():
    X = rows()
    transformation = HostImageTransformation(upscale=2, strength=0.1)
    params = transformation.init(X, SPACE, G())
    program = params["program"].requires_grad_()
    transformation.apply(params, X, SPACE).sum().backward()
    covered = torch.zeros(12, 10, dtype=torch.bool)
    covered[3:9, 2:8] = True
    assert torch.equal(program.grad == 0, covered.expand(3, -1, -1))


def test_a_program_everywhere_also_changes_the_patch():
    X, ones = rows(), {"program": torch.ones(SPACE.shape)}
    got, _ = hosted(X, program="everywhere", changed=ones, strength=0.1)
    assert (got - hosted(X)[0])[:, :, 6, 5].max() > 0.05


def test_a_single_huge_amount_leaves_contrast_to_the_others():
    X = rows(500, 1)
    X[0] = 1e9
    got, params = hosted(X)
    assert params["high"] < 5
    assert got[:, 0, 6, 5].std() > 0.2 and got.max() <= 1


def test_quantiles_are_those_of_numpy():
    X = rows(77)
    _, params = hosted(X, quantile=0.03)
    expected = np.quantile(X.numpy(), [0.03, 0.97], axis=0).astype("float32")
    np.testing.assert_allclose(params["low"], expected[0], rtol=1e-5)
    np.testing.assert_allclose(params["high"], expected[1], rtol=1e-5)


def test_rare_flags_stay_visible_and_constant_features_are_grey():
    X = torch.zeros(1000, 2)
    X[7, 0] = 1.0
    got, _ = hosted(X, upscale=1)
    flag, constant = got[:, 0, 5, 4], got[:, 0, 5, 5]
    assert flag[7] == 1 and flag.sum() == 1 and (constant == 0.5).all()


def test_correlated_features_lie_near_one_another():
    base = rows(300, 3)
    noise = 0.1 * torch.randn(300, 6, generator=G(5))
    X = base.repeat(1, 2) * torch.tensor([1.0, 1, 1, -1, 1, 1]) + noise
    _, params = hosted(X, feature_order="correlation")
    order = params["order"].tolist()
    assert sorted(order) == list(range(6))
    assert [{a % 3 for a in order[i : i + 2]} for i in (0, 2, 4)] == [
        {order[0] % 3},
        {order[2] % 3},
        {order[4] % 3},
    ]


def test_the_order_is_only_an_order():
    X = rows()
    got, params = hosted(X, feature_order="correlation")
    assert torch.equal(got, hosted(X[:, params["order"]])[0])


def test_a_grey_host_of_another_size_is_resized_and_repeated():
    got, params = hosted(rows(1), host=[[0.25, 0.25], [0.25, 0.25]])
    assert params["host"].shape == SPACE.shape
    torch.testing.assert_close(got[0, :, 0], torch.full((3, 10), 0.25))


@pytest.mark.parametrize(
    "wrong",
    [
        {"host": 255 * np.ones((3, 12, 10))},
        {"host": np.ones((2, 12, 10))},
        {"host": np.ones(4)},
        {"alpha": 1.5},
        {"upscale": 4},
        {"upscale": 0},
        {"program": "none"},
        {"feature_order": "random"},
        {"quantile": 0.5},
    ],
)
def test_parameters_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValueError, match="Got .*expected"):
        hosted(rows(), **wrong)
