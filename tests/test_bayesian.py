"""Bayesian label mapping: its matrix, its votes, and where the authors' code breaks."""

import numpy as np
import pytest
import torch
from small_tasks import composition, options, task
from toys import blobs, table_source

from skreprogram import ReprogrammingClassifier
from skreprogram.mappings import BayesianMapping, OutputMapping
from skreprogram.training import fit_programs


def estimate(counts, **params):
    """Matrix as numpy."""
    counts = torch.as_tensor(counts, dtype=torch.float64)
    return BayesianMapping(**params).estimate(counts, torch.Generator()).numpy()


@pytest.mark.parametrize("smoothing", [0, 1.0, 7.5])
@pytest.mark.parametrize("n_classes", [2, 3, 9])
def test_the_matrix_is_the_written_out_formula(smoothing, n_classes):
    C = np.random.RandomState(0).poisson(2, size=(7, n_classes)).astype(float) + np.eye(
        7, n_classes
    )
    C[:, :1] += 1
    matrix = estimate(C, smoothing=smoothing)
    for t in range(n_classes):
        A = [C[s, t] / (sum(C[s]) + smoothing) for s in range(7)]
        expected = [a / sum(A) for a in A] if sum(A) else [1 / 7] * 7
        np.testing.assert_allclose(matrix[:, t], expected)


def test_a_class_without_votes_gets_all_source_labels_alike():
    matrix = estimate([[4, 0], [1, 0], [0, 0], [3, 0]])
    assert matrix[:, 1].tolist() == [0.25] * 4
    np.testing.assert_allclose(matrix.sum(0), 1)


def test_without_smoothing_a_source_label_without_votes_gets_no_weight():
    matrix = estimate([[4, 1], [0, 0]], smoothing=0)
    assert matrix.tolist() == [[1, 1], [0, 0]]


def test_a_rare_source_label_weighs_less_than_a_frequent_one_that_is_as_sure():
    matrix = estimate([[30, 0], [1, 0], [0, 9]])
    assert matrix[0, 0] > matrix[1, 0] > 0


def test_more_classes_than_source_labels_are_no_hindrance():
    X, y = blobs(n_samples=40, n_features=8, n_classes=8)
    clf = ReprogrammingClassifier(table_source(), output_mapping="bayesian", max_epochs=2)
    proba = clf.fit(X, y).predict_proba(X)
    assert proba.shape == (40, 8) and np.isfinite(proba).all()


@pytest.mark.parametrize(
    ("top_k", "n_classes", "k"),
    [(1, 2, 1), (3, 2, 3), (50, 2, 10), (0.15, 2, 1), (0.15, 20, 3), (0.15, 13, 1), (1.0, 4, 4)]
    + [(np.int64(2), 2, 2), (np.float64(0.5), 5, 2)],
)
def test_a_row_votes_for_k_source_labels_with_their_probabilities(top_k, n_classes, k):
    logits = torch.randn(2, 8, 10, generator=torch.Generator().manual_seed(0))
    votes = BayesianMapping(top_k=top_k).votes(logits, n_classes)
    probabilities = logits.softmax(-1)
    assert ((votes > 0).sum(-1) == k).all()
    assert torch.equal(votes[votes > 0], probabilities[votes > 0])
    assert (votes.amax(-1) == probabilities.amax(-1)).all()


def test_hard_counts_need_no_votes():
    assert BayesianMapping().votes(torch.randn(1, 4, 5), 2) is None


@pytest.mark.parametrize("name", ["bayesian", "bayesian-soft"])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_columns_sum_to_one_after_training_with_few_classes(name, n_classes):
    one = task(21, n_classes=n_classes)
    program = fit_programs([one], composition(OutputMapping.resolve(name)), options())[0]
    assert all(np.isfinite(array).all() for array in program.output.values())
    np.testing.assert_allclose(program.output["matrix"].sum(0), 1)


def test_soft_counts_are_the_mass_of_the_largest_probabilities():
    composed, one = composition(OutputMapping.resolve("bayesian-soft")), task()
    program = fit_programs([one], composed, options(lr=1e-30))[0]
    given = composed.model([program.tensors()]).given(one.train.X[None])[0].detach()
    expected = (given.softmax(1).amax(1) * one.train.weight).sum()
    np.testing.assert_allclose(program.output["counts"].sum(), expected)


def test_it_is_estimated_again_after_every_epoch_unless_told_otherwise():
    assert OutputMapping.resolve("bayesian").refit_every == 1
    assert OutputMapping.resolve("bayesian-soft").top_k == 0.15
    fixed, refitted = (
        fit_programs(
            [task()], composition(BayesianMapping(refit_every=every)), options(max_epochs=9, lr=0.3)
        )[0]
        for every in (None, 1)
    )
    assert not np.array_equal(fixed.output["counts"], refitted.output["counts"])


@pytest.mark.parametrize("wrong", [-1.0, np.inf, np.nan, "1", None])
def test_a_smoothing_that_is_none_is_refused(wrong):
    with pytest.raises(ValueError, match="Got smoothing=.*expected a number"):
        estimate(np.ones((3, 2)), smoothing=wrong)


@pytest.mark.parametrize("wrong", [0, -1, 0.0, 1.5, -0.1, "2", True, np.nan])
def test_a_number_of_votes_that_is_none_is_refused(wrong):
    with pytest.raises(ValueError, match="Got top_k=.*expected None"):
        BayesianMapping(top_k=wrong).votes(torch.zeros(1, 2, 3), 2)
    with pytest.raises(ValueError, match="Got top_k=.*expected None"):
        estimate(np.ones((3, 2)), top_k=wrong)
