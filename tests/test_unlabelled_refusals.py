"""Uses of unlabelled rows that make no sense are refused in a sentence."""

import numpy as np
import pytest
import torch
from toys import blobs, table_source

from skreprogram import ReprogrammingClassifier
from skreprogram.sources import SourceModel
from skreprogram.unlabelled import Consistency, EntropyMinimisation, PseudoLabels

SOME = np.arange(60) % 3 - 1


def classifier(unlabelled, **params):
    """A program trained by gradient."""
    return ReprogrammingClassifier(table_source(), unlabelled=unlabelled, max_epochs=1, **params)


def solved(unlabelled):
    """A head solved on the outputs of a source that hands the data on."""
    source = SourceModel.from_module(torch.nn.Identity(), (5,))
    sides = {"input_transformation": "identity", "output_mapping": "ridge"}
    return ReprogrammingClassifier(source, unlabelled=unlabelled, **sides)


def refused(clf, y, expected):
    X, _ = blobs(60)
    with pytest.raises(ValueError, match=expected):
        clf.fit(X, y)


@pytest.mark.parametrize(
    ("y", "expected"),
    [
        (np.full(60, -1), "Got y without a labelled row"),
        (np.repeat(["a", "b", "-1"], 20), "Got y of type <U2, in which no row can have"),
        (np.repeat([0, -1], 30), "Got y with 1 class"),
        (np.zeros(59), "Got 60 samples in X and 59 labels"),
    ],
)
def test_labels_that_say_too_little_are_refused(y, expected):
    refused(classifier("pseudo-label"), y, expected)


def test_minus_one_is_no_class_to_be_named():
    X, _ = blobs(60)
    with pytest.raises(ValueError, match="in which -1 stands for no label"):
        classifier("pseudo-label").partial_fit(X, SOME, classes=[-1, 0, 1])


@pytest.mark.parametrize("strategy", ["entropy", Consistency(augmentation=lambda X, generator: X)])
def test_a_closed_form_takes_pseudo_labels_only(strategy):
    refused(solved(strategy), SOME, "is solved and nothing trains by gradient")


def test_consistency_needs_an_augmentation():
    refused(classifier("consistency"), SOME, "without an augmentation")


def test_a_program_trained_by_queries_takes_no_unlabelled_rows():
    clf = classifier("pseudo-label", gradient="spsa")
    refused(clf, SOME, "trained by queries")


def test_an_unknown_strategy_is_refused_with_the_known_ones():
    refused(classifier("pseudo"), SOME, "Did you mean 'pseudo-label'")


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        (PseudoLabels(threshold=1.5), "Got threshold=1.5 in PseudoLabels, expected a number from"),
        (PseudoLabels(max_rounds=-1), "Got max_rounds=-1 .* expected a whole number of at least 0"),
        (EntropyMinimisation(weight=-1), "Got weight=-1 in EntropyMinimisation"),
        (EntropyMinimisation(batch_size=0), "Got batch_size=0 .* of at least 1"),
        (EntropyMinimisation(warm_up=None), "Got warm_up=None"),
    ],
)
def test_parameters_that_cannot_be_used_are_refused(strategy, expected):
    refused(classifier(strategy), SOME, expected)
