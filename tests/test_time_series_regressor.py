"""Values of time series: the door's own containers, a file, a source that hears."""

import numpy as np
from numpy.testing import assert_array_equal
from toys import sound_source

import skreprogram
from skreprogram import TimeSeriesReprogrammingRegressor
from skreprogram.transformations import FrequencyModulation


def waves(n_samples=30):
    """Series of one frequency each, and the frequency."""
    frequency = np.linspace(1, 4, n_samples)
    return np.sin(2 * np.pi * frequency[:, None] * np.linspace(0, 1, 40)), frequency


def regressor(**changes):
    """A regressor whose head on a small network of sound is solved, not fitted."""
    modulation = FrequencyModulation(low=20, high=180, samples_per_point=5, scale="set")
    settings = {"input_transformation": modulation, "random_state": 0, **changes}
    return TimeSeriesReprogrammingRegressor(sound_source(), **settings)


def test_a_source_of_sound_tells_the_frequency_of_a_series(tmp_path):
    X, y = waves()
    reg = regressor().fit(X[::2], y[::2])
    assert reg.score(X[1::2], y[1::2]) > 0.5
    reg.save(tmp_path / "program")
    loaded = skreprogram.load(tmp_path / "program", source=sound_source())
    assert_array_equal(loaded.predict(X), reg.predict(X))


def test_the_source_is_tuned_from_the_solved_head_on():
    X, y = waves()
    reg = regressor(finetune="all", max_epochs=20)
    before = reg.source.load(folded=False).state_digest()
    reg.fit(X, y)
    assert reg.history_[-1]["train_loss"] < 0.9 * reg.history_[0]["train_loss"]
    assert reg.source.load(folded=False).state_digest() == before
    assert any("convolution" in name for name in reg.program_.source)


def test_containers_of_sktime_are_taken():
    from sktime.datatypes import convert_to

    X, y = waves(10)
    expected = regressor().fit(X, y).predict(X)
    nested = convert_to(X[:, None], to_type="nested_univ")
    assert_array_equal(regressor().fit(nested, y).predict(nested), expected)
