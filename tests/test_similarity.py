"""Source labels shared out by similarity."""

import re
from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from toys import blobs, table_source

import skreprogram
from skreprogram import ReprogrammingClassifier
from skreprogram.mappings import SimilarityMapping
from skreprogram.mappings._similarity import share_out

RNG = np.random.RandomState(0)
SOURCE, CLASSES = RNG.normal(size=(7, 4)), RNG.normal(size=(3, 4))
X, Y = blobs(n_features=8)
SIZES = {"n_classes": st.integers(1, 6), "extra": st.integers(0, 14), "seed": st.integers(0, 99)}


def estimate(mapping, counts):
    """Matrix as numpy."""
    return mapping.estimate(torch.as_tensor(counts).double(), torch.Generator()).numpy()


def drawn(n_classes, extra, seed):
    """Embeddings of more source labels than classes, and of the classes."""
    rng = np.random.RandomState(seed)
    return rng.normal(size=(n_classes + extra, 5)), rng.normal(size=(n_classes, 5))


def classifier(mapping):
    return ReprogrammingClassifier(table_source(), output_mapping=mapping, max_epochs=2)


@settings(derandomize=True, max_examples=60, deadline=None)
@given(**SIZES)
def test_every_source_label_goes_to_one_class_and_classes_share_alike(n_classes, extra, seed):
    mapping = SimilarityMapping(*drawn(n_classes, extra, seed))
    matrix = estimate(mapping, np.zeros((n_classes + extra, n_classes)))
    assert ((matrix > 0).sum(1) == 1).all()
    least = (n_classes + extra) // n_classes
    assert set((matrix > 0).sum(0)) <= {least, least + 1}
    np.testing.assert_allclose(matrix.sum(0), 1)


@settings(derandomize=True, max_examples=60, deadline=None)
@given(**SIZES)
def test_the_order_of_the_classes_does_not_matter(n_classes, extra, seed):
    sources, classes = drawn(n_classes, extra, seed)
    order = np.random.RandomState(seed).permutation(n_classes)
    counts = np.zeros((n_classes + extra, n_classes))
    straight = estimate(SimilarityMapping(sources, classes), counts)
    shuffled = estimate(SimilarityMapping(sources, classes[order]), counts)
    assert np.array_equal(shuffled, straight[:, order])


def test_the_order_of_the_source_labels_does_not_matter():
    order = RNG.permutation(7)
    straight = estimate(SimilarityMapping(SOURCE, CLASSES), np.zeros((7, 3)))
    shuffled = estimate(SimilarityMapping(SOURCE[order], CLASSES), np.zeros((7, 3)))
    assert np.array_equal(shuffled, straight[order])


def test_it_is_the_best_of_all_ways_to_share():
    similarities = np.random.RandomState(0).uniform(-1, 1, size=(5, 2))
    sums = [
        similarities[range(5), owners].sum()
        for owners in product(range(2), repeat=5)
        if sum(owners) in (2, 3)
    ]
    chosen = share_out(similarities).numpy() > 0
    assert similarities[chosen].sum() == pytest.approx(max(sums))


def test_a_planted_partition_is_recovered_whatever_the_lengths():
    owners = np.array([2, 0, 1, 1, 0, 2, 0])
    sources = np.eye(3)[owners] + 0.1 * RNG.normal(size=(7, 3))
    lengths = np.array([[0.01], [3.0], [400.0]])
    matrix = estimate(SimilarityMapping(sources, lengths * np.eye(3)), np.zeros((7, 3)))
    assert matrix.argmax(1).tolist() == owners.tolist()


def test_without_embeddings_classes_are_likened_by_their_mean_answers():
    answers = np.array([[0.1, 0.6], [0.7, 0.1], [0.2, 0.3]])
    for size in (1, 50):  # sums over many samples are no more than means
        matrix = estimate(SimilarityMapping(n_source_labels=1), answers * [1, size])
        assert matrix.T.tolist() == [[0, 1, 0], [1, 0, 0]]


def test_mean_answers_of_the_source_to_its_own_samples_may_be_given():
    # shown its second label the source answers with the first: it never answers with the second
    own_answers = [[0.1, 0.0, 0.9], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    mapping = SimilarityMapping(own_answers, n_source_labels=1)
    matrix = estimate(mapping, [[0.9, 0.0], [0.1, 0.0], [0.0, 1.0]])
    assert matrix[:, 0].tolist() == [0, 1, 0]


def test_a_row_votes_with_its_probabilities():
    logits = torch.randn(2, 4, 5)
    torch.testing.assert_close(SimilarityMapping().votes(logits, 3), logits.softmax(-1))
    assert SimilarityMapping(SOURCE, CLASSES).votes(logits, 3) is None


def test_a_class_without_samples_takes_what_the_others_leave():
    matrix = estimate(SimilarityMapping(), [[5.0, 0, 1], [0, 0, 4], [0, 0, 0], [3, 0, 0]])
    assert matrix[:, 0].tolist() == [0.5, 0, 0, 0.5]
    assert matrix[:, 1].tolist() == [0, 0, 1, 0]
    assert matrix[:, 2].tolist() == [0, 1, 0, 0]


def test_a_fit_measures_the_answers_to_its_own_rows():
    clf = classifier("similarity").set_params(input_transformation="identity").fit(X, Y)
    answers = table_source().load().outputs(torch.from_numpy(X).float()).softmax(1).numpy()
    sums = np.stack([answers[Y == label].sum(0) for label in range(3)], axis=1)
    assert np.array_equal(clf.program_.output["matrix"], estimate(SimilarityMapping(), sums))


def test_an_estimator_fits_clones_and_saves_with_embeddings(tmp_path):
    clf = clone(classifier(SimilarityMapping(SOURCE[:6], CLASSES.tolist()))).fit(X, Y)
    clf.save(tmp_path / "program")
    loaded = skreprogram.load(tmp_path / "program", source=table_source())
    assert np.array_equal(loaded.predict_proba(X), clf.predict_proba(X))


@pytest.mark.parametrize(
    ("source", "classes", "sentence"),
    [
        (None, CLASSES, "Got source_embeddings None"),
        (SOURCE[:5], CLASSES, "Got source_embeddings of shape (5, 4)"),
        (SOURCE[:6], CLASSES[:2], "Got class_embeddings of shape (2, 4)"),
        (SOURCE[:6], CLASSES[0], "Got class_embeddings of shape (4,)"),
        (SOURCE[:6], CLASSES[:, :3], "of 4 dimensions for classes of 3"),
        (SOURCE[:6], None, "of 4 dimensions for classes of 6"),
        (SOURCE[:6] * 0, CLASSES, "Got source_embeddings with a row of zeros"),
        (SOURCE[:6], CLASSES * np.nan, "Got class_embeddings with a row of zeros"),
    ],
)
def test_embeddings_that_do_not_fit_are_refused(source, classes, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        classifier(SimilarityMapping(source, classes)).fit(X, Y)
