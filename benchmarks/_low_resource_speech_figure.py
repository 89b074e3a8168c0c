"""The figure of low-resource speech."""

from pathlib import Path

import numpy as np

from _controls import styles_of
from _low_resource_speech_results import by_target, curve


def draw(rows, configurations, path):
    """Draw accuracy against training clips, one panel a target.

    Lines are means over seeds, bars reach from the lowest to the highest seed; what has random
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

    styles, panels = styles_of(configurations), by_target(rows)
    figure = Figure((5.2 * len(panels), 5.6), layout="constrained")
    axes = figure.subplots(1, len(panels), squeeze=False, sharey=True)[0]
    for axis, ((target, part), own) in zip(axes, panels.items(), strict=True):
        for name in configurations:
            if found := curve(own, name):
                _draw_curve(axis, found, name, styles[name])
        clips = sorted({int(row["clips"]) for row in own})
        axis.set(title=target if part == "test" else f"{target} ({part})", xscale="log")
        axis.set(xlabel="training clips a class", xticks=clips, xticklabels=clips)
        axis.minorticks_off()
    axes[0].set_ylabel("accuracy on speakers who were never heard")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)


def _draw_curve(axis, found, name, style):
    means = [np.mean(values) for values in found.values()]
    ends = [(np.mean(v) - min(v), max(v) - np.mean(v)) for v in found.values()]
    # the mean of equal numbers may differ from them by a rounding error
    bars = np.maximum(np.transpose(ends), 0)
    axis.errorbar(list(found), means, bars, marker="o", label=name, **style)
