"""
Can cells that agree on a digit be talked into other words?
===========================================================

In a self-classifying automaton (Randazzo et al., 2020) every inked pixel is a cell; by messages to
their neighbours all of them come to agree on the digit that they form. No cell sees the image. A
symmetric matrix on the states of the cells (Randazzo et al., 2021) reprograms the frozen automaton:
here to call every digit by another one's name.
"""

# %%
# The automaton before
# --------------------
# It comes with the package and knows the first 1,297 digits of scikit-learn; the rest is by other
# writers.

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.colors import ListedColormap
from safetensors.torch import load_file
from sklearn.datasets import load_digits

import skreprogram
from skreprogram import ReprogrammingClassifier
from skreprogram.sources import CellularAutomaton, load_source
from skreprogram.transformations import StateMatrixTransformation

digits = load_digits()
X, y = digits.images / 16, digits.target
train, test = slice(0, 400), slice(1297, None)
source = load_source("digit-automaton")
names = np.array([3, 8, 1, 9, 0, 6, 2, 5, 7, 4])  # what to call 0, 1, ...

as_is = ReprogrammingClassifier(source, input_transformation="resizing", output_mapping="first")
own = as_is.fit(X[train], y[train]).score(X[test], y[test])
print(f"digits by their own names       {own:.3f}")
other = as_is.fit(X[train], names[y[train]]).score(X[test], names[y[test]])
print(f"the same answers as new names   {other:.3f}")

# %%
# A matrix inside
# ---------------
# The mapping "first" takes the automaton's tenth belief for the tenth class, so the cells
# themselves must change their minds. 210 numbers are trained on 400 digits.

matrix = StateMatrixTransformation()
settings = {"output_mapping": "first", "max_epochs": 12, "lr": 0.005}
clf = ReprogrammingClassifier(
    source, input_transformation=matrix, lr_scheduler="cosine", random_state=0, **settings
)
clf.fit(X[train], names[y[train]])
print(f"under the matrix                {clf.score(X[test], names[y[test]]):.3f}")

# %%
# Look at the cells
# -----------------
# Colours are their beliefs at the end: above without, below with the matrix. What is scored is the
# mean over the cells, and only that was trained: under the matrix they no longer agree.

weights = Path(skreprogram.__file__).parent / "sources" / "weights" / "digit_automaton.safetensors"
automaton = CellularAutomaton().eval()
automaton.load_state_dict(load_file(weights))
before = torch.as_tensor(X[test][3:8, None], dtype=torch.float32)
after = torch.as_tensor(clf.reprogram(X[test][3:8]), dtype=torch.float32)
figure, axes = plt.subplots(2, 5, figsize=(8, 3.3), layout="constrained")
for row, inputs in zip(axes, (before, after), strict=True):
    beliefs = automaton.roll_out(inputs)[-1][..., -10:].argmax(3).double()
    beliefs[before[:, 0] <= 0.1] = torch.nan
    for axis, cells in zip(row, beliefs, strict=True):
        shown = axis.imshow(cells, cmap=ListedColormap(plt.cm.tab10.colors), vmin=-0.5, vmax=9.5)
        axis.set(xticks=[], yticks=[])
figure.colorbar(shown, ax=axes, ticks=range(10), label="what a cell believes")
for axis, digit in zip(axes[0], y[test][3:8], strict=True):
    axis.set_title(f"{digit}, to be called {names[digit]}", fontsize=10)
axes[0, 0].set_ylabel("frozen")
axes[1, 0].set_ylabel("under the matrix")
path = Path("figures", "automaton.png").resolve()
path.parent.mkdir(exist_ok=True)
figure.savefig(path, dpi=100)
print(f"\nFigure: {path}")

# %%
# A linear mapping behind the frozen automaton gives digits new names as well: this example shows
# that the cells themselves can be moved. ``benchmarks/results/automata.md`` has both side by side,
# with an untrained automaton as the control.
