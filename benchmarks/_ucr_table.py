"""One Markdown table out of the results file."""

import numpy as np
from scipy.stats import rankdata

REFERENCE = "minirocket"


def make_table(rows, datasets, estimators):
    """Write accuracies per data set and their summary as Markdown.

    Parameters
    ----------
    rows : list of dict
        Runs, as `RESULTS.read` gives them. Others than those asked for are left out.
    datasets, estimators : sequence of str
        Lines and columns of the table.

    Returns
    -------
    str
        The table. The summary lines compare the estimators on the data sets that all of them have
        finished, for as many seeds as each has there.
    """
    runs = _runs_by_name(rows, datasets, estimators)
    means = {key: np.mean([run["accuracy"] for run in some.values()]) for key, some in runs.items()}
    lines = [
        [dataset, *(_number(means.get((dataset, name))) for name in estimators)]
        for dataset in datasets
    ]
    complete = [d for d in datasets if all((d, name) in runs for name in estimators)]
    if complete:
        lines += _summary(runs, means, complete, estimators)
    note = f"Summary over {len(complete)} of {len(datasets)} data sets"
    return f"{_markdown(['data set', *estimators], lines)}\n\n{note}. {_machines(runs)}\n"


def _runs_by_name(rows, datasets, estimators):
    runs = {}
    for row in rows:
        if row["dataset"] in datasets and row["estimator"] in estimators:
            run = {
                "accuracy": float(row["accuracy"]),
                "seconds": float(row["fit_seconds"]) + float(row["predict_seconds"]),
                "machine": row["machine"],
                "version": row["version"],
            }
            runs.setdefault((row["dataset"], row["estimator"]), {})[int(row["seed"])] = run
    return runs


def _summary(runs, means, complete, estimators):
    # Rounded, so that equal accuracies tie whatever the order of their seeds.
    accuracy = np.array([[means[d, name] for name in estimators] for d in complete]).round(9)
    ranks = np.mean([rankdata(-row) for row in accuracy], axis=0)
    lines = [
        ["**mean**", *(f"**{value:.4f}**" for value in accuracy.mean(axis=0))],
        ["sd of the mean over seeds", *(_spread(runs, complete, name) for name in estimators)],
        ["seeds", *(str(len(_common_seeds(runs, complete, name))) for name in estimators)],
        ["mean rank", *(f"{rank:.2f}" for rank in ranks)],
    ]
    if REFERENCE in estimators and len(estimators) > 1:
        counts = (_wins(accuracy, estimators, name) for name in estimators)
        lines.append([f"wins / ties / losses against {REFERENCE}", *counts])
    lines.append(["seconds, fit and predict", *(_seconds(runs, complete, n) for n in estimators)])
    return lines


def _wins(accuracy, estimators, name):
    if name == REFERENCE:
        return ""
    names = list(estimators)
    margin = accuracy[:, names.index(name)] - accuracy[:, names.index(REFERENCE)]
    return f"{(margin > 0).sum()} / {(margin == 0).sum()} / {(margin < 0).sum()}"


def _common_seeds(runs, complete, name):
    return sorted(set.intersection(*(set(runs[dataset, name]) for dataset in complete)))


def _spread(runs, complete, name):
    seeds = _common_seeds(runs, complete, name)
    if len(seeds) < 2:
        return ""
    by_seed = [np.mean([runs[d, name][seed]["accuracy"] for d in complete]) for seed in seeds]
    return f"{np.std(by_seed, ddof=1):.4f}"


def _seconds(runs, complete, name):
    per_set = [np.mean([run["seconds"] for run in runs[d, name].values()]) for d in complete]
    return f"{sum(per_set):.1f}"


def _machines(runs):
    every = [run for some in runs.values() for run in some.values()]
    machines = "; ".join(sorted({run["machine"] for run in every}))
    versions = "; ".join(sorted({run["version"] for run in every}))
    return f"Machine: {machines}. Versions: {versions}. Seconds are those of one seed."


def _number(value):
    return "" if value is None else f"{value:.4f}"


def _markdown(header, lines):
    rule = ["---", *("---:" for _ in header[1:])]
    return "\n".join(f"| {' | '.join(line)} |" for line in [header, rule, *lines])
