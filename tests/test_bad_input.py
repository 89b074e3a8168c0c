"""Bad input gets a sentence that says what was got and what to do; the source stays as it was."""

import re

import numpy as np
import pandas as pd
import pytest
import torch
from toys import ConstantNetwork, blobs, image_source, sound_source, table_network, table_source

from skreprogram import ReprogrammingClassifier, TimeSeriesReprogrammer
from skreprogram.sources import SourceModel

X, Y = blobs()
NAMES = np.array(["ash", "beech", "cedar"])


def with_one(value):
    """The table with one cell changed."""
    changed = X.copy()
    changed[3, 2] = value
    return changed


def on_tables(**params):
    return ReprogrammingClassifier(table_source(), max_epochs=1, **params)


def on_series():
    return TimeSeriesReprogrammer(sound_source(), input_transformation="tiling", max_epochs=1)


def on_images():
    return ReprogrammingClassifier(image_source(), max_epochs=1)


def refused(error, sentence, act):
    """Whether an act raises this very error, no subclass, with this sentence."""
    with pytest.raises(error, match=sentence) as caught:
        act()
    assert type(caught.value) is error


BAD_X = {
    "NaN": (with_one(np.nan), "contains NaN"),
    "infinity": (with_one(np.inf), "contains infinity"),
    "no rows": (X[:0], r"0 sample\(s\)"),
    "no columns": (X[:, :0], r"0 feature\(s\)"),
    "one axis": (X[:, 0], "Expected 2D array, got 1D array"),
    "a single number": (3.0, "Expected 2D array, got scalar array"),
    "text": (np.array([["a", "b"]] * 30), "Got X with text, expected numbers"),
    "a list of texts": (["a series"] * 30, "Got X with text, expected numbers"),
    "lists of texts": ([["a", "b"]] * 30, "Got X with text, expected numbers"),
    "objects that are text": (
        np.array([["a"]] * 30, dtype=object),
        "Got X with text, expected num",
    ),
    "a table of texts": (pd.DataFrame({"a": ["x"] * 30}), "Got X with text, expected numbers"),
    "rows of other lengths": ([[1.0, 2.0], []] * 15, "rows of different lengths|nothing but NaN"),
    "complex numbers": (X + 1j, "Complex data not supported"),
    "None": (None, "Got X=None|Expected 2D array"),
}


@pytest.mark.parametrize("make", [on_tables, on_series])
@pytest.mark.parametrize("case", BAD_X)
def test_bad_samples_are_refused_in_fit(make, case):
    bad, sentence = BAD_X[case]
    refused(ValueError, sentence, lambda: make().fit(bad, Y[:30]))


@pytest.mark.parametrize("make", [on_tables, on_series])
@pytest.mark.parametrize("case", BAD_X)
def test_bad_samples_are_refused_in_predict(make, case):
    clf = make().fit(X, Y)
    bad, sentence = BAD_X[case]
    other_width = "features, but|samples of shape"
    refused(ValueError, f"{sentence}|{other_width}", lambda: clf.predict(bad))


def test_a_tensor_with_a_graph_is_refused():
    tensor = torch.tensor(X, requires_grad=True)
    refused(TypeError, r"Pass X.detach\(\)", lambda: on_tables().fit(tensor, Y))


@pytest.mark.parametrize(
    ("make", "shape"),
    [(on_series, (9, 2, 3, 4)), (on_tables, (9, 2, 3)), (on_images, (9, 1, 2, 2, 2))],
)
def test_samples_with_another_number_of_axes_are_refused(make, shape):
    samples = np.random.RandomState(0).normal(size=shape)
    refused(ValueError, "Got (X of|samples of) shape", lambda: make().fit(samples, Y[:9]))


@pytest.mark.parametrize(
    ("make", "shape", "other"),
    [
        (on_tables, (9, 5), (9, 4)),
        (on_series, (9, 30), (9, 31)),
        (on_series, (9, 2, 30), (9, 2, 29)),
        (on_series, (9, 2, 30), (9, 3, 30)),
        (on_series, (9, 2, 30), (9, 60)),
        (on_images, (9, 1, 5, 5), (9, 1, 5, 6)),
        (on_images, (9, 1, 5, 5), (9, 25)),
    ],
)
def test_samples_of_another_shape_are_refused_in_predict(make, shape, other):
    rng = np.random.RandomState(0)
    clf = make().fit(rng.normal(size=shape), Y[:9])
    samples = rng.normal(size=other)
    refused(ValueError, "features, but|samples of shape", lambda: clf.predict(samples))


@pytest.mark.parametrize(
    "samples", [np.ones((9, 9)), np.ones((9, 2, 4, 4))], ids=["a long table", "two channels"]
)
def test_samples_that_the_source_cannot_take_are_refused(samples):
    clf = on_tables() if samples.ndim == 2 else on_images()
    refused(ValueError, "Got samples of shape .*expected", lambda: clf.fit(samples, Y[:9]))


BAD_Y = {
    "one class": (np.zeros(30), "Got y with 1 class"),
    "fewer labels": (Y[:-1], "Got 30 samples in X and 29 labels"),
    "no labels": (None, "y cannot be None|requires y"),
    "NaN": (np.where(Y == 0, np.nan, Y), "NaN"),
    "None among the labels": (np.array([None, *NAMES[Y[1:]]]), "missing labels"),
    "numbers that are no classes": (X[:, 0], "Unknown label type: continuous"),
    "several columns": (X.astype(int), "y should be a 1d array|Unknown label type"),
    "text and numbers": (np.array(["ash", 1] * 15, dtype=object), "Got labels of different types"),
}


