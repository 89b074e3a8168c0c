"""Frequency modulation and differences: the series as the pitch of a tone."""

import math

import numpy as np
import pytest
import torch

from skreprogram._input_space import InputSpace
from skreprogram.transformations import DifferencesTransformation, FrequencyModulation

RATE = 8_000
FIXED = InputSpace((RATE,), (-1.0, 1.0), sampling_rate=RATE)
FLEXIBLE = FIXED._replace(flexible=True)


def sound(X, space=FIXED, fitted_on=None, **settings):
    """Waveforms of series."""
    modulation = FrequencyModulation(**settings)
    params = modulation.init(X if fitted_on is None else fitted_on, space, torch.Generator())
    return modulation.apply(params, X, space)


def pitch_of(waveform, rate=RATE):
    """Mean frequency between the first and the last upward zero crossing, in hertz."""
    w = np.asarray(waveform, dtype=float)
    up = np.flatnonzero((w[:-1] < 0) & (w[1:] >= 0))
    crossings = up + w[up] / (w[up] - w[up + 1])
    return rate * (len(crossings) - 1) / (crossings[-1] - crossings[0])


def test_a_constant_series_sounds_at_the_geometric_middle_of_the_band():
    waveform = sound(torch.full((1, 1, 50), 3.0), low=400.0, high=2500.0)[0]
    assert pitch_of(waveform) == pytest.approx(1000.0, rel=1e-3)


@pytest.mark.parametrize(("level", "expected"), [(2.0, 800.0), (-2.0, 400.0)])
def test_the_level_sets_the_pitch_on_a_logarithmic_scale(level, expected):
    low, high = 200.0, 1600.0
    fitted_on = torch.tensor([[[-1.0] * 20], [[1.0] * 20]])
    waveform = sound(
        torch.full((1, 1, 20), level), fitted_on=fitted_on, low=low, high=high, scale="set"
    )[0]
    place = (1 + math.tanh(level / 2)) / 2
    pitch = math.exp(math.log(low) + place * math.log(high / low))
    assert pitch_of(waveform) == pytest.approx(pitch, rel=1e-3)
    assert abs(math.log(pitch / expected)) < math.log(high / low) / 3


def test_no_series_leaves_the_band():
    X = torch.tensor([[[0.0] * 49 + [1e6]], [[0.0] * 49 + [-1e6]]])
    for waveform in sound(X, low=500.0, high=900.0):
        piece = RATE // 10
        for start in range(0, RATE, piece):
            assert 490 < pitch_of(waveform[start : start + piece]) < 910


