"""The results file, the table and the figure of the benchmark of unlabelled rows."""

from pathlib import Path

import numpy as np

from _controls import styles_of
from _markdown import distinct, markdown_table, mean_and_spread, unless_test
from _results_file import ResultsFile

FIELDS = (
    "target",
    "scored_on",
    "per_class",
    "configuration",
    "seed",
    "accuracy",
    "n_labelled",
    "n_unlabelled",
    "n_test",
    "fit_seconds",
    "fit_cpu_seconds",
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
        Mean and standard deviation over seeds, a column each number of labelled rows.
    """
    tables = [_table(key, own, configurations) for key, own in _by_target(rows).items()]
    return "\n".join([*tables, f"Command: `{command}`\n"])


def curve(rows, name):
    """Accuracies of a configuration, by the number of labelled rows.

    Parameters
    ----------
    rows : list of dict
        Runs on one target.
    name : str
        The configuration.

    Returns
    -------
    scores : dict of int to ndarray of shape (n_seeds,)
        Ascending.
    """
    found = {}
    for row in rows:
        if row["configuration"] == name:
            found.setdefault(int(row["n_labelled"]), []).append(float(row["accuracy"]))
    return {n_rows: np.array(found[n_rows]) for n_rows in sorted(found)}


def draw(rows, configurations, path):
    """Draw accuracy against labelled rows, one panel a target.

    Lines are means over seeds, bands reach from the lowest to the highest seed; what has random
    weights is dotted, in the colour of what it controls.

    Parameters
    ----------
    rows : list of dict
        Runs.
    configurations : sequence of str
        Lines in this order.
    path : path-like
        File of the figure.
    """
    from matplotlib.figure import Figure

    styles, panels = styles_of(configurations), _by_target(rows)
    figure = Figure((6.5 * len(panels), 6), layout="constrained")
    axes = figure.subplots(1, len(panels), squeeze=False)[0]
    handles = {}
    for axis, ((target, part), own) in zip(axes, panels.items(), strict=True):
        for name in configurations:
            if scores := curve(own, name):
                handles[name] = _draw_curve(axis, scores, styles[name])
        sizes = sorted({int(row["n_labelled"]) for row in own})
        axis.set(title=f"{target}{unless_test(part)}", xlabel="labelled rows", xscale="log")
        axis.set_xticks(sizes, [f"{size:,}" for size in sizes])
        axis.minorticks_off()
        axis.set_ylabel("accuracy")
    figure.legend(handles.values(), handles, loc="outside lower center", ncols=3)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)


def _draw_curve(axis, scores, style):
    means = [values.mean() for values in scores.values()]
    (line,) = axis.plot(list(scores), means, marker="o", markersize=5, **style)
    ends = [[end(values) for values in scores.values()] for end in (np.min, np.max)]
    axis.fill_between(list(scores), *ends, color=style["color"], alpha=0.1, linewidth=0)
    return line


def _by_target(rows):
    found = {}
    for row in rows:
        found.setdefault((row["target"], row["scored_on"]), []).append(row)
    return found


def _table(key, rows, configurations):
    sizes = sorted({int(row["n_labelled"]) for row in rows})
    per_class = {int(row["n_labelled"]): row["per_class"] for row in rows}
    header = ["configuration", *(f"{per_class[size]} ({size})" for size in sizes), "fit CPU s"]
    lines = [
        _line(name, runs, sizes)
        for name in configurations
        if (runs := [row for row in rows if row["configuration"] == name])
    ]
    machines, versions, n_test = distinct(rows, "machine", "version", "n_test")
    seeds = ", ".join(sorted({row["seed"] for row in rows}))
    note = (
        f"Accuracy by labelled rows a class (in all), {n_test} test rows, seeds {seeds}: mean and "
        f"standard deviation. Machine: {machines}. Versions: {versions}."
    )
    body = markdown_table(header, lines)
    return f"## {key[0]}{unless_test(key[1])}\n\n{note}\n\n{body}\n"


def _line(name, runs, sizes):
    scores = curve(runs, name)
    cells = [mean_and_spread(scores.get(size, ())) for size in sizes]
    seconds = np.median([float(run["fit_cpu_seconds"]) for run in runs])
    return [name, *cells, f"{seconds:.1f}"]
