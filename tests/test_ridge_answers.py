"""Ridge regression that a gradient flows through."""

import numpy as np
import pytest
import torch

from skreprogram.mappings._ridge import solve_ridge
from skreprogram.mappings._ridge_answers import ridge_answers


def drawn(n_samples, n_features, dtype=torch.float64):
    """Features, targets, weights and queries."""
    generator = torch.Generator().manual_seed(0)
    shapes = [(n_samples, n_features), (n_samples, 3), (n_samples,), (4, n_features)]
    F, Y, weight, queries = (torch.randn(s, generator=generator, dtype=dtype) for s in shapes)
    return F, Y, weight.abs() + 0.1, queries


@pytest.mark.parametrize("shape", [(8, 30), (30, 8)])
@pytest.mark.parametrize("alpha", [1e-3, 10.0])
def test_answers_are_those_of_the_solved_ridge(shape, alpha):
    F, Y, weight, queries = drawn(*shape)
    solution = solve_ridge(F.numpy(), Y.numpy(), weight.numpy(), [alpha])
    expected = queries.numpy() @ solution.coef + solution.intercept
    got = ridge_answers(F, Y, weight, queries, alpha)
    np.testing.assert_allclose(got.numpy(), expected, atol=1e-8)


def test_single_precision_is_good_enough_for_small_penalties():
    F, Y, weight, queries = drawn(8, 30)
    F, queries = F / 30**0.5, queries / 30**0.5
    exact = ridge_answers(F, Y, weight, queries, 1e-5)
    single = ridge_answers(F.float(), Y.float(), weight.float(), queries.float(), 1e-5)
    torch.testing.assert_close(single, exact, atol=1e-3, rtol=1e-3)


def test_gradients_are_those_of_finite_differences():
    F, Y, weight, queries = drawn(5, 7)
    tensors = tuple(t.requires_grad_() for t in (F, Y, weight, queries))
    assert torch.autograd.gradcheck(lambda *t: ridge_answers(*t, 0.1), tensors)
