"""Source labels shared by entropic optimal transport."""

import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from toys import blobs, table_source

from skreprogram import ReprogrammingClassifier
from skreprogram.mappings import AssignmentMapping, TransportMapping


def estimate(mapping, counts):
    """Matrix as numpy."""
    return mapping.estimate(torch.as_tensor(counts).double(), torch.Generator()).numpy()


def random_counts(seed=0, shape=(9, 4)):
    """Counts, weighted so that no two are alike."""
    return np.random.RandomState(seed).uniform(0, 40, shape)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("capacity", [0.5, 1.0, 3.0])
def test_columns_sum_to_one_and_rows_keep_their_bound(seed, capacity):
    matrix = estimate(TransportMapping(0.1, capacity, n_iter=500), random_counts(seed))
    np.testing.assert_allclose(matrix.sum(0), 1)
    assert (matrix >= 0).all() and matrix.sum(1).max() <= capacity + 1e-3


@pytest.mark.parametrize("seed", range(5))
def test_without_entropy_it_is_optimal_assignment(seed):
    counts = random_counts(seed)
    matrix = estimate(TransportMapping(0.001, n_iter=20_000), counts)
    np.testing.assert_allclose(matrix, estimate(AssignmentMapping(), counts), atol=0.01)


def test_a_capacity_of_a_half_gives_two_labels_a_class():
    counts = random_counts()
    matrix = estimate(TransportMapping(0.001, capacity=0.5, n_iter=20_000), counts)
    np.testing.assert_allclose(matrix, estimate(AssignmentMapping(2), counts), atol=0.01)


def test_with_unlimited_capacity_every_class_is_a_softmax_of_its_shares():
    counts = random_counts()
    shares = counts / counts.sum(0)
    weights = np.exp(shares / shares.max() / 0.3)
    matrix = estimate(TransportMapping(0.3, capacity=np.inf), counts)
    np.testing.assert_allclose(matrix, weights / weights.sum(0))


def test_the_matrix_is_the_optimum_of_its_objective():
    counts = random_counts(shape=(4, 2))
    shares = counts / counts.sum(0) / (counts / counts.sum(0)).max()

    def loss(flat):
        P = flat.reshape(4, 2)
        return -(P * shares).sum() + 0.2 * (P * (np.log(P) - 1)).sum()

    found = minimize(
        loss,
        np.full(8, 0.25),
        bounds=[(1e-9, None)] * 8,
        constraints=[
            {"type": "eq", "fun": lambda flat: flat.reshape(4, 2).sum(0) - 1},
            {"type": "ineq", "fun": lambda flat: 0.6 - flat.reshape(4, 2).sum(1)},
        ],
        options={"ftol": 1e-12, "maxiter": 500},
    )
    matrix = estimate(TransportMapping(0.2, capacity=0.6, n_iter=1000), counts)
    np.testing.assert_allclose(matrix, found.x.reshape(4, 2), atol=1e-4)


def test_the_size_of_a_class_does_not_count():
    counts = random_counts()
    np.testing.assert_allclose(
        estimate(TransportMapping(), counts), estimate(TransportMapping(), counts * [1, 9, 2, 0.1])
    )


def test_a_class_that_was_not_counted_gets_what_others_leave():
    counts = np.array([[9.0, 0, 0], [0, 9, 0], [0, 0, 0], [0, 0, 0]])
    matrix = estimate(TransportMapping(), counts)
    np.testing.assert_allclose(matrix[:, 2], [0, 0, 0.5, 0.5], atol=0.01)


def test_too_small_a_capacity_is_refused():
    with pytest.raises(ValueError, match="Got 4 target classes .* 3 outputs .*at least 1.33"):
        estimate(TransportMapping(), np.ones((3, 4)))
    np.testing.assert_allclose(estimate(TransportMapping(capacity=4 / 3), np.ones((3, 4))), 1 / 3)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [("regularisation", 0), ("regularisation", "1"), ("capacity", -1.0), ("capacity", np.nan)]
    + [("n_iter", 0), ("n_iter", 1.5)],
)
def test_parameters_that_make_no_sense_are_refused(name, wrong):
    with pytest.raises(ValueError, match=f"Got {name}=.*expected a positive"):
        estimate(TransportMapping(**{name: wrong}), np.ones((3, 2)))


def test_it_classifies():
    X, y = blobs(n_features=8)
    clf = ReprogrammingClassifier(table_source(), output_mapping="transport", random_state=0)
    assert clf.fit(X, y).score(X, y) > 0.6  # chance is a third
