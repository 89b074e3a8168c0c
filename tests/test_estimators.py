"""Labels, weights, warm starts and further samples: what fit and predict do, whatever the data."""

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from toys import blobs, image_source, sound_source, squares, table_source

from skreprogram import ReprogrammingClassifier, TimeSeriesReprogrammer
from skreprogram.datasets import make_echoes

NAMES = np.array(["ash", "beech", "cedar"])


@pytest.fixture
def trained():
    """A classifier that trains by gradient, not fitted."""
    return ReprogrammingClassifier(table_source(), max_epochs=30, lr=0.05, random_state=0)


@pytest.fixture
def solved():
    """A classifier that is solved in closed form, not fitted."""
    return ReprogrammingClassifier(
        table_source(5), input_transformation="identity", output_mapping="features", random_state=0
    )


@pytest.fixture(params=["trained", "solved"])
def either(request):
    """One classifier of each kind."""
    return request.getfixturevalue(request.param)


LABELS = {
    "text": lambda codes: NAMES[codes],
    "objects": lambda codes: NAMES[codes].astype(object),
    "pandas text": lambda codes: pd.Series(NAMES[codes]),
    "pandas string": lambda codes: pd.Series(NAMES[codes], dtype="string"),
    "categories": lambda codes: pd.Series(NAMES[codes], dtype="category"),
    "nullable integers": lambda codes: pd.Series(codes, dtype="Int64"),
    "truth values": lambda codes: codes > 0,
    "negative numbers": lambda codes: codes - 5,
    "whole floats": lambda codes: codes.astype(float),
    "small integers": lambda codes: codes.astype(np.uint8),
    "a list": lambda codes: NAMES[codes].tolist(),
    "a tensor": lambda codes: torch.tensor(codes),
}


@pytest.mark.parametrize("kind", LABELS)
def test_labels_of_any_kind_come_back_as_they_were_given(solved, kind):
    X, codes = blobs()
    y = LABELS[kind](codes)
    predicted = solved.fit(X, y).predict(X)
    assert_array_equal(solved.classes_, np.unique(np.asarray(y)))
    assert predicted.dtype == solved.classes_.dtype
    assert np.mean(predicted == np.asarray(y)) > 0.9


def test_probabilities_sum_to_one_in_the_order_of_the_classes(either):
    X, y = blobs()
    proba = either.fit(X, NAMES[y]).predict_proba(X)
    assert_allclose(proba.sum(1), 1)
    assert_array_equal(either.classes_[proba.argmax(1)], either.predict(X))
    assert_allclose(np.log(proba), either.predict_log_proba(X))


def test_a_label_mapping_never_confuses_absent_source_labels_with_nan():
    clf = ReprogrammingClassifier(table_source(), output_mapping="first", max_epochs=2)
    X, y = blobs()
    assert np.isfinite(clf.fit(X, y).predict_log_proba(X)).all()


def test_images_are_learned():
    X, y = squares()
    clf = ReprogrammingClassifier(image_source(), max_epochs=30, lr=0.05, random_state=0)
    assert clf.fit(X, y).score(X, y) == 1.0


def test_series_of_several_channels_are_learned():
    X, y = make_echoes(n_samples=32, length=40, random_state=0)
    clf = TimeSeriesReprogrammer(random_state=0).fit(X[:16], y[:16])
    assert X.ndim == 3
    assert clf.score(X[16:], y[16:]) > 0.6


def test_a_table_of_series_equals_the_same_series_with_an_axis_for_the_channel():
    X, y = blobs(n_features=40)
    flat = TimeSeriesReprogrammer(sound_source(), input_transformation="stretching", max_epochs=2)
    flat.set_params(random_state=0).fit(X, y)
    shares = flat.predict_proba(X)
    assert_array_equal(flat.fit(X[:, None], y).predict_proba(X[:, None]), shares)


def test_class_weights_by_name_move_the_decision(either):
    X, y = blobs(n_samples=60, n_classes=2)
    X += 8 * np.random.RandomState(1).normal(size=X.shape)
    alike = np.mean(either.fit(X, NAMES[y]).predict(X) == "ash")
    either.set_params(class_weight={"ash": 100, "beech": 1})
    assert np.mean(either.fit(X, NAMES[y]).predict(X) == "ash") > alike


