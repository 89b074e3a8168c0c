"""Source labels by the meaning of names."""

import pickle
import re

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from toys import blobs, table_source

import skreprogram
from skreprogram import ReprogrammingClassifier
from skreprogram.mappings import SemanticMapping

RNG = np.random.RandomState(0)
SOURCE, CLASSES = RNG.normal(size=(6, 4)), RNG.normal(size=(3, 4))
X, Y = blobs(n_features=8)


def estimate(mapping, shape=(6, 3)):
    """Matrix as numpy."""
    return mapping.estimate(torch.zeros(shape), torch.Generator()).numpy()


def classifier(mapping):
    return ReprogrammingClassifier(table_source(), output_mapping=mapping, max_epochs=2)


def test_classes_named_as_source_labels_get_these():
    order = [4, 0, 2]
    for lengths in (np.ones((3, 1)), [[0.1], [7], [300]]):
        matrix = estimate(SemanticMapping(SOURCE, SOURCE[order] * lengths))
        assert matrix.argmax(0).tolist() == order and (matrix.sum(0) == 1).all()


def test_the_order_of_the_classes_does_not_matter():
    order = [2, 0, 1]
    near = np.ones((3, 4)) + 0.1 * CLASSES  # all classes want the same source label
    straight = estimate(SemanticMapping(SOURCE, near, n_source_labels=2))
    shuffled = estimate(SemanticMapping(SOURCE, near[order], n_source_labels=2))
    assert np.array_equal(shuffled, straight[:, order])
    assert ((straight > 0).sum(0) == 2).all() and ((straight > 0).sum(1) <= 1).all()


@pytest.mark.parametrize("again", [clone, lambda mapping: pickle.loads(pickle.dumps(mapping))])
def test_copies_map_alike(again):
    mapping = SemanticMapping(SOURCE, CLASSES)
    copy = again(mapping)
    assert isinstance(copy.source_embeddings, np.ndarray)
    assert np.array_equal(estimate(copy), estimate(mapping))


def test_an_estimator_fits_clones_searches_and_saves_with_it(tmp_path):
    clf = classifier(SemanticMapping(SOURCE, CLASSES.tolist()))
    grid = {"output_mapping__n_source_labels": [1, 2], "output_mapping": [clf.output_mapping]}
    best = GridSearchCV(clf, grid, cv=2, error_score="raise").fit(X, Y).best_estimator_
    proba = best.predict_proba(X)
    best.save(tmp_path / "program")
    loaded = skreprogram.load(tmp_path / "program", source=table_source())
    assert np.array_equal(loaded.predict_proba(X), proba)
    assert np.array_equal(loaded.fit(X, Y).mapping_.class_embeddings, CLASSES)


def test_the_short_name_alone_says_what_is_missing():
    with pytest.raises(ValueError, match=r"Got no source_embeddings.*6 source outputs.*Pass"):
        classifier("semantic").fit(X, Y)
    clf = classifier(SemanticMapping(SOURCE))
    with pytest.raises(ValueError, match=r"Got no class_embeddings.*3 target classes.*Pass"):
        clf.fit(X, Y)


@pytest.mark.parametrize(
    ("source", "classes", "sentence"),
    [
        (SOURCE[:5], CLASSES, "Got source_embeddings of shape (5, 4)"),
        (SOURCE, CLASSES[:2], "Got class_embeddings of shape (2, 4)"),
        (SOURCE, CLASSES[0], "Got class_embeddings of shape (4,)"),
        (SOURCE, CLASSES[:, :3], "of 4 and class_embeddings of 3 dimensions"),
        (SOURCE * 0, CLASSES, "Got source_embeddings with a row of zeros"),
        (SOURCE, CLASSES * np.nan, "Got class_embeddings with a row of zeros"),
    ],
)
def test_embeddings_that_do_not_fit_are_refused(source, classes, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        classifier(SemanticMapping(source, classes)).fit(X, Y)
