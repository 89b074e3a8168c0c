"""The results file: one row a run, on disk as soon as it is known."""

import csv
from pathlib import Path

FIELDS = (
    "dataset",
    "estimator",
    "seed",
    "accuracy",
    "fit_seconds",
    "predict_seconds",
    "n_train",
    "n_test",
    "length",
    "n_classes",
    "version",
    "machine",
)


def read_rows(path):
    """Rows of the results file as dictionaries of text; none if the file is not there."""
    path = Path(path)
    if not path.is_file():
        return []
    text = path.read_text(encoding="utf-8")
    header, whole, _ = text.partition("\n")
    expected = ",".join(FIELDS)
    if not (header == expected if whole else expected.startswith(header)):
        raise ValueError(
            f"Got '{path}' with the columns {header}, but expected {expected}. Give another file "
            "as --results."
        )
    # A killed run can leave half a row: it is not a result.
    lines = text[: text.rfind("\n") + 1].splitlines()
    return list(csv.DictReader(lines))


def finished(path):
    """The runs that need not be repeated, as (dataset, estimator, seed)."""
    return {(row["dataset"], row["estimator"], int(row["seed"])) for row in read_rows(path)}


def drop_half_row(path):
    """Cut off what a killed run has left after the last whole row."""
    path = Path(path)
    if not path.is_file():
        return
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if whole != content:
        path.write_bytes(whole)


def append_row(path, row):
    """Append one run and flush it; the first row brings the header."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
        if file.tell() == 0:
            writer.writeheader()
        writer.writerow(row)
