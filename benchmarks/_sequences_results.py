"""The results of the sequences benchmark: one row a run, tables and a figure of them."""

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
    "balanced_accuracy",
    "roc_auc",
    "n_trained",
    "n_stored",
    "fit_seconds",
    "fit_cpu_seconds",
    "predict_seconds",
    "n_train",
    "n_test",
    "n_folds",
    "version",
    "machine",
)
RESULTS = ResultsFile(FIELDS, key=("target", "scored_on", "per_class", "configuration", "seed"))
# what tables and figure call the columns of scores
SCORES = {
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "roc_auc": "Area under the ROC curve",
}


def make_tables(rows, scores, configurations, command):
    """Write a table a target and score, a line a configuration, a column a number of rows.

    Parameters
    ----------
    rows : list of dict
        Runs, as `RESULTS.read` gives them.
    scores : dict of str to sequence of str
        For each target the columns to show, of `SCORES`. Targets without an entry are left out.
    configurations : sequence of str
        Lines in this order; what has no run has no line.
    command : str
        How the rows came about, for the note.

    Returns
    -------
    tables : str
        Mean and standard deviation over seeds; numbers and median seconds of the largest fit.
    """
    tables = []
    for (target, part), own in by_target(rows).items():
        if target not in scores:
            continue
        tables.append(f"## {target}{unless_test(part)}\n\n{_note(own)}\n")
        for score in scores[target]:
            tables.append(f"{SCORES[score]}:\n\n{_table(own, score, configurations)}\n")
    return "\n".join([*tables, f"Command: `{command}`\n"])


def by_target(rows):
    """Rows of each target and part, in the order of their first one."""
    found = {}
    for row in rows:
        found.setdefault((row["target"], row["scored_on"]), []).append(row)
    return found


def sizes_of(rows):
    """Numbers of rows a class that occur, ascending; "all" is last."""
    # words stand behind numbers
    return sorted({row["per_class"] for row in rows}, key=lambda size: (len(size), size))


def curve(rows, name, score):
    """One score of one configuration, by number of training rows.

    Parameters
    ----------
    rows : list of dict
        Runs of one target.
    name, score : str
        The configuration and the column.

    Returns
    -------
    scores : dict of int to ndarray of shape (n_seeds,)
        One entry a number of training rows, ascending.
    """
    found = {}
    for row in rows:
        if row["configuration"] == name:
            found.setdefault(int(row["n_train"]), []).append(float(row[score]))
    return {n_rows: np.array(found[n_rows]) for n_rows in sorted(found)}


def draw(rows, scores, configurations, path):
    """Draw the first score against training rows, one panel a target.

    Lines are means over seeds, bands reach from the lowest to the highest seed; what has random
    weights is dotted, in the colour of what it controls.

    Parameters
    ----------
    rows : list of dict
        Runs.
    scores : dict of str to sequence of str
        As in `make_tables`.
    configurations : sequence of str
        Lines in this order.
    path : path-like
        File of the figure.
    """
    from matplotlib.figure import Figure

    styles = styles_of(configurations)
    panels = {key: own for key, own in by_target(rows).items() if key[0] in scores}
    n_columns = min(len(panels), 4)
    n_rows = -(-len(panels) // n_columns)
    figure = Figure((4.4 * n_columns, 4 * n_rows + 1), layout="constrained")
    axes = figure.subplots(n_rows, n_columns, squeeze=False).ravel()
    for axis, ((target, part), own) in zip(axes, panels.items(), strict=False):
        score = scores[target][0]
        for name in configurations:
            _draw_curve(axis, curve(own, name, score), name, styles[name])
        axis.set(title=f"{target}{unless_test(part)}", xlabel="training rows", xscale="log")
        n_rows_shown = sorted({int(row["n_train"]) for row in own})
        axis.set_xticks(n_rows_shown, [f"{n:,}" for n in n_rows_shown])
        axis.minorticks_off()
        axis.set_ylabel(SCORES[score])
    for axis in axes[len(panels) :]:
        axis.set_axis_off()
    handles = {
        label: line
        for axis in axes
        for line, label in zip(*axis.get_legend_handles_labels(), strict=True)
    }
    figure.legend(handles.values(), handles, loc="outside lower center", ncols=3)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)


def _draw_curve(axis, scores, name, style):
    if not scores:
        return
    axis.plot(
        list(scores),
        [values.mean() for values in scores.values()],
        marker="o",
        markersize=5,
        label=name,
        **style,
    )
    ends = [[end(values) for values in scores.values()] for end in (np.min, np.max)]
    axis.fill_between(list(scores), *ends, color=style["color"], alpha=0.1, linewidth=0)


def _table(rows, score, configurations):
    sizes = sizes_of(rows)
    header = ["configuration", *sizes, "trained", "stored", "seeds", "fit s", "predict s"]
    lines = [
        _line(name, runs, score, sizes)
        for name in configurations
        if (runs := [row for row in rows if row["configuration"] == name])
    ]
    return markdown_table(header, lines)


def _line(name, runs, score, sizes):
    cells = []
    for size in sizes:
        values = [float(run[score]) for run in runs if run["per_class"] == size]
        cells.append(mean_and_spread(values))
    largest = [run for run in runs if run["per_class"] == sizes_of(runs)[-1]]
    # medians, as vocabularies differ with the rows, and a shared machine may stand still
    trained, stored, fit, predict = (
        np.median([float(run[column]) for run in largest])
        for column in ("n_trained", "n_stored", "fit_seconds", "predict_seconds")
    )
    numbers = [f"{trained:,.0f}", f"{stored:,.0f}"]
    n_seeds = len({run["seed"] for run in runs})
    return [name, *cells, *numbers, str(n_seeds), f"{fit:.1f}", f"{predict:.1f}"]


def _note(rows):
    machines, versions, n_test = distinct(rows, "machine", "version", "n_test")
    n_train = ", ".join(
        " or ".join(dict.fromkeys(row["n_train"] for row in rows if row["per_class"] == size))
        for size in sizes_of(rows)
    )
    folds = rows[0]["n_folds"]
    each = f"; means over {folds} folds" if folds != "1" else ""
    return (
        f"{n_train} training and {n_test} test rows{each}. Columns: labelled rows a class at most. "
        "Mean and standard deviation over seeds. Numbers trained and stored, and seconds, are of "
        f"the largest fit. Machine: {machines}. Versions: {versions}."
    )
