"""The attention RNN and its spectrograms."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from skreprogram.sources import AttentionRNN, SourceModel
from skreprogram.sources._attention_rnn_front_end import (
    DecibelMel,
    LogMagnitudeMel,
    slaney_mel_matrix,
)

FRONT_ENDS = [DecibelMel, LogMagnitudeMel]


def test_it_has_as_many_weights_as_the_published_network():
    network = AttentionRNN()
    running = [value for name, value in network.named_buffers() if "running" in name]
    assert sum(value.numel() for value in [*network.parameters(), *running]) == 202_271


def test_its_stages_have_the_documented_shapes():
    shapes = [tuple(stage.shape) for stage in AttentionRNN().stages(torch.randn(2, 16_000))]
    assert shapes == [(2, 80, 125), (2, 128, 125), (2, 128, 125), (2, 128), (2, 32)]


@pytest.mark.parametrize("samples", [1, 128, 129, 20_000])
def test_recordings_of_any_length_are_accepted(samples):
    assert AttentionRNN(7).eval()(torch.randn(2, samples)).shape == (2, 7)


def test_an_unknown_front_end_is_refused():
    with pytest.raises(ValueError, match="'decibel', 'log_magnitude'"):
        AttentionRNN(front_end="mel")


def test_the_gain_of_a_recording_does_not_matter():
    network = AttentionRNN().eval().double()
    waveform = torch.randn(2, 16_000, dtype=torch.float64)
    torch.testing.assert_close(network(30 * waveform), network(waveform), rtol=0, atol=1e-4)


@pytest.mark.parametrize("front_end", FRONT_ENDS)
def test_frames_have_mean_zero_and_variance_one(front_end):
    frames = front_end()(torch.randn(3, 16_000))
    assert frames.shape == (3, 80, 125)
    torch.testing.assert_close(frames.mean((1, 2)), torch.zeros(3), atol=1e-4, rtol=0)
    torch.testing.assert_close(frames.var((1, 2), unbiased=False), torch.ones(3))


def test_decibels_are_ten_logarithms_of_the_mel_magnitude():
    waveform = torch.randn(2, 16_000, dtype=torch.float64)
    padded = functional.pad(waveform, (448, 448))
    window = torch.hann_window(1024, dtype=torch.float64)
    spectrum = torch.stft(padded, 1024, 128, window=window, center=False, return_complex=True)
    bands = torch.from_numpy(slaney_mel_matrix())
    level = 10 * (bands.T @ spectrum.abs().square()).sqrt().clamp_min(1e-10).log10()
    level = (level - level.amax((1, 2), keepdim=True)).clamp_min(-80)
    spread, mean = torch.std_mean(level, (1, 2), correction=0, keepdim=True)
    expected = (level - mean) / (spread + 1e-10)
    torch.testing.assert_close(DecibelMel().double()(waveform), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("front_end", FRONT_ENDS)
@pytest.mark.parametrize("sounding", [0, 2000])
def test_silent_frames_have_finite_gradients(front_end, sounding):
    waveform = torch.zeros(1, 16_000)
    waveform[:, :sounding] = 0.1 * torch.randn(1, sounding)
    waveform.requires_grad_()
    weights = torch.randn(1, 80, 125)
    (front_end()(waveform) * weights).sum().backward()
    assert torch.isfinite(waveform.grad).all()


@pytest.mark.parametrize("front_end", FRONT_ENDS)
def test_a_recording_does_not_depend_on_its_neighbours(front_end):
    waveform = torch.randn(3, 4000)
    torch.testing.assert_close(front_end()(waveform)[:1], front_end()(waveform[:1]))


def test_the_bands_of_slaney_have_area_one():
    # a band much wider than the 15.6 Hz between two frequencies
    areas = slaney_mel_matrix()[:, -20:].sum(0) * 16_000 / 1024
    np.testing.assert_allclose(areas, 1, atol=0.02)


def test_a_tone_is_heard_in_the_band_around_its_pitch():
    seconds = torch.arange(16_000) / 16_000
    bands = [
        front_end()(torch.sin(2 * torch.pi * 1000 * seconds)[None])[0, :, 60].argmax().item()
        for front_end in FRONT_ENDS
    ]
    # Slaney: 1 kHz is 15 mels, (15 - 0.6) / 0.551 = 26.1 edges above the lowest;
    # O'Shaughnessy: 1000 mels, (1000 - 62.6) / 34.3 = 27.3 edges; band k has its peak at k + 1
    assert bands == [25, 26]


def test_as_a_source_it_loads_and_its_gradient_is_finite():
    source = SourceModel.from_module(AttentionRNN(6), (16_000,), flexible=True)
    waveform = torch.zeros(1, 16_000, requires_grad=True)
    source.load().outputs(waveform).sum().backward()
    assert torch.isfinite(waveform.grad).all()


def test_untrained_weights_keep_the_spectrogram():
    module = AttentionRNN(6)
    untrained = SourceModel.from_module(module, (16_000,)).with_random_weights()._build()
    for name, buffer in module.front_end.named_buffers():
        assert torch.equal(untrained.front_end.get_buffer(name), buffer)
    assert not torch.equal(untrained.query.weight, module.query.weight)
