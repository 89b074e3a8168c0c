"""The results file and the table of the frozen transformer."""

import numpy as np

from _markdown import distinct, markdown_table, mean_and_spread, unless_test
from _results_file import ResultsFile

FIELDS = (
    "target",
    "scored_on",
    "configuration",
    "max_epochs",
    "seed",
    "accuracy",
    "n_program",
    "n_source",
    "fit_seconds",
    "fit_cpu_seconds",
    "predict_seconds",
    "n_train",
    "n_test",
    "version",
    "machine",
)
RESULTS = ResultsFile(FIELDS, key=FIELDS[:5])


def make_table(rows, configurations, command):
    """Write the results as Markdown.

    Parameters
    ----------
    rows : list of dict
        Runs, as `RESULTS.read` gives them.
    configurations : sequence of str
        Lines in this order; what has no run has no line.
    command : str
        How the rows came about, for the note.

    Returns
    -------
    table : str
        Mean and standard deviation over seeds.
    """
    found = {}
    for row in rows:
        found.setdefault((row["target"], row["scored_on"], row["max_epochs"]), []).append(row)
    tables = [_table(key, own, configurations) for key, own in found.items()]
    return "\n".join([*tables, f"Command: `{command}`\n"])


def _table(key, rows, configurations):
    target, part, max_epochs = key
    header = ["configuration", "accuracy", "program", "of the source", "seeds", "fit CPU s"]
    lines = [
        _line(name, runs)
        for name in configurations
        if (runs := [row for row in rows if row["configuration"] == name])
    ]
    machines, versions, n_train, n_test = distinct(rows, "machine", "version", "n_train", "n_test")
    note = (
        f"{n_train} training and {n_test} test rows, {max_epochs} epochs. Mean and standard "
        f"deviation over seeds; numbers that were trained. Machine: {machines}. Versions: "
        f"{versions}."
    )
    return f"## {target}{unless_test(part)}\n\n{note}\n\n{markdown_table(header, lines)}\n"


def _line(name, runs):
    values = [float(run["accuracy"]) for run in runs]
    numbers = [f"{int(runs[0][column]):,}" for column in ("n_program", "n_source")]
    seconds = np.median([float(run["fit_cpu_seconds"]) for run in runs])
    return [name, mean_and_spread(values), *numbers, str(len(runs)), f"{seconds:.0f}"]
