"""
Which output mapping should I take?
===================================

An output mapping turns what the frozen source says into classes. The papers of model reprogramming
give source labels to target classes: here, spoken words to a season's electricity demand. Others
put a linear head on the source's outputs, or on its features. ``GridSearchCV`` tries them all.
"""

# %%
# One day of electricity demand
# -----------------------------
# ItalyPowerDemand comes with sktime: 67 days of 24 hours, from winter or from summer. One view of
# a series instead of the default's eight keeps the search short.

from skreprogram import TimeSeriesReprogrammer
from skreprogram.datasets import load_ucr

X_train, y_train, X_test, y_test = load_ucr("ItalyPowerDemand")
clf = TimeSeriesReprogrammer(input_transformation="modulation", random_state=0)

# %%
# Five mappings, five folds
# -------------------------
# A short name is enough; objects such as ``FrequencyMapping(n_source_labels=3)`` work as well. The
# source is held by reference: all fits share one network.

from sklearn.model_selection import GridSearchCV

mappings = ["random", "frequency", "iterative", "linear", "features"]
search = GridSearchCV(clf, {"output_mapping": mappings}, cv=5, verbose=1)
search.fit(X_train, y_train)

results = search.cv_results_
for mapping, mean, std in zip(
    mappings, results["mean_test_score"], results["std_test_score"], strict=True
):
    print(f"{mapping:10} {mean:.3f} +- {std:.3f}")

# %%
# Does the choice hold on the test part?
# --------------------------------------
# It was made on the training part alone, so this figure is honest. Before it, the share of the
# larger class, which needs no model.

n_test = 200
chance = (y_test[:n_test] == y_test[0]).mean()
print(f"larger class of the first {n_test} test days: {max(chance, 1 - chance):.3f}")
print(
    f"{search.best_params_['output_mapping']}: {search.score(X_test[:n_test], y_test[:n_test]):.3f}"
)

# %%
from pathlib import Path

import matplotlib.pyplot as plt

figure, axes = plt.subplots(figsize=(7, 3.5), layout="constrained")
colours = ["#9fb3c8"] * len(mappings)
colours[search.best_index_] = "#e07a3f"
axes.barh(mappings, results["mean_test_score"], xerr=results["std_test_score"], color=colours)
axes.axvline(0.5, color="0.3", linestyle="--", linewidth=1)
axes.text(0.505, -0.75, "chance", color="0.3", fontsize=9)
axes.set(
    title="Italian power demand, winter or summer, by a model of speech",
    xlabel="accuracy in five-fold cross-validation (mean and standard deviation)",
    ylabel="output mapping",
    xlim=(0, 1.02),
    ylim=(-0.95, len(mappings) - 0.4),
)
axes.spines[["top", "right"]].set_visible(False)

folder = Path("figures")
folder.mkdir(exist_ok=True)
figure.savefig(folder / "grid_search.png", dpi=120)
print(f"Figure: {(folder / 'grid_search.png').resolve()}")

# %%
# Nothing before the source trains here, so nothing adapts to words drawn at random, which can do
# worse than chance; the words that answer most often ("frequency") do better. "Iterative" chooses
# them again while a program trains; as none does, it equals "frequency". The heads read more.
