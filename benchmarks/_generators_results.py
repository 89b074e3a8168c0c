"""The results of the benchmark of generators: one row a run, tables and a picture of them."""

import numpy as np

from _markdown import markdown_table, mean_and_spread
from _results_file import ResultsFile

FIELDS = (
    "setting",
    "judged_by",
    "configuration",
    "seed",
    "accuracy",
    "lowest_accuracy",
    "distance",
    "distance_within",
    "n_labelled",
    "fit_seconds",
    "fit_cpu_seconds",
    "version",
    "machine",
)
RESULTS = ResultsFile(FIELDS, key=("setting", "judged_by", "configuration", "seed"))
COLUMNS = {
    "accuracy": "class accuracy",
    "lowest_accuracy": "of the worst class",
    "distance": "Frechet distance",
    "distance_within": "within classes",
    "fit_cpu_seconds": "CPU seconds",
}
N_SHOWN = 14  # samples of a class in the picture


def make_tables(rows, configurations, command):
    """Write a table a setting, a line a configuration: mean and standard deviation over seeds.

    Parameters
    ----------
    rows : list of dict
        Runs, as `RESULTS.read` gives them.
    configurations : sequence of str
        Lines in this order; what has no run has no line.
    command : str
        How the rows came about.

    Returns
    -------
    tables : str
    """
    found = {}
    for row in rows:
        found.setdefault((row["setting"], row["judged_by"]), []).append(row)
    tables = []
    for (setting, part), own in found.items():
        seeds = sorted({int(row["seed"]) for row in own})
        counts = f"{own[0]['n_labelled']} labelled images, seeds from {seeds[0]} to {seeds[-1]}"
        judged = "" if part == "test" else ", by the validation judge"
        lines = [
            [name, *(_cell([row[column] for row in runs]) for column in COLUMNS), len(runs)]
            for name in configurations
            if (runs := [row for row in own if row["configuration"] == name])
        ]
        table = markdown_table(["", *COLUMNS.values(), "seeds"], lines)
        tables.append(f"## {setting}{judged}\n\n{counts}. {own[0]['machine']}.\n\n{table}\n")
    return "\n".join([*tables, f"Command: `{command}`\n"])


def draw(samples, path):
    """Draw a grid of samples a configuration, a row a class.

    Parameters
    ----------
    samples : dict of str to ndarray of shape (n_samples, 64)
        Images of the ten classes in turn, as many of each.
    path : path-like
        File of the picture.
    """
    from matplotlib.figure import Figure

    figure = Figure((4.4 * len(samples), 3.7), layout="constrained")
    axes = figure.subplots(1, len(samples), squeeze=False)[0]
    for axis, (name, images) in zip(axes, samples.items(), strict=True):
        grid = images.reshape(10, -1, 8, 8)[:, :N_SHOWN]
        # a white line between images
        grid = np.pad(grid, ((0, 0), (0, 0), (0, 1), (0, 1)))
        axis.imshow(grid.transpose(0, 2, 1, 3).reshape(90, -1), cmap="gray_r", vmin=0, vmax=16)
        axis.set(title=name)
        axis.set_axis_off()
    figure.savefig(path, dpi=100)


def _cell(values):
    numbers = np.array([float(value) for value in values if value])
    return mean_and_spread(numbers)
