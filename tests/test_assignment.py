"""Optimal assignment of source labels."""

from itertools import permutations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from skreprogram.mappings import AssignmentMapping, FirstMapping, FrequencyMapping


def estimate(mapping, counts):
    """Matrix as numpy."""
    return mapping.estimate(torch.as_tensor(counts).double(), torch.Generator()).numpy()


def objective(mapping, scores, m):
    """Sum of the scores of the chosen pairs."""
    return m * (estimate(mapping, scores) * scores).sum()


def test_the_largest_pair_is_given_up_where_that_pays():
    scores = np.array([[10.0, 9.0], [9.0, 0.0]])
    assert objective(FrequencyMapping(), scores, 1) == 10
    assert objective(AssignmentMapping(normalise=False), scores, 1) == 18


TASKS = {
    "n_classes": st.integers(1, 4),
    "m": st.integers(1, 3),
    "extra": st.integers(0, 4),
    "highest": st.sampled_from([1, 3, 50]),
    "seed": st.integers(0, 99),
}


@settings(derandomize=True, max_examples=60, deadline=None)
@given(**TASKS)
def test_it_is_never_below_greedy(n_classes, m, extra, highest, seed):
    shape = (m * n_classes + extra, n_classes)
    counts = np.random.RandomState(seed).randint(0, highest + 1, shape).astype(float)
    optimal = objective(AssignmentMapping(m, normalise=False), counts, m)
    assert optimal >= objective(FrequencyMapping(m), counts, m) - 1e-9
    shares = counts / np.maximum(counts.sum(0), 1)
    optimal = m * (estimate(AssignmentMapping(m), counts) * shares).sum()
    assert optimal >= objective(FrequencyMapping(m), shares, m) - 1e-9


@settings(derandomize=True, max_examples=30, deadline=None)
@given(**TASKS)
def test_every_class_gets_its_number_of_disjoint_labels(n_classes, m, extra, highest, seed):
    shape = (m * n_classes + extra, n_classes)
    counts = np.random.RandomState(seed).randint(0, highest + 1, shape).astype(float)
    matrix = estimate(AssignmentMapping(m), counts)
    assert ((matrix > 0).sum(0) == m).all() and ((matrix > 0).sum(1) <= 1).all()
    np.testing.assert_allclose(matrix.sum(0), 1)


def test_it_is_the_best_of_all_assignments():
    counts = np.random.RandomState(0).uniform(size=(5, 3))
    best = max(counts[list(order), range(3)].sum() for order in permutations(range(5), 3))
    assert objective(AssignmentMapping(normalise=False), counts, 1) == pytest.approx(best)


@settings(derandomize=True, max_examples=20, deadline=None)
@given(order=st.permutations(range(9)), m=st.integers(1, 3))
def test_it_recovers_a_known_permutation(order, m):
    counts = np.random.RandomState(0).uniform(0, 4, size=(9, 3))
    planted = np.zeros((9, 3))
    for place, source_label in enumerate(order[: 3 * m]):
        counts[source_label, place % 3] += 50
        planted[source_label, place % 3] = 1 / m
    np.testing.assert_allclose(estimate(AssignmentMapping(m), counts), planted)


def test_normalised_counts_let_a_small_class_have_its_label():
    # source label 0 answers the small class always, the large one often
    counts = np.array([[60.0, 5.0], [40.0, 0.0], [0.0, 0.0]])
    assert estimate(AssignmentMapping(), counts)[0].tolist() == [0, 1]
    assert estimate(AssignmentMapping(normalise=False), counts)[0].tolist() == [1, 0]


def test_without_counts_the_labels_come_in_their_order():
    for shape in [(6, 3), (5, 5), (1, 1)]:
        expected = estimate(FirstMapping(), np.zeros(shape))
        assert np.array_equal(estimate(AssignmentMapping(), np.zeros(shape)), expected)


def test_of_several_optima_the_same_one_is_found():
    counts = np.random.RandomState(0).randint(0, 2, (30, 9))
    draws = [estimate(AssignmentMapping(2), counts) for _ in range(3)]
    assert all(np.array_equal(draws[0], draw) for draw in draws)
