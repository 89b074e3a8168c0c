"""
Can frozen networks of words and of photographs predict values?
===============================================================

The content of fat from the spectrum of meat, deaths of an epidemic from its cases, a disease from
ten measurements, the angle of a turned digit: two series, a table and images. The sources are the
defaults, a network of spoken words and one of ImageNet, and are never trained further. They are
compared with ridge regression on the raw data, MiniRocket, and themselves with random weights.
"""

# %%
# Four tasks
# ----------
# All data come with sktime and scikit-learn. Parts that came apart are joined, because the
# comparison makes splits of its own. The digits are turned by angles that are drawn.

import numpy as np
from scipy.ndimage import rotate
from sklearn.datasets import load_diabetes, load_digits
from sktime.datasets import load_covid_3month, load_tecator
from sktime.datatypes import convert_to


def load(loader):
    """Series of both parts of a set, and their values."""
    parts = [loader(split=part) for part in ("train", "test")]
    X = np.concatenate([convert_to(X, to_type="numpy3D")[:, 0] for X, _ in parts])
    return X, np.concatenate([y for _, y in parts]).astype(float)


def turn(size=400):
    """Digits turned by up to 45 degrees, and the angles."""
    rng = np.random.RandomState(0)
    images = load_digits().images
    images = images[rng.permutation(len(images))[:size]] / 16
    angles = rng.uniform(-45, 45, size)
    pairs = zip(np.kron(images, np.ones((1, 4, 4))), angles, strict=True)
    return np.array([rotate(*pair, reshape=False, order=1) for pair in pairs]), angles


tasks = {
    "fat of meat (spectra)": load(load_tecator),
    "epidemic (series)": load(load_covid_3month),
    "diabetes (table)": load_diabetes(return_X_y=True),
    "turned digits (images)": turn(),
}

# %%
# Who competes
# ------------
# MiniRocket gets a class of its own because sktime's transformers fail inside scikit-learn's
# pipelines.

from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skreprogram import ReprogrammingRegressor, TimeSeriesReprogrammingRegressor
from skreprogram.sources import load_source

ALPHAS = np.logspace(-6, 6, 25)


class MiniRocketRidge(RegressorMixin, BaseEstimator):
    """MiniRocket's features and ridge regression."""

    def fit(self, X, y):
        from sktime.transformations.rocket import MiniRocket

        self.rocket_ = MiniRocket(random_state=0).fit(X[:, np.newaxis])
        self.ridge_ = make_pipeline(StandardScaler(), RidgeCV(ALPHAS))
        self.ridge_.fit(self.rocket_.transform(X[:, np.newaxis]), y)
        return self

    def predict(self, X):
        return self.ridge_.predict(self.rocket_.transform(X[:, np.newaxis]))


def competitors(name):
    """Regressors for a task, by the columns of the table."""
    series = name in list(tasks)[:2]
    door = TimeSeriesReprogrammingRegressor if series else ReprogrammingRegressor
    source = "speech-commands" if series else "imagenet-efficientnet-lite0"
    control = load_source(source).with_random_weights(0)
    flat = FunctionTransformer(lambda X: X.reshape(len(X), -1))
    chosen = {
        "ridge, raw data": make_pipeline(flat, RidgeCV(ALPHAS)),
        "reprogrammed": door(random_state=0),
        "random weights": door(control, random_state=0),
    }
    return chosen | ({"MiniRocket": MiniRocketRidge()} if series else {})


# %%
# Three-fold cross-validation
# ---------------------------
# R2: 1 is perfect, 0 the mean of the training part. The seconds are those of all three folds.

import time

import pandas as pd
import torch
from sklearn.model_selection import KFold, cross_val_score

table = pd.DataFrame(index=list(tasks))
table["data"] = [" x ".join(map(str, X.shape)) for X, _ in tasks.values()]
folds = KFold(3, shuffle=True, random_state=0)
threads = torch.get_num_threads()
for name, (X, y) in tasks.items():
    for label, regressor in competitors(name).items():
        start = time.perf_counter()
        scores = cross_val_score(regressor, X, y, cv=folds)
        seconds = time.perf_counter() - start
        table.loc[name, label] = f"{scores.mean():.3f} +- {scores.std():.3f} ({seconds:.0f} s)"
        torch.set_num_threads(threads)  # numba, which compiles MiniRocket, changes it

print(f"R2 in three-fold cross-validation, mean and spread of the folds\n\n{table.to_string()}")

# %%
# How sure is it?
# ---------------
# Fits of the quantiles .1 and .9 give every turned digit an interval; eight tenths of the angles
# should lie inside: the grey line, where the interval crosses it. With more features than samples
# fewer do. The dots are the median, from a fit of its own.

from pathlib import Path

import matplotlib.pyplot as plt

from skreprogram.losses import QuantileLoss

X, y = tasks["turned digits (images)"]
test = slice(300, None)
losses = [QuantileLoss(q=0.1), "absolute", QuantileLoss(q=0.9)]
fits = [ReprogrammingRegressor(loss=loss, random_state=0).fit(X[:300], y[:300]) for loss in losses]
low, middle, high = (fit.predict(X[test]) for fit in fits)
inside = np.mean((low <= y[test]) & (y[test] <= high))
print(f"\nAngles inside their interval from the quantiles .1 and .9: {inside:.2f}")

figure, axes = plt.subplots(figsize=(7, 6), layout="constrained")
axes.vlines(y[test], np.minimum(low, high), np.maximum(low, high), color="#e07a3f", alpha=0.5)
axes.axline((0, 0), slope=1, color="0.6", linewidth=1, zorder=0)
axes.plot(y[test], middle, "o", color="#1f3a5f", markersize=4)
axes.set(title="Turned digits", xlabel="true angle (degrees)", ylabel="predicted")
path = Path("figures", "regression.png").resolve()
path.parent.mkdir(exist_ok=True)
figure.savefig(path, dpi=120)
print(f"\nFigure: {path}")
