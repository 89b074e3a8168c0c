"""What a fit asks of its source: counted, limited, shown."""

import sys

from tqdm.auto import tqdm

from skreprogram.sources import QueryError


class QueryMeter:
    """Count the queries of one fit.

    A query is one row that the source answers. An answer that lay on disk counts as used, so that
    a repeated fit takes the same steps, but not as asked.

    Parameters
    ----------
    planned : int
        Queries that the fit will use if nothing stops it.
    cost_per_query : float, default=0.0
        Money per row asked.
    max_queries : int or None, default=None
        Queries that the fit may use.
    verbose : int, default=0
        Whether to show a progress bar.
    """

    def __init__(self, planned, cost_per_query=0.0, max_queries=None, verbose=0):
        self.planned = planned
        self.cost_per_query = cost_per_query
        self.max_queries = max_queries
        self.used = 0
        self.asked = 0
        self.stopped_by = None
        self._bar = tqdm(total=planned, unit="query", desc="asking the source", disable=not verbose)

    @property
    def cost(self):
        """Money spent so far."""
        return self.asked * self.cost_per_query

    def has_room(self, n_queries):
        """Whether so many further queries stay within the limit."""
        return self.max_queries is None or self.used + n_queries <= self.max_queries

    def note(self, used, asked):
        """Count the rows of one call."""
        self.used += used
        self.asked += asked
        self._bar.update(used)
        if self.cost_per_query:
            self._bar.set_postfix(cost=f"{self.cost:.2f}", refresh=False)

    def close(self):
        """End the progress bar."""
        self._bar.close()


class MeteredNetwork:
    """A loaded source whose every answer is counted.

    Parameters
    ----------
    network : FrozenNetwork or BlackBoxNetwork
        The source.
    meter : QueryMeter
        Where to count.
    levels : int or None, default=None
        Levels to which the source's inputs are rounded.
    """

    shares_frames = runs_in_threads = False

    def __init__(self, network, meter, levels=None):
        self.network = network
        self.meter = meter
        self.levels = levels

    @property
    def rows_at_once(self):
        """Rows of data for one pass."""
        return self.network.rows_at_once

    @property
    def collects(self):
        """Whether inputs may be written part by part: a black box collects them."""
        return hasattr(self.network, "answers")

    def outputs(self, inputs, alike=None):
        """Logits, or logarithms of probabilities; shape ``(n, n_outputs)``."""
        if self.collects:
            return self._counted(len(inputs), self.network.answers, inputs)
        outputs = self.network.outputs(inputs)
        self.meter.note(len(inputs), len(inputs))
        return outputs

    def collected_outputs(self, parts, n_rows):
        """Those of n_rows inputs that are written part by part, asked together."""
        return self._counted(n_rows, self.network.answers_to_written, parts, n_rows)

    def _counted(self, n_rows, ask, *given):
        try:
            outputs, n_asked = ask(*given)
        except QueryError as error:
            # what was answered before the failure was paid for
            self.meter.note(error.n_asked, error.n_asked)
            raise
        self.meter.note(n_rows, n_asked)
        return outputs

    def features(self, inputs, alike=None):
        """Activations inside the source, where it shows them."""
        stages = self.network.features(inputs)
        self.meter.note(len(inputs), len(inputs))
        return stages


def announce(planned, source):
    """Say on standard error what a fit will ask at most, before it asks."""
    words = f"This fit asks {source.name!r} at most {planned:,} queries"
    if source.cost_per_query:
        words += f", which cost {planned * source.cost_per_query:,.2f}"
    print(f"{words}.", file=sys.stderr)
