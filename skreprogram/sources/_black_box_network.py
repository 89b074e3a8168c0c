"""A black box that is ready to answer: rounds, asks, checks, and keeps what it was told."""

import numpy as np
import torch

from skreprogram.sources._answers import AnswerCache, content_keys
from skreprogram.sources._levels import Levels
from skreprogram.sources._output_kinds import DeclaredOutputs, QueryError

_DTYPES = {torch.float32: np.dtype("float32"), torch.float64: np.dtype("float64")}


class BlackBoxNetwork:
    """A black box at work, in the place of a :class:`FrozenNetwork`.

    Parameters
    ----------
    source : BlackBoxSource
        The facts and the function.
    dtype : torch.dtype
        Type of the arrays that the function gets, float32 or float64.
    """

    shares_frames = runs_in_threads = False
    is_training = False
    # rows of data for one pass
    rows_at_once = 64

    def __init__(self, source, dtype):
        if dtype not in _DTYPES:
            raise ValueError(
                f"Got dtype={dtype} for the black box {source.name!r}, expected float32 or float64."
            )
        self._source, self._dtype = source, _DTYPES[dtype]
        self._declared = DeclaredOutputs(
            source.name, source.output_kind, source.n_outputs, source.output_names
        )
        self._levels, self._kind = None, "values"
        if source.levels is not None:
            self._levels = Levels(source.value_range, source.levels)
            low, high = map(float, source.value_range)
            self._kind = f"{source.levels} levels from {low} to {high} as {self._dtype}"
        self._content_type = self._dtype if self._levels is None else self._levels.dtype
        path = source.answers_file
        self._kept = path and AnswerCache(path, source.n_outputs, self._dtype)

    def with_precision(self, precision):
        """This network, as queries need full precision.

        Parameters
        ----------
        precision : {"full"}
            "bf16" is refused.

        Returns
        -------
        network : BlackBoxNetwork
        """
        if precision != "full":
            raise ValueError(
                f"Got precision={precision!r} for the black box {self._source.name!r}, expected "
                "'full': a gradient from queries is made of small differences, which rounding "
                "would drown."
            )
        return self

    def state_digest(self):
        """The digest of the source: a black box shows nothing else that could move."""
        return self._source.digest

    def outputs(self, inputs, alike=None):
        """Logits, or the logarithms of the probabilities; shape ``(n, n_outputs)``."""
        return self.answers(inputs, alike)[0]

    def features(self, inputs, alike=None):
        """Refuse: a black box shows no activations."""
        raise ValueError(
            f"Got the black box {self._source.name!r}, which shows no features, expected a source "
            "model that does. Use output_mapping='linear', 'frequency' or another one that reads "
            "outputs."
        )

    def answers(self, inputs, alike=None):
        """Ask about inputs.

        Parameters
        ----------
        inputs : torch.Tensor of shape (n, *input_shape)
            Inputs in the declared value range.
        alike : object, default=None
            Not used: no frames are shared.

        Returns
        -------
        outputs : torch.Tensor of shape (n, n_outputs)
            Logits, or logarithms of probabilities; without a graph.
        n_asked : int
            Rows that were asked. Those whose answers were kept, and rows equal to another one of
            this call, were not, where there is a cache.

        Raises
        ------
        QueryError
            When the function raises, or answers something else than was declared.
        """
        given = inputs.detach()
        outputs, n_asked = self.answers_to_written([(given.shape, _copy_of(given))], len(given))
        return outputs.to(inputs.device, inputs.dtype), n_asked

    def answers_to_written(self, parts, n_rows):
        """Ask about inputs that are written one part after the other, as if they came at once.

        They are written where they are asked from, so that nothing is copied. Of a part only what
        its rows are told apart by is kept: a byte a number at 256 levels.

        Parameters
        ----------
        parts : iterable of (shape, write)
            At least one. Shape of the part, (n, *input_shape), and a function that writes it into
            a tensor that it gets.
        n_rows : int
            Rows of all parts together.

        Returns
        -------
        outputs : torch.Tensor of shape (n_rows, n_outputs)
            Logits, or logarithms of probabilities, on the CPU.
        n_asked : int
            As that of `answers`.
        """
        contents, values, first = None, None, 0
        for shape, write in parts:
            if contents is None:
                self._check_shape(shape)
                contents = np.empty((n_rows, *shape[1:]), self._content_type)
            rows = contents[first : first + shape[0]]
            if self._levels is None:
                values = rows
            elif values is None or values.shape != tuple(shape):
                values = np.empty(shape, self._dtype)
            write(torch.from_numpy(values))
            self._take(values, rows)
            first += shape[0]
        outputs, n_asked = self._answered(contents)
        return torch.from_numpy(outputs), n_asked

    def _answered(self, contents):
        """Scores of all rows, and how many were asked."""
        if self._kept is None:
            # every row is asked, the equal ones too: to find them takes the hashes of a cache
            parts, n_asked = self._parts(contents), len(contents)
            step = self._source.max_batch
            scores = [self._ask(part, i * step) for i, part in enumerate(parts)]
        else:
            scores, n_asked = self._recalled(contents)
        nothing = np.empty((0, self._source.n_outputs), self._dtype)
        return np.concatenate([nothing, *scores]), n_asked

    def _check_shape(self, shape):
        own, expected = tuple(shape[1:]), self._source.input_shape
        if own != expected and not (self._source.flexible and len(own) == len(expected)):
            raise ValueError(
                f"Got inputs of shape {tuple(shape)} for the black box {self._source.name!r}, "
                f"expected (n, {', '.join(map(str, expected))}). Check the declared input_shape."
            )

    def _take(self, values, contents):
        """Check values, and turn them into what tells the rows apart: themselves, or codes."""
        try:
            if self._levels is not None:
                self._levels.codes(values, out=contents)
            # the sum is one cheap pass; only when it overflows or is NaN every number is looked at
            elif (
                not np.isfinite(torch.from_numpy(values).sum().item())
                and not np.isfinite(values).all()
            ):
                raise FloatingPointError("NaN or infinite values")
        except FloatingPointError as error:
            raise ValueError(
                f"Got NaN or infinite inputs for the black box {self._source.name!r}, expected "
                "finite ones. Where a program trains, use a smaller learning rate."
            ) from error

    def _recalled(self, contents):
        """Answers from the file; those that are not there are asked and put there."""
        keys = content_keys(contents, self._kind)
        known = self._kept.get_many(keys)
        places = {}
        for place, key in enumerate(keys):
            if key not in known:
                places.setdefault(key, place)
        n_asked = 0
        for asked in self._parts(list(places)):
            scores = self._ask(contents[[places[key] for key in asked]], n_asked)
            # on disk before the next call is made, whatever happens to that one
            self._kept.put_many(asked, scores)
            known.update(zip(asked, scores, strict=True))
            n_asked += len(asked)
        return [known[key][None] for key in keys], n_asked

    def _parts(self, whole):
        step = self._source.max_batch
        return [whole[start : start + step] for start in range(0, len(whole), step)]

    def _ask(self, rows, n_before):
        """Scores of at most `max_batch` rows, by one call of the function."""
        if self._levels is not None:
            rows = self._levels.values(rows, self._dtype)
        try:
            answer = self._source.predict(rows)
        except Exception as error:
            raise QueryError(
                f"Got {error!r} from the black box {self._source.name!r} for inputs of shape "
                f"{rows.shape}, expected answers. Check that it is there and takes such inputs.",
                n_before,
            ) from error
        try:
            return self._declared.scores(answer, len(rows), self._dtype)
        except QueryError as error:
            error.n_asked = n_before
            raise


def _copy_of(tensor):
    """A function that writes a copy: what asks may write into what it gets."""
    return lambda place: place.copy_(tensor)
