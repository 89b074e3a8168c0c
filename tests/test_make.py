"""The generators have the structure that they promise."""

import numpy as np
import pytest

from skreprogram.datasets import make_echoes, make_squares, make_tones

GENERATORS = [make_tones, make_echoes, make_squares]


@pytest.mark.parametrize("make", GENERATORS)
def test_same_seed_gives_same_data(make):
    np.testing.assert_array_equal(make(random_state=3)[0], make(random_state=3)[0])


@pytest.mark.parametrize("make", GENERATORS)
def test_other_seed_gives_other_data(make):
    assert not np.array_equal(make(random_state=3)[0], make(random_state=4)[0])


@pytest.mark.parametrize("make", GENERATORS)
def test_global_randomness_is_not_disturbed(make):
    before = np.random.get_state()[1].copy()
    make(random_state=0)
    np.testing.assert_array_equal(before, np.random.get_state()[1])


@pytest.mark.parametrize("make", GENERATORS)
def test_classes_are_equally_frequent_up_to_one(make):
    _, y = make(n_samples=11, n_classes=3, random_state=0)
    assert sorted(np.unique(y, return_counts=True)[1]) == [3, 4, 4]


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


def test_class_of_an_image_is_its_number_of_squares():
    X, y = make_squares(n_samples=40, random_state=0)
    assert (X.shape, X.dtype) == ((40, 36, 36), np.float32)
    cells = X.reshape(40, 4, 9, 4, 9).transpose(0, 1, 3, 2, 4).reshape(40, 16, 81)
    # a cell of the grid is white or black as a whole
    assert set(np.unique(cells.mean(2))) == {0.0, 1.0}
    np.testing.assert_array_equal(cells.mean(2).sum(1), y)
    assert set(y) == set(range(1, 11))


def test_squares_lie_anywhere_on_the_grid():
    X, y = make_squares(n_samples=400, n_classes=2, random_state=0)
    share = X[y == 1][:, ::9, ::9].mean(0)
    assert share.min() > 0.01


def test_more_squares_than_places_are_refused():
    with pytest.raises(ValueError, match="from 1 to 16"):
        make_squares(n_classes=17)
