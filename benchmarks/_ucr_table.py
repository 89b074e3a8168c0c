"""One Markdown table out of the results file, and another beside published figures."""

import numpy as np

from _markdown import distinct, markdown_table
from _ucr_published import published_means
from _ucr_runs import finished_sets, group_runs, mean_scores
from _ucr_statistics import holm, mean_ranks, signed_rank_p

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
    runs = group_runs(rows, datasets, estimators)
    lines = [
        [dataset, *(_accuracy(runs, dataset, name) for name in estimators)] for dataset in datasets
    ]
    complete = finished_sets(runs, datasets, estimators)
    if complete:
        lines += _summary(runs, complete, estimators)
    note = f"Summary over {len(complete)} of {len(datasets)} data sets"
    return f"{markdown_table(['data set', *estimators], lines)}\n\n{note}. {_note(runs)}\n"


def make_published_table(rows, datasets, estimators, path):
    """Write our means beside published ones over the same data sets, the highest first.

    Parameters
    ----------
    rows, datasets, estimators
        As for `make_table`.
    path : path-like
        CSV file of published accuracies, see `published_means`.

    Returns
    -------
    str
        Markdown; no line if no data set was finished by all estimators.
    """
    runs = group_runs(rows, datasets, estimators)
    complete = finished_sets(runs, datasets, estimators)
    means = mean_scores(runs, "accuracy", complete, estimators).mean(axis=0) if complete else []
    lines = [(name, mean, "this run") for name, mean in zip(estimators, means, strict=False)]
    lines = sorted(lines + published_means(path, complete), key=lambda line: -line[1])
    title = (
        f"## Beside published figures\n\nMean accuracies over the same {len(complete)} data sets"
    )
    table = markdown_table(
        ["classifier", "mean accuracy", "source"],
        [[name, f"{mean:.4f}", source] for name, mean, source in lines],
    )
    return f"{title}, default splits.\n\n{table}\n"


def _summary(runs, complete, estimators):
    accuracy, log_loss, error, seconds = (
        mean_scores(runs, score, complete, estimators)
        for score in ("accuracy", "log_loss", "calibration_error", "seconds")
    )
    lines = [
        ["**mean**", *(f"**{value:.4f}**" for value in accuracy.mean(axis=0))],
        ["sd of the mean over seeds", *(_spread(runs, complete, name) for name in estimators)],
        ["seeds", *(str(len(_common_seeds(runs, complete, name))) for name in estimators)],
        ["mean rank", *(f"{rank:.2f}" for rank in mean_ranks(accuracy))],
    ]
    if REFERENCE in estimators and len(estimators) > 1:
        lines += _against_reference(accuracy, list(estimators))
    return [
        *lines,
        ["log-loss, nats", *_means(log_loss, ".4f")],
        ["expected calibration error", *_means(error, ".4f")],
        ["seconds, fit and predict", *(f"{value:.1f}" for value in seconds.sum(axis=0))],
    ]


def _against_reference(accuracy, estimators):
    reference = accuracy[:, estimators.index(REFERENCE)]
    others = [name for name in estimators if name != REFERENCE]
    columns = {name: accuracy[:, estimators.index(name)] for name in others}
    p_values = holm([signed_rank_p(columns[name], reference) for name in others])
    counts = {name: _wins(columns[name] - reference) for name in others}
    tests = {name: f"{p_value:.2g}" for name, p_value in zip(others, p_values, strict=True)}
    return [
        [f"wins / ties / losses against {REFERENCE}", *(counts.get(n, "") for n in estimators)],
        [f"p against {REFERENCE}", *(tests.get(name, "") for name in estimators)],
    ]


def _wins(margin):
    return f"{(margin > 0).sum()} / {(margin == 0).sum()} / {(margin < 0).sum()}"


def _common_seeds(runs, complete, name):
    return sorted(set.intersection(*(set(runs[dataset, name]) for dataset in complete)))


def _spread(runs, complete, name):
    seeds = _common_seeds(runs, complete, name)
    if len(seeds) < 2:
        return ""
    by_seed = [np.mean([runs[d, name][seed]["accuracy"] for d in complete]) for seed in seeds]
    return f"{np.std(by_seed, ddof=1):.4f}"


def _note(runs):
    every = [run for some in runs.values() for run in some.values()]
    machines, versions = distinct(every, "machine", "version")
    return (
        f"p: Wilcoxon's signed-rank test over these sets, Holm's correction over the columns. "
        f"Calibration error: 15 bins. Machine: {machines}. Versions: {versions}. "
        "Seconds are those of one seed."
    )


def _accuracy(runs, dataset, name):
    if (dataset, name) not in runs:
        return ""
    return f"{mean_scores(runs, 'accuracy', [dataset], [name])[0, 0]:.4f}"


def _means(values, style):
    return ["" if np.isnan(mean) else f"{mean:{style}}" for mean in values.mean(axis=0)]
