"""Fitted scikit-learn estimators as black boxes, and what stands for a source."""

import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_digits, load_iris
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression, Perceptron, RidgeClassifier
from sklearn.neighbors import NearestCentroid
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skreprogram.sources import BlackBoxSource, as_source

X, Y = load_iris(return_X_y=True)
X = StandardScaler().fit_transform(X)


def probabilities(source, rows):
    return source.load("cpu", torch.float64).outputs(torch.tensor(rows)).softmax(1).numpy()


@pytest.fixture
def fitted():
    return make_pipeline(StandardScaler(), LogisticRegression()).fit(X, Y)


def test_a_pipeline_answers_as_it_predicts(fitted):
    source = BlackBoxSource.from_estimator(fitted)
    assert (source.input_shape, source.n_outputs, source.output_names) == ((4,), 3, ("0", "1", "2"))
    np.testing.assert_allclose(probabilities(source, X), fitted.predict_proba(X))


def test_a_later_fit_of_the_estimator_changes_nothing(fitted):
    source = BlackBoxSource.from_estimator(fitted)
    before = probabilities(source, X)
    fitted.fit(X, np.roll(Y, 50))
    assert np.array_equal(probabilities(source, X), before)


def test_scores_of_two_classes_become_the_sigmoid():
    y = (Y == 0).astype(int)
    model = Perceptron(random_state=0).fit(X, y)
    source = BlackBoxSource.from_estimator(model)
    assert source.output_kind == "logits"
    expected = 1 / (1 + np.exp(-model.decision_function(X)))
    np.testing.assert_allclose(probabilities(source, X)[:, 1], expected, atol=1e-12)


def test_scores_of_several_classes_are_logits():
    model = RidgeClassifier().fit(X, Y)
    outputs = (
        BlackBoxSource.from_estimator(model).load("cpu", torch.float64).outputs(torch.tensor(X))
    )
    np.testing.assert_allclose(outputs, model.decision_function(X))


def test_an_estimator_without_scores_answers_labels():
    class Nearest(NearestCentroid):
        decision_function = predict_proba = property()

    model = Nearest().fit(X, np.array(["setosa", "versicolor", "virginica"])[Y])
    source = BlackBoxSource.from_estimator(model)
    assert source.output_kind == "labels"
    found = probabilities(source, X)
    assert np.array_equal(model.classes_[found.argmax(1)], model.predict(X))
    assert found.max() == pytest.approx(0.9)


def test_an_estimator_that_was_fitted_to_a_data_frame_gets_its_columns(recwarn):
    frame = pd.DataFrame(X, columns=["a", "b", "c", "d"])
    steps = make_column_transformer((StandardScaler(), ["d", "a"]))
    model = make_pipeline(steps, LogisticRegression()).fit(frame, Y)
    found = probabilities(BlackBoxSource.from_estimator(model), X)
    np.testing.assert_allclose(found, model.predict_proba(frame))
    assert not recwarn.list


def test_images_are_flat_for_the_estimator():
    digits = load_digits()
    model = LogisticRegression(max_iter=300).fit(digits.data, digits.target)
    source = BlackBoxSource.from_estimator(model, input_shape=(1, 8, 8), value_range=(0, 16))
    found = probabilities(source, digits.data[:20].reshape(-1, 1, 8, 8))
    np.testing.assert_allclose(found, model.predict_proba(digits.data[:20]), atol=1e-12)


@pytest.mark.parametrize(
    "model",
    [
        LogisticRegression(),
        RandomForestClassifier(n_estimators=5, random_state=0),
        HistGradientBoostingClassifier(max_iter=5, random_state=0),
    ],
    ids=lambda model: type(model).__name__,
)
def test_equal_fits_have_one_digest_and_others_another(model):
    fits = [clone(model).fit(rows, Y) for rows in (X, X, X[:, ::-1])]
    first, second, other = map(BlackBoxSource.from_estimator, fits)
    again = BlackBoxSource.from_estimator(pickle.loads(pickle.dumps(fits[0])))
    assert first.digest == second.digest == again.digest != other.digest


