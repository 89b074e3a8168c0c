"""Series of unequal lengths are brought to one, and those of equal lengths stay as they are."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sktime.datatypes import convert_to
from toys import sound_source

from skreprogram import TimeSeriesReprogrammer, TimeSeriesReprogrammingRegressor, load
from skreprogram._panels import resample, without_padding
from skreprogram.datasets import make_tones
from skreprogram.sktime import SktimeReprogrammer
from skreprogram.transformations import FrequencyModulation

MODULATION = FrequencyModulation(low=20, high=180, samples_per_point=5)
WHOLE, Y = make_tones(n_samples=30, length=40, random_state=0)
LENGTHS = np.random.RandomState(0).randint(25, 38, size=len(WHOLE))
# the same tones, sampled at fewer points
SERIES = [
    np.interp(np.linspace(0, 39, n), np.arange(40), series)
    for series, n in zip(WHOLE, LENGTHS, strict=True)
]
TWO_CHANNELS = [np.stack([series, -series]) for series in SERIES]


def estimator(kind=TimeSeriesReprogrammer, **params):
    """An estimator around a source that hears fast, not fitted."""
    return kind(sound_source(), input_transformation=MODULATION, random_state=0, **params)


def padded(series):
    """An array that ends in NaN where a series is shorter than the longest."""
    whole = np.full((len(series), *series[0].shape[:-1], max(LENGTHS)), np.nan)
    for row, each in zip(whole, series, strict=True):
        row[..., : each.shape[-1]] = each
    return whole


def frames(series):
    """The container of sktime that is a list of tables, time points by channels."""
    return [pd.DataFrame(each.T) for each in series]


def test_a_ramp_stays_a_ramp():
    found = resample([np.arange(4.0), np.arange(7.0)], 7)
    assert_allclose(found, [np.linspace(0, 3, 7), np.arange(7)])


@pytest.mark.parametrize("length", [1, 2, 5, 40])
def test_resampling_interpolates_every_channel_as_numpy_does(length):
    X = [np.random.RandomState(n).normal(size=(3, n)) for n in (1, 2, 9, 50)]
    found = resample(X, length)
    for series, each in zip(X, found, strict=True):
        place = np.linspace(0, series.shape[1] - 1, length)
        expected = [np.interp(place, np.arange(series.shape[1]), channel) for channel in series]
        assert_allclose(each, expected, atol=1e-12)


def test_a_constant_stays_that_very_constant():
    assert_array_equal(resample([np.full(3, 0.1), np.full(7, 0.1)], 10), np.full((2, 10), 0.1))


def test_a_series_of_the_common_length_is_not_changed():
    assert_array_equal(resample(SERIES, LENGTHS[3])[3], SERIES[3])


def test_only_nan_at_the_end_of_all_channels_is_padding():
    nan = np.nan
    X = np.array([[[1, nan, 3, nan]], [[nan, 2, 3, 4]], [[nan] * 4]])
    assert [each.shape for each in without_padding(X)] == [(1, 3), (1, 4), (1, 0)]
    two = np.array([[[1, 2, nan], [1, nan, nan]]])
    assert_array_equal(without_padding(two)[0], two[0, :, :2])


def test_series_are_brought_to_the_longest_of_the_training_set():
    clf = estimator().fit(SERIES, Y)
    assert clf.common_length_ == max(LENGTHS)
    assert clf.input_shape_ == (max(LENGTHS),)
    expected = estimator().fit(resample(SERIES, max(LENGTHS)), Y)
    assert_array_equal(
        clf.predict_proba(SERIES), expected.predict_proba(resample(SERIES, max(LENGTHS)))
    )


def test_tones_are_told_apart_whatever_their_lengths():
    X, y = make_tones(n_samples=40, length=50, n_classes=2, random_state=0)
    X = [resample(series[None], 30 + n % 20)[0] for n, series in enumerate(X)]
    clf = TimeSeriesReprogrammer(input_transformation="modulation", random_state=0)
    clf.fit(X[:20], y[:20])
    assert clf.score(X[20:], y[20:]) >= 0.9


@pytest.mark.parametrize("length", [1, 20, 90])
def test_later_series_may_have_any_length(length):
    clf = estimator().fit(SERIES, Y)
    later = [series[:length] for series in WHOLE] if length < 40 else np.tile(WHOLE, 3)[:, :length]
    expected = clf.predict_proba(resample(later, clf.common_length_))
    assert_array_equal(clf.predict_proba(later), expected)


def test_a_single_series_is_classified_as_it_is_among_others():
    clf = estimator().fit(TWO_CHANNELS, Y)
    alone, among = clf.predict_proba(TWO_CHANNELS[4:5]), clf.predict_proba(TWO_CHANNELS)[4:5]
    assert_allclose(alone, among, rtol=1e-4)


@pytest.mark.parametrize("series", [SERIES, TWO_CHANNELS], ids=["one channel", "two channels"])
@pytest.mark.parametrize("form", [padded, tuple, lambda series: [each.tolist() for each in series]])
def test_a_list_and_an_array_padded_with_nan_are_the_same(form, series):
    expected = estimator().fit(series, Y).predict_proba(series)
    assert_array_equal(estimator().fit(form(series), Y).predict_proba(form(series)), expected)


@pytest.mark.parametrize("kind", [TimeSeriesReprogrammer, SktimeReprogrammer])
@pytest.mark.parametrize("container", ["df-list", "nested_univ", "pd-multiindex"])
def test_containers_of_sktime_may_hold_unequal_lengths(kind, container):
    expected = estimator().fit(TWO_CHANNELS, Y).predict_proba(TWO_CHANNELS)
    panel = convert_to(frames(TWO_CHANNELS), container)
    found = estimator(kind).fit(panel, Y).predict_proba(panel)
    assert_allclose(found, expected, rtol=1e-5)


def test_values_are_predicted_from_series_of_unequal_lengths():
    cycles = np.linspace(1, 4, 40)
    X = [np.sin(2 * np.pi * f * np.linspace(0, 1, 40 + n % 11)) for n, f in enumerate(cycles)]
    reg = TimeSeriesReprogrammingRegressor(effort="fast", random_state=0)
    assert reg.fit(X[::2], cycles[::2]).score(X[1::2], cycles[1::2]) > 0.9


@pytest.mark.parametrize("kind", [TimeSeriesReprogrammer, TimeSeriesReprogrammingRegressor])
def test_the_length_is_saved_with_the_program(kind, tmp_path):
    fitted = estimator(kind).fit(SERIES, Y)
    fitted.save(tmp_path / "program")
    again = load(tmp_path / "program", source=sound_source())
    assert again.common_length_ == max(LENGTHS)
    assert_array_equal(again.predict(SERIES[:7]), fitted.predict(SERIES[:7]))


def test_later_parts_of_the_training_data_get_the_length_of_the_first():
    clf = estimator().partial_fit(SERIES[:15], Y[:15])
    length = clf.common_length_
    clf.partial_fit(SERIES[15:], Y[15:])
    assert clf.common_length_ == length == max(LENGTHS[:15])
    expected = estimator().fit(resample(SERIES, length), Y)
    assert_allclose(clf.predict_proba(SERIES), expected.predict_proba(resample(SERIES, length)))


def test_series_of_weight_zero_do_not_decide_the_length():
    weight = np.where(LENGTHS == max(LENGTHS), 0.0, 1.0)
    clf = estimator().fit(SERIES, Y, sample_weight=weight)
    assert clf.common_length_ == max(LENGTHS[weight > 0])


def test_series_of_one_length_are_not_resampled():
    clf = estimator().fit(list(WHOLE), Y)
    assert clf.common_length_ is None
    assert_array_equal(clf.reprogram(list(WHOLE)), clf.reprogram(WHOLE))


def test_a_fit_to_one_length_forgets_that_of_the_last_fit():
    clf = estimator().fit(SERIES, Y).fit(WHOLE, Y)
    with pytest.raises(ValueError, match="features, but"):
        clf.predict(WHOLE[:, 1:])


REFUSED = {
    "unequal lengths after a fit to one": ("one", SERIES, "rows of different lengths"),
    "NaN at the end after a fit to one": ("one", padded(SERIES), "features, but|contains NaN"),
    "NaN inside": ("many", [*SERIES[:3], np.array([1, np.nan, 2.0])], "contains NaN"),
    "NaN at the start": ("many", [*SERIES[:3], np.array([np.nan, 1, 2.0])], "contains NaN"),
    "infinity": ("many", [*SERIES[:3], np.array([1, np.inf])], "contains infinity"),
    "an empty series": ("many", [*SERIES[:3], []], "nothing but NaN, in the series 3"),
    "another channel": ("many", [*SERIES[:3], TWO_CHANNELS[3]], "the same channels in all"),
    "other channels": ("many", TWO_CHANNELS, "samples of shape|features, but"),
    "text": ("many", [["a", "b"], ["c"]], "rows of different lengths"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_a_series_is_refused_in_a_sentence(case):
    fitted_to, X, sentence = REFUSED[case]
    clf = estimator().fit(WHOLE if fitted_to == "one" else SERIES, Y)
    with pytest.raises(ValueError, match=sentence):
        clf.predict(X)


@pytest.mark.parametrize("case", ["NaN inside", "infinity", "an empty series", "another channel"])
def test_it_is_refused_in_fit_too(case):
    _, X, sentence = REFUSED[case]
    with pytest.raises(ValueError, match=sentence):
        estimator().fit(X, [0, 1, 0, 1])
