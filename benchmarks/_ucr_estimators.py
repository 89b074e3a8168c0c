"""The configurations that the benchmark knows by name.

To add one, write a function of the seed that returns an unfitted estimator, and a line in
`ESTIMATORS`. What only that estimator needs is imported in the function.
"""

import warnings
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import RidgeClassifierCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch.callbacks import Callback


class Configuration(NamedTuple):
    """One row of the registry: how to make the estimator, and what its figures depend on."""

    make: Callable[[int], Any]
    package: str
    uses_seed: bool = True


class MiniRocketRidge(ClassifierMixin, BaseEstimator):
    """MiniRocket's features and a ridge classifier, the recipe of its authors.

    A class of its own because sktime's transformers fail in scikit-learn's pipelines.
    """

    def __init__(self, random_state=0):
        self.random_state = random_state

    def fit(self, X, y):
        from sktime.transformations.rocket import MiniRocket

        self.rocket_ = MiniRocket(random_state=self.random_state).fit(_with_channel(X))
        # Most features are shares of time with many zeros, so they are not centred.
        self.ridge_ = make_pipeline(
            StandardScaler(with_mean=False), RidgeClassifierCV(alphas=np.logspace(-3, 3, 10))
        )
        self.ridge_.fit(self.rocket_.transform(_with_channel(X)), y)
        self.classes_ = self.ridge_.classes_
        return self

    def predict(self, X):
        return self.ridge_.predict(self.rocket_.transform(_with_channel(X)))


def minirocket(seed):
    _compile(MiniRocketRidge)
    return MiniRocketRidge(random_state=seed)


def nearest_neighbour(seed):
    return KNeighborsClassifier(n_neighbors=1)


def nearest_neighbour_dtw(seed):
    _compile(_dtw)
    return _dtw()


def _dtw():
    from sktime.classification.distance_based import KNeighborsTimeSeriesClassifier

    return KNeighborsTimeSeriesClassifier(distance="dtw", distance_params={"window": 0.1})


@cache
def _compile(make):
    # Once a process and before any clock runs: numba compiles at the first call.
    X = np.random.default_rng(0).standard_normal((4, 20))
    make().fit(X, np.array([0, 1, 0, 1])).predict(X)


def default(seed):
    from skreprogram import TimeSeriesReprogrammer

    return TimeSeriesReprogrammer(random_state=seed)


def random_weights(seed):
    from skreprogram import TimeSeriesReprogrammer
    from skreprogram.sources import load_source

    source = load_source("speech-commands").with_random_weights(seed)
    return TimeSeriesReprogrammer(source=source, random_state=seed)


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


def _with_channel(X):
    return X if X.ndim == 3 else X[:, np.newaxis]


ESTIMATORS = {
    "default": Configuration(default, "skreprogram"),
    "random-weights": Configuration(random_weights, "skreprogram"),
    "voice2series": Configuration(voice2series, "skreprogram"),
    "voice2series-attrnn": Configuration(voice2series_attention_rnn, "skreprogram"),
    "minirocket": Configuration(minirocket, "sktime"),
    "1nn-euclidean": Configuration(nearest_neighbour, "scikit-learn", uses_seed=False),
    "1nn-dtw": Configuration(nearest_neighbour_dtw, "sktime", uses_seed=False),
}
