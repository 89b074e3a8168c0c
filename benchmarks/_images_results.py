"""The results file of the images benchmark: one row a run, on disk as soon as it is known."""

import csv
from pathlib import Path

FIELDS = (
    "dataset",
    "configuration",
    "seed",
    "accuracy",
    "fit_seconds",
    "fit_cpu_seconds",
    "predict_seconds",
    "n_train",
    "n_test",
    "side",
    "max_epochs",
    "lr",
    "batch_size",
    "version",
    "machine",
)


def read_rows(path):
    """Rows as dictionaries of text; none if the file is not there."""
    path = Path(path)
    if not path.is_file():
        return []
    with open(path, encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        if rows.fieldnames is not None and tuple(rows.fieldnames) != FIELDS:
            raise ValueError(
                f"Got '{path}' with the columns {rows.fieldnames}, but expected {list(FIELDS)}. "
                "Give another file as --results."
            )
        # a killed run can leave half a row: it is not a result
        return [row for row in rows if row[FIELDS[-1]]]


def finished(path):
    """The runs that need not be repeated, as (dataset, configuration, seed)."""
    return {(row["dataset"], row["configuration"], int(row["seed"])) for row in read_rows(path)}


def append_row(path, row):
    """Append one run and flush it; the first row brings the header."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
        if file.tell() == 0:
            writer.writeheader()
        writer.writerow(row)
