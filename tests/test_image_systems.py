"""The published systems on images and tables, each from the data to its score."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from sklearn.model_selection import GridSearchCV, TunedThresholdClassifierCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn
from toys import seeded

from skreprogram import ReprogrammingClassifier
from skreprogram.losses import ClassBalancedLoss, FocalLoss
from skreprogram.mappings import FrequencyMapping, OutputMapping, SemanticMapping
from skreprogram.sources import SourceModel
from skreprogram.transformations import (
    ConvolutionalInput,
    HostImageTransformation,
    OverlayTransformation,
    PaddingTransformation,
)


def lively_network():
    """Random weights large enough that the answers differ between images."""
    network = nn.Sequential(
        *(nn.Conv2d(3, 16, 3, stride=2), nn.ReLU(), nn.Conv2d(16, 16, 3), nn.ReLU()),
        *(nn.Flatten(), nn.Linear(400, 32), nn.ReLU(), nn.Linear(32, 12)),
    )
    for layer in network[::2]:
        if hasattr(layer, "weight"):
            nn.init.kaiming_normal_(layer.weight)
    nn.init.kaiming_normal_(network[5].weight)
    nn.init.normal_(network[7].weight)
    return network


NETWORK = seeded(lively_network)
SOURCE = SourceModel.from_module(
    NETWORK, (3, 16, 16), value_range=(0, 1), feature_layers=("1", "6"), name="small"
)


def classifier(**params):
    settings = {"max_epochs": 20, "lr": 0.05, "batch_size": 16, "random_state": 0, **params}
    return ReprogrammingClassifier(SOURCE, **settings)


def counted_squares(n_samples=120, seed=0):
    """White squares of 2 x 2 pixels on a grid of 4 x 4; the label is one of four counts."""
    rng = np.random.RandomState(seed)
    y = np.arange(n_samples) % 4 * 4 + 1
    cells = np.zeros((n_samples, 16))
    for row, count in zip(cells, y, strict=True):
        row[rng.permutation(16)[:count]] = 1
    return cells.reshape(-1, 4, 4).repeat(2, 1).repeat(2, 2), y


def accuracy(clf, make):
    """Accuracy on unseen samples of the same kind."""
    return clf.fit(*make(seed=0)).score(*make(seed=1))


def falls(clf):
    return clf.history_[-1]["train_loss"] < 0.9 * clf.history_[0]["train_loss"]


@pytest.mark.parametrize("placement", ["centre", (1, 6), "end"])
def test_a_program_in_the_frame_counts_squares(placement):
    padding = PaddingTransformation(placement)
    clf = classifier(input_transformation=padding, output_mapping="frequency")
    control = classifier(
        input_transformation=PaddingTransformation(placement, program="none"),
        output_mapping="random",
    )
    reached = accuracy(clf, counted_squares)
    assert reached > 0.6 > accuracy(control, counted_squares)
    assert (clf.program_.output["matrix"] > 0).sum(0).tolist() == [1] * 4
    assert len(np.unique(clf.program_.output["matrix"].argmax(0))) == 4


def two_channels(n_samples=160, seed=0):
    """A bar lies or stands in the difference of two noisy channels."""
    rng = np.random.RandomState(seed)
    y = np.arange(n_samples) % 2
    X = rng.uniform(0, 0.6, size=(n_samples, 1, 8, 8)).repeat(2, 1)
    at = rng.randint(2, 6, n_samples)
    for image, place, label in zip(X, at, y, strict=True):
        (image if label else image.transpose(0, 2, 1))[1, place] += 0.3
    return X, y


def test_a_convolution_finds_what_the_mean_of_the_channels_hides():
    both = classifier(
        input_transformation=ConvolutionalInput(), output_mapping="features", output_lr=0.005
    )
    mixed = accuracy(both, two_channels)

    def mean(seed):
        X, y = two_channels(seed=seed)
        return X.mean(1), y

    assert mixed > accuracy(classifier(output_mapping="features"), mean)
    assert mixed > 0.8


def transactions(seed, n_samples=300):
    """Rows of nine numbers; one in ten is a fraud and differs in three of them."""
    rng = np.random.RandomState(seed)
    y = (np.arange(n_samples) % 10 == 0).astype(int)
    X = rng.normal(size=(n_samples, 9))
    X[:, :3] += 2.0 * y[:, None]
    X[:, 8] = rng.lognormal(5, 2, n_samples)
    return X, y


@pytest.mark.parametrize("loss", [ClassBalancedLoss(gamma=1.0), FocalLoss()], ids=repr)
def test_frauds_are_found_inside_a_host_image(loss):
    clf = classifier(
        input_transformation=HostImageTransformation(program="everywhere"),
        output_mapping=FrequencyMapping(3, refit_every=1),
        loss=loss,
        max_epochs=8,
    )
    pipeline = make_pipeline(StandardScaler(), clf)
    X, y = transactions(0)
    tuned = TunedThresholdClassifierCV(pipeline, scoring="f1", cv=0.3, random_state=0).fit(X, y)
    X, y = transactions(1)
    precision = average_precision_score(y, tuned.predict_proba(X)[:, 1])
    linear = make_pipeline(StandardScaler(), LogisticRegression()).fit(*transactions(0))
    best = average_precision_score(y, linear.predict_proba(X)[:, 1])
    # chance is a tenth
    assert 0.4 < precision <= best + 0.05
    assert set(tuned.predict(X)) == {0, 1}


PROMPTS = [
    "padding",
    "overlay",
    OverlayTransformation("frame", width=4),
    OverlayTransformation("patch", width=6),
    OverlayTransformation("random patch", width=6),
    "scaled-padding",
    "low-rank",
    "coarse-grid",
    "sample-masks",
    "affine",
]


@pytest.mark.parametrize("prompt", PROMPTS, ids=str)
def test_every_visual_prompt_learns_and_leaves_the_source_alone(prompt):
    X, y = counted_squares()
    before = {name: tensor.clone() for name, tensor in NETWORK.state_dict().items()}
    clf = classifier(input_transformation=prompt, output_mapping="frequency").fit(X, y)
    shown = clf.reprogram(X[:5])
    # a random patch meets another image in every step
    assert falls(clf) or "random" in str(prompt)
    assert shown.shape == (5, 3, 16, 16) and shown.min() >= 0 and shown.max() <= 1
    assert all(torch.equal(before[name], after) for name, after in NETWORK.state_dict().items())


def correlations(seed, n_subjects=120):
    """Correlations of ten regions; in one group the first half is coupled."""
    rng = np.random.RandomState(seed)
    y = np.arange(n_subjects) % 2
    signals = rng.normal(size=(n_subjects, 10, 30))
    signals[:, :5] += (0.2 + 0.8 * y)[:, None, None] * rng.normal(size=(n_subjects, 1, 30))
    return np.stack([np.corrcoef(subject) for subject in signals]), y


def test_the_program_in_the_lower_triangle_keeps_the_upper_one():
    padding = PaddingTransformation(program="lower triangle")
    clf = classifier(
        input_transformation=padding, output_mapping=FrequencyMapping(2, refit_every=1)
    )
    assert accuracy(clf, correlations) > 0.75
    X = correlations(1)[0][:4]
    shown = clf.reprogram(X)[:, :, 3:13, 3:13]
    above, below = np.triu_indices(10, 1), np.tril_indices(10)
    # grey levels are one affine map of the correlations
    slope, shift = np.polyfit(X[:, *above].ravel(), shown[:, 0][:, *above].ravel(), 1)
    assert slope > 0
    np.testing.assert_allclose(shown[:, 1][:, *above], slope * X[:, *above] + shift, atol=1e-5)
    np.testing.assert_array_equal(shown[0][:, *below], shown[1][:, *below])


def test_all_mappings_are_candidates_of_one_search():
    X, y = counted_squares()
    names = np.eye(12)
    candidates = [name for name in OutputMapping.names() if name != "semantic"]
    candidates.append(SemanticMapping(names, names[[3, 1, 4, 5]]))
    clf = classifier(input_transformation="resizing", max_epochs=3)
    search = GridSearchCV(clf, {"output_mapping": candidates}, cv=2, error_score="raise")
    results = search.fit(X, y).cv_results_
    assert np.isfinite(results["mean_test_score"]).all()
    scores = dict(zip(map(str, candidates), results["mean_test_score"], strict=True))
    assert scores["features"] >= scores["frequency"] > scores["random"] - 0.1
