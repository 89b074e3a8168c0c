"""The door for sequences around a language model: its own tokens, probes and prompts."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

pytest.importorskip("transformers")
from tiny_texts import text_source

from skreprogram import SequenceReprogrammer, load
from skreprogram.transformations import PromptTransformation, TokenPatchesTransformation

GOOD = ["a good film", "good story", "the plot was good", "very good film", "good"]
BAD = ["a bad film", "bad story", "the plot was bad", "very bad film", "bad"]
X, Y = [*GOOD, *BAD] * 2, np.repeat([["good"] * 5 + ["bad"] * 5], 2, axis=0).ravel()


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return text_source(tmp_path_factory.mktemp("bert"))


def classifier(source, **params):
    return SequenceReprogrammer(source, random_state=0, **params)


def prompted(source, **params):
    prompts = PromptTransformation(n_prompts=2)
    return classifier(source, input_transformation=prompts, max_epochs=3, **params)


def test_auto_reads_the_text_as_it_is_and_solves_a_head(source):
    clf = classifier(source).fit(X, Y)
    assert (type(clf.transformation_).__name__, type(clf.mapping_).__name__) == (
        "EmbeddingTransformation",
        "FeaturesMapping",
    )
    assert clf.n_iter_ == 0
    assert clf.score(X, Y) == 1.0


def test_the_sources_own_tokenizer_keeps_no_vocabulary(source):
    clf = classifier(source).fit(X, Y)
    assert (clf.tokenizer_, clf.vocabulary_) == (None, {})


def test_prompts_train_only_prompts_and_head(source):
    clf = prompted(source, output_mapping="linear").fit(X, Y)
    assert {name: array.shape for name, array in clf.program_.input.items()} == {"prompts": (2, 16)}
    assert clf.program_.output["weight"].shape == (16, 2)


def test_padding_beside_longer_texts_changes_no_probability(source):
    clf = prompted(source).fit(X, Y)
    together = clf.predict_proba(["good", "the plot was bad"])
    np.testing.assert_allclose(clf.predict_proba(["good"]), together[:1], atol=1e-5)


def test_empty_and_unknown_texts_get_probabilities(source):
    proba = classifier(source).fit(X, Y).predict_proba(["", "zebra", "a"])
    assert np.isfinite(proba).all()
    np.testing.assert_allclose(proba.sum(1), 1)


@pytest.mark.parametrize("make", [classifier, prompted])
def test_it_comes_back_from_its_file_and_from_a_pickle(source, make, tmp_path):
    clf = make(source).fit(X, Y)
    clf.save(tmp_path / "program.safetensors")
    expected = clf.predict_proba(X)
    loaded = load(tmp_path / "program.safetensors", source=source)
    np.testing.assert_allclose(loaded.predict_proba(X), expected, atol=1e-6)
    pickled = pickle.loads(pickle.dumps(clf))
    np.testing.assert_allclose(pickled.predict_proba(X), expected, atol=1e-6)


def test_grid_search_in_a_pipeline_goes_over_transformations(source):
    lower = FunctionTransformer(lambda texts: [text.lower() for text in texts])
    pipe = make_pipeline(lower, classifier(source, max_epochs=1))
    grid = {"sequencereprogrammer__input_transformation": ["embedding", "prompts"]}
    search = GridSearchCV(pipe, grid, cv=2, error_score="raise").fit(X, Y)
    assert search.best_score_ > 0.5


def test_warm_start_goes_on_with_the_prompts(source):
    clf = prompted(source, warm_start=True, output_mapping="linear").fit(X, Y)
    last = clf.history_[-1]["train_loss"]
    assert clf.fit(X, Y).history_[-1]["train_loss"] < last + 0.05


def test_clone_keeps_the_handle(source):
    assert clone(classifier(source)).source is source


def test_a_probe_of_random_weights_is_the_control(source):
    control = source.with_random_weights(1)
    assert np.isfinite(classifier(control).fit(X, Y).predict_proba(X)).all()


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({"tokenizer": "char", "input_transformation": "prompts"}, "Leave tokenizer='auto'"),
        (
            {"tokenizer": "source", "input_transformation": TokenPatchesTransformation()},
            "Leave tokenizer='auto'",
        ),
    ],
)
def test_tokens_that_the_transformation_does_not_read_are_refused(source, params, sentence):
    with pytest.raises(ValueError, match=sentence):
        classifier(source, **params).fit(X, Y)


def test_the_own_tokenizer_of_a_source_that_has_none_is_refused():
    clf = SequenceReprogrammer("imagenet-efficientnet-lite0", tokenizer="source")
    with pytest.raises(ValueError, match="which has no tokenizer, expected a language model"):
        clf.fit(X, Y)