def test_the_pitch_rises_with_the_series():
    waveform = sound(torch.linspace(-1, 1, 30).reshape(1, 1, 30))[0]
    pitches = [pitch_of(part) for part in waveform.split(RATE // 8)]
    assert pitches == sorted(pitches) and pitches[-1] > 2 * pitches[0]


def test_the_amplitude_is_the_gain_in_the_sources_units():
    space = FIXED._replace(value_range=(0.0, 10.0))
    waveform = sound(torch.randn(1, 1, 50), space, gain=0.3)[0]
    assert waveform.max() == pytest.approx(5 + 1.5, abs=0.01)
    assert waveform.min() == pytest.approx(5 - 1.5, abs=0.01)


@pytest.mark.parametrize(
    ("length", "seconds"), [(10, 0.5), (40, 0.5), (100, 1.25), (320, 4.0), (5000, 4.0)]
)
def test_the_duration_grows_with_the_series_between_its_limits(length, seconds):
    waveform = sound(torch.randn(2, 1, length), FLEXIBLE, samples_per_point=100)
    assert waveform.shape == (2, seconds * RATE)


@pytest.mark.parametrize("length", [2, 40, 20_000])
def test_a_source_of_fixed_length_gets_that_length(length):
    assert sound(torch.randn(2, 1, length)).shape == (2, RATE)


def test_each_channel_sounds_in_a_band_of_its_own():
    X = torch.zeros(2, 2, 40)
    X[0, 0], X[1, 1] = torch.randn(2, 40, generator=torch.Generator().manual_seed(0)) * 3
    spectra = torch.fft.rfft(sound(X, low=300.0, high=2700.0)).abs()
    below, above = spectra[:, 300:900].square().sum(1), spectra[:, 900:2700].square().sum(1)
    assert below[0] == pytest.approx(above[0].item(), rel=0.2)  # both tones are as loud
    flat = spectra[1, 300:900]  # the channel at rest is one line at the middle of its band
    assert flat.argmax() + 300 == pytest.approx(math.sqrt(300 * 900), abs=1)


def test_channel_bands_touch_but_do_not_overlap():
    modulation = FrequencyModulation(low=100.0, high=3200.0)
    band = modulation.init(torch.randn(3, 5, 9), FIXED, torch.Generator())["band"].exp()
    assert torch.equal(band[0, 1:], band[1, :-1])
    torch.testing.assert_close(band[0], torch.tensor([100.0, 200.0, 400.0, 800.0, 1600.0]))


@pytest.mark.parametrize("unit", [1e-9, 1e-3, 1e9])
def test_units_do_not_matter_when_each_series_is_scaled_for_itself(unit):
    X = torch.randn(2, 1, 40, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(sound(unit * X), sound(X), atol=1e-6, rtol=0)


@pytest.mark.parametrize("unit", [1e-9, 1e9])
def test_units_do_not_matter_when_the_set_is_scaled(unit):
    X = torch.randn(2, 1, 40, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(
        sound(unit * X, scale="set"), sound(X, scale="set"), atol=1e-6, rtol=0
    )


def test_scaling_each_series_hides_amplitudes_that_scaling_the_set_shows():
    X = torch.randn(1, 1, 40, generator=torch.Generator().manual_seed(0))
    X = torch.cat([X, 3 * X])
    hidden, shown = sound(X), sound(X, scale="set")
    torch.testing.assert_close(hidden[0], hidden[1], atol=1e-2, rtol=0)
    assert (shown[0] - shown[1]).abs().mean() > 0.1


@pytest.mark.parametrize(
    "wrong",
    [
        {"low": 0.0},
        {"low": 900.0, "high": 800.0},
        {"high": RATE / 2 + 1},
        {"scale": "both"},
        {"trains": ("pitch",)},
        {"gain": 0.0},
        {"gain": 1.5},
        {"shortest": 5.0},
        {"samples_per_point": 0},
    ],
)
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(ValueError, match="Got .*expected"):
        sound(torch.randn(2, 1, 20), **wrong)


@pytest.mark.parametrize(
    ("space", "shape"),
    [(InputSpace((RATE,)), (1, 20)), (FIXED._replace(shape=(1, RATE)), (1, 20)), (FIXED, (20,))],
)
def test_what_is_no_sound_or_no_series_is_refused(space, shape):
    with pytest.raises(ValueError, match="Got .*'modulation'.*expected"):
        sound(torch.randn(2, *shape), space)


@pytest.mark.parametrize("X", [torch.randn(3, 2, 30), torch.full((3, 2, 30), 0.1)])
@pytest.mark.parametrize("scale", ["series", "set"])
def test_everything_that_trains_gets_a_finite_gradient(X, scale):
    modulation = FrequencyModulation(trains=("band", "gain", "program"), scale=scale)
    params = modulation.init(X, FIXED, torch.Generator())
    assert modulation.trainable == ("band", "gain", "program")
    for name in modulation.trainable:
        params[name].requires_grad_()
    weights = torch.randn(RATE, generator=torch.Generator().manual_seed(0))
    (modulation.apply(params, X, FIXED) * weights).sum().backward()
    for name in modulation.trainable:
        gradient = params[name].grad
        assert torch.isfinite(gradient).all() and (gradient != 0).any()


def test_the_gradient_of_the_band_is_that_of_finite_differences():
    modulation = FrequencyModulation(trains=("band", "gain"))
    X = torch.randn(2, 1, 9, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    space = FIXED._replace(shape=(60,))
    params = modulation.init(X, space, torch.Generator())

    def waveform(band, gain):
        return modulation.apply({"band": band, "gain": gain}, X, space)

    tensors = (params["band"].requires_grad_(), params["gain"].requires_grad_())
    assert torch.autograd.gradcheck(waveform, tensors, eps=1e-6, atol=1e-4)


def test_differences_show_the_changes_to_the_other_transformation():
    X = torch.randn(2, 1, 30)
    differences, modulation = DifferencesTransformation(), FrequencyModulation()
    got = differences.apply(differences.init(X, FIXED, torch.Generator()), X, FIXED)
    changes = X[..., 1:] - X[..., :-1]
    expected = modulation.apply(modulation.init(changes, FIXED, torch.Generator()), changes, FIXED)
    assert torch.equal(got, expected)


@pytest.mark.parametrize("length", [1, 2, 3])
def test_differences_of_very_short_series_still_sound(length):
    differences = DifferencesTransformation()
    X = torch.randn(2, 1, length)
    got = differences.apply(differences.init(X, FIXED, torch.Generator()), X, FIXED)
    assert torch.isfinite(got).all() and got.abs().max() > 0.1
