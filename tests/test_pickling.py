"""A fitted estimator is kilobytes, and predicts the same wherever it is restored."""

import copy
import pickle

import cloudpickle
import joblib
import pytest
import skops.io
from numpy.testing import assert_array_equal
from torch import nn
from toys import blobs, sound_source, table_source

from skreprogram import ReprogrammingClassifier, TimeSeriesReprogrammer
from skreprogram.sources import SourceModel
from skreprogram.transformations import FrequencyModulation

X, Y = blobs(n_features=8)


def from_joblib(clf, folder):
    joblib.dump(clf, folder / "clf.joblib")
    return joblib.load(folder / "clf.joblib")


def from_skops(clf, folder):
    skops.io.dump(clf, folder / "clf.skops")
    unknown = skops.io.get_untrusted_types(file=folder / "clf.skops")
    return skops.io.load(folder / "clf.skops", trusted=unknown)


RESTORED = {
    "pickle": lambda clf, folder: pickle.loads(pickle.dumps(clf)),
    "cloudpickle": lambda clf, folder: cloudpickle.loads(cloudpickle.dumps(clf)),
    "deepcopy": lambda clf, folder: copy.deepcopy(clf),
    "joblib": from_joblib,
    "skops": from_skops,
}


def trained_classifier():
    return ReprogrammingClassifier(table_source(), max_epochs=3, random_state=0)


def solved_classifier():
    modulation = FrequencyModulation(low=20, high=180)
    return TimeSeriesReprogrammer(sound_source(), input_transformation=modulation)


def default_time_series_classifier():
    return TimeSeriesReprogrammer()


@pytest.mark.parametrize("way", RESTORED)
@pytest.mark.parametrize("make", [trained_classifier, solved_classifier])
def test_a_restored_estimator_predicts_bit_by_bit_the_same(way, make, tmp_path):
    clf = make().fit(X, Y)
    restored = RESTORED[way](clf, tmp_path)
    assert_array_equal(restored.predict_proba(X), clf.predict_proba(X))
    assert restored.history_ == clf.history_


def test_the_default_for_time_series_goes_through_skops(tmp_path):
    clf = default_time_series_classifier().fit(X[:6], Y[:6])
    assert_array_equal(from_skops(clf, tmp_path).predict_proba(X[:6]), clf.predict_proba(X[:6]))


def test_the_pickle_of_an_estimator_leaves_the_weights_of_the_source_behind():
    large = nn.Sequential(nn.Linear(8, 1_000_000), nn.Linear(1_000_000, 4))
    assert sum(parameter.nbytes for parameter in large.parameters()) > 50e6
    clf = ReprogrammingClassifier(SourceModel.from_module(large, (8,)), max_epochs=1).fit(X, Y)
    assert len(pickle.dumps(clf)) < 20_000


def test_a_restored_estimator_can_be_trained_further():
    clf = trained_classifier().set_params(warm_start=True).fit(X, Y)
    restored = pickle.loads(pickle.dumps(clf))
    assert_array_equal(restored.fit(X, Y).predict_proba(X), clf.fit(X, Y).predict_proba(X))