@pytest.mark.parametrize("case", BAD_Y)
def test_bad_labels_are_refused(case):
    bad, sentence = BAD_Y[case]
    refused(ValueError, sentence, lambda: on_tables().fit(X, bad))


def test_one_sample_is_refused():
    refused(ValueError, "Got 1 sample, expected at least two", lambda: on_tables().fit(X[:1], [0]))


BAD_WEIGHTS = {
    "negative": -np.ones(30),
    "all zero": np.zeros(30),
    "NaN": np.full(30, np.nan),
    "too few": np.ones(29),
    "zero but for one class": (Y == 1).astype(float),
}


@pytest.mark.parametrize("case", BAD_WEIGHTS)
def test_bad_weights_are_refused(case):
    sentence = "[Ww]eight|1 class"
    refused(ValueError, sentence, lambda: on_tables().fit(X, Y, sample_weight=BAD_WEIGHTS[case]))


BAD_PARAMETERS = {
    "max_epochs": (0, 2.5, "many", None, True, float("nan")),
    "batch_size": (0, -4, 1.5),
    "n_iter_no_change": (0, "x"),
    "lr": (0, -1.0, "high", np.inf, np.nan, [0.1]),
    "weight_decay": (-1, None),
    "validation_fraction": (0, 1, 1.5, "half"),
    "dtype": ("float16", float, None),
    "optimizer": ("adamant", 3, torch.nn.Linear),
    "lr_scheduler": ("cosines", 0.5),
    "class_weight": ("even", {7: 1.0}, 3),
    "device": ("gpu", "cuda:99", 3.5, "meta"),
    "input_transformation": ("paddings", "", "Padding"),
    "output_mapping": ("frequencies", "none"),
    "source": ("speech", ""),
}


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name, values in BAD_PARAMETERS.items() for value in values],
)
def test_a_bad_parameter_is_named_before_anything_is_trained(name, value):
    clf = on_tables().set_params(**{name: value})
    sentence = f"Got .*{re.escape(repr(value))}|class_weight"
    refused(ValueError, sentence, lambda: clf.fit(X, Y))


@pytest.mark.parametrize("callbacks", [3, [print], "early", [object]])
def test_callbacks_of_another_kind_are_refused(callbacks):
    clf = on_tables(callbacks=callbacks)
    refused(TypeError, "Got callbacks=.*expected a list", lambda: clf.fit(X, Y))


@pytest.mark.parametrize("name", ["source", "input_transformation", "output_mapping"])
@pytest.mark.parametrize("value", [3, None, [3], np.ones(3)])
def test_a_strategy_of_another_type_is_refused(name, value):
    clf = on_tables().set_params(**{name: value})
    refused(TypeError, "(?s)Got .*expected", lambda: clf.fit(X, Y))


@pytest.mark.parametrize(
    ("name", "wrong", "known"),
    [
        ("input_transformation", "paddings", ["padding", "tiling", "identity"]),
        ("output_mapping", "frequencies", ["frequency", "linear", "features"]),
        ("source", "speach-commands", ["speech-commands"]),
    ],
)
def test_an_unknown_name_gets_the_known_ones_listed(name, wrong, known):
    with pytest.raises(ValueError, match=wrong) as caught:
        on_tables().set_params(**{name: wrong}).fit(X, Y)
    assert all(f"'{word}'" in str(caught.value) for word in known)


WRONG_ANSWERS = {
    "a number a row": (torch.ones(()), "Got outputs of shape"),
    "a map a row": (torch.ones(3, 4), "Got outputs of shape"),
    "NaN": (torch.full((4,), torch.nan), "Got NaN or infinite numbers from the source"),
    "infinity": (torch.full((4,), torch.inf), "Got NaN or infinite numbers from the source"),
}


@pytest.mark.parametrize("answer", WRONG_ANSWERS)
@pytest.mark.parametrize("mapping", ["linear", "frequency", "first"])
def test_a_source_with_wrong_answers_is_refused(answer, mapping):
    value, sentence = WRONG_ANSWERS[answer]
    clf = ReprogrammingClassifier(ConstantNetwork(value), output_mapping=mapping, max_epochs=1)
    refused(ValueError, sentence, lambda: clf.fit(X, Y))


def test_a_source_that_cannot_take_its_declared_shape_is_refused():
    sentence = "Got an error from the source .*check the declared input_shape"
    refused(ValueError, sentence, lambda: SourceModel.from_module(table_network(), (9,)))


def test_more_classes_than_source_labels_are_refused_by_a_label_mapping():
    clf = on_tables(output_mapping="first")
    sentence = "Got 7 target classes .*output_mapping='linear'"
    refused(ValueError, sentence, lambda: clf.fit(X, np.arange(30) % 7))


def test_the_source_is_untouched_by_refusals():
    clf = on_tables()
    network = clf.source.load()
    before = network.state_digest()
    for bad, _ in BAD_X.values():
        with pytest.raises(ValueError, match=r"."):
            clf.fit(bad, Y)
    assert network.state_digest() == before
    assert clf.fit(X, Y).predict(X).shape == (30,)


@pytest.mark.parametrize("method", ["predict", "predict_proba", "predict_log_proba"])
def test_predicting_before_fit_says_to_fit(method):
    with pytest.raises(ValueError, match="not fitted yet. Call 'fit'"):
        getattr(on_tables(), method)(X)
