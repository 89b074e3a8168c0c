"""Random convolutions and a ridge classifier: MiniRocket and MultiRocket."""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import RidgeClassifierCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


class RocketRidge(ClassifierMixin, BaseEstimator):
    """Features of a rocket of sktime and a ridge classifier, the recipe of its authors.

    A class of its own because sktime's transformers fail in scikit-learn's pipelines.

    Parameters
    ----------
    rocket : {"MiniRocket", "MultiRocket"}, default="MiniRocket"
        Transformer of ``sktime.transformations.rocket``, with its own defaults. MultiRocket takes
        one channel.
    n_jobs : int, default=1
        Threads of the transformer.
    random_state : int, default=0
        Seed of the transformer.

    References
    ----------
    .. [1] A. Dempster, D. F. Schmidt, G. I. Webb, "MiniRocket: A Very Fast (Almost) Deterministic
       Transform for Time Series Classification", KDD 2021.
    .. [2] C. W. Tan, A. Dempster, C. Bergmeir, G. I. Webb, "MultiRocket: Multiple Pooling Operators
       and Transformations for Fast and Effective Time Series Classification", Data Mining and
       Knowledge Discovery, 2022.
    """

    def __init__(self, rocket="MiniRocket", n_jobs=1, random_state=0):
        self.rocket = rocket
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(self, X, y):
        from sktime.transformations import rocket

        make = getattr(rocket, self.rocket)
        self.rocket_ = make(n_jobs=self.n_jobs, random_state=self.random_state)
        self.rocket_.fit(_with_channel(X))
        # Most features are shares of time with many zeros, so they are not centred.
        self.ridge_ = make_pipeline(
            StandardScaler(with_mean=False), RidgeClassifierCV(alphas=np.logspace(-3, 3, 10))
        )
        self.ridge_.fit(self.rocket_.transform(_with_channel(X)), y)
        self.classes_ = self.ridge_.classes_
        return self

    def predict(self, X):
        return self.ridge_.predict(self.rocket_.transform(_with_channel(X)))


def _with_channel(X):
    return X if X.ndim == 3 else X[:, np.newaxis]
