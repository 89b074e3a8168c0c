"""The generators have the structure that they promise."""

import numpy as np
import pytest

from skreprogram.datasets import make_echoes, make_tones

GENERATORS = [make_tones, make_echoes]


@pytest.mark.parametrize("make", GENERATORS)
def test_same_seed_gives_same_series(make):
    np.testing.assert_array_equal(make(random_state=3)[0], make(random_state=3)[0])


@pytest.mark.parametrize("make", GENERATORS)
def test_other_seed_gives_other_series(make):
    assert not np.array_equal(make(random_state=3)[0], make(random_state=4)[0])


@pytest.mark.parametrize("make", GENERATORS)
def test_global_randomness_is_not_disturbed(make):
    before = np.random.get_state()[1].copy()
    make(random_state=0)
    np.testing.assert_array_equal(before, np.random.get_state()[1])


@pytest.mark.parametrize("make", GENERATORS)
def test_classes_are_equally_frequent_up_to_one(make):
    _, y = make(n_samples=11, n_classes=3, random_state=0)
    assert sorted(np.bincount(y)) == [3, 4, 4]


def test_class_of_a_tone_is_its_frequency():
    X, y = make_tones(n_samples=30, n_classes=4, noise=0.1, random_state=0)
    strongest = np.abs(np.fft.rfft(X, axis=1)).argmax(axis=1)
    np.testing.assert_array_equal(strongest, 2 * (y + 1))


def test_class_of_an_echo_is_its_delay():
    X, y = make_echoes(n_samples=30, n_classes=4, random_state=0)
    first, second = np.fft.rfft(X[:, 0]), np.fft.rfft(X[:, 1])
    delay = np.fft.irfft(second * first.conj(), n=X.shape[2]).argmax(axis=1)
    np.testing.assert_array_equal(delay, 3 * y)


def test_tones_too_short_for_their_classes_are_refused():
    with pytest.raises(ValueError, match="Got length=24 with n_classes=3"):
        make_tones(length=24, n_classes=3)


def test_an_echo_needs_two_channels():
    with pytest.raises(ValueError, match="Got n_channels=1"):
        make_echoes(n_channels=1)
