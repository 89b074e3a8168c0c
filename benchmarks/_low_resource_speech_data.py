"""Spoken digits of six speakers, as waveforms that the speech source takes."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.io import wavfile
from scipy.signal import resample_poly

RATE = 16_000
LENGTH = 16_000
N_HELD_OUT = 2


class Clips(NamedTuple):
    """Recordings.

    Parameters
    ----------
    X : ndarray of float32 of shape (n_clips, 16000)
        One second at 16 kHz, the recording in its middle, its peak at 1.
    y : ndarray of int of shape (n_clips,)
        Digits that are spoken.
    speaker : ndarray of str of shape (n_clips,)
        Who speaks.
    """

    X: np.ndarray
    y: np.ndarray
    speaker: np.ndarray

    def of(self, rows):
        """These rows only, by a mask or positions."""
        return Clips(*(column[rows] for column in self))


def read(folder):
    """Read ``recordings/DIGIT_SPEAKER_NUMBER.wav``, sorted by name.

    Parameters
    ----------
    folder : path-like
        The free spoken digit dataset.

    Returns
    -------
    clips : Clips
    """
    paths = sorted(Path(folder).glob("recordings/*_*_*.wav"))
    if not paths:
        raise FileNotFoundError(
            f"Got the folder {str(folder)!r} without recordings/DIGIT_SPEAKER_NUMBER.wav. Clone "
            "github.com/Jakobovski/free-spoken-digit-dataset and give its folder as --data."
        )
    named = [path.stem.split("_") for path in paths]
    X = np.stack([_placed(*wavfile.read(path)) for path in paths])
    y = np.array([int(digit) for digit, _, _ in named])
    return Clips(X, y, np.array([speaker for _, speaker, _ in named]))


def backwards(clips):
    """The same recordings played backwards: words that no model of speech has heard."""
    return clips._replace(X=np.ascontiguousarray(clips.X[:, ::-1]))


TARGETS = {"digits": lambda clips: clips, "digits backwards": backwards}


def split(clips, n_clips, seed, validated=False):
    """Training and test clips of different speakers.

    Parameters
    ----------
    clips : Clips
        All.
    n_clips : int
        Training clips of each class, drawn from all training speakers; fewer are among more.
    seed : int
        Draws them, and chooses the two held-out speakers: seeds 0, 1, 2 share none of six.
    validated : bool, default=False
        Whether the last training speaker is held out in the place of the test speakers.

    Returns
    -------
    train, test : Clips
    """
    speakers = np.unique(clips.speaker)
    first = N_HELD_OUT * seed % len(speakers)
    held_out = speakers[first : first + N_HELD_OUT]
    if validated:
        clips = clips.of(~np.isin(clips.speaker, held_out))
        held_out = np.unique(clips.speaker)[-1:]
    is_test = np.isin(clips.speaker, held_out)
    order = np.random.RandomState(seed).permutation(np.flatnonzero(~is_test))
    drawn = [order[clips.y[order] == digit][:n_clips] for digit in np.unique(clips.y)]
    return clips.of(np.concatenate(drawn)), clips.of(is_test)


def _placed(rate, samples):
    """A recording as one second at 16 kHz, its peak at 1."""
    waveform = resample_poly(samples.astype(np.float64), RATE, rate)
    waveform = waveform[:LENGTH] / max(np.abs(waveform).max(), 1e-9)
    before = (LENGTH - len(waveform)) // 2
    return np.pad(waveform, (before, LENGTH - len(waveform) - before)).astype(np.float32)
