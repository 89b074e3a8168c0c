"""Published accuracies beside ours."""

import csv

import numpy as np

# Only figures of one run or ensemble on the splits of the archive, as ours are.
PUBLISHED = (
    "HIVE-COTE 2.0 (default split, bake-off resample 0)",
    "MultiRocket 50k features (default split)",
    "InceptionTime (default split, ensemble of 5)",
)


def published_means(path, datasets):
    """Mean accuracies of published classifiers over data sets.

    Parameters
    ----------
    path : path-like
        CSV file with the columns dataset, classifier, accuracy (in percent), source.
    datasets : sequence of str
        Sets to average over.

    Returns
    -------
    list of tuple (str, float, str)
        Classifier, mean accuracy from 0 to 1, source; those of `PUBLISHED` that have all sets.
    """
    with open(path, encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["dataset"] in datasets]
    found = []
    for classifier in PUBLISHED:
        own = {row["dataset"]: row for row in rows if row["classifier"] == classifier}
        if datasets and len(own) == len(datasets):
            mean = np.mean([float(row["accuracy"]) for row in own.values()]) / 100
            sources = "; ".join(sorted({row["source"] for row in own.values()}))
            found.append((classifier, float(mean), sources))
    return found
