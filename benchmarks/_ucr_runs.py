"""Runs of the UCR benchmark, grouped for the table and the figure."""

import numpy as np


def group_runs(rows, datasets, estimators):
    """Group the rows of a results file by data set and estimator.

    Parameters
    ----------
    rows : list of dict
        Runs, as `RESULTS.read` gives them.
    datasets, estimators : sequence of str
        Runs of others are left out.

    Returns
    -------
    dict of (str, str) to dict of int to dict
        ``runs[dataset, estimator][seed]``, with ``seconds`` of fit and predict, and None for scores
        that the row does not have.
    """
    runs = {}
    for row in rows:
        if row["dataset"] in datasets and row["estimator"] in estimators:
            run = {
                "accuracy": float(row["accuracy"]),
                "log_loss": _number(row["log_loss"]),
                "calibration_error": _number(row["calibration_error"]),
                "seconds": float(row["fit_seconds"]) + float(row["predict_seconds"]),
                "machine": row["machine"],
                "version": row["version"],
            }
            runs.setdefault((row["dataset"], row["estimator"]), {})[int(row["seed"])] = run
    return runs


def finished_sets(runs, datasets, estimators):
    """The data sets that all estimators have finished, for one seed at least."""
    return [d for d in datasets if all((d, name) in runs for name in estimators)]


def mean_scores(runs, score, datasets, estimators):
    """Means over seeds, as many as each estimator has.

    Parameters
    ----------
    runs : dict
        As `group_runs` gives them.
    score : {"accuracy", "log_loss", "calibration_error", "seconds"}
    datasets, estimators : sequence of str
        Rows and columns; each pair must have a run.

    Returns
    -------
    ndarray of shape (n_sets, n_estimators)
        NaN where a run does not have the score.
    """
    means = [
        [_mean([run[score] for run in runs[dataset, name].values()]) for name in estimators]
        for dataset in datasets
    ]
    # Rounded, so that equal values tie whatever the order of their seeds.
    return np.array(means).round(9)


def _mean(values):
    return np.nan if None in values else np.mean(values)


def _number(text):
    return float(text) if text else None
