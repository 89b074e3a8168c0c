"""
Can a network of photographs classify drawings of time series?
==============================================================

EfficientNet-Lite0 was trained on the photographs of ImageNet. Here it is shown time series: as
stacked segments, as line drawings, as recurrence plots, as Gramian fields, as spectrograms. The
network stays as it is; a ridge head reads what its layers make of the pictures.
"""

# %%
# Series of four kinds
# --------------------
# They come with sktime: the hand that draws a gun, outlines of leaves, the power that a machine in
# the house takes, and the acceleration and rotation of a wrist, six series at a time.

import numpy as np
from sklearn.model_selection import train_test_split

from skreprogram.datasets import load_ucr


def load(name, size=60):
    """Series of both parts of a set, with the classes' shares kept."""
    X_train, y_train, X_test, y_test = load_ucr(name)
    X, y = np.concatenate([X_train, X_test]), np.concatenate([y_train, y_test])
    X, _, y, _ = train_test_split(X, y, train_size=size, stratify=y, random_state=0)
    return X, y


tasks = {name: load(name) for name in ["GunPoint", "OSULeaf", "ACSF1", "BasicMotions"]}

# %%
# What the network is shown
# -------------------------
# Red, green and blue of a drawing are the values, their differences and their running sums;
# segments and spectrograms show in blue the values on the scale of the whole set, which keeps
# amplitudes apart; Gramian fields are those of added and of subtracted angles, and the field of
# transitions. Of the six series of a wrist three are the colours of the upper half and three those
# of the lower one.

from pathlib import Path

import matplotlib.pyplot as plt

from skreprogram import TimeSeriesReprogrammer
from skreprogram.sources import load_source

source = load_source("imagenet-efficientnet-lite0", input_shape=(3, 96, 96))
kinds = ["segments", "drawing", "recurrence", "gramian", "spectrogram"]

figure, axes = plt.subplots(4, 6, figsize=(12, 8.4), layout="constrained")
for row, (name, (X, y)) in zip(axes, tasks.items(), strict=True):
    row[0].plot(np.atleast_2d(X[0]).T, linewidth=1)
    row[0].set(ylabel=name, xmargin=0)
    for axis, kind in zip(row[1:], kinds, strict=True):
        clf = TimeSeriesReprogrammer(source, input_transformation=kind).fit(X[:20], y[:20])
        axis.imshow(clf.reprogram(X[:1])[0].transpose(1, 2, 0))
        axis.set_axis_off()
for axis, title in zip(axes[0], ["the series", *kinds], strict=True):
    axis.set_title(title)
axes[-1, 0].set_xlabel("time")
figure.suptitle("Four series as the pictures that a network of photographs is shown", fontsize=14)

path = Path("figures", "series_as_pictures.png").resolve()
path.parent.mkdir(exist_ok=True)
figure.savefig(path, dpi=120)
print(f"Figure: {path}")

# %%
# The machine of ACSF1 goes on and off faster than pixels follow: its drawing is a filled area, and
# on and off average out in recurrence plots and Gramian fields, which are made of 96 moments.
# Segments and spectrogram keep the rhythm.

# %%
# Does it help?
# -------------
# Three-fold cross-validation on sixty series of two sets. "pictures" is several kinds side by side.
# The control is the same network with random weights: what that reaches is no merit of photographs.

import time

import pandas as pd
from sklearn.model_selection import StratifiedKFold, cross_val_score
from tqdm.auto import tqdm

control = source.with_random_weights(0)
classifiers = {
    kind: TimeSeriesReprogrammer(source, input_transformation=kind, random_state=0)
    for kind in [*kinds, "pictures"]
}
classifiers["pictures, random weights"] = TimeSeriesReprogrammer(
    control, input_transformation="pictures", random_state=0
)
classifiers["tones, network of words"] = TimeSeriesReprogrammer(random_state=0)

folds = StratifiedKFold(3, shuffle=True, random_state=0)
table = pd.DataFrame(index=list(classifiers))
runs = [(label, name) for name in ("OSULeaf", "BasicMotions") for label in classifiers]
for label, name in tqdm(runs, desc="cross-validation", unit="run"):
    start = time.perf_counter()
    accuracy = cross_val_score(classifiers[label], *tasks[name], cv=folds).mean()
    table.loc[label, name] = f"{accuracy:.3f} ({time.perf_counter() - start:.1f} s)"
print(f"\nAccuracy in three-fold cross-validation (seconds)\n\n{table.to_string()}")

# %%
# What the network knows of photographs serves for series as well: with random weights it is far
# behind. On these two sets, tones before the much smaller network of words do better still.
