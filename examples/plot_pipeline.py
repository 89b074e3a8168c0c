"""
Can a model of the digits 0 to 4 read 5 to 9?
=============================================

``ReprogrammingClassifier`` is a scikit-learn estimator: it stands at the end of a pipeline and goes
through cross-validation. We train a small network on five digits, freeze it, and let a program, a
frame of trained pixels, make it tell five others apart.
"""

# %%
# The source: a network that knows 0 to 4
# ---------------------------------------
# It sees 8 x 8 digits anywhere on a canvas of 16 x 16 pixels.

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)
torch.set_num_threads(1)
X, y = load_digits(return_X_y=True)
known = y < 5
digits = torch.tensor(X[known] / 16, dtype=torch.float32).reshape(-1, 1, 8, 8)
labels = torch.tensor(y[known])

network = nn.Sequential(
    *(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
    *(nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
    *(nn.Flatten(), nn.Linear(512, 64), nn.ReLU(), nn.Linear(64, 5)),
)
optimiser = torch.optim.Adam(network.parameters(), lr=3e-3)
for _ in range(400):
    rows = torch.randint(len(digits), (64,))
    down, right = torch.randint(9, (2,)).tolist()
    canvas = nn.functional.pad(digits[rows], (right, 8 - right, down, 8 - down))
    loss = nn.functional.cross_entropy(network(canvas), labels[rows])
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
centred = network(nn.functional.pad(digits, (4, 4, 4, 4))).argmax(1)
print(f"the source on its own digits: {(centred == labels).float().mean():.3f}")

# %%
# The pipeline
# ------------
# ``SourceModel`` declares what the network takes: the program stays in the range of pixels.
# Frequency mapping gives each new digit the old digit that answers it most often, "iterative"
# refits that while the program trains.

from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skreprogram import ReprogrammingClassifier
from skreprogram.sources import SourceModel
from skreprogram.transformations import PaddingTransformation


def to_images(X):
    """Pixels from 0 to 1, one channel."""
    return X.reshape(-1, 1, 8, 8) / 16


source = SourceModel.from_module(
    network, (1, 16, 16), value_range=(0, 1), output_names=tuple("01234"), name="digits 0 to 4"
)
images = FunctionTransformer(to_images)
options = {"lr": 0.05, "max_epochs": 15, "batch_size": 64, "random_state": 0}
frozen = {**options, "input_transformation": PaddingTransformation(program="none")}
pipelines = {
    "frequency, no program": ReprogrammingClassifier(source, output_mapping="frequency", **frozen),
    "frequency": ReprogrammingClassifier(source, output_mapping="frequency", **options),
    "iterative": ReprogrammingClassifier(source, output_mapping="iterative", **options),
    "linear": ReprogrammingClassifier(source, output_mapping="linear", **options),
}
pipelines = {name: make_pipeline(images, clf) for name, clf in pipelines.items()}
pipelines["logistic regression on pixels"] = LogisticRegression(max_iter=1000)

X_new, y_new = X[~known], y[~known]
scores = {}
for name, pipeline in pipelines.items():
    result = cross_validate(pipeline, X_new, y_new, cv=3)
    scores[name] = result["test_score"].mean()
    print(f"{name:30} {scores[name]:.3f}  ({result['fit_time'].sum():.1f} s)")

# %%
# What was learned
# ----------------
# The network is the same as before; the frame is all that was trained.

from pathlib import Path

import matplotlib.pyplot as plt

pipeline = pipelines["frequency"].fit(X_new, y_new)
clf = pipeline[-1]
examples = [np.flatnonzero(y_new == digit)[0] for digit in clf.classes_]
shown = clf.reprogram(to_images(X_new[examples]))
answers = clf.source_.load().outputs(torch.from_numpy(shown)).argmax(1)
predicted = pipeline.predict(X_new[examples])

figure, axes = plt.subplots(1, 5, figsize=(10, 2.7), layout="constrained")
for i, axis in enumerate(axes):
    axis.imshow(shown[i, 0], cmap="gray", vmin=0, vmax=1)
    axis.set(title=f"{clf.classes_[i]}: read as {answers[i]}, so {predicted[i]}")
    axis.set(xticks=[], yticks=[])
figure.suptitle(
    "Digits inside the trained frame: what the frozen source reads, and the class it stands for"
)

folder = Path("figures")
folder.mkdir(exist_ok=True)
figure.savefig(folder / "pipeline.png", dpi=120)
print(f"Figure: {(folder / 'pipeline.png').resolve()}")

# %%
# Compare with the first row, in which nothing is trained, and with the last: a classifier trained
# on the pixels themselves is the one to use for digits. A program is for sources whose knowledge
# the target data are too few to teach, and for models that cannot be changed.
