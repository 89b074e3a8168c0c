"""
Can a generator without labels draw the digit you name?
=======================================================

The bundled generator draws handwritten digits and has never seen a label: it draws any of them.
InRep+ (Dinh et al., 2022) trains what goes into it, on a few labelled images, until it draws the
one that is asked for. The generator itself stays frozen.
"""

# %%
# Sixty labelled digits
# ---------------------
# Six of each class are all that `fit` sees. The last 500 digits of scikit-learn, by other writers,
# were seen by nobody: they are the judges.

import time
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.datasets import load_digits

from skreprogram import GeneratorReprogrammer
from skreprogram.sources import load_source

X, y = load_digits(return_X_y=True)
few = np.concatenate([np.flatnonzero(y[:1297] == label)[:6] for label in range(10)])
X_few, y_few, X_judge, y_judge = X[few], y[few], X[1297:], y[1297:]

# %%
# Fit, and draw
# -------------
# 500 steps of a game between the program and a discriminator, which is forgotten afterwards.

start = time.perf_counter()
drawer = GeneratorReprogrammer(random_state=0).fit(X_few, y_few)
print(f"fitted in {time.perf_counter() - start:.0f} seconds")
print(f"a program of {sum(array.size for array in drawer.program_.input.values()):,} numbers")

# %%
# Is it the digit that was asked for?
# -----------------------------------
# `score` draws a digit for each label and lets the nearest real digit say what it is. The same
# neighbours do not know all real digits either: that is the second figure. The control has the same
# generator with random weights.

judged = drawer.score(X_judge, y_judge)
rng = np.random.RandomState(0)
shuffled = rng.permutation(1297)[:500]
nearest = ((X[shuffled][:, None] - X_judge) ** 2).sum(2).argmin(1)
real = (y_judge[nearest] == y[shuffled]).mean()
untrained = GeneratorReprogrammer(
    load_source("digits-generator").with_random_weights(0), n_steps=100, random_state=0
).fit(X_few, y_few)
print(f"class accuracy of samples          {judged:.3f}")
print(f"of real digits by other writers    {real:.3f}")
print(f"of a generator of random weights   {untrained.score(X_judge, y_judge):.3f}")

# %%
# Look at them
# ------------
# Left, what the generator draws by itself; right, a row a class, asked for by name.

source = load_source("digits-generator")
blind = source.generate(source.draw(120, torch.Generator().manual_seed(0))).numpy()
asked = drawer.sample(n=12, random_state=0).reshape(-1, 8, 8)


def as_grid(images):
    """Images (120, 8, 8) in ten rows, with a white line between them."""
    padded = np.pad(images.reshape(10, 12, 8, 8), ((0, 0), (0, 0), (0, 1), (0, 1)))
    return padded.transpose(0, 2, 1, 3).reshape(90, 108)


figure, axes = plt.subplots(1, 2, figsize=(8, 3.6), layout="constrained")
titles = "the generator by itself", "asked for by name"
for axis, images, title in zip(axes, (blind, asked), titles, strict=True):
    axis.imshow(as_grid(images), cmap="gray_r", vmin=0, vmax=16)
    axis.set(title=title, xticks=[], yticks=[])
axes[1].set_yticks(np.arange(4, 90, 9), range(10))
axes[1].tick_params(length=0)
path = Path("figures", "generator.png").resolve()
path.parent.mkdir(exist_ok=True)
figure.savefig(path, dpi=100)
print(f"\nFigure: {path}")

# %%
# The six labelled images of a class say which digit is meant; what a digit looks like, the
# generator knows from images without labels. The digits of a row resemble one another more than
# real ones do: ``loss="hinge"`` gives more variety, and somewhat more wrong digits.
