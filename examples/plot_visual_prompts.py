"""
What can be learned in front of a frozen network?
=================================================

Visual prompts are programs on images: a watermark, a frame, a patch, something smooth or of low
rank, or a mask that depends on the image. Eight of them get the same frozen ImageNet network, the
same handwritten digits, the same label mapping and the same six epochs.
"""

# %%
# One task, one source
# --------------------
# 400 digits to learn from. Bayesian label mapping is counted again after every epoch, so that only
# the program trains.

from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skreprogram import ReprogrammingClassifier
from skreprogram.sources import load_source
from skreprogram.transformations import (
    CoarseGridTransformation,
    LowRankTransformation,
    MaskedTransformation,
    OverlayTransformation,
    PaddingTransformation,
    ResizingTransformation,
    ScaledPadding,
)

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X, y, train_size=300, test_size=500, stratify=y, random_state=0
)
source = load_source("imagenet-efficientnet-lite0", input_shape=(3, 48, 48))
clf = ReprogrammingClassifier(
    source,
    output_mapping="bayesian",
    max_epochs=6,
    lr=0.03,
    lr_scheduler="cosine",
    batch_size=20,
    random_state=0,
)

# %%
# The programs
# ------------
# Overlays, low rank, coarse grid and masks are added to an image that fills the input; paddings lie
# around it.

prompts = {
    "no program": ResizingTransformation(),
    "padding": PaddingTransformation(size=30),
    "scaled padding": ScaledPadding(size=30),
    "overlay: everywhere": OverlayTransformation(),
    "overlay: frame": OverlayTransformation("frame", width=8),
    "overlay: patch": OverlayTransformation("patch", width=12),
    "low rank": LowRankTransformation(rank=4),
    "coarse grid": CoarseGridTransformation(8),
    "sample masks": MaskedTransformation(),
}

# %%
# The numbers counted below are those that training has moved.

import time

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

table = pd.DataFrame(columns=["accuracy", "trained numbers", "seconds"])
pictures = {}
seven, grey = X_test[y_test == 7][:1], np.full((1, 64), 8.0)
for name, prompt in tqdm(prompts.items(), desc="programs"):
    start = time.perf_counter()
    clf.set_params(input_transformation=prompt).fit(X_train, y_train)
    seconds = time.perf_counter() - start
    tensors = clf.program_.input
    moved = sum(np.count_nonzero(tensors[part]) for part in clf.transformation_.trainable)
    table.loc[name] = [f"{clf.score(X_test, y_test):.3f}", moved, f"{seconds:.0f}"]
    pictures[name] = clf.reprogram(np.concatenate([grey, seven])).transpose(0, 2, 3, 1)
    if name == "scaled padding":
        scale = float(tensors["scale"])
head = ReprogrammingClassifier(source, random_state=0).fit(X_train, y_train)
table.loc["(ridge head, no program)"] = [f"{head.score(X_test, y_test):.3f}", 0, ""]
print(f"\n{table.to_string()}\n\nlearned scale of the image: {scale:.2f}")

# %%
# The programs as images: on a grey image, where the program is all there is to see, and on a seven.

from pathlib import Path

import matplotlib.pyplot as plt

figure, axes = plt.subplots(2, len(prompts), figsize=(16, 4.2), layout="constrained")
for column, (name, (on_grey, on_seven)) in enumerate(pictures.items()):
    for axis, picture in zip(axes[:, column], (on_grey, on_seven), strict=True):
        axis.imshow(picture.clip(0, 1))
        axis.set(xticks=[], yticks=[])
    label = name.replace(": ", ":\n") if ":" in name else name.replace(" ", "\n")
    axes[0, column].set_title(label, fontsize=11)
    axes[1, column].set_xlabel(f"accuracy\n{table.loc[name, 'accuracy']}", fontsize=11)
axes[0, 0].set_ylabel("on a grey image", fontsize=11)
axes[1, 0].set_ylabel("on a seven", fontsize=11)

folder = Path("figures")
folder.mkdir(exist_ok=True)
figure.savefig(folder / "visual_prompts.png", dpi=120)
print(f"Figure: {(folder / 'visual_prompts.png').resolve()}")

# %%
# Six short epochs with no tuning make no ranking of the methods. Additions change the digit itself,
# paddings only what is around it, and the coarse grid does as well as the padding with a twentieth
# of its numbers. The head on features, which trains nothing in front, beats them all here.
