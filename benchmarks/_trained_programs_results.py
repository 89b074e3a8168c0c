"""The results file and the tables of the benchmark of trained programs."""

import numpy as np

from _controls import CONTROL
from _markdown import distinct, markdown_table
from _results_file import ResultsFile
from _trained_programs_types import ORDER
from _ucr_statistics import holm, signed_rank_p

FIELDS = (
    "dataset",
    "type",
    "configuration",
    "seed",
    "accuracy",
    "log_loss",
    "gain",
    "gain_error",
    "held_out",
    "epochs",
    "fit_seconds",
    "predict_seconds",
    "n_train",
    "n_test",
    "version",
    "machine",
)
RESULTS = ResultsFile(FIELDS, key=("dataset", "configuration", "seed"))

FROZEN = "frozen"


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
        Over all sets, by the type of the sets, and set by set.
    """
    runs = compared(rows)
    names = [name for name in configurations if any(run["configuration"] == name for run in runs)]
    if not names:
        return "Nothing was measured.\n"
    parts = [_overall(runs, names), _by_type(runs, names), _by_set(runs, names)]
    return "\n\n".join([*parts, _note(rows, command)]) + "\n"


def compared(rows):
    """Put each run beside the frozen transformation around the same source, with the same seed.

    Parameters
    ----------
    rows : list of dict
        Runs, as `RESULTS.read` gives them; those without such a partner are left out.

    Returns
    -------
    runs : list of dict
        With numbers: ``trained`` is the accuracy of the epoch with the lowest loss on held-out
        rows, or of the start if that has it; ``tested`` the same if the loss fell by more than one
        standard error, and else that of the frozen one, which is what ``margin=1.0`` gives;
        ``kept`` says which.
    """
    known = {(row["dataset"], row["configuration"], row["seed"]): row for row in rows}
    runs = []
    for row in rows:
        ending = CONTROL if row["configuration"].endswith(CONTROL) else ""
        frozen = known.get((row["dataset"], FROZEN + ending, row["seed"]))
        if frozen is None:
            continue
        gain, error = float(row["gain"]), float(row["gain_error"])
        kept = gain > error
        chosen = row if kept else frozen
        runs.append(
            {
                **{name: row[name] for name in ("dataset", "type", "configuration", "seed")},
                "frozen": float(frozen["accuracy"]),
                "trained": float(row["accuracy"]),
                "tested": float(chosen["accuracy"]),
                "moved": float(gain > 0),
                "kept": float(kept),
                "log_loss": float(chosen["log_loss"]),
                "seconds": float(row["fit_seconds"]),
            }
        )
    return runs


def by_set(runs, configuration, column):
    """Means over seeds.

    Parameters
    ----------
    runs : list of dict
        As `compared` gives them.
    configuration : str
        Which.
    column : str
        What is averaged.

    Returns
    -------
    means : dict of str to float
        By data set; rounded, so that equal values tie whatever the order of their seeds.
    """
    found = {}
    for run in runs:
        if run["configuration"] == configuration:
            found.setdefault(run["dataset"], []).append(run[column])
    return {dataset: round(float(np.mean(values)), 9) for dataset, values in found.items()}


def _column(runs, name, column):
    return np.array(list(by_set(runs, name, column).values()))


def _overall(runs, names):
    header = (
        "configuration",
        "sets",
        "seeds",
        "frozen",
        "trained",
        "difference",
        "tested",
        "difference",
        "wins / ties / losses",
        "p",
        "moved",
        "kept",
        "log-loss",
        "fit s",
    )
    trained = [name for name in names if name.removesuffix(CONTROL) != FROZEN]
    p_values = [
        signed_rank_p(_column(runs, name, "tested"), _column(runs, name, "frozen"))
        for name in trained
    ]
    p_of = dict(zip(trained, holm(p_values), strict=True)) if trained else {}
    lines = [_overall_line(runs, name, p_of.get(name)) for name in names]
    return f"## Over all sets\n\n{markdown_table(header, lines)}"


def _overall_line(runs, name, p_value):
    own = [run for run in runs if run["configuration"] == name]
    columns = ("frozen", "trained", "tested", "moved", "kept", "log_loss", "seconds")
    frozen, trained, tested, moved, kept, log_loss, seconds = (
        _column(own, name, column) for column in columns
    )
    line = [name, len(frozen), len({run["seed"] for run in own}), f"{frozen.mean():.4f}"]
    if p_value is None:
        return [*line, *[""] * 8, f"{log_loss.mean():.3f}", f"{seconds.mean():.1f}"]
    better, worse = (tested > frozen).sum(), (tested < frozen).sum()
    return [
        *line,
        f"{trained.mean():.4f}",
        _mean_and_error(trained - frozen),
        f"{tested.mean():.4f}",
        _mean_and_error(tested - frozen),
        f"{better} / {len(frozen) - better - worse} / {worse}",
        f"{p_value:.2g}",
        f"{moved.mean():.0%}",
        f"{kept.mean():.0%}",
        f"{log_loss.mean():.3f}",
        f"{seconds.mean():.1f}",
    ]


def _by_type(runs, names):
    trained = [name for name in names if name.removesuffix(CONTROL) != FROZEN]
    type_of = {run["dataset"]: run["type"] for run in runs}
    kinds = sorted(set(type_of.values()), key=lambda kind: ([*ORDER, kind].index(kind), kind))
    lines = []
    for kind in kinds:
        line = [kind, sum(each == kind for each in type_of.values())]
        for name in trained:
            own = [run for run in runs if run["type"] == kind]
            frozen, *others = (_column(own, name, c) for c in ("frozen", "trained", "tested"))
            cells = [f"{np.mean(accuracy - frozen):+.4f}" for accuracy in others if len(accuracy)]
            line.append(" / ".join(cells))
        lines.append(line)
    table = markdown_table(["type", "sets", *trained], lines)
    return f"## By the type of the sets: differences to frozen, trained / tested\n\n{table}"


def _by_set(runs, names):
    lines = []
    for dataset in dict.fromkeys(run["dataset"] for run in runs):
        line = [dataset]
        for name in names:
            accuracy, kept = (by_set(runs, name, column) for column in ("trained", "kept"))
            star = "\\*" if kept.get(dataset) else ""
            line.append(f"{accuracy[dataset]:.4f}{star}" if dataset in accuracy else "")
        lines.append(line)
    table = markdown_table(["data set", *names], lines)
    return f"## Accuracies, trained; \\*: kept by the test, for one seed at least\n\n{table}"


def _mean_and_error(differences):
    error = differences.std(ddof=1) / np.sqrt(len(differences)) if len(differences) > 1 else np.nan
    return f"{differences.mean():+.4f} ± {error:.4f}"


def _note(rows, command):
    machines, versions = distinct(rows, "machine", "version")
    too_small = {row["dataset"] for row in rows if int(row["held_out"]) == 0}
    too_small &= {row["dataset"] for row in rows if "all" in row["configuration"]}
    held_out = {row["dataset"] for row in rows if int(row["held_out"])}
    alone = ", ".join(sorted(too_small - held_out))
    return (
        "Means over sets, of means over seeds; ± standard error over sets. *trained*: the epoch "
        "with the lowest loss on held-out training rows, or the start. *tested*: only if that loss "
        "fell by more than one standard error of the paired differences, else frozen; the "
        "wins, p (Wilcoxon's signed-rank test against frozen, Holm's correction over the lines), "
        "log-loss and the second difference are those of *tested*. *moved*, *kept*: share of fits "
        "in which an epoch beat the start, and passed the test. "
        + (f"Too few rows to hold any out, so frozen throughout: {alone}. " if alone else "")
        + f"Machine: {machines}. Versions: {versions}.\n\nCommand: `{command}`"
    )
