"""
Does a trained input layer help a trained output layer?
=======================================================

Kloberdanz, Tian and Le (2021) put a trained layer in front of a frozen network and another behind
it, on its features. Which of the two earns the accuracy shows only when each also works alone:
input only, head only, both, on a task that the network was not made for.
"""

# %%
# Two channels, where photographs have three
# ------------------------------------------
# A camera that saw a noisy scene before and after a faint digit was put into it. The two channels
# minus one another are the digit; their mean, which is what the network gets by itself, is mostly
# noise.

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

digits, y = load_digits(return_X_y=True)
scene = np.random.default_rng(0).uniform(0, 0.5, size=(len(digits), 8, 8))
after = scene + 0.5 * digits.reshape(-1, 8, 8) / 16
X = np.stack([scene, after], axis=1)  # (n_samples, 2, 8, 8)
X_train, X_test, y_train, y_test = train_test_split(
    X, y, train_size=600, test_size=500, stratify=y, random_state=0
)

# %%
# Three ablations
# ---------------
# The input layer mixes two channels into three at every pixel, nine numbers. For the input alone,
# source labels are chosen once, before training, and stay. The head reads the mean features of all
# layers; alone it is solved in closed form. Where both train, the head has a learning rate of its
# own, ``output_lr``.

import time

import pandas as pd
from tqdm.auto import tqdm

from skreprogram import ReprogrammingClassifier
from skreprogram.mappings import FeaturesMapping
from skreprogram.sources import load_source
from skreprogram.transformations import ConvolutionalInput

source = load_source("imagenet-efficientnet-lite0", input_shape=(3, 48, 48))
training = {"max_epochs": 10, "lr_scheduler": "cosine", "batch_size": 20, "random_state": 0}
convolution = ConvolutionalInput(kernel_size=1)
head = FeaturesMapping(poolings=("mean",))
ablations = {
    "input only": ReprogrammingClassifier(
        source, input_transformation=convolution, output_mapping="frequency", lr=0.03, **training
    ),
    "head only": ReprogrammingClassifier(source, output_mapping=head, random_state=0),
    "both": ReprogrammingClassifier(
        source,
        input_transformation=convolution,
        output_mapping=head,
        lr=0.03,
        output_lr=0.003,
        **training,
    ),
}


def seen_by(name, X):
    """The data, or for the head alone the mean of the channels: it has nothing to mix them."""
    return X.mean(1) if name == "head only" else X


table = pd.DataFrame(columns=["training", "test", "seconds"])
for name, clf in tqdm(ablations.items(), desc="ablations"):
    start = time.perf_counter()
    clf.fit(seen_by(name, X_train), y_train)
    seconds = time.perf_counter() - start
    parts = (X_train, y_train), (X_test, y_test)
    scores = [f"{clf.score(seen_by(name, part), labels):.3f}" for part, labels in parts]
    table.loc[name] = [*scores, f"{seconds:.0f}"]
print(f"\nAccuracy\n\n{table.to_string()}")

# %%
# What the convolution has learned
# --------------------------------
# One line a channel of the source: opposite signs are a difference.

clf = ablations["both"]
kernel = clf.program_.input["kernel"][:, :, 0, 0]
print(f"\nweights of (before, after):\n{kernel.round(2)}")

# %%
from pathlib import Path

import matplotlib.pyplot as plt

shown = clf.reprogram(X_test[:3])
figure, axes = plt.subplot_mosaic(
    "abcL;defL;ghiL", figsize=(11, 6), layout="constrained", width_ratios=[1, 1, 1, 2.2]
)
rows = zip(("abc", "def", "ghi"), X_test[:3], shown, y_test[:3], strict=True)
for places, (first, second), picture, label in rows:
    for place, image in zip(places, (first, second, picture.transpose(1, 2, 0)), strict=True):
        axes[place].imshow(image, cmap="gray", vmin=0, vmax=1)
        axes[place].set(xticks=[], yticks=[])
    axes[places[0]].set_ylabel(f"digit {label}", fontsize=11)
for place, title in zip("abc", ("before", "after", "behind the\ninput layer"), strict=True):
    axes[place].set_title(title, fontsize=11)
bars = (
    table[["training", "test"]]
    .astype(float)
    .plot.barh(ax=axes["L"], color=["#cfd8e3", "#1f3a5f"], width=0.7)
)
bars.bar_label(bars.containers[1], fmt="%.2f", padding=3)
bars.axvline(0.1, color="0.3", linestyle="--", linewidth=1, label="chance")
bars.set(title="Digits in two channels", xlabel="accuracy", xlim=(0, 1.12))
bars.invert_yaxis()
bars.legend(loc="lower right", fontsize=9)
bars.spines[["top", "right"]].set_visible(False)

folder = Path("figures")
folder.mkdir(exist_ok=True)
figure.savefig(folder / "input_and_output_layers.png", dpi=120)
print(f"Figure: {(folder / 'input_and_output_layers.png').resolve()}")

# %%
# Neither layer does it alone: the head finds no digit in the mean of the channels, and labels that
# were chosen before the input layer had learned anything leave it little to work for. Together,
# nine numbers find the difference of the channels. The task was made so that this matters; where
# the network can read the data as they are, a head alone may be all there is to gain.
