"""Inside scikit-learn's pipelines, searches and ensembles, on tables, images and series."""

import numpy as np
import pandas as pd
import pytest
from every_mapping import EVERY_NAME, mapping_of
from joblib import parallel_backend
from numpy.testing import assert_array_equal
from sklearn.calibration import CalibratedClassifierCV
from sklearn.decomposition import PCA
from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.utils.estimator_checks import check_dataframe_column_names_consistency
from toys import blobs, image_source, sound_source, squares, table_source

from skreprogram import ReprogrammingClassifier, TimeSeriesReprogrammer
from skreprogram.datasets import make_tones
from skreprogram.mappings import FrequencyMapping
from skreprogram.transformations import FrequencyModulation

NAMES = np.array(["ash", "beech", "cedar"])


def on_tables():
    clf = ReprogrammingClassifier(table_source(), max_epochs=20, lr=0.05, random_state=0)
    X, y = blobs()
    return clf, X, NAMES[y]


def on_images():
    clf = ReprogrammingClassifier(image_source(), max_epochs=20, lr=0.05, random_state=0)
    X, y = squares()
    return clf, X, NAMES[y]


def on_series():
    X, y = make_tones(n_samples=30, length=40, random_state=0)
    modulation = FrequencyModulation(low=20, high=180, samples_per_point=5)
    return (
        TimeSeriesReprogrammer(sound_source(), input_transformation=modulation),
        np.stack([X, -X], 1),
        NAMES[y],
    )


@pytest.fixture(params=[on_tables, on_images, on_series], ids=lambda make: make.__name__)
def task(request):
    """An estimator for a kind of data, with such data."""
    return request.param()


def test_cross_validation(task):
    clf, X, y = task
    scores = cross_validate(clf, X, y, cv=3, scoring=["accuracy", "neg_log_loss"])
    assert np.mean(scores["test_accuracy"]) > 0.6
    assert np.isfinite(scores["test_neg_log_loss"]).all()


def test_a_pipeline(task):
    clf, X, y = task
    pipeline = make_pipeline(FunctionTransformer(np.negative), clf)
    assert_array_equal(pipeline.fit(X, y).predict_proba(X), clf.fit(-X, y).predict_proba(-X))


def test_calibration(task):
    clf, X, y = task
    calibrated = CalibratedClassifierCV(clf, cv=2).fit(X, y)
    assert calibrated.score(X, y) > 0.6


def test_stacking(task):
    clf, X, y = task
    stack = StackingClassifier([("a", clf), ("b", clf)], LogisticRegression(), cv=2)
    assert stack.fit(X, y).score(X, y) > 0.6


def test_voting(task):
    clf, X, y = task
    assert VotingClassifier([("a", clf), ("b", clf)], voting="soft").fit(X, y).score(X, y) > 0.6


def test_out_of_fold_probabilities(task):
    clf, X, y = task
    proba = cross_val_predict(clf, X, y, cv=2, method="predict_proba")
    assert proba.shape == (len(X), len(np.unique(y)))


def test_a_pipeline_that_learns_its_scaling_and_axes():
    clf, X, y = on_tables()
    pipeline = make_pipeline(StandardScaler(), PCA(3), clf)
    search = GridSearchCV(pipeline, {"pca__n_components": [1, 3]}, cv=2)
    assert search.fit(X, y).best_score_ > 0.8


def test_a_grid_over_the_names_of_every_mapping():
    clf, X, y = on_images()
    clf.set_params(max_epochs=2)
    search = GridSearchCV(clf, {"output_mapping": [mapping_of(name) for name in EVERY_NAME]}, cv=2)
    scores = search.fit(X, y).cv_results_["mean_test_score"]
    assert len(scores) == len(EVERY_NAME) >= 12
    assert np.isfinite(scores).all()


def test_a_grid_over_what_is_inside_a_strategy():
    clf, X, y = on_tables()
    clf.set_params(output_mapping=FrequencyMapping(), max_epochs=2)
    search = GridSearchCV(clf, {"output_mapping__n_source_labels": [1, 2]}, cv=2).fit(X, y)
    best = search.best_params_["output_mapping__n_source_labels"]
    assert search.best_estimator_.mapping_.n_source_labels == best


def test_a_grid_over_sources():
    clf, X, y = on_tables()
    sources = [table_source(8, 6), table_source(12, 5)]
    search = GridSearchCV(clf.set_params(max_epochs=2), {"source": sources}, cv=2).fit(X, y)
    assert search.best_estimator_.source in sources


def search_of(clf, n_jobs):
    return GridSearchCV(clf, {"lr": [0.01, 0.1]}, cv=2, n_jobs=n_jobs, scoring="neg_log_loss")


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_a_search_in_two_workers_finds_what_one_finds(backend):
    clf, X, y = on_tables()
    alone = search_of(clf, 1).fit(X, y).cv_results_["mean_test_score"]
    with parallel_backend(backend):
        together = search_of(clf, 2).fit(X, y).cv_results_["mean_test_score"]
    np.testing.assert_allclose(together, alone, rtol=1e-4)


def test_a_search_in_threads_is_repeatable():
    clf, X, y = on_tables()
    with parallel_backend("threading"):
        first, second = (
            search_of(clf, 2).fit(X, y).cv_results_["mean_test_score"] for _ in range(2)
        )
    assert_array_equal(first, second)


def test_a_default_for_time_series_in_two_workers():
    _, X, y = on_series()
    clf = TimeSeriesReprogrammer(input_transformation=FrequencyModulation(shortest=0.1))
    search = GridSearchCV(clf, {"output_mapping": ["features", "frequency"]}, cv=2, n_jobs=2)
    assert search.fit(X, y).best_score_ > 0.5


@pytest.mark.parametrize("make", [on_tables, on_series])
def test_names_of_columns_are_checked_as_scikit_learn_checks_them(make):
    clf, _, _ = make()
    check_dataframe_column_names_consistency(type(clf).__name__, clf)


def test_a_table_with_its_columns_in_another_order_is_refused():
    clf, X, y = on_tables()
    table = pd.DataFrame(X, columns=list("abcde"))
    clf.fit(table, y)
    with pytest.raises(ValueError, match="feature names"):
        clf.predict(table[list("edcba")])
