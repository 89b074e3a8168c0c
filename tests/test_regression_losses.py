"""Losses of values against their written-out formulas."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from skreprogram.losses import AbsoluteLoss, QuantileLoss, RegressionLoss, SquaredLoss

# both sides of zero, none of them among the errors that are smoothed
ERRORS = torch.tensor([-3.0, -0.5, -0.02, 0.02, 0.5, 3.0], dtype=torch.float64)


def losses_of(loss, errors=ERRORS):
    """Losses of single targets with these errors."""
    return loss.rows(torch.zeros(len(errors), 1, dtype=errors.dtype), errors[:, None])


def test_large_errors_cost_what_the_formulas_say():
    torch.testing.assert_close(losses_of(SquaredLoss()), ERRORS**2)
    torch.testing.assert_close(losses_of(AbsoluteLoss()), ERRORS.abs())


@pytest.mark.parametrize("q", [0.1, 0.5, 0.9])
def test_the_quantile_loss_is_the_pinball(q):
    pinball = torch.where(ERRORS > 0, q * ERRORS, (q - 1) * ERRORS)
    torch.testing.assert_close(losses_of(QuantileLoss(q)), pinball)


@given(st.floats(0.01, 0.99), st.floats(-0.05, 0.05))
def test_small_errors_cost_nearly_that_and_never_less(q, error):
    errors = torch.tensor([error], dtype=torch.float64)
    pinball = max(q * error, (q - 1) * error)
    excess = losses_of(QuantileLoss(q), errors).item() - pinball
    assert -1e-12 <= excess <= 0.01 / 4 + 1e-12


@pytest.mark.parametrize("loss", [AbsoluteLoss(), QuantileLoss(0.9)])
def test_slopes_are_continuous_where_the_smoothing_ends(loss):
    errors = torch.tensor([0.01 - 1e-9, 0.01 + 1e-9], dtype=torch.float64, requires_grad=True)
    (slopes,) = torch.autograd.grad(loss.costs(errors).sum(), errors)
    assert slopes[0].item() == pytest.approx(slopes[1].item(), abs=1e-6)


@pytest.mark.parametrize("name", RegressionLoss.names())
def test_gradients_are_finite_at_no_error_and_at_huge_ones(name):
    errors = torch.tensor([0.0, 1e15, -1e15], requires_grad=True)
    RegressionLoss.resolve(name).costs(errors).sum().backward()
    assert torch.isfinite(errors.grad).all()


@pytest.mark.parametrize("q", [0.25, 0.5, 0.75])
def test_the_best_constant_is_the_quantile(q):
    values = torch.from_numpy(np.random.RandomState(0).normal(size=(401, 1)))
    constants = torch.linspace(-2, 2, 801, dtype=torch.float64)
    costs = [QuantileLoss(q).rows(c.expand_as(values), values).mean().item() for c in constants]
    best = constants[int(np.argmin(costs))].item()
    assert best == pytest.approx(np.quantile(values, q), abs=0.02)


def test_several_targets_are_averaged():
    rows = AbsoluteLoss().rows(torch.zeros(2, 3, 2), torch.tensor([1.0, -3.0]).expand(2, 3, 2))
    torch.testing.assert_close(rows, torch.full((2, 3), 2.0))
