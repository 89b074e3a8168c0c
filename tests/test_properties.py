"""What holds for all shapes, number formats, kinds of labels and names of strategies."""

import pickle

import numpy as np
from every_mapping import WITHOUT_ARGUMENTS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from toys import sound_source, table_source

from skreprogram import ReprogrammingClassifier, TimeSeriesReprogrammer
from skreprogram.transformations import FrequencyModulation

few = settings(
    deadline=None,
    derandomize=True,
    max_examples=12,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

FORMATS = st.sampled_from(["f2", "f4", "f8", ">f8", "i1", "i8", "u1", "bool"])
LABELS = st.sampled_from(
    [
        lambda codes: codes,
        lambda codes: codes * 10.0 - 3,
        lambda codes: np.array(["x", "yy", "zzz"])[codes],
        lambda codes: np.array(["x", "yy", "zzz"], dtype=object)[codes],
        lambda codes: codes.astype("u1"),
        lambda codes: (codes - 7).tolist(),
    ]
)


@st.composite
def tasks(draw, shapes):
    """Samples of a drawn shape and format, with labels of a drawn kind, every class present."""
    n_classes = draw(st.integers(2, 3))
    n_samples = draw(st.integers(n_classes + 1, 12))
    rng = np.random.RandomState(draw(st.integers(0, 1000)))
    X = (3 * rng.normal(size=(n_samples, *draw(shapes)))).astype(draw(FORMATS))
    codes = rng.permutation(np.arange(n_samples) % n_classes)
    order = draw(st.sampled_from(["C", "F"]))
    return np.asarray(X, order=order), draw(LABELS)(codes)


TABLES = tasks(st.tuples(st.integers(1, 8)))
SERIES = tasks(
    st.one_of(
        st.tuples(st.integers(1, 60)),
        st.tuples(st.integers(1, 3), st.integers(1, 60)),
    )
)
TRANSFORMATIONS = st.sampled_from(
    ["tiling", "stretching", FrequencyModulation(low=20, high=180, samples_per_point=5)]
)


def check_a_fitted(clf, X, y):
    """What holds for every estimator that was fitted."""
    kept = X.copy()
    proba = clf.fit(X, y).predict_proba(X)
    assert_array_equal(X, kept)
    assert_array_equal(clf.classes_, np.unique(y))
    assert proba.shape == (len(X), len(clf.classes_))
    assert (proba >= 0).all()
    assert_allclose(proba.sum(1), 1)
    assert_array_equal(clf.predict(X), clf.classes_[proba.argmax(1)])
    assert_allclose(clf.predict_proba(X[:1]), proba[:1], atol=1e-4)
    assert_array_equal(pickle.loads(pickle.dumps(clf)).predict_proba(X), proba)


@few
@given(TABLES, st.sampled_from(WITHOUT_ARGUMENTS))
def test_any_table_and_any_mapping(task, mapping):
    clf = ReprogrammingClassifier(table_source(), output_mapping=mapping, max_epochs=2)
    check_a_fitted(clf, *task)


@few
@given(SERIES, TRANSFORMATIONS, st.sampled_from(WITHOUT_ARGUMENTS))
def test_any_series_any_placement_and_any_mapping(task, transformation, mapping):
    strategies = {"input_transformation": transformation, "output_mapping": mapping}
    check_a_fitted(TimeSeriesReprogrammer(sound_source(), **strategies, max_epochs=2), *task)


@few
@given(TABLES, st.integers(0, 2**31 - 1))
def test_the_order_of_columns_in_memory_and_the_seed_decide_alone(task, seed):
    X, y = task
    clf = ReprogrammingClassifier(table_source(), max_epochs=2, random_state=seed)
    first = clf.fit(X, y).predict_proba(X)
    assert_array_equal(clf.fit(np.ascontiguousarray(X), y).predict_proba(X), first)


@few
@given(TABLES, st.floats(0.01, 1000))
def test_only_the_proportions_of_weights_count(task, factor):
    X, y = task
    weight = 1.0 + np.arange(len(X)) % 3
    clf = ReprogrammingClassifier(
        table_source(), max_epochs=2, random_state=0, optimizer="sgd", dtype="float64"
    )
    shares = clf.fit(X, y, sample_weight=weight).predict_proba(X)
    again = clf.fit(X, y, sample_weight=factor * weight).predict_proba(X)
    assert_allclose(again, shares, atol=1e-6)
