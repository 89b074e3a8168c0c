"""The results file and the tables of low-resource speech."""

import numpy as np
from scipy.stats import binomtest

from _markdown import distinct, markdown_table, mean_and_spread, unless_test
from _results_file import ResultsFile

FIELDS = (
    "target",
    "scored_on",
    "configuration",
    "clips",
    "seed",
    "accuracy",
    "hits",
    "speakers",
    "fit_seconds",
    "fit_cpu_seconds",
    "n_train",
    "n_test",
    "version",
    "machine",
)
RESULTS = ResultsFile(FIELDS, key=FIELDS[:5])
# the claim of the paper, and what pretraining, mapping and program add
PAIRS = (
    ("program and fine-tuning", "fine-tuning"),
    ("program and fine-tuning", "program"),
    ("program", "mapping alone"),
    ("program", "program, random labels"),
    ("probe", "program and fine-tuning"),
)


def as_hits(right):
    """Write which test clips were right as hexadecimal digits, the first clip first."""
    return np.packbits(right).tobytes().hex()


def of_hits(row):
    """Read which test clips of a row were right: ndarray of bool of shape (n_test,)."""
    bits = np.unpackbits(np.frombuffer(bytes.fromhex(row["hits"]), dtype=np.uint8))
    return bits[: int(row["n_test"])].astype(bool)


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
        For each target the mean and standard deviation over seeds, and paired comparisons.
    """
    tables = [_table(key, own, configurations) for key, own in by_target(rows).items()]
    return "\n".join([*tables, f"Command: `{command}`\n"])


def by_target(rows):
    """Rows of each target and part, in the order of the file."""
    found = {}
    for row in rows:
        found.setdefault((row["target"], row["scored_on"]), []).append(row)
    return found


def curve(rows, configuration):
    """Accuracies of a configuration: dict from clips a class to a list, one entry a seed."""
    found = {}
    for row in sorted(rows, key=lambda row: int(row["clips"])):
        if row["configuration"] == configuration:
            found.setdefault(int(row["clips"]), []).append(float(row["accuracy"]))
    return found


def compare(rows, first, second, n_clips):
    """Compare two configurations on the test clips of all seeds that both have.

    Parameters
    ----------
    rows : list of dict
        Runs of one target and part.
    first, second : str
        Configurations.
    n_clips : int
        Training clips of each class.

    Returns
    -------
    comparison : dict or None
        ``differences`` of the accuracies, one a seed; ``won`` and ``lost``, test clips that only
        the first or only the second has right; ``p``, McNemar's exact two-sided test of them. None
        where no seed has both.
    """
    hits = {
        (row["configuration"], row["seed"]): of_hits(row)
        for row in rows
        if int(row["clips"]) == n_clips
    }
    seeds = sorted({seed for _, seed in hits if {(first, seed), (second, seed)} <= set(hits)})
    if not seeds:
        return None
    pairs = [(hits[first, seed], hits[second, seed]) for seed in seeds]
    won = sum(int((a & ~b).sum()) for a, b in pairs)
    lost = sum(int((b & ~a).sum()) for a, b in pairs)
    p = binomtest(won, won + lost).pvalue if won + lost else 1.0
    differences = [float(a.mean() - b.mean()) for a, b in pairs]
    return {"differences": differences, "won": won, "lost": lost, "p": float(p)}


def _table(key, rows, configurations):
    target, part = key
    clips = sorted({int(row["clips"]) for row in rows})
    header = ["clips a class", *map(str, clips), "seeds", f"fit CPU s, {clips[-1]} clips"]
    lines = [
        _line(name, runs, clips)
        for name in configurations
        if (runs := [row for row in rows if row["configuration"] == name])
    ]
    machines, versions, n_test, speakers = distinct(
        rows, "machine", "version", "n_test", "speakers"
    )
    note = (
        f"{n_test} test clips a seed, of held-out speakers ({speakers}). Mean and standard "
        f"deviation of the accuracy over seeds; in brackets their number, where some were not run. "
        f"Machine: {machines}. Versions: {versions}."
    )
    table = markdown_table(header, lines)
    heading = f"## {target}{unless_test(part)}"
    return f"{heading}\n\n{note}\n\n{table}\n{_comparisons(rows, clips)}"


def _line(name, runs, clips):
    n_seeds = len({run["seed"] for run in runs})
    cells = []
    for n_clips in clips:
        values = [float(run["accuracy"]) for run in runs if int(run["clips"]) == n_clips]
        few = f" ({len(values)})" if len(values) < n_seeds else ""
        cells.append(mean_and_spread(values) + few if values else "")
    most = [float(run["fit_cpu_seconds"]) for run in runs if int(run["clips"]) == clips[-1]]
    seconds = f"{np.median(most):.1f}" if most else ""
    return [name, *cells, str(n_seeds), seconds]


def _comparisons(rows, clips):
    header = ["difference", "clips a class", "by seed", "mean", "only first", "only second", "p"]
    lines = []
    for first, second in PAIRS:
        for n_clips in clips:
            if found := compare(rows, first, second, n_clips):
                by_seed = ", ".join(f"{value:+.3f}" for value in found["differences"])
                facts = [by_seed, f"{np.mean(found['differences']):+.3f}"]
                counts = [str(found[name]) for name in ("won", "lost")]
                pair = f"{first} - {second}"
                lines.append([pair, str(n_clips), *facts, *counts, f"{found['p']:.2g}"])
    if not lines:
        return ""
    note = (
        "Test clips of all seeds that only one of two has right, and McNemar's exact two-sided p. "
        "It takes clips for independent, which those of one speaker are not: it is too small "
        "rather than too large."
    )
    return f"\n{note}\n\n{markdown_table(header, lines)}\n"
