"""Reprogramming a local copy of a black box."""

import numpy as np
import pytest
from black_boxes import Asked, black_box
from sklearn.base import clone
from toys import blobs, table_source

from skreprogram import ReprogrammingClassifier, load
from skreprogram.gradients import Surrogate
from skreprogram.sources import BlackBoxSource

X, Y = blobs(60)


def classifier(source, threshold=None, **params):
    """A local network that the black box is not."""
    gradient = Surrogate(table_source(8, 11), threshold=threshold)
    params = {"max_epochs": 40, "lr": 0.03, "random_state": 0, **params}
    return ReprogrammingClassifier(source, gradient=gradient, **params)


def test_every_training_sample_is_asked_about_once_and_no_more():
    function = Asked()
    clf = classifier(black_box(function)).fit(X, Y)
    clf.predict(X)
    assert function.n_rows == clf.n_queries_ == len(X)


def test_copy_is_reprogrammed():
    assert classifier(black_box()).fit(X, Y).score(X, Y) > 0.9


def test_fitted_source_is_the_copy_and_answers_about_as_the_black_box_does():
    clf = classifier(black_box()).fit(X, Y)
    assert clf.source_.name == "Sequential primed by toy"
    assert clf.source_.n_outputs == 6
    assert clf.surrogate_.source is clf.source_
    assert clf.surrogate_.agreement > 0.7


def test_plan_is_one_query_a_sample(capsys):
    classifier(black_box(cost_per_query=2)).fit(X, Y)
    assert "at most 60 queries, which cost 120.00" in capsys.readouterr().err


def test_more_samples_than_queries_are_refused():
    function = Asked()
    with pytest.raises(ValueError, match="asks about each of 60"):
        classifier(black_box(function), max_queries=59).fit(X, Y)
    assert function.n_rows == 0


def oracle(rows):
    """A black box that is right by itself: it tells the sign of the feature inside the padding."""
    right = rows[:, 3:4] > 0
    return np.hstack([~right * 0.98 + 0.01, right * 0.98 + 0.01])


def signs():
    """One feature whose sign is the class."""
    rng = np.random.RandomState(0)
    y = np.arange(60) % 2
    return (2 * y - 1)[:, None] * rng.uniform(0.2, 1, (60, 1)), y


def test_a_copy_that_falls_behind_is_left_for_the_black_box():
    X_sign, y = signs()
    source = BlackBoxSource(oracle, (8,), 2, value_range=(-1, 1), name="oracle")
    params = {"output_mapping": "frequency", "max_epochs": 1, "lr": 1e-6}
    generous = classifier(source, threshold=-1.0, **params).fit(X_sign, y)
    assert generous.source_ is source and generous.surrogate_.source is not source
    assert generous.score(X_sign, y) == 1.0


def test_a_copy_that_keeps_up_is_kept():
    clf = classifier(black_box(), threshold=1.0).fit(X, Y)
    assert clf.source_ is clf.surrogate_.source


def test_partial_fit_goes_on_with_the_copy_without_further_queries():
    function = Asked()
    clf = classifier(black_box(function))
    clf.partial_fit(X, Y).partial_fit(X, Y)
    assert function.n_rows == len(X)


def test_saved_program_of_a_copy_is_loaded_with_the_copy(tmp_path):
    clf = classifier(black_box()).fit(X, Y)
    clf.save(tmp_path / "program.safetensors")
    again = load(tmp_path / "program.safetensors", source=clf.source_)
    np.testing.assert_allclose(again.predict_proba(X), clf.predict_proba(X), atol=1e-6)


def test_a_source_that_can_be_looked_into_is_trained_by_backpropagation():
    clf = clone(classifier(table_source())).fit(X, Y)
    assert clf.n_queries_ == 0 and clf.surrogate_ is None
