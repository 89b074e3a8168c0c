"""Data sets of several channels, and pieces of their training parts for choices."""

from typing import NamedTuple

import numpy as np
from scipy.fft import dct
from sklearn.model_selection import train_test_split

from skreprogram.datasets import load_ucr

# the test clips of the spoken digits, and the training clips: numbers of the recordings
TEST_CLIPS = range(5)
RATE, WINDOW, HOP, N_BANDS, N_CEPSTRA = 8000, 200, 80, 26, 13


class Target(NamedTuple):
    """Both parts of a data set; series are of shape (n_channels, length)."""

    X: list
    y: np.ndarray
    X_test: list
    y_test: np.ndarray


def basic_motions(folder):
    return Target(*load_ucr("BasicMotions"))


def japanese_vowels(folder):
    return Target(*load_ucr("JapaneseVowels"))


def spoken_digits(folder):
    """Thirteen cepstra over time of the spoken digits, a frame every hundredth of a second."""
    if folder is None:
        raise ValueError("Got no --data, expected the folder of the spoken digits. Give it.")
    parts = {True: ([], []), False: ([], [])}
    for file in sorted((folder / "recordings").glob("*.wav")):
        digit, _, number = file.stem.split("_")
        series, labels = parts[int(number) in TEST_CLIPS]
        series.append(cepstra(_samples(file)))
        labels.append(digit)
    (X, y), (X_test, y_test) = parts[False], parts[True]
    return Target(X, np.array(y), X_test, np.array(y_test))


def cepstra(waveform):
    """Cepstral coefficients of 25 ms windows, mel bands from 0 to 4000 hertz.

    Parameters
    ----------
    waveform : ndarray of shape (n_points,)
        At 8000 hertz.

    Returns
    -------
    cepstra : ndarray of shape (13, n_frames)
    """
    waveform = np.pad(waveform, (0, max(0, WINDOW - len(waveform))))
    frames = np.lib.stride_tricks.sliding_window_view(waveform, WINDOW)[::HOP]
    power = np.abs(np.fft.rfft(frames * np.hamming(WINDOW), 256)) ** 2
    heard = np.log(power @ _mel_bands().T + 1e-6)
    return dct(heard, axis=1, norm="ortho")[:, :N_CEPSTRA].T


def _mel_bands():
    """Triangles, equally wide on the mel scale; (n_bands, n_frequencies)."""
    top = 2595 * np.log10(1 + RATE / 2 / 700)
    edges = 700 * (10 ** (np.linspace(0, top, N_BANDS + 2) / 2595) - 1)
    hertz = np.linspace(0, RATE / 2, 129)
    low, middle, high = (edges[i : i + N_BANDS, None] for i in range(3))
    rising, falling = (hertz - low) / (middle - low), (high - hertz) / (high - middle)
    return np.clip(np.minimum(rising, falling), 0, None)


def _samples(file):
    from scipy.io import wavfile

    rate, samples = wavfile.read(file)
    if rate != RATE:
        raise ValueError(f"Got '{file}' at {rate} hertz, expected {RATE}. Resample it.")
    return samples / 2**15


def halves(target, seed=0):
    """A third of the training part in the place of the test part, which is left alone."""
    rows = np.arange(len(target.y))
    fit, held_out = train_test_split(rows, test_size=1 / 3, stratify=target.y, random_state=seed)
    X = [target.X[i] for i in fit], [target.X[i] for i in held_out]
    return Target(X[0], target.y[fit], X[1], target.y[held_out])


TARGETS = {
    "BasicMotions": basic_motions,
    "JapaneseVowels": japanese_vowels,
    "spoken digits, 13 cepstra": spoken_digits,
}
