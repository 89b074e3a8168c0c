"""A results file: one row a run, on disk once it is known, so that a killed benchmark goes on."""

import csv
from pathlib import Path


class ResultsFile:
    """The layout of a benchmark's CSV file.

    Parameters
    ----------
    fields : sequence of str
        Columns, in their order.
    key : sequence of str
        Columns that tell one run from another.

    Notes
    -----
    Columns may be added at the end: a file from before is read with empty text in them, and gets
    the whole header with its next row.
    """

    def __init__(self, fields, key):
        self.fields = tuple(fields)
        self.key = tuple(key)

    def read(self, path):
        """Whole rows as dictionaries of text; none if the file is not there."""
        path = Path(path)
        if not path.is_file():
            return []
        text = path.read_text(encoding="utf-8")
        header, whole, _ = text.partition("\n")
        expected = ",".join(self.fields)
        if not (self._is_header(header) if whole else expected.startswith(header)):
            raise ValueError(
                f"Got '{path}' with the columns {header}, but expected {expected}. Give another "
                "file as --results."
            )
        # a killed run can leave half a row: it is not a result
        lines = text[: text.rfind("\n") + 1].splitlines()
        return list(csv.DictReader(lines[1:], self.fields, restval=""))

    def finished(self, path):
        """The runs that need not be repeated, as tuples of the text in the columns of the key."""
        return {tuple(row[name] for name in self.key) for row in self.read(path)}

    def drop_half_row(self, path):
        """Cut off what a killed run has left after the last whole row."""
        path = Path(path)
        if not path.is_file():
            return
        content = path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if whole != content:
            path.write_bytes(whole)

    def append(self, path, row):
        """Append one run and flush it; the first row brings the header."""
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._complete_header(path)
        with open(path, "a", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, self.fields, lineterminator="\n")
            if file.tell() == 0:
                writer.writeheader()
            writer.writerow(row)

    def _is_header(self, header):
        names = tuple(header.split(","))
        return names == self.fields[: len(names)] and set(self.key) <= set(names)

    def _complete_header(self, path):
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        header, _, rows = text.partition("\n")
        expected = ",".join(self.fields)
        if header and header != expected:
            path.write_text(f"{expected}\n{rows}", encoding="utf-8")
