"""Texts in every container, and what is refused with a sentence."""

import numpy as np
import pandas as pd
import pytest
from letter_texts import PATCHES, X_TEST, X, Y, reprogrammer
from numpy.testing import assert_array_equal
from scipy.sparse import eye
from sklearn.base import clone
from toys import image_source, table_source

from skreprogram import ReprogrammingClassifier


@pytest.fixture(scope="module")
def fitted():
    """A fitted estimator, which no test may change."""
    return reprogrammer().fit(X, Y)


CONTAINERS = {
    "a tuple": tuple,
    "an array of texts": np.array,
    "an array of objects": lambda X: np.array(X, dtype=object),
    "a series": lambda X: pd.Series(X, index=range(5, 5 + len(X))),
    "a series of strings": lambda X: pd.Series(X, dtype="string"),
    "lists of tokens": lambda X: [list(text) for text in X],
    "arrays of tokens": lambda X: [np.array(list(text)) for text in X],
    "a series of lists": lambda X: pd.Series([list(text) for text in X]),
}


@pytest.mark.parametrize("kind", CONTAINERS)
def test_texts_may_come_in_any_container(fitted, kind):
    given = CONTAINERS[kind]
    again = clone(fitted).fit(given(X), Y)
    assert_array_equal(again.predict_proba(given(X_TEST)), fitted.predict_proba(X_TEST))


@pytest.mark.parametrize("array", [np.array, lambda rows: np.array(rows, dtype=object)])
def test_rows_of_an_array_are_lists_of_tokens(array):
    rows = [[3, 5, 5, 3], [5, 3, 3, 4], [4, 4, 5, 4], [4, 5, 4, 4]]
    clf = reprogrammer(max_epochs=2).fit(array(rows), [0, 0, 1, 1])
    assert clf.vocabulary_ == {4: 2, 5: 3, 3: 4}
    assert_array_equal(clf.predict_proba(array(rows)), clf.predict_proba(rows))


BAD_X = {
    "a single text": ("ABC", ValueError, "Got X as a single text"),
    "a table": (pd.DataFrame({"text": X}), ValueError, r"columns \['text'\].*X\['text'\]"),
    "a column": (np.array(X)[:, None], ValueError, r"Got X of shape \(36, 1\).*Pass X\[:, 0\]"),
    "numbers": (np.ones((36, 4)), ValueError, r"shape \(36, 4\) and type float64"),
    "an axis of numbers": (np.ones(36), TypeError, "of type float64 in row 0 of X"),
    "images": (np.zeros((36, 2, 2), dtype=int), ValueError, r"shape \(36, 2, 2\)"),
    "a sparse matrix": (eye(36).tocsr(), TypeError, "Got X of type csr_matrix"),
    "a dict": ({"a": "b"}, TypeError, "Got X of type dict"),
    "nothing": (None, TypeError, "Got X of type NoneType"),
    "no texts": ([], ValueError, r"Got X with 0 sample\(s\)"),
    "None": ([*X[:-1], None], ValueError, "missing value, None, in row 35"),
    "NaN": ([*X[:-1], np.nan], ValueError, "missing value, nan, in row 35"),
    "NA": (pd.Series([*X[:-1], pd.NA]), ValueError, "missing value, .*, in row 35"),
    "bytes": ([*X[:-1], b"AB"], TypeError, r"Got bytes in row 35.*\.decode"),
    "a number among texts": ([*X[:-1], 3], TypeError, "Got 3 of type int in row 35"),
    "a float token": ([*X[:-1], ["A", 0.5]], TypeError, "Got the token 0.5 of type float in row"),
    "only empty texts": ([""] * 36, ValueError, "Got 36 training samples without a token"),
    "a row too few": (X[:-1], ValueError, "Got 35 samples in X and 36 labels in y"),
}


@pytest.mark.parametrize("kind", BAD_X)
def test_bad_texts_get_a_sentence(kind):
    given, error, sentence = BAD_X[kind]
    with pytest.raises(error, match=sentence) as caught:
        reprogrammer().fit(given, Y)
    assert type(caught.value) is error


@pytest.mark.parametrize("kind", ["a single text", "numbers", "None", "no texts"])
def test_bad_texts_get_a_sentence_at_prediction(fitted, kind):
    given, error, sentence = BAD_X[kind]
    with pytest.raises(error, match=sentence):
        fitted.predict(given)


@pytest.mark.parametrize(
    ("params", "error", "sentence"),
    [
        ({"max_length": 0}, ValueError, "Got max_length=0, expected None or a positive whole"),
        ({"tokenizer": "letters"}, ValueError, "Got the tokenizer 'letters'"),
        (
            {"input_transformation": "padding"},
            ValueError,
            "'padding' with tokenizer='auto', expected 'embedding'",
        ),
        ({"source": table_source()}, ValueError, "expected one that takes images"),
        ({"lr": -1}, ValueError, "Got lr=-1"),
    ],
)
def test_bad_parameters_get_a_sentence(params, error, sentence):
    with pytest.raises(error, match=sentence):
        reprogrammer(**params).fit(X, Y)


def test_tables_are_sent_to_the_door_of_texts():
    clf = ReprogrammingClassifier(image_source(), input_transformation=PATCHES)
    with pytest.raises(ValueError, match="Use SequenceReprogrammer"):
        clf.fit(np.zeros((4, 3)), [0, 1, 0, 1])
