"""
Which ImageNet classes stand for a handwritten digit?
=====================================================

A label mapping is a matrix: how much each of the source's 1000 classes speaks for each of ours. It
is counted, not trained, from what the frozen network answers. ``GridSearchCV`` climbs the ladder
from labels drawn at random to a head on the network's features, without any program before it.
"""

# %%
# Digits for a network of photographs
# -----------------------------------
# scikit-learn's digits have 8 x 8 pixels; a row of 64 numbers becomes a square image by itself. At
# 64 pixels ImageNet's names are wrong more often than right, but they need only differ.

from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skreprogram import ReprogrammingClassifier
from skreprogram.mappings import BayesianMapping, FrequencyMapping
from skreprogram.sources import load_source
from skreprogram.transformations import ResizingTransformation

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X, y, train_size=600, test_size=400, stratify=y, random_state=0
)
source = load_source("imagenet-efficientnet-lite0", input_shape=(3, 64, 64))
clf = ReprogrammingClassifier(
    source, input_transformation=ResizingTransformation(), lr=0.02, max_epochs=30, random_state=0
)

# %%
# The ladder
# ----------
# The first three give each digit source labels of its own, and differ in how they choose them. The
# Bayesian ones let all labels speak for all digits. The last two are no label mappings: a linear
# head trains on the 1000 outputs, a ridge head is solved on the features of all layers.

import pandas as pd
from sklearn.model_selection import GridSearchCV

ladder = {
    "random": "random",
    "frequency": "frequency",
    "assignment": "assignment",
    "frequency, 10 labels": FrequencyMapping(n_source_labels=10),
    "transport": "transport",
    "bayesian": "bayesian",
    "bayesian, logits": BayesianMapping(aggregation="logits"),
    "bayesian-soft": "bayesian-soft",
    "linear": "linear",
    "features": "features",
}
search = GridSearchCV(clf, {"output_mapping": list(ladder.values())}, cv=3, verbose=1)
search.fit(X_train, y_train)

results = search.cv_results_
table = pd.DataFrame(
    {
        "accuracy": results["mean_test_score"].round(3),
        "+-": results["std_test_score"].round(3),
        "seconds a fit": results["mean_fit_time"].round(1),
    },
    index=list(ladder),
)
print(f"Three-fold cross-validation on 600 digits\n\n{table.to_string()}")
print(f"\nbest, on 400 unseen digits: {search.score(X_test, y_test):.3f}")

# %%
# The matrix
# ----------
# The source labels that weigh most in the Bayesian mapping. A corkscrew is no seven; it is merely
# what this network answers when it is shown one.

import numpy as np

clf.set_params(output_mapping="bayesian").fit(X_train, y_train)
matrix = clf.program_.output["matrix"]
names = np.array(clf.source_.output_names)
best = np.unique(matrix.argsort(axis=0)[-2:])
best = best[np.lexsort((-matrix[best].max(1), matrix[best].argmax(1)))]
for digit, column in zip(clf.classes_, matrix.T, strict=True):
    print(digit, ", ".join(f"{names[i]} {column[i]:.2f}" for i in column.argsort()[:-4:-1]))

# %%
from pathlib import Path

import matplotlib.pyplot as plt

figure, (bars, picture) = plt.subplots(1, 2, figsize=(12, 6), layout="constrained")
bars.barh(table.index, table["accuracy"], xerr=table["+-"], color="#9fb3c8")
bars.invert_yaxis()
bars.axvline(0.1, color="0.3", linestyle="--", linewidth=1, label="chance")
for place, (value, spread) in enumerate(zip(table["accuracy"], table["+-"], strict=True)):
    bars.text(value + spread + 0.02, place, f"{value:.2f}", va="center", fontsize=10)
bars.set(title="From drawn labels to a head on features", xlim=(0, 1.1))
bars.set(xlabel="accuracy in three-fold cross-validation", ylabel="output mapping")
bars.legend(loc="upper right", frameon=False)
bars.spines[["top", "right"]].set_visible(False)
image = picture.imshow(matrix[best], aspect="auto", cmap="Blues", vmin=0)
picture.set(xticks=range(len(clf.classes_)), xticklabels=clf.classes_, xlabel="digit")
picture.set_yticks(range(len(best)), names[best], fontsize=9)
picture.set(title="Bayesian mapping, two heaviest labels", ylabel="source label")
figure.colorbar(image, ax=picture, label="weight")

folder = Path("figures")
folder.mkdir(exist_ok=True)
figure.savefig(folder / "label_mappings.png", dpi=120)
print(f"Figure: {(folder / 'label_mappings.png').resolve()}")

# %%
# Without a program, what the network calls a digit tells little of it, and the mappings that count
# differ less from one another than from a head. The features tell nearly all.
