"""The configurations that the benchmark knows by name.

To add one, write a function of the seed that returns an unfitted estimator, and a line in
`ESTIMATORS`. What only that estimator needs is imported in the function.
"""

import warnings
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import torch
from sklearn.neighbors import KNeighborsClassifier
from skorch.callbacks import Callback

from _ucr_neighbours import NearestNeighbourDTW
from _ucr_rockets import RocketRidge

# read before numba runs, which changes it
THREADS = torch.get_num_threads()


class Configuration(NamedTuple):
    """One row of the registry: how to make the estimator, and what its figures depend on.

    A closed form around a frozen source draws nothing, and has one answer whatever the seed. What
    a nearest neighbour or a ridge classifier answers is no probability.
    """

    make: Callable[[int], Any]
    package: str
    uses_seed: bool = True
    gives_probabilities: bool = True


def default(seed):
    from skreprogram import TimeSeriesReprogrammer

    return TimeSeriesReprogrammer(random_state=seed)


def fast(seed):
    from skreprogram import TimeSeriesReprogrammer

    return TimeSeriesReprogrammer(effort="fast", random_state=seed)


def best(seed):
    from skreprogram import TimeSeriesReprogrammer

    return TimeSeriesReprogrammer(effort="best", random_state=seed)


def fast_random_weights(seed):
    return _untrained("speech-commands", "fast", seed)


def best_random_weights(seed):
    return _untrained(["speech-commands", "imagenet-efficientnet-lite0"], "best", seed)


def _untrained(source, effort, seed):
    """An effort around networks with the weights of a seed."""
    from skreprogram import TimeSeriesReprogrammer
    from skreprogram.sources import SeveralSources, load_source

    if isinstance(source, str):
        untrained = load_source(source).with_random_weights(seed)
    else:
        untrained = SeveralSources(map(load_source, source)).with_random_weights(seed)
    return TimeSeriesReprogrammer(untrained, effort=effort, random_state=seed)


def speech(seed, random_weights=False):
    """The speech source alone."""
    return _one_source("speech-commands", "modulations", seed, random_weights)


def speech_random_weights(seed):
    return speech(seed, random_weights=True)


def image(seed, random_weights=False):
    """The image source alone, at 96 pixels."""
    name, shape = "imagenet-efficientnet-lite0", (3, 96, 96)
    return _one_source(name, "pictures", seed, random_weights, input_shape=shape)


def image_random_weights(seed):
    return image(seed, random_weights=True)


def _one_source(name, input_transformation, seed, random_weights, input_shape=None):
    from skreprogram import TimeSeriesReprogrammer
    from skreprogram.sources import load_source

    source = load_source(name, input_shape=input_shape)
    return TimeSeriesReprogrammer(
        source.with_random_weights(seed) if random_weights else source,
        input_transformation=input_transformation,
        random_state=seed,
    )


class ReferenceSchedule(Callback):
    """The learning rate of the authors' code, ``lr / (1 + 0.48 step)``, for so many steps."""

    def __init__(self, n_steps=150, decay=0.48):
        self.n_steps = n_steps
        self.decay = decay

    def on_train_begin(self, net, **kwargs):
        self.taken_ = 0

    def on_batch_end(self, net, training=False, **kwargs):
        self.taken_ += bool(training)
        for group in net.optimizer_.param_groups:
            group["lr"] = net.lr / (1 + self.decay * self.taken_)
        if self.taken_ >= self.n_steps:
            raise KeyboardInterrupt  # skorch's way to end training in good order


def voice2series(seed, source="speech-commands"):
    """The configuration of the paper: replicas, a program in the gaps, a random mapping.

    Adam from 0.05 with the schedule of the authors' code, which is at 0.001 after 100 steps,
    batches of 32, l2 of 0.04. Dropout and replicas, which the paper tunes, are fixed inside its
    grids; replicas that do not fit are cut down. README.md says how they were fixed.
    """
    from skreprogram import TimeSeriesReprogrammer
    from skreprogram.transformations import TilingTransformation

    warnings.filterwarnings("ignore", message="Got n_replicas")
    return TimeSeriesReprogrammer(
        source,
        input_transformation=TilingTransformation(n_replicas=10, dropout=0.2, l2=0.04),
        output_mapping="random",
        lr=0.05,
        max_epochs=150,
        callbacks=[ReferenceSchedule()],
        precision="bf16",
        random_state=seed,
    )


def voice2series_attention_rnn(seed):
    """The same around the published attention RNN, the source model of the paper."""
    return voice2series(seed, "speech-commands-attrnn")


def minirocket(seed):
    return _rocket("MiniRocket", seed)


def multirocket(seed):
    return _rocket("MultiRocket", seed)


def _rocket(name, seed):
    _compile(name)
    return RocketRidge(name, n_jobs=THREADS, random_state=seed)


@cache
def _compile(name):
    # Once a process and before any clock runs: numba compiles at the first call.
    X = np.random.default_rng(0).standard_normal((4, 20))
    RocketRidge(name).fit(X, np.array([0, 1, 0, 1])).predict(X)


def nearest_neighbour(seed):
    return KNeighborsClassifier(n_neighbors=1)


def nearest_neighbour_dtw(seed):
    return NearestNeighbourDTW()


ESTIMATORS = {
    "fast": Configuration(fast, "skreprogram", uses_seed=False),
    "default": Configuration(default, "skreprogram", uses_seed=False),
    "best": Configuration(best, "skreprogram", uses_seed=False),
    "fast-random-weights": Configuration(fast_random_weights, "skreprogram"),
    "best-random-weights": Configuration(best_random_weights, "skreprogram"),
    "speech": Configuration(speech, "skreprogram", uses_seed=False),
    "speech-random-weights": Configuration(speech_random_weights, "skreprogram"),
    "image": Configuration(image, "skreprogram", uses_seed=False),
    "image-random-weights": Configuration(image_random_weights, "skreprogram"),
    "voice2series": Configuration(voice2series, "skreprogram"),
    "voice2series-attrnn": Configuration(voice2series_attention_rnn, "skreprogram"),
    "minirocket": Configuration(minirocket, "sktime", gives_probabilities=False),
    "multirocket": Configuration(multirocket, "sktime", gives_probabilities=False),
    "1nn-euclidean": Configuration(nearest_neighbour, "scikit-learn", False, False),
    "1nn-dtw": Configuration(nearest_neighbour_dtw, "dtaidistance", False, False),
}