def test_another_process_makes_the_same_digest(fitted):
    script = (
        "import pickle, sys\n"
        "from skreprogram.sources import BlackBoxSource\n"
        "fitted = pickle.load(sys.stdin.buffer)\n"
        "print(BlackBoxSource.from_estimator(fitted).digest)"
    )
    command = [sys.executable, "-c", script]
    said = subprocess.run(command, input=pickle.dumps(fitted), capture_output=True, check=True)
    assert said.stdout.decode().strip() == BlackBoxSource.from_estimator(fitted).digest


def test_an_estimator_that_cannot_be_pickled_answers_too():
    steps = (FunctionTransformer(lambda rows: rows[:, :2]), LogisticRegression())
    model = make_pipeline(*steps).fit(X, Y)
    source = BlackBoxSource.from_estimator(model, input_shape=(4,))
    np.testing.assert_allclose(probabilities(source, X), model.predict_proba(X))


@pytest.mark.parametrize(
    ("estimator", "words"),
    [
        (LogisticRegression(), "expected a fitted classifier.*Fit it first"),
        (FrozenEstimator(LogisticRegression()), "LogisticRegression, expected a fitted"),
        (LinearRegression().fit(X, Y), "LinearRegression without classes_.*function instead"),
        (LogisticRegression, "expected a fitted classifier"),
    ],
    ids=["unfitted", "frozen and unfitted", "regressor", "class"],
)
def test_what_cannot_answer_is_refused(estimator, words):
    with pytest.raises(ValueError, match=words):
        BlackBoxSource.from_estimator(estimator)


def test_a_frozen_estimator_stands_for_its_black_box(fitted):
    assert as_source(FrozenEstimator(fitted), (4,)) == BlackBoxSource.from_estimator(fitted)


def test_a_black_box_stands_for_itself(fitted):
    source = BlackBoxSource.from_estimator(fitted)
    assert as_source(source, (7,)) is source


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        (LogisticRegression().fit(X, Y), r"Write BlackBoxSource\.from_estimator"),
        (np.sum, r"Write BlackBoxSource\(function, input_shape=\.\.\., n_outputs=\.\.\.\)"),
        (3, r"'speech-commands-attrnn'\]\.$"),
    ],
    ids=["estimator", "function", "number"],
)
def test_what_does_not_say_enough_is_answered_with_what_to_write(choice, words):
    with pytest.raises(TypeError, match=words):
        as_source(choice, (4,))


@pytest.mark.parametrize(
    ("predict", "words"),
    [
        (torch.nn.Linear(4, 3), "Pass the module itself as source"),
        (LogisticRegression(), "BlackBoxSource.from_estimator"),
        ("https://example.org", "expected a function of an array"),
    ],
    ids=["module", "estimator", "address"],
)
def test_what_is_no_function_is_refused_as_one(predict, words):
    with pytest.raises(TypeError, match=words):
        BlackBoxSource(predict, (4,), 3)


DIGEST = """
import pickle, sys
from skreprogram.sources import BlackBoxSource
print(BlackBoxSource.from_estimator(pickle.load(open(sys.argv[1], "rb"))).digest)
"""


def test_a_forest_is_known_again_by_another_process(tmp_path):
    # between the fields of a tree's nodes lie bytes that are whatever was in memory
    forest = RandomForestClassifier(20, random_state=0).fit(X, Y)
    (tmp_path / "forest.pickle").write_bytes(pickle.dumps(forest))
    command = [sys.executable, "-c", DIGEST, tmp_path / "forest.pickle"]
    digests = {subprocess.check_output(command, text=True).strip() for _ in range(2)}
    assert digests == {BlackBoxSource.from_estimator(forest).digest}
