"""Configurations of low-resource speech, by name.

To add one, write a function of the seed and the number of clips that returns an unfitted
estimator, and a line in `CONFIGURATIONS`.
"""

import math
from functools import partial

import numpy as np
import torch
from scipy.fft import dct
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from _controls import CONTROL
from skreprogram import TimeSeriesReprogrammer
from skreprogram.sources import load_source
from skreprogram.sources._log_mel import LogMel
from skreprogram.transformations import PaddingTransformation

SOURCE = "speech-commands"
BATCH_SIZE = 32
# chosen on a held-out training speaker, see README.md
N_STEPS = 20
LR = 0.001
FINETUNE_LR, FINETUNE_LR_BEFORE_HEAD = 0.0003, 0.0001
N_CEPSTRA, N_MOMENTS, C = 13, 20, 0.01


def reprogrammed(seed, n_clips, program, finetune=None, mapping="similarity", control=False):
    """A waveform added to every clip or none, the speech source, source labels for the classes."""
    source = load_source(SOURCE)
    added = PaddingTransformation(program="everywhere") if program else "identity"
    return TimeSeriesReprogrammer(
        source.with_random_weights(seed) if control else source,
        input_transformation=added,
        output_mapping=mapping,
        finetune=finetune,
        max_epochs=epochs(n_clips),
        batch_size=BATCH_SIZE,
        lr=LR,
        finetune_lr=FINETUNE_LR_BEFORE_HEAD if mapping == "features" else FINETUNE_LR,
        random_state=seed,
    )


def epochs(n_clips):
    """Epochs over so many clips, all classes together, that take `N_STEPS` steps or just more."""
    return math.ceil(N_STEPS / math.ceil(n_clips / BATCH_SIZE))


def logistic_regression(seed, n_clips):
    """Mel cepstra of the recording and logistic regression, without any source."""
    head = LogisticRegression(C=C, max_iter=2_000)
    return make_pipeline(FunctionTransformer(cepstra), StandardScaler(), head)


def cepstra(X):
    """Mel-frequency cepstral coefficients at evenly spaced moments of each recording.

    Parameters
    ----------
    X : ndarray of float32 of shape (n_clips, n_samples)
        Waveforms; the zeros around the recording are left out.

    Returns
    -------
    features : ndarray of shape (n_clips, 13 * 20)
        Cosine transform of the log-mel frames, which are those of the source.
    """
    front_end, moments = LogMel(), np.linspace(0, 1, N_MOMENTS)
    rows = []
    for clip in X:
        own = np.flatnonzero(clip)
        recording = torch.from_numpy(clip[own[0] : own[-1] + 1])
        frames = dct(front_end(recording[None])[0].numpy(), axis=0, norm="ortho")[:N_CEPSTRA]
        times = np.linspace(0, 1, frames.shape[1])
        rows.append([np.interp(moments, times, coefficient) for coefficient in frames])
    return np.reshape(rows, (len(X), -1))


OF_THE_SOURCE = {
    "probe": partial(reprogrammed, program=False, mapping="features"),
    "mapping alone": partial(reprogrammed, program=False),
    "program": partial(reprogrammed, program=True),
    "fine-tuning": partial(reprogrammed, program=False, finetune="all"),
    "program and fine-tuning": partial(reprogrammed, program=True, finetune="all"),
}
CONFIGURATIONS = {
    **OF_THE_SOURCE,
    "program, random labels": partial(reprogrammed, program=True, mapping="random"),
    "fine-tuning, new head": partial(
        reprogrammed, program=False, finetune="all", mapping="features"
    ),
    **{name + CONTROL: partial(make, control=True) for name, make in OF_THE_SOURCE.items()},
    "cepstra": logistic_regression,
}
