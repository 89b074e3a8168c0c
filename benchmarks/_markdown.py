"""What tables share: their Markdown, the cell of several seeds, and what rows have in common."""

import numpy as np


def markdown_table(header, lines):
    """Write a table whose first column is text and whose others are numbers.

    Parameters
    ----------
    header : sequence
        Names of the columns.
    lines : sequence of sequence
        Cells, line by line.

    Returns
    -------
    str
        Without a line break at the end.
    """
    rule = ["---", *("---:" for _ in header[1:])]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in [header, rule, *lines])


def mean_and_spread(values):
    """Cell of a configuration: mean and standard deviation over seeds; empty if it was not run."""
    if not len(values):
        return ""
    spread = f" ± {np.std(values, ddof=1):.3f}" if len(values) > 1 else ""
    return f"{np.mean(values):.3f}{spread}"


def distinct(rows, *columns):
    """For each column of a results file the text of all its values, each once."""
    return ["; ".join(sorted({row[column] for row in rows})) for column in columns]


def unless_test(part):
    """Ending of a heading: which part was scored, unless it is the one that is reported."""
    return "" if part == "test" else f" ({part})"
