"""The conversion of the Keras weights of the attention RNN."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.io import wavfile
from scipy.signal import resample_poly

from skreprogram.sources import AttentionRNN, load_source
from skreprogram.sources._attention_rnn_front_end import LogMagnitudeMel
from skreprogram.sources._attention_rnn_keras import convert
from skreprogram.sources._catalogue import CATALOGUE

PUBLISHED = Path(__file__).parents[2] / "shared" / "weights" / "speech_commands_attrnn.h5"
LAYERS = {
    "conv2d": {"kernel:0": (5, 1, 1, 10), "bias:0": (10,)},
    "batch_normalization": dict.fromkeys(
        ("gamma:0", "beta:0", "moving_mean:0", "moving_variance:0"), (10,)
    ),
    "lambda": {},
    "conv2d_1": {"kernel:0": (5, 1, 10, 1), "bias:0": (1,)},
    "batch_normalization_1": dict.fromkeys(
        ("gamma:0", "beta:0", "moving_mean:0", "moving_variance:0"), (1,)
    ),
    "bidirectional": {
        f"{direction}/{name}:0": shape
        for direction in ("forward_lstm", "backward_lstm")
        for name, shape in (
            ("kernel", (80, 256)), ("recurrent_kernel", (64, 256)), ("bias", (256,))
        )
    },
    "bidirectional_1": {
        f"{direction}/{name}:0": shape
        for direction in ("forward_lstm", "backward_lstm")
        for name, shape in (
            ("kernel", (128, 256)), ("recurrent_kernel", (64, 256)), ("bias", (256,))
        )
    },
    "dense": {"kernel:0": (128, 128), "bias:0": (128,)},
    "dense_1": {"kernel:0": (128, 64), "bias:0": (64,)},
    "dense_2": {"kernel:0": (64, 32), "bias:0": (32,)},
    "output": {"kernel:0": (32, 5), "bias:0": (5,)},
}  # fmt: skip


@pytest.fixture
def keras_file(tmp_path):
    """A file laid out as Keras 2 does, with five outputs and drawn weights."""
    h5py = pytest.importorskip("h5py")
    generator = np.random.default_rng(0)
    with h5py.File(tmp_path / "model.h5", "w") as file:
        weights = file.create_group("model_weights")
        weights.attrs["layer_names"] = list(LAYERS)
        for layer, shapes in LAYERS.items():
            group = weights.create_group(layer)
            group.attrs["weight_names"] = [f"{layer}/{name}" for name in shapes]
            for name, shape in shapes.items():
                scale = 0.3 if len(shape) > 1 else 1.0
                group[f"{layer}/{name}"] = scale * generator.random(shape, dtype=np.float32)
    return tmp_path / "model.h5"


def keras_logits(path, frames):
    """The network as Keras computes it, in numpy, for one recording of shape (frames, 80)."""
    import h5py

    def sigmoid(values):
        return 1 / (1 + np.exp(-values))

    def filtered(frames, kernel, bias, gamma, beta, mean, variance):
        padded = np.pad(frames, ((2, 2), (0, 0), (0, 0)))
        taps = [padded[tap : tap + len(frames)] @ kernel[tap, 0] for tap in range(5)]
        return gamma * (np.maximum(sum(taps) + bias, 0) - mean) / np.sqrt(variance + 1e-3) + beta

    def recurrent(frames, kernel, recurrent_kernel, bias):
        hidden = cell = np.zeros(64)
        states = []
        for frame in frames:
            gates = np.split(frame @ kernel + hidden @ recurrent_kernel + bias, 4)
            enter, forget, leave = (sigmoid(gates[gate]) for gate in (0, 1, 3))
            cell = forget * cell + enter * np.tanh(gates[2])
            hidden = leave * np.tanh(cell)
            states.append(hidden)
        return np.array(states)

    def both_ways(frames, arrays):
        back = recurrent(frames[::-1], *arrays[3:])[::-1]
        return np.concatenate([recurrent(frames, *arrays[:3]), back], axis=1)

    with h5py.File(path) as file:
        groups = [file["model_weights"][name] for name in LAYERS if LAYERS[name]]
        layers = [
            [np.asarray(group[name], dtype=float) for name in group.attrs["weight_names"]]
            for group in groups
        ]
    values = filtered(frames[:, :, None], *layers[0], *layers[1])
    values = filtered(values, *layers[2], *layers[3])[:, :, 0]
    values = both_ways(both_ways(values, layers[4]), layers[5])
    scores = values @ (values[-1] @ layers[6][0] + layers[6][1])
    weights = np.exp(scores - scores.max())
    context = weights / weights.sum() @ values
    hidden = np.maximum(context @ layers[7][0] + layers[7][1], 0) @ layers[8][0] + layers[8][1]
    return hidden @ layers[9][0] + layers[9][1]


def spoken(word, path):
    """A second of synthetic speech."""
    try:
        subprocess.run(["espeak-ng", "-s", "140", "-w", str(path), word], check=True)
    except FileNotFoundError:
        pytest.skip("no espeak-ng on this machine")
    rate, samples = wavfile.read(path)
    samples = resample_poly(samples / 32768, 16_000, rate)
    loud = np.flatnonzero(np.abs(samples) > 0.01)
    samples = samples[loud[0] : loud[-1] + 1][:16_000]
    before = (16_000 - len(samples)) // 2
    return np.pad(samples, (before, 16_000 - len(samples) - before))


def test_the_converted_network_computes_what_keras_computes(keras_file):
    network = AttentionRNN(5, "log_magnitude").double().eval()
    network.load_state_dict(convert(keras_file))
    waveform = torch.randn(1, 16_000, dtype=torch.float64)
    frames = network.front_end(waveform)[0].T.numpy()
    expected = keras_logits(keras_file, frames)
    np.testing.assert_allclose(network(waveform)[0].detach(), expected, atol=1e-8)


def test_a_keras_file_of_another_network_is_refused(keras_file):
    import h5py

    with h5py.File(keras_file, "r+") as file:
        file["model_weights"].attrs["layer_names"] = list(LAYERS)[:-1]
    with pytest.raises(ValueError, match="the attention RNN"):
        convert(keras_file)


def test_keras_weights_of_other_shapes_are_refused(keras_file):
    import h5py

    with h5py.File(keras_file, "r+") as file:
        del file["model_weights/dense_2/dense_2/kernel:0"]
        file["model_weights/dense_2/dense_2/kernel:0"] = np.zeros((64, 16), dtype=np.float32)
    with pytest.raises(ValueError, match=r"narrowing\.2\.weight.*another architecture"):
        convert(keras_file)


def test_a_file_that_is_not_hdf5_is_refused(tmp_path):
    pytest.importorskip("h5py")
    (tmp_path / "model.h5").write_text("no")
    with pytest.raises(ValueError, match="cannot be read as Keras weights"):
        convert(tmp_path / "model.h5")


def test_without_h5py_the_message_names_the_extra(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(ImportError, match=r"skreprogram\[keras\]"):
        convert(tmp_path / "model.h5")


@pytest.fixture
def published(tmp_path, monkeypatch):
    """The published weights, put by hand where the catalogue looks for them."""
    pytest.importorskip("h5py")
    if not PUBLISHED.is_file():
        pytest.skip("no published weights beside this repository")
    monkeypatch.setenv("SKREPROGRAM_HOME", str(tmp_path))
    place = CATALOGUE["speech-commands-attrnn"].download_path
    place.parent.mkdir(parents=True)
    place.write_bytes(PUBLISHED.read_bytes())
    return load_source("speech-commands-attrnn", download=False)


def test_the_published_weights_convert_to_the_hash_in_the_catalogue(published):
    assert published.n_outputs == 36
    assert published.load().outputs(torch.randn(2, 16_000)).shape == (2, 36)


def test_the_published_weights_were_trained_with_these_mel_bands(published):
    import h5py

    with h5py.File(PUBLISHED) as file:
        config = file.attrs["model_config"]
    start = config.index('{"b": [[') + len('{"b": ')
    bands = np.array(json.loads(config[start : config.index("]]", start) + 2]))
    np.testing.assert_allclose(LogMagnitudeMel().bands, bands, atol=2e-5)


def test_the_published_weights_recognise_synthetic_words(published, tmp_path):
    words = [word for word in published.output_names if word != "unknown"][:20]
    inputs = np.zeros((20, 16_000), dtype=np.float32)
    for row, word in enumerate(words):
        inputs[row] = spoken(word, tmp_path / "word.wav")
    names = np.array(published.output_names)
    heard = names[published.load().outputs(torch.from_numpy(inputs)).argmax(1)]
    assert (heard == words).sum() >= 16
