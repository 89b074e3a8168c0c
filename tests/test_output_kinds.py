"""What a black box answers: every declared kind becomes scores, everything else a sentence."""

import pickle

import numpy as np
import pytest
import torch

from skreprogram.sources import QueryError
from skreprogram.sources._output_kinds import DeclaredOutputs

NAMES = ("cat", "dog", "cow", "owl")


def declared(kind, names=NAMES):
    return DeclaredOutputs("zoo", kind, 4, names)


def probabilities(kind, answer):
    return np.exp(declared(kind).scores(answer, len(answer), np.dtype("float64")))


def test_logits_stay_as_they_are():
    answer = np.float32([[3, -2, 0, 100]])
    assert np.array_equal(declared("logits").scores(answer, 1, np.float32), answer)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_probabilities_become_finite_logarithms(dtype):
    scores = declared("probabilities").scores([[0.5, 0.5, 0, 0]], 1, np.dtype(dtype))
    assert scores.dtype == dtype
    assert np.allclose(scores[0, :2], np.log(0.5))
    assert np.isfinite(scores).all() and (scores[0, 2:] < -80).all()


def test_rows_of_probabilities_need_not_sum_to_one():
    answer = [[0.9, 0.8, 0.1, 0.0]]
    assert np.allclose(probabilities("probabilities", answer), answer, atol=1e-12)


@pytest.mark.parametrize("label", [1, "dog", np.int64(1), np.str_("dog")])
def test_a_label_counts_nine_tenths(label):
    expected = [0.1 / 3, 0.9, 0.1 / 3, 0.1 / 3]
    assert np.allclose(probabilities("labels", [label]), [expected])


@pytest.mark.parametrize("labels", [np.array([3, 0]), np.array(["owl", "cat"]), ("owl", 0)])
def test_labels_come_as_arrays_or_lists(labels):
    assert probabilities("labels", labels).argmax(1).tolist() == [3, 0]


@pytest.mark.parametrize(
    "answer", [{"cow": 0.7, "cat": 0.1}, [("cow", 0.7), ("cat", 0.1)], [(2, 0.7), (0, 0.1)]]
)
def test_what_the_top_labels_leave_is_spread_over_the_others(answer):
    assert np.allclose(probabilities("top-k", [answer]), [[0.1, 0.1, 0.7, 0.1]])


def test_a_label_that_is_not_named_keeps_a_millionth():
    found = probabilities("top-k", [{"cow": 1.0}, {"cow": 0.6, "cat": 0.4, "dog": 0, "owl": 0}])
    assert np.allclose(found, [[1e-6, 1e-6, 1, 1e-6], [0.4, 1e-6, 0.6, 1e-6]])


def test_a_row_without_a_label_says_nothing():
    assert np.allclose(probabilities("top-k", [{}]), 0.25)


WRONG = {
    "a shape": ("logits", np.zeros((2, 3)), r"shape \(2, 3\).*expected shape \(2, 4\)"),
    "too few rows": ("probabilities", [[0.25] * 4], r"shape \(1, 4\).*expected shape \(2, 4\)"),
    "NaN": ("logits", np.full((2, 4), np.nan), "NaN or infinite numbers.*expected finite"),
    "logits as probabilities": ("probabilities", np.full((2, 4), 3.0), "output_kind='logits'"),
    "words": ("logits", [["a"] * 4] * 2, "a list.*expected an array of numbers"),
    "ragged rows": ("logits", [[1.0], [1.0, 2.0]], "expected an array of numbers"),
    "a graph": ("logits", torch.zeros(2, 4, requires_grad=True), "a Tensor.*array of numbers"),
    "nothing": ("logits", None, "a NoneType.*expected an array of numbers"),
    "an unknown name": ("labels", ["cat", "pig"], "label 'pig'.*4 output_names"),
    "a number too high": ("labels", [0, 4], "label 4.*from 0 to 3"),
    "a label a row": ("labels", ["cat"], "1 answers.*a list of 2"),
    "one label": ("labels", "cat", "'cat'.*a list of 2"),
    "a share too many": ("top-k", [{"cat": 0.8, "dog": 0.4}, {}], "sum to at most 1"),
    "a negative share": ("top-k", [{"cat": -0.5}, {}], "sum to at most 1"),
    "a share of NaN": ("top-k", [{"cat": np.nan}, {}], "sum to at most 1"),
    "a name twice": ("top-k", [[("cat", 0.1), ("cat", 0.2)], {}], "a label twice"),
    "a name and its number": ("top-k", [{"cat": 0.1, 0: 0.2}, {}], "a label twice"),
    "no pairs": ("top-k", ["cat", "dog"], "pairs"),
}


@pytest.mark.parametrize(("kind", "answer", "words"), WRONG.values(), ids=WRONG)
def test_an_answer_of_another_kind_is_refused(kind, answer, words):
    with pytest.raises(QueryError, match=words) as failure:
        declared(kind).scores(answer, 2, np.dtype("float32"))
    assert "from the black box 'zoo'" in str(failure.value)


def test_a_name_needs_declared_names():
    with pytest.raises(QueryError, match="none of which was declared"):
        declared("labels", names=None).scores(["cat"], 1, np.dtype("float32"))


def test_the_error_carries_its_count_to_another_process():
    again = pickle.loads(pickle.dumps(QueryError("Got nothing.", n_asked=7)))
    assert (str(again), again.n_asked) == ("Got nothing.", 7)
