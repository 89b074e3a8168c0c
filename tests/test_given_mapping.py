"""Source labels that the user names, alone and together with another mapping."""

import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from toys import blobs, table_source

import skreprogram
from skreprogram import ReprogrammingClassifier
from skreprogram.mappings import BayesianMapping, FrequencyMapping, GivenMapping, LinearMapping

X, Y = blobs(n_features=8)
COUNTS = torch.tensor(np.random.RandomState(0).randint(0, 30, (6, 3)), dtype=torch.float64)


def estimate(mapping, counts=COUNTS):
    """Matrix as numpy."""
    return mapping.estimate(counts, torch.Generator().manual_seed(0)).numpy()


def classifier(mapping, **params):
    return ReprogrammingClassifier(table_source(), output_mapping=mapping, max_epochs=3, **params)


@pytest.mark.parametrize("labels", [[3, [0, 5], 1], np.array([3, 0, 1]), ((3,), (0, 5, 2), [1])])
def test_named_labels_weigh_alike_in_their_class(labels):
    expected = np.zeros((6, 3))
    for target_class, named in enumerate(labels):
        expected[named, target_class] = 1 / np.size(named)
    assert np.array_equal(estimate(GivenMapping(labels)), expected)


def test_a_class_that_is_left_gets_its_most_frequent_free_label():
    counts = torch.tensor([[9.0, 9.0], [1.0, 2.0], [0.0, 4.0]])
    assert estimate(GivenMapping([0, None]), counts).argmax(0).tolist() == [0, 2]


@pytest.mark.parametrize(
    "otherwise", ["frequency", "random", "assignment", "transport", "bayesian", FrequencyMapping(2)]
)
def test_the_rest_is_completed_among_the_free_labels(otherwise):
    matrix = estimate(GivenMapping([None, [2, 4], None], otherwise))
    assert matrix[[2, 4], 1].tolist() == [0.5, 0.5]
    assert not matrix[[2, 4]][:, [0, 2]].any() and not matrix[[0, 1, 3, 5], 1].any()
    np.testing.assert_allclose(matrix.sum(0), 1)


def test_with_nothing_given_it_is_the_other_mapping():
    mapping = GivenMapping([None] * 3, BayesianMapping(top_k=2))
    assert np.array_equal(estimate(mapping), estimate(BayesianMapping(top_k=2)))
    assert mapping.uses_counts and mapping.refit_every == 1
    logits = torch.randn(1, 4, 6)
    assert torch.equal(mapping.votes(logits, 3), BayesianMapping(top_k=2).votes(logits, 3))


def test_with_everything_given_nothing_is_counted_or_refitted():
    mapping = GivenMapping([1, 2, 3], "iterative")
    assert not mapping.uses_counts and mapping.refit_every is None
    assert list(classifier(mapping).fit(X, Y).program_.output) == ["matrix"]


@pytest.mark.parametrize("otherwise", ["frequency", "iterative", "bayesian-soft", "random"])
def test_estimators_keep_what_is_given_through_refits(otherwise, tmp_path):
    clf = classifier(GivenMapping([None, [5, 0], None], otherwise), random_state=0).fit(X, Y)
    assert clf.program_.output["matrix"][[5, 0], 1].tolist() == [0.5, 0.5]
    clf.partial_fit(X, Y).save(tmp_path / "program")
    loaded = skreprogram.load(tmp_path / "program", source=table_source())
    assert np.array_equal(loaded.predict_proba(X), clf.predict_proba(X))


def test_it_is_searched_cloned_and_pickled():
    mapping = GivenMapping([0, None, 1], FrequencyMapping())
    grid = {"output_mapping__otherwise__n_source_labels": [1, 2]}
    search = GridSearchCV(classifier(mapping), grid, cv=2, error_score="raise").fit(X, Y)
    assert search.best_estimator_.mapping_.otherwise is not mapping.otherwise
    for copy in (clone(mapping), pickle.loads(pickle.dumps(mapping))):
        assert np.array_equal(estimate(copy), estimate(mapping))


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        ([0, 1], "Got labels for 2 classes .*expected 3"),
        ([0, 1, 6], r"Got the source labels \[6\] .*from 0 to 5"),
        ([-1, 1, 2], r"Got the source labels \[-1\] .*from 0 to 5"),
        ([[0, 1], 1, None], r"Got the source labels \[1\] twice"),
        ([[2, 2], 1, 0], r"Got the source labels \[2\] twice"),
        ([[0, 1, 2], [3, 4, 5], None], "Got all 6 source labels named .*1 class.* None"),
        ([[0, 1, 2], [3, 4], None], None),
        ([[0, 1, 2, 3, 4], None, None], "Got 2 target classes with 1 source label.*only 1 outputs"),
    ],
)
def test_labels_that_do_not_fit_are_refused(labels, sentence):
    clf = classifier(GivenMapping(labels))
    if sentence is None:
        clf.fit(X, Y)
        return
    with pytest.raises(ValueError, match=sentence):
        clf.fit(X, Y)


@pytest.mark.parametrize(
    "labels", [None, 3, "012", {0: 1}, ["a", 1, 2], [0.5, 1, 2], [[], 1, 2], [True, 1, 2]]
)
def test_labels_of_another_kind_are_refused(labels):
    with pytest.raises(TypeError, match="Got .*GivenMapping, expected"):
        classifier(GivenMapping(labels)).fit(X, Y)


@pytest.mark.parametrize("otherwise", ["linear", LinearMapping(), None])
def test_only_a_label_mapping_completes(otherwise):
    with pytest.raises(TypeError, match="Got .*expected"):
        classifier(GivenMapping([0, None, 1], otherwise)).fit(X, Y)
