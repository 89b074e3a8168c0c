"""The results of the black-box benchmark: one row a fit, a table and a figure of them."""

from pathlib import Path

import numpy as np

from _controls import styles_of
from _markdown import distinct, markdown_table, mean_and_spread
from _results_file import ResultsFile

FIELDS = (
    "source",
    "target",
    "configuration",
    "seed",
    "budget",
    "n_queries",
    "accuracy",
    "fit_seconds",
    "fit_cpu_seconds",
    "n_train",
    "n_test",
    "stopped_by",
    "version",
    "machine",
)
RESULTS = ResultsFile(FIELDS, key=("source", "target", "configuration", "seed", "budget"))
# what asks about each training sample once has one point, not a curve
ONCE = "once"


def make_tables(rows, configurations, command):
    """Write one table for each source and target, a line a configuration.

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
    tables : str
        Mean and standard deviation of the accuracy over seeds for each number of queries, and
        the median CPU seconds of the longest fit.
    """
    tables = []
    for source, target in pairs_of(rows):
        own = [row for row in rows if (row["source"], row["target"]) == (source, target)]
        budgets = sorted({int(row["budget"]) for row in own if row["budget"] != ONCE})
        header = ["gradient", ONCE, *map(str, budgets), "seeds", "fit CPU s"]
        lines = [
            _line(name, runs, [ONCE, *map(str, budgets)])
            for name in configurations
            if (runs := [row for row in own if row["configuration"] == name])
        ]
        table = markdown_table(header, lines)
        tables.append(f"## {target} by {source}\n\n{table}\n\n{_note(own)}\n")
    return "\n".join([*tables, f"Command: `{command}`\n"])


def pairs_of(rows):
    """Sources and targets that have rows, in the order of their first one."""
    return list(dict.fromkeys((row["source"], row["target"]) for row in rows))


def curve(rows, name):
    """Accuracies of one configuration, by number of queries.

    Parameters
    ----------
    rows : list of dict
        Runs of one source and target.
    name : str
        The configuration.

    Returns
    -------
    accuracies : dict of int to ndarray of shape (n_seeds,)
        One entry a number of queries, ascending; what is asked once is at the number of training
        rows.
    """
    found = {}
    for row in rows:
        if row["configuration"] == name:
            place = int(row["n_train"] if row["budget"] == ONCE else row["budget"])
            found.setdefault(place, []).append(float(row["accuracy"]))
    return {place: np.array(found[place]) for place in sorted(found)}


def draw(rows, configurations, path):
    """Draw accuracy against queries, one panel a source and target.

    Lines are means over seeds, bands reach from the lowest to the highest seed; what has random
    weights has hollow marks.

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

    pairs = pairs_of(rows)
    figure = Figure((4.2 * len(pairs), 4.6), layout="constrained")
    axes = figure.subplots(1, len(pairs), squeeze=False)[0]
    styles = styles_of(configurations)
    for axis, (source, target) in zip(axes, pairs, strict=True):
        own = [row for row in rows if (row["source"], row["target"]) == (source, target)]
        for name in configurations:
            _draw_curve(axis, curve(own, name), name, styles[name])
        axis.set(title=f"{target} by {source}", xlabel="queries", xscale="log")
        # whole numbers, and no others between them that overlap
        axis.set_xticks([100, 1000, 4000], ["100", "1,000", "4,000"])
        axis.minorticks_off()
    axes[0].set_ylabel("accuracy on the test part")
    handles = {
        label: line
        for axis in axes
        for line, label in zip(*axis.get_legend_handles_labels(), strict=True)
    }
    figure.legend(handles.values(), handles, loc="outside lower center", ncols=3)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)


def _draw_curve(axis, accuracies, name, style):
    if not accuracies:
        return
    places = list(accuracies)
    means = [values.mean() for values in accuracies.values()]
    if len(places) == 1:
        # asked once: a level to compare with, from there on
        axis.axhline(means[0], color=style["color"], linestyle=":", linewidth=1)
    axis.plot(places, means, marker="o", label=name, markersize=5, **style)
    ends = [[end(values) for values in accuracies.values()] for end in (np.min, np.max)]
    axis.fill_between(places, *ends, color=style["color"], alpha=0.15, linewidth=0)


def _line(name, runs, budgets):
    cells = []
    for budget in budgets:
        accuracy = [float(run["accuracy"]) for run in runs if run["budget"] == budget]
        cells.append(mean_and_spread(accuracy))
    largest = max(runs, key=lambda run: budgets.index(run["budget"]))["budget"]
    seconds = [float(run["fit_cpu_seconds"]) for run in runs if run["budget"] == largest]
    n_seeds = len({run["seed"] for run in runs})
    # medians, as a shared machine may stand still for a while
    return [name, *cells, str(n_seeds), f"{np.median(seconds):.0f}"]


def _note(rows):
    machines, versions, n_train, n_test = distinct(rows, "machine", "version", "n_train", "n_test")
    return (
        f'{n_train} training and {n_test} test rows. Columns: queries at most; "{ONCE}" is one '
        "for each training row. Mean and standard deviation of the accuracy over seeds. CPU "
        "seconds: median over seeds, of the longest fit. "
        f"Machine: {machines}. Versions: {versions}."
    )
