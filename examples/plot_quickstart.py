"""
Can a frozen model of speech classify time series?
==================================================

``TimeSeriesReprogrammer()`` plays each series to a small network that recognises spoken words, and
classifies by what the network's layers do. The network is never trained further. It is compared on
four real data sets with itself under random weights, MiniRocket and the nearest neighbour.
"""

# %%
# Four data sets
# --------------
# They come with sktime, so that nothing is downloaded. The archive's training and test parts are
# joined, because cross-validation makes splits of its own, and 100 series of each set are drawn, so
# that this page takes a minute or two. The archive's own splits are in the benchmarks.

import time
from pathlib import Path

import numpy as np
from sklearn.model_selection import train_test_split

from skreprogram.datasets import load_ucr


def load(name, size=100):
    """Series of both parts of a set, with the classes' shares kept."""
    X_train, y_train, X_test, y_test = load_ucr(name)
    X, y = np.concatenate([X_train, X_test]), np.concatenate([y_train, y_test])
    X, _, y, _ = train_test_split(X, y, train_size=size, stratify=y, random_state=0)
    return X, y


tasks = {name: load(name) for name in ["ItalyPowerDemand", "GunPoint", "ArrowHead", "OSULeaf"]}

# %%
# Four classifiers
# ----------------
# What the network reaches with random weights is no merit of speech. MiniRocket gets a class of
# its own because sktime's transformers fail inside scikit-learn's pipelines.

from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import RidgeClassifierCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skreprogram import TimeSeriesReprogrammer
from skreprogram.sources import load_source


class MiniRocketRidge(ClassifierMixin, BaseEstimator):
    """MiniRocket's features and a ridge classifier, the recipe of its authors."""

    def fit(self, X, y):
        from sktime.transformations.rocket import MiniRocket

        self.rocket_ = MiniRocket(random_state=0).fit(X[:, np.newaxis])
        ridge = RidgeClassifierCV(alphas=np.logspace(-3, 3, 10))
        self.ridge_ = make_pipeline(StandardScaler(with_mean=False), ridge)
        self.ridge_.fit(self.rocket_.transform(X[:, np.newaxis]), y)
        self.classes_ = self.ridge_.classes_
        return self

    def predict(self, X):
        return self.ridge_.predict(self.rocket_.transform(X[:, np.newaxis]))


control = load_source("speech-commands").with_random_weights(0)
classifiers = {  # MiniRocket last: numba, which compiles it, changes torch's number of threads
    "1-NN": KNeighborsClassifier(n_neighbors=1),
    "reprogrammed": TimeSeriesReprogrammer(random_state=0),
    "random weights": TimeSeriesReprogrammer(control, random_state=0),
    "MiniRocket": MiniRocketRidge(),
}

# %%
# Three-fold cross-validation
# ---------------------------
# The seconds are those of all three folds, fit and predict. MiniRocket's first ones compile it.

import pandas as pd
import torch
from sklearn.model_selection import StratifiedKFold, cross_val_score
from tqdm.auto import tqdm

table = pd.DataFrame(index=list(tasks))
table["series"] = [f"{len(X)} x {X.shape[1]}" for X, _ in tasks.values()]
folds = StratifiedKFold(3, shuffle=True, random_state=0)
threads = torch.get_num_threads()
runs = [(label, name) for label in classifiers for name in tasks]
progress = tqdm(runs, desc="cross-validation", unit="run")
accuracies = {label: [] for label in classifiers}
for label, name in progress:
    progress.set_postfix_str(f"{label} on {name}")
    start = time.perf_counter()
    accuracy = cross_val_score(classifiers[label], *tasks[name], cv=folds).mean()
    table.loc[name, label] = f"{accuracy:.3f} ({time.perf_counter() - start:.1f} s)"
    accuracies[label].append(accuracy)
torch.set_num_threads(threads)

table.loc["mean"] = ["", *(f"{np.mean(values):.3f}" for values in accuracies.values())]
print(f"\nAccuracy in three-fold cross-validation (seconds)\n\n{table.to_string()}")

# %%
# What is the network shown?
# --------------------------
# One series of GunPoint, a hand that draws a gun and puts it back. In the first of the eight views
# the height of the hand is the pitch of a tone, ten milliseconds for each point. The network turns
# it into a spectrogram, its first stage, and, being a network of words, finds words in it. They
# have nothing to do with guns, and need not: a ridge head reads how all layers respond.

import matplotlib.pyplot as plt

X, y = tasks["GunPoint"]
clf = TimeSeriesReprogrammer(random_state=0).fit(X[:50], y[:50])
series, waveform = X[y == y[0]][0], clf.reprogram(X[y == y[0]][:1])[0]
network = clf.source_.load()
spectrogram = network.features(torch.from_numpy(waveform))[0][0].numpy(force=True)
heard = network.outputs(torch.from_numpy(waveform))[0].softmax(0).numpy(force=True)

clock = np.arange(waveform.size) / clf.source_.sampling_rate
points = np.linspace(0, clock[-1], len(series))
middle = points[np.abs(np.diff(series)).argmax()]
near = np.abs(clock - middle) < 0.02
ink, accent = "#1f3a5f", "#e07a3f"

figure = plt.figure(figsize=(11, 7), layout="constrained")
mosaic = figure.subplot_mosaic("AAAD;BBBD;CCCD")
above, sound, picture, words = (mosaic[name] for name in "ABCD")
above.plot(points, series, color=ink, linewidth=2)
above.axvspan(*clock[near][[0, -1]], color=accent, alpha=0.4, linewidth=0)
above.set(title="The series: height of a hand", ylabel="standardised", xlim=(0, clock[-1]))
sound.plot(clock[near], waveform[0, near], color=accent, linewidth=1)
sound.set(title="Waveform of the 40 ms shaded above", ylabel="amplitude", ylim=(-1, 1), xmargin=0)
extent = (0, clock[-1], 0.5, len(spectrogram) + 0.5)
image = picture.imshow(spectrogram, origin="lower", aspect="auto", cmap="magma", extent=extent)
picture.set(title="What the network hears", xlabel="time (s)", ylabel="mel band, 20 to 7600 Hz")
figure.colorbar(image, ax=picture, label="log power (scaled)", pad=0.01)
best = heard.argsort()[-6:]
words.barh(np.array(clf.source_.output_names)[best], heard[best], color=[ink] * 5 + [accent])
words.set(title="The words it takes it for", xlabel="probability")
figure.suptitle("A series of GunPoint, reprogrammed for a model of spoken words", fontsize=14)

path = Path("figures", "quickstart.png").resolve()
path.parent.mkdir(exist_ok=True)
figure.savefig(path, dpi=120)
print(f"\nFigure: {path}")
