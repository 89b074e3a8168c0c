"""
What does a network of words hear in the outline of a leaf?
===========================================================

One data set from end to end: the series, the sound and the pictures that they become, what a
program learns from two frozen networks, and how well it classifies.
"""

# %%
# Outlines of leaves
# ------------------
# OSULeaf comes with sktime: the distance of the outline from the centre, once around leaves of six
# species. 60 series of the archive's training part are drawn, and 40 of its test part.

import time
from importlib.util import find_spec
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from scipy.io import wavfile
from sklearn.linear_model import RidgeClassifierCV
from sklearn.model_selection import train_test_split

from skreprogram import TimeSeriesReprogrammer
from skreprogram.datasets import load_ucr
from skreprogram.sources import load_source


def draw(X, y, size):
    """So many of the series, with the classes' shares kept."""
    X, _, y, _ = train_test_split(X, y, train_size=size, stratify=y, random_state=0)
    return X, y


X_train, y_train, X_test, y_test = load_ucr("OSULeaf")
X_train, y_train = draw(X_train, y_train, 60)
X_test, y_test = draw(X_test, y_test, 40)

# %%
# Three efforts, each with its control
# ------------------------------------
# "fast" plays one sound of a series to the network of words, "default" eight; with "best" a network
# of photographs sees four pictures of it, too. What random weights reach is no merit of training.


def reach(clf):
    return clf.fit(X_train, y_train).score(X_test, y_test)


words, photographs = (
    load_source(name).with_random_weights(0)
    for name in ("speech-commands", "imagenet-efficientnet-lite0")
)
controls = {"fast": words, "default": words, "best": [words, photographs]}
accuracy = {}
for effort, control in controls.items():
    start = time.perf_counter()
    clf = TimeSeriesReprogrammer(effort=effort, random_state=0)
    untrained = TimeSeriesReprogrammer(control, effort=effort, random_state=0)
    own, random = reach(clf), reach(untrained)
    accuracy |= {effort: own, f"{effort}, random weights": random}
    seconds = f"{time.perf_counter() - start:.0f} s for both"
    print(f"{effort:<10} {own:.3f}, with random weights {random:.3f} ({seconds})")

if find_spec("numba"):
    from sktime.transformations.rocket import MiniRocket

    rocket = MiniRocket(random_state=0).fit(X_train[:, np.newaxis])
    train, test = (rocket.transform(X[:, np.newaxis]) for X in (X_train, X_test))
    ridge = RidgeClassifierCV(alphas=np.logspace(-3, 3, 10)).fit(train, y_train)
    accuracy["MiniRocket"] = ridge.score(test, y_test)
    print(f"MiniRocket {accuracy['MiniRocket']:.3f}")
else:
    print("MiniRocket is left out: it needs `pip install numba`.")

# %%
# Listen
# ------
# The eight tones of one leaf, one after the other, as the network of words hears them.

leaves = [X_test[y_test == species][:1] for species in ("1", "4")]
shown = [clf.reprogram(leaf) for leaf in leaves]
rate = int(clf.source_.sources[0].sampling_rate)
waveform = np.concatenate([tone[0] for tone in shown[0][:8]])
(folder := Path("figures").resolve()).mkdir(exist_ok=True)
wavfile.write(folder / "leaf.wav", rate, (32767 * waveform.clip(-1, 1)).astype(np.int16))
print(f"\nSound of {waveform.size / rate:.1f} seconds: {folder / 'leaf.wav'}")

# %%
# What was learned
# ----------------
# Each statistic of the activations has a linear head, and so has each view; the answer is a mean,
# with the shares that make it likeliest for training series left out. A weight counts as the square
# of itself times the spread of its feature times the share of its head.

network, output = clf.source_.load(), clf.program_.output
shown_to = [torch.from_numpy(view) for view in clf.reprogram(X_train[:20])]
with torch.inference_mode():
    stages = network.features([shown_to[:8], shown_to[8:]])
    pooled = clf.mapping_.pool({name: torch.from_numpy(a) for name, a in output.items()}, stages)
weight = np.pad(output["weight"], [(0, 0), (0, 0), (0, 1)])  # scores count from the last class
factor = pooled.std(0).numpy() * output["shares"][output["head_of"]]
squares = (weight.var(axis=2) * factor**2).sum(axis=0)
channels = np.array([stage.shape[1] for of_view in stages for stage in of_view])
starts = (channels.cumsum() - channels) * (len(squares) // channels.sum())
table = np.add.reduceat(squares, starts).reshape(len(shown_to), -1) / squares.sum()

views = ["values", "differences", "value and slope", "voice", "values, scale of set"]
views += ["differences, scale of set", "running sums", "ranks"]
pictures = ["segments", "drawing", "recurrence", "differences"]
views += [f"picture: {name}" for name in pictures]
heads = [f"{kind}: {name}" for kind in ("tones", "pictures") for name in clf.mapping_.poolings]

# %%
# In one figure
# -------------
# Above, leaves of two species. Random weights do about as well on these few series: tones and heads
# make most of the accuracy, not the words that were learned.
figure = plt.figure(figsize=(15, 11), layout="constrained")
above, below = figure.subfigures(2, 1, height_ratios=[1, 1.4])
rows = above.subplots(2, 7, width_ratios=[2, 2, 2, 1, 1, 1, 1])
for row, leaf, inputs, color in zip(rows, leaves, shown, ["#1f3a5f", "#e07a3f"], strict=True):
    row[0].plot(leaf[0], color=color)
    row[0].set(title="the series", xlabel="around the leaf", ylabel="distance", xmargin=0)
    for axis, tone, title in zip(row[1:3], inputs[:4:3], ["as a tone", "as a voice"], strict=True):
        frames = network.networks[0].features(torch.from_numpy(tone))[0][0]
        extent = (0, tone.size / rate, 0, len(frames))
        axis.imshow(frames, origin="lower", aspect="auto", cmap="magma", extent=extent)
        axis.set(title=title, xlabel="time (s)", ylabel="mel band")
    for axis, picture, title in zip(row[3:], inputs[8:], pictures, strict=True):
        axis.imshow(picture[0].transpose(1, 2, 0))
        axis.set(title=title, xticks=[], yticks=[])

shares, weights, bars = below.subplots(1, 3, width_ratios=[1, 1.3, 1.1])
spoken = shares.barh(heads + views, output["shares"], color="#1f3a5f")
shares.bar_label(spoken, fmt="%.2f", padding=3)
shares.set(title="share of each head", xlim=(0, 1.15), ylim=(23.5, -0.5))
image = weights.imshow(100 * table, aspect="auto", cmap="magma")
weights.set(title="where the weight lies", xlabel="stage of the network", xticks=range(9))
weights.set_yticks(range(12), views)
below.colorbar(image, ax=weights, label="% of the squared weight")
colors = ["#e07a3f", "#b0b7c3"] * 3 + ["#1f3a5f"]  # MiniRocket last
reached = bars.barh(list(accuracy), list(accuracy.values()), color=colors[: len(accuracy)])
bars.bar_label(reached, fmt="%.3f", padding=3)
bars.set(title=f"accuracy on {len(y_test)} test series", xlim=(0, 1.25), ylim=(6.5, -0.5))
figure.savefig(folder / "from_series_to_sound.png", dpi=100)
print(f"Figure: {folder / 'from_series_to_sound.png'}")
