"""
What fits into the half of a matrix that says nothing new?
==========================================================

Black-box adversarial reprogramming told brain scans of autistic and other people apart: each scan
is a symmetric matrix of correlations between regions, so the data need the upper triangle only. The
program takes the lower one and the frame. The scans (ABIDE) are not at hand, so matrices of the
same kind are made here, 36 x 36 in the place of 200 x 200.
"""

# %%
# Correlation matrices of two groups
# ----------------------------------
# Six networks of six regions share slow signals. In the second group, signals of the second and
# the fifth network run together, in some subjects more than in others.

import numpy as np


def make_matrices(n_subjects, n_times=30, seed=0):
    """Correlations between 36 regions, and the group of each subject."""
    rng = np.random.default_rng(seed)
    group = rng.permutation(np.arange(n_subjects) % 2)
    signals = rng.normal(size=(n_subjects, 6, n_times))
    shared = rng.normal(0.7, 0.3, n_subjects).clip(0, 0.95) * group
    shared = shared[:, np.newaxis]
    signals[:, 4] = shared * signals[:, 1] + np.sqrt(1 - shared**2) * signals[:, 4]
    regions = signals.repeat(6, axis=1) + 0.8 * rng.normal(size=(n_subjects, 36, n_times))
    return np.stack([np.corrcoef(subject) for subject in regions]), group


X, y = make_matrices(200)

# %%
# Two source labels for two groups
# --------------------------------
# Frequency mapping gives each group the ImageNet classes that answer it most often, and chooses
# them again while the program trains. The controls: the same without a program, and logistic
# regression on the upper triangle, which needs no network.

import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from tqdm.auto import tqdm

from skreprogram import ReprogrammingClassifier
from skreprogram.mappings import FrequencyMapping
from skreprogram.sources import load_source
from skreprogram.transformations import PaddingTransformation


def upper_triangle(X):
    """Correlations of all pairs of regions."""
    return X[:, *np.triu_indices(X.shape[1], 1)]


source = load_source("imagenet-efficientnet-lite0", input_shape=(3, 48, 48))
reprogrammed = ReprogrammingClassifier(
    source,
    input_transformation=PaddingTransformation(program="lower triangle"),
    output_mapping=FrequencyMapping(n_source_labels=6, refit_every=1),
    max_epochs=8,
    lr=0.05,
    lr_scheduler="cosine",
    batch_size=16,
    random_state=0,
)
no_program = ReprogrammingClassifier(
    source,
    input_transformation=PaddingTransformation(program="none"),
    output_mapping=FrequencyMapping(n_source_labels=6),
    random_state=0,
)
classifiers = {
    "mapping only, no program": no_program,
    "program in the lower triangle": reprogrammed,
    "ridge head on features": ReprogrammingClassifier(source, random_state=0),
    "logistic regression": make_pipeline(
        FunctionTransformer(upper_triangle), StandardScaler(), LogisticRegression(C=0.01)
    ),
}
folds = StratifiedKFold(3, shuffle=True, random_state=0)
table = pd.DataFrame(columns=["accuracy", "+-", "AUC", "seconds a fit"])
for name, clf in tqdm(classifiers.items(), desc="three-fold cross-validation"):
    result = cross_validate(clf, X, y, cv=folds, scoring=["accuracy", "roc_auc"])
    accuracy, auc = result["test_accuracy"], result["test_roc_auc"]
    table.loc[name] = [accuracy.mean(), accuracy.std(), auc.mean(), result["fit_time"].mean()]
formats = {"seconds a fit": "{:.1f}".format}
print(f"\n{table.to_string(float_format='{:.3f}'.format, formatters=formats)}")

# %%
# What the source sees
# --------------------

from pathlib import Path
from textwrap import fill

import matplotlib.pyplot as plt

clf = reprogrammed.fit(X, y)
shown = clf.reprogram(X[[np.flatnonzero(y == 0)[0], np.flatnonzero(y == 1)[0]]])

figure, axes = plt.subplots(1, 4, figsize=(15, 4), layout="constrained")
for axis, group in zip(axes[:2], (0, 1), strict=True):
    image = axis.imshow(X[y == group].mean(0), cmap="RdBu_r", vmin=-1, vmax=1)
    axis.set(title=f"Mean matrix of group {group}", xlabel="region", ylabel="region")
figure.colorbar(image, ax=axes[1], label="correlation", shrink=0.8)
axes[2].imshow(shown[1].transpose(1, 2, 0))
axes[2].set(title="What the source sees", xlabel="pixel", ylabel="pixel")
axes[3].barh(range(len(table)), table["accuracy"], xerr=table["+-"], color="#9fb3c8")
axes[3].set_yticks(range(len(table)), [fill(name, 16) for name in table.index])
axes[3].axvline(0.5, color="0.3", linestyle="--", linewidth=1)
axes[3].set(title="Three-fold cross-validation", xlabel="accuracy (dashed: chance)", xlim=(0, 1))
axes[3].invert_yaxis()
axes[3].spines[["top", "right"]].set_visible(False)

folder = Path("figures")
folder.mkdir(exist_ok=True)
figure.savefig(folder / "correlation_matrices.png", dpi=120)
print(f"Figure: {(folder / 'correlation_matrices.png').resolve()}")

# %%
# The program lifts what the mapping alone can tell part of the way to the others. A table of
# numbers is what logistic regression is made for.
