"""Losses against their written-out formulas, and what they do in training."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from toys import table_source

from skreprogram import ReprogrammingClassifier
from skreprogram.losses import ClassBalancedLoss, CrossEntropy, FocalLoss, Loss

scores = torch.tensor([[[2.0, -1.0, 0.5], [0.0, 0.0, 0.0]]], dtype=torch.float64)
y = torch.tensor([[0, 2]])


def probabilities(row):
    exponentials = [math.exp(score) for score in row]
    return [value / sum(exponentials) for value in exponentials]


def test_smoothed_cross_entropy_is_that_against_the_smoothed_label():
    losses = CrossEntropy(label_smoothing=0.3).rows(scores, y)
    for i in range(2):
        p = probabilities(scores[0, i].tolist())
        labels = [0.1 + 0.7 * (k == y[0, i]) for k in range(3)]
        expected = -sum(label * math.log(value) for label, value in zip(labels, p, strict=True))
        assert losses[0, i].item() == pytest.approx(expected)


@pytest.mark.parametrize("gamma", [0.5, 2.0, 4.0])
def test_focal_loss_is_the_written_out_formula(gamma):
    losses = FocalLoss(gamma).rows(scores, y)
    for i in range(2):
        p = probabilities(scores[0, i].tolist())[y[0, i]]
        assert losses[0, i].item() == pytest.approx(-((1 - p) ** gamma) * math.log(p))


def test_focal_loss_of_gamma_zero_is_the_cross_entropy():
    torch.testing.assert_close(FocalLoss(0.0).rows(scores, y), CrossEntropy().rows(scores, y))


@pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0])
def test_the_gradient_of_focal_loss_is_finite_for_certain_answers(gamma):
    certain = torch.tensor([[90.0, -90.0], [-90.0, 90.0]], requires_grad=True)
    FocalLoss(gamma).rows(certain, torch.tensor([0, 0])).sum().backward()
    assert torch.isfinite(certain.grad).all()


@given(st.lists(st.integers(1, 500), min_size=2, max_size=6), st.floats(0, 0.9999))
def test_class_weights_are_one_on_average_over_the_samples(n_samples, beta):
    n_samples = np.array(n_samples)
    weights = ClassBalancedLoss(beta).class_weights(n_samples)
    assert np.average(weights, weights=n_samples) == pytest.approx(1)
    # a smaller class never weighs less
    assert (np.diff(weights[np.argsort(n_samples)]) <= 1e-9).all()


def test_effective_numbers_are_those_of_the_paper():
    weights = ClassBalancedLoss(beta=0.9).class_weights(np.array([1, 3]))
    assert weights[0] / weights[1] == pytest.approx((1 - 0.9**3) / (1 - 0.9))


@pytest.mark.parametrize("name", Loss.names())
def test_every_loss_trains_by_its_name(name):
    X = np.random.default_rng(0).normal(size=(40, 4))
    labels = (X[:, 0] > 0.8).astype(int)
    clf = ReprogrammingClassifier(table_source(4, 5), loss=name, max_epochs=20, random_state=0)
    history = clf.fit(X, labels).history_
    assert history[-1]["train_loss"] < history[0]["train_loss"]


def test_class_balanced_loss_finds_more_of_a_rare_class():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 4))
    labels = (X[:, 0] + 0.7 * rng.normal(size=400) > 1.8).astype(int)
    found = {
        loss: ReprogrammingClassifier(
            table_source(4, 5), input_transformation="identity", loss=loss, random_state=0
        )
        .fit(X, labels)
        .predict(X)
        .sum()
        for loss in ("cross-entropy", "class-balanced")
    }
    assert found["class-balanced"] > found["cross-entropy"]


@pytest.mark.parametrize(
    "loss", [CrossEntropy(label_smoothing=1.0), FocalLoss(-1.0), ClassBalancedLoss(1.0)]
)
def test_numbers_out_of_range_are_refused(loss):
    X = np.random.default_rng(0).normal(size=(20, 4))
    clf = ReprogrammingClassifier(table_source(4, 5), loss=loss, max_epochs=1)
    with pytest.raises(ValueError, match=r"Got .*expected"):
        clf.fit(X, np.arange(20) % 2)
