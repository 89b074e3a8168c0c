"""What a black box answers, turned into one score per class."""

from dataclasses import dataclass
from functools import cached_property
from numbers import Integral

import numpy as np

OUTPUT_KINDS = ("probabilities", "logits", "labels", "top-k")
LABEL_SHARE = 0.9
_TOLERANCE = 1e-3
_FLOOR = 1e-6


class QueryError(RuntimeError):
    """A black box did not answer, or answered something else than was declared.

    Parameters
    ----------
    message : str
        What was got and what was expected.
    n_asked : int, default=0
        Rows that were answered before, in the same call.
    """

    def __init__(self, message, n_asked=0):
        super().__init__(message)
        self.n_asked = n_asked


@dataclass(frozen=True)
class DeclaredOutputs:
    """The declaration of a black box's answers, which every answer is held to.

    Parameters
    ----------
    title : str
        Name of the black box, for messages.
    kind : {"probabilities", "logits", "labels", "top-k"}
        What an answer is.
    n_outputs : int
        Number of source classes.
    names : tuple of str or None, default=None
        Names of the source classes.

    Examples
    --------
    >>> import numpy as np
    >>> from skreprogram.sources._output_kinds import DeclaredOutputs
    >>> declared = DeclaredOutputs("toy", "top-k", 3, ("cat", "dog", "cow"))
    >>> np.exp(declared.scores([{"dog": 0.5}, [("cow", 0.8), ("cat", 0.2)]], 2, "float64")).round(3)
    array([[0.25, 0.5 , 0.25],
           [0.2  , 0.   , 0.8  ]])
    """

    title: str
    kind: str
    n_outputs: int
    names: tuple | None = None

    def scores(self, answer, n_rows, dtype):
        """Logits, or logarithms of probabilities.

        Parameters
        ----------
        answer : array-like or list
            What the black box returned for `n_rows` rows.
        n_rows : int
            How many rows it was asked about.
        dtype : dtype
            Type of the scores, float32 or float64.

        Returns
        -------
        scores : ndarray of shape (n_rows, n_outputs)

        Raises
        ------
        QueryError
            When the answer is not of the declared kind.
        """
        if self.kind == "labels":
            return self._of_labels(answer, n_rows).astype(dtype)
        if self.kind == "top-k":
            return self._of_top(answer, n_rows).astype(dtype)
        numbers = self._numbers(answer, n_rows).astype(dtype, copy=False)
        if self.kind == "logits":
            return numbers
        return np.log(np.maximum(numbers, np.finfo(dtype).tiny))

    def _numbers(self, answer, n_rows):
        try:
            numbers = np.asarray(answer)
        except (TypeError, ValueError, RuntimeError):  # rows of several lengths, a graph of torch
            numbers = np.asarray(None)
        expected = (n_rows, self.n_outputs)
        if numbers.dtype.kind not in "fiub":
            self._fail(f"a {type(answer).__name__}", f"an array of numbers of shape {expected}")
        if numbers.shape != expected:
            self._fail(f"an answer of shape {numbers.shape}", f"shape {expected}")
        if not np.isfinite(numbers).all():
            self._fail("NaN or infinite numbers", "finite ones")
        if self.kind == "probabilities" and numbers.size:
            low, high = numbers.min(), numbers.max()
            if low < -_TOLERANCE or high > 1 + _TOLERANCE:
                self._fail(
                    f"numbers between {low:.4g} and {high:.4g}",
                    "probabilities. Declare output_kind='logits' if these are scores before the "
                    "softmax",
                )
        return numbers

    def _of_labels(self, answer, n_rows):
        codes = np.asarray([self._code(label) for label in self._rows(answer, n_rows)], dtype=int)
        scores = np.full((n_rows, self.n_outputs), (1 - LABEL_SHARE) / (self.n_outputs - 1))
        scores[np.arange(n_rows), codes] = LABEL_SHARE
        return np.log(scores)

    def _of_top(self, answer, n_rows):
        scores = np.empty((n_rows, self.n_outputs))
        for row, named in zip(scores, self._rows(answer, n_rows), strict=True):
            codes, shares = self._named(named)
            rest = self.n_outputs - len(codes)
            row[:] = max(0.0, 1 - shares.sum()) / max(rest, 1)
            row[codes] = shares
        return np.log(np.maximum(scores, _FLOOR))

    def _named(self, named):
        """Codes and probabilities of the labels that one row names."""
        try:
            pairs = [(label, float(share)) for label, share in dict(named).items()]
            n_given = len(named)
        except (TypeError, ValueError):
            self._fail(
                f"{named!r} for a row", "pairs (label, probability) or a dict of labels to them"
            )
        codes = [self._code(label) for label, _ in pairs]
        shares = np.asarray([share for _, share in pairs])
        if len(set(codes)) < n_given:
            self._fail(f"a label twice in {named!r}", "every label once")
        # not(...), so that NaN fails too
        if not (np.all(shares >= -_TOLERANCE) and shares.sum() <= 1 + _TOLERANCE):
            self._fail(f"{named!r} for a row", "probabilities that sum to at most 1")
        return codes, shares

    def _rows(self, answer, n_rows):
        rows = answer.tolist() if hasattr(answer, "tolist") else answer
        if not isinstance(rows, (list, tuple)) or len(rows) != n_rows:
            got = f"{len(rows)} answers" if isinstance(rows, (list, tuple)) else f"{rows!r}"
            self._fail(got, f"a list of {n_rows}, one per row")
        return rows

    def _code(self, label):
        """Number of a source class: whole numbers count classes, all else is a name."""
        if isinstance(label, Integral) and not isinstance(label, (bool, np.bool_)):
            if 0 <= label < self.n_outputs:
                return int(label)
            self._fail(f"the label {label!r}", f"a number from 0 to {self.n_outputs - 1}")
        try:
            return self._numbered[label]
        except (KeyError, TypeError):
            known = "output_names, none of which was declared"
            if self.names:
                known = f"one of the {len(self.names)} output_names, {self.names[:5]} and so on"
            self._fail(f"the label {label!r}", known)

    @cached_property
    def _numbered(self):
        return {name: code for code, name in enumerate(self.names or ())}

    def _fail(self, got, expected):
        raise QueryError(f"Got {got} from the black box {self.title!r}, expected {expected}.")
