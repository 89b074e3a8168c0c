"""Ridge regression with leave-one-out penalties, against scikit-learn and brute force."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge, RidgeCV

from skreprogram.mappings import _ridge
from skreprogram.mappings._ridge import solve_ridge

ALPHAS = np.logspace(-3, 3, 7)
SHAPES = pytest.mark.parametrize("shape", [(12, 30), (30, 8), (10, 10)])


def problem(shape, n_targets=2, seed=0):
    """Features with an offset, noisy targets and unequal weights."""
    rng = np.random.RandomState(seed)
    F = rng.normal(size=shape) + rng.normal(size=shape[1])
    Y = F[:, :n_targets] @ rng.normal(size=(n_targets, n_targets))
    Y += 0.5 * rng.normal(size=Y.shape)
    return F, Y, rng.uniform(0.2, 3, size=shape[0])


def left_out_by_refits(F, Y, weight, alpha):
    """Predictions of each row by ridge regression on the other rows."""
    predictions = []
    for i in range(len(F)):
        others = np.arange(len(F)) != i
        ridge = Ridge(alpha=alpha, solver="svd").fit(F[others], Y[others], weight[others])
        predictions.append(ridge.predict(F[i : i + 1])[0])
    return np.array(predictions)


@SHAPES
def test_the_solution_is_that_of_scikit_learns_ridge_cv(shape):
    F, Y, weight = problem(shape)
    solution = solve_ridge(F, Y, weight, ALPHAS)
    expected = RidgeCV(ALPHAS).fit(F, Y, weight)
    assert solution.alpha == expected.alpha_
    np.testing.assert_allclose(solution.coef, expected.coef_.T, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(solution.intercept, expected.intercept_, rtol=1e-6)


@SHAPES
@pytest.mark.parametrize("alpha", [1e-2, 1.0, 100.0])
def test_left_out_predictions_are_those_of_refits_without_the_row(shape, alpha):
    F, Y, weight = problem(shape)
    solution = solve_ridge(F, Y, weight, [alpha])
    expected = left_out_by_refits(F, Y, weight, alpha)
    np.testing.assert_allclose(solution.left_out, expected, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("shape", [(20, 400), (200, 25)])
def test_single_precision_features_lose_nothing_at_small_penalties(shape):
    rng = np.random.RandomState(0)
    scales = np.logspace(0, -3, min(shape))
    F = rng.normal(size=(shape[0], min(shape))) * scales @ rng.normal(size=(min(shape), shape[1]))
    F, Y = F.astype(np.float32), rng.normal(size=(shape[0], 2)).astype(np.float32)
    weight = np.ones(shape[0], np.float32)
    solution = solve_ridge(F, Y, weight, [1e-4])
    expected = solve_ridge(F.astype(float), Y.astype(float), weight.astype(float), [1e-4])
    np.testing.assert_allclose(solution.left_out, expected.left_out, rtol=1e-3, atol=1e-3)
    assert solution.coef.dtype == np.float32


def test_the_penalty_has_the_smallest_left_out_error():
    F, Y, weight = problem((15, 20), seed=3)
    errors = [
        (weight[:, None] * (Y - left_out_by_refits(F, Y, weight, alpha)) ** 2).sum()
        for alpha in ALPHAS
    ]
    assert solve_ridge(F, Y, weight, ALPHAS).alpha == ALPHAS[np.argmin(errors)]


def test_a_loss_of_its_own_chooses_the_penalty():
    F, Y, weight = problem((15, 20), seed=3)

    def absolute(left_out, rows, weight):
        return (weight[:, None] * np.abs(Y[rows] - left_out)).sum()

    errors = [
        absolute(left_out_by_refits(F, Y, weight, alpha), np.arange(15), weight) for alpha in ALPHAS
    ]
    assert solve_ridge(F, Y, weight, ALPHAS, absolute).alpha == ALPHAS[np.argmin(errors)]


@SHAPES
def test_products_in_parts_change_nothing(shape, monkeypatch):
    F, Y, weight = problem(shape)
    whole = solve_ridge(F, Y, weight, ALPHAS)
    monkeypatch.setattr(_ridge, "BLOCK", 7)
    np.testing.assert_allclose(solve_ridge(F, Y, weight, ALPHAS).coef, whole.coef, rtol=1e-8)


@pytest.fixture
def large(monkeypatch):
    """More rows than eigenvectors are made for, and still more features."""
    monkeypatch.setattr(_ridge, "N_CHOOSING", 25)
    return problem((40, 60), seed=1)


@pytest.mark.parametrize("alpha", [1e-2, 1.0, 100.0])
def test_many_rows_are_solved_as_few_are(large, alpha, monkeypatch):
    solution = solve_ridge(*large, [alpha])
    monkeypatch.setattr(_ridge, "N_CHOOSING", 1_000)
    expected = solve_ridge(*large, [alpha])
    for got, wanted in zip(solution, expected, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-6, atol=1e-9)


def test_many_rows_that_repeat_one_another_bear_a_tiny_penalty(large):
    F, Y, weight = large
    F, Y, weight = (np.concatenate([part, part[:5]]) for part in (F, Y, weight))
    solution = solve_ridge(F.astype(np.float32), Y, weight, [1e-14])
    np.testing.assert_allclose(F @ solution.coef + solution.intercept, Y, atol=0.1)


def test_many_rows_choose_their_penalty_on_a_part(large):
    F, Y, weight = large
    some = np.sort(np.random.RandomState(0).permutation(40)[:25])
    expected = RidgeCV(ALPHAS).fit(F[some], Y[some], weight[some])
    assert solve_ridge(F, Y, weight, ALPHAS).alpha == expected.alpha_


def test_many_rows_tell_a_loss_which_of_them_were_left_out(large):
    F, Y, weight = large
    seen = []

    def loss(left_out, rows, weight):
        seen.append(rows)
        return np.square(Y[rows] - left_out).sum()

    solve_ridge(F, Y, weight, ALPHAS, loss)
    some = np.sort(np.random.RandomState(0).permutation(40)[:25])
    assert len(seen) == len(ALPHAS) and all((rows == some).all() for rows in seen)


def test_a_part_of_the_rows_chooses_about_the_penalty_of_all():
    rng = np.random.RandomState(0)
    F = rng.normal(size=(300, 400)) / 20
    Y = F @ rng.normal(size=(400, 3)) + 0.3 * rng.normal(size=(300, 3))
    grid = np.logspace(-5, 3, 25)
    of_all = solve_ridge(F, Y, np.ones(300), grid).alpha
    of_part = solve_ridge(F[:150], Y[:150], np.ones(150), grid).alpha
    assert of_all / 5 < of_part < of_all * 5


def test_features_that_repeat_one_another_are_no_trouble():
    F, Y, weight = problem((30, 4))
    twice = solve_ridge(np.hstack([F, F]), Y, weight, [2.0])
    once = solve_ridge(F, Y, weight, [1.0])  # two copies share the weight, so penalise it half
    np.testing.assert_allclose(2 * twice.coef[:4], once.coef, rtol=1e-6)


def test_features_without_variance_predict_the_mean():
    _, Y, weight = problem((10, 3))
    solution = solve_ridge(np.ones((10, 3)), Y, weight, ALPHAS)
    assert not solution.coef.any()
    np.testing.assert_allclose(solution.intercept, np.average(Y, axis=0, weights=weight))
