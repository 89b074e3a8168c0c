"""Markdown tables out of the results file: one a data set."""

import numpy as np

from _markdown import distinct, markdown_table


def make_tables(rows, datasets, configurations):
    """Write one table a data set, a line a configuration.

    Parameters
    ----------
    rows : list of dict
        Runs, as `RESULTS.read` gives them. Others than those asked for are left out.
    datasets, configurations : sequence of str
        Tables, and their lines in this order; what has no run has no line.

    Returns
    -------
    str
        Headings and tables: mean and standard deviation of the accuracy over seeds, and the
        median seconds.
    """
    tables = []
    for dataset in datasets:
        own = [row for row in rows if row["dataset"] == dataset]
        lines = [
            _line(name, [row for row in own if row["configuration"] == name])
            for name in configurations
            if any(row["configuration"] == name for row in own)
        ]
        if lines:
            tables.append(f"## {dataset}\n\n{markdown_table(HEADER, lines)}\n\n{_note(own)}\n")
    return "\n".join(tables)


HEADER = (
    "configuration",
    "accuracy",
    "sd",
    "seeds",
    "train / test",
    "pixels",
    "epochs",
    "fit s",
    "fit CPU s",
    "predict s",
)


def _line(name, runs):
    accuracy = [float(run["accuracy"]) for run in runs]
    spread = f"{np.std(accuracy, ddof=1):.4f}" if len(runs) > 1 else ""
    seconds = ("fit_seconds", "fit_cpu_seconds", "predict_seconds")
    return [
        name,
        f"{np.mean(accuracy):.4f}",
        spread,
        str(len(runs)),
        f"{_only(runs, 'n_train')} / {_only(runs, 'n_test')}",
        _only(runs, "side"),
        _only(runs, "max_epochs"),
        # medians, as a shared machine may stand still for a while
        *(f"{np.median([float(run[column]) for run in runs]):.0f}" for column in seconds),
    ]


def _only(runs, column):
    return ", ".join(dict.fromkeys(run[column] for run in runs))


def _note(rows):
    machines, versions = distinct(rows, "machine", "version")
    return f"Machine: {machines}. Versions: {versions}. Seconds: median over seeds."
