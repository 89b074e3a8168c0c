"""The adapter is a classifier of sktime, and works inside scikit-learn as well."""

import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone, is_classifier
from sklearn.ensemble import VotingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.validation import check_is_fitted
from sktime.classification.model_selection import TSCGridSearchCV
from sktime.datatypes import convert_to
from sktime.transformations.panel.padder import PaddingTransformer
from sktime.utils.estimator_checks import check_estimator
from toys import sound_source

from skreprogram import TimeSeriesReprogrammer
from skreprogram.datasets import make_tones
from skreprogram.sktime import SktimeReprogrammer
from skreprogram.transformations import FrequencyModulation

SERIES, CODES = make_tones(n_samples=30, length=40, random_state=0)
X, Y = np.stack([SERIES, -SERIES], 1), np.array(["ash", "beech", "cedar"])[CODES]
CONTAINERS = ["numpy3D", "pd-multiindex", "nested_univ", "df-list"]


@pytest.fixture
def parameters():
    """Parameters for a source that hears fast."""
    modulation = FrequencyModulation(low=20, high=180, samples_per_point=5)
    return {"source": sound_source(), "input_transformation": modulation, "random_state": 0}


@pytest.fixture
def clf(parameters):
    """A classifier, not fitted."""
    return SktimeReprogrammer(**parameters)


def test_the_checks_of_sktime_find_nothing():
    results = check_estimator(SktimeReprogrammer, raise_exceptions=False, verbose=False)
    assert len(results) >= 200
    assert {name: found for name, found in results.items() if found != "PASSED"} == {}


def test_it_predicts_what_the_estimator_inside_predicts(clf, parameters):
    inside = TimeSeriesReprogrammer(**parameters).fit(X, Y)
    assert_array_equal(clf.fit(X, Y).predict_proba(X), inside.predict_proba(X))
    assert_array_equal(clf.predict(X), inside.predict(X))


def test_its_parameters_are_those_of_the_estimator_but_for_the_warm_start():
    expected = TimeSeriesReprogrammer().get_params()
    expected.pop("warm_start")
    assert SktimeReprogrammer().get_params() == expected


@pytest.mark.parametrize("container", CONTAINERS)
def test_every_container_of_sktime_gives_the_same_probabilities(clf, container):
    expected = clf.fit(X, Y).predict_proba(X)
    panel = convert_to(X, container)
    np.testing.assert_allclose(clf.fit(panel, Y).predict_proba(panel), expected, rtol=1e-5)


@pytest.mark.parametrize("container", CONTAINERS)
def test_the_estimator_for_arrays_takes_containers_of_sktime_too(parameters, container):
    estimator = TimeSeriesReprogrammer(**parameters)
    expected = estimator.fit(X, Y).predict_proba(X)
    panel = convert_to(X, container)
    np.testing.assert_allclose(estimator.fit(panel, Y).predict_proba(panel), expected, rtol=1e-5)


def test_a_table_of_numbers_holds_series_of_one_channel(clf):
    expected = clf.fit(SERIES[:, None], Y).predict_proba(SERIES[:, None])
    assert_array_equal(clf.fit(SERIES, Y).predict_proba(SERIES), expected)


def test_labels_may_be_a_list(clf):
    assert clf.fit(X, Y.tolist()).classes_.tolist() == ["ash", "beech", "cedar"]


def test_scikit_learn_takes_it_for_a_classifier(clf):
    assert is_classifier(clf)
    with pytest.raises(NotFittedError):
        check_is_fitted(clf)
    check_is_fitted(clf.fit(X, Y))


def test_its_source_is_shared_by_clones(clf):
    assert clone(clf).source is clf.source
    assert clf.clone().source is clf.source


def test_it_is_cross_validated_by_scikit_learn(clf):
    assert np.mean(cross_val_score(clf, X, Y, cv=2)) > 0.6


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_it_is_searched_by_scikit_learn(clf, n_jobs):
    grid = {"output_mapping": ["features", "frequency"], "input_transformation__gain": [0.2, 0.5]}
    search = GridSearchCV(clf, grid, cv=2, n_jobs=n_jobs).fit(X, Y)
    assert search.best_params_["output_mapping"] == "features"
    assert search.score(X, Y) > 0.6


def test_it_ends_a_pipeline_of_scikit_learn(clf):
    pipeline = make_pipeline(FunctionTransformer(np.negative), clf)
    assert_array_equal(pipeline.fit(X, Y).predict(X), clf.fit(-X, Y).predict(-X))
    search = GridSearchCV(pipeline, {"sktimereprogrammer__class_weight": [None, "balanced"]}, cv=2)
    assert search.fit(X, Y).best_score_ > 0.6


def test_it_votes_with_others_in_scikit_learn(clf):
    assert VotingClassifier([("a", clf), ("b", clone(clf))]).fit(X, Y).score(X, Y) > 0.6


def test_it_is_searched_by_sktime(clf):
    search = TSCGridSearchCV(clf, {"class_weight": [None, "balanced"]}, cv=2)
    assert search.fit(X, Y).score(X, Y) > 0.6


def test_it_ends_a_pipeline_of_sktime(clf):
    pipeline = PaddingTransformer(pad_length=60) * clf
    assert pipeline.fit(X, Y).score(X, Y) > 0.6


def test_infinite_values_are_refused(clf):
    wrong = X.copy()
    wrong[0, 0, 0] = np.inf
    with pytest.raises(ValueError, match="infinity"):
        clf.fit(wrong, Y)


def test_series_of_another_length_are_refused_in_predict(clf):
    clf.fit(X, Y)
    with pytest.raises(ValueError, match=r"samples of shape \(2, 39\), expected \(2, 40\)"):
        clf.predict(X[:, :, 1:])


def test_sktime_is_imported_by_its_adapter_only():
    code = (
        "import sys, skreprogram, numpy as np; from skreprogram.datasets import make_tones;"
        "assert 'sktime' not in sys.modules; import skreprogram.sktime;"
        "assert 'sktime' in sys.modules"
    )
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True)
