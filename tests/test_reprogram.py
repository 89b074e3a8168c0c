"""What the source is shown: `reprogram` of a fitted estimator."""

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from toys import ImageNetwork

from skreprogram import ReprogrammingClassifier, TimeSeriesReprogrammer
from skreprogram.datasets import make_tones
from skreprogram.transformations import FrequencyModulation


@pytest.fixture(scope="module")
def tones():
    return make_tones(n_samples=12, length=40, n_classes=2, random_state=0)


def test_one_view_is_an_array_of_waveforms_in_the_sources_range(tones):
    X, y = tones
    modulation = FrequencyModulation(shortest=0.2, longest=0.2)
    clf = TimeSeriesReprogrammer(input_transformation=modulation, random_state=0).fit(X, y)
    waveforms = clf.reprogram(X[:3])
    assert waveforms.shape == (3, 3200)
    assert np.abs(waveforms).max() <= 1


def test_several_views_are_a_tuple(tones):
    clf = TimeSeriesReprogrammer(random_state=0).fit(*tones)
    views = clf.reprogram(tones[0][:2])
    assert len(views) == len(clf.transformation_.transformations)
    assert all(len(view) == 2 for view in views)


def test_padding_shows_the_data_inside_the_program():
    X = np.random.default_rng(0).uniform(size=(8, 1, 4, 4)).astype(np.float32)
    y = np.arange(8) % 2
    padded = {"input_transformation": "padding", "max_epochs": 2, "random_state": 0}
    images = ReprogrammingClassifier(ImageNetwork(), **padded).fit(X, y).reprogram(X)
    assert images.shape == (8, 1, 8, 8)
    frame = images.copy()
    frame[:, :, 2:6, 2:6] = 0
    assert np.array_equal(frame, np.broadcast_to(frame[:1], frame.shape))


def test_an_unfitted_estimator_says_so(tones):
    with pytest.raises(NotFittedError):
        TimeSeriesReprogrammer().reprogram(tones[0])