def test_balanced_class_weights_equal_the_same_weights_by_hand(either):
    X, y = blobs()
    X, y = X[:24], np.minimum(y[:24], 1)
    by_hand = np.where(y == 0, 24 / 16, 24 / 32)
    expected = either.fit(X, y, sample_weight=by_hand).predict_proba(X)
    either.set_params(class_weight="balanced")
    assert_allclose(either.fit(X, y).predict_proba(X), expected, rtol=1e-4)


def test_a_row_of_weight_zero_is_as_good_as_absent(either):
    X, y = blobs()
    weight = np.arange(len(y)) % 2
    expected = either.fit(X[1::2], y[1::2]).predict_proba(X)
    assert_allclose(either.fit(X, y, sample_weight=weight).predict_proba(X), expected, rtol=1e-4)


def test_a_warm_start_goes_on_with_the_program(trained):
    X, y = blobs()
    trained.set_params(warm_start=True, max_epochs=5)
    losses = [row["train_loss"] for row in trained.fit(X, y).history_]
    again = [row["train_loss"] for row in trained.fit(X, y).history_]
    assert again[0] < losses[-1] < losses[0]


def test_without_a_warm_start_fit_begins_anew(trained):
    X, y = blobs()
    first = trained.fit(X, y).predict_proba(X)
    assert_array_equal(trained.fit(X, y).predict_proba(X), first)


def test_a_warm_start_with_other_classes_says_so(trained):
    X, y = blobs()
    trained.set_params(warm_start=True, max_epochs=1).fit(X, y)
    with pytest.raises(ValueError, match="warm_start=True"):
        trained.fit(X, NAMES[y])


def test_partial_fit_by_gradient_adds_an_epoch_a_call(trained):
    X, y = blobs()
    for _ in range(3):
        trained.partial_fit(X, y)
    assert trained.n_iter_ == 3
    assert trained.history_[2]["train_loss"] < trained.history_[0]["train_loss"]


def test_partial_fit_in_closed_form_equals_fit_on_everything_seen(solved):
    X, y = blobs()
    expected = clone(solved).fit(X, y).predict_proba(X)
    solved.partial_fit(X[:9], y[:9]).partial_fit(X[9:], y[9:])
    assert_allclose(solved.predict_proba(X), expected, rtol=1e-4)


def test_partial_fit_in_closed_form_warns_that_it_forgets_what_fit_saw(solved):
    X, y = blobs()
    expected = clone(solved).fit(X[:9], y[:9]).predict_proba(X)
    solved.fit(X, y)
    with pytest.warns(UserWarning, match="begins anew") as warned:
        solved.partial_fit(X[:9], y[:9])
    assert warned[0].filename == __file__  # the line that called is shown, not one of ours
    assert_allclose(solved.predict_proba(X), expected, rtol=1e-4)


def test_partial_fit_begins_with_one_class_where_the_others_are_named(either):
    X, y = blobs()
    for _ in range(20):
        either.partial_fit(X[y == 1], y[y == 1], classes=[0, 1, 2])
    assert (either.predict(X[y == 1]) == 1).all()


def test_other_classes_in_a_later_call_of_partial_fit_are_refused(either):
    X, y = blobs()
    either.partial_fit(X, y)
    with pytest.raises(ValueError, match="expected those of the first call"):
        either.partial_fit(X, y, classes=[0, 1, 2, 3])


def test_classes_that_come_later_are_named_in_the_first_call_of_partial_fit(either):
    X, y = blobs()
    first = y < 2
    either.partial_fit(X[first], NAMES[y[first]], classes=NAMES)
    either.partial_fit(X, NAMES[y])
    assert_array_equal(either.classes_, NAMES)
    assert either.predict_proba(X).shape == (len(X), 3)


def test_a_class_that_was_never_named_is_refused_in_partial_fit(either):
    X, y = blobs()
    either.partial_fit(X[y < 2], y[y < 2])
    with pytest.raises(ValueError, match="Got labels \\[2\\].*classes=\\[0, 1\\]"):
        either.partial_fit(X, y)


def test_the_names_of_columns_are_kept(solved):
    X, y = blobs()
    table = pd.DataFrame(X, columns=list("abcde"))
    assert solved.fit(table, y).feature_names_in_.tolist() == list("abcde")


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.int8, np.uint8, bool])
def test_numbers_of_any_kind_are_taken(solved, kind):
    X, y = blobs()
    X = (X > 0).astype(kind)
    assert solved.fit(X, y).predict_proba(X).dtype == np.float64
