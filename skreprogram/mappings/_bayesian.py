"""Every source label speaks for every class, as often as it answered it."""

import math
from numbers import Integral, Real

import torch

from skreprogram.mappings._base import LabelMapping, OutputMapping


class BayesianMapping(LabelMapping, name="bayesian"):
    """Weigh all source labels of a class by how surely they tell it (Bayesian label mapping).

    From the counts ``C`` come ``A[s, t] = C[s, t] / (sum_t C[s, t] + smoothing)``, an estimate of
    p(class | source label), and the matrix ``A[s, t] / sum_s A[s, t]`` [1]_. No source label
    belongs to one class alone, so more classes than source outputs are no hindrance. The short name
    ``"bayesian-soft"`` stands for ``BayesianMapping(top_k=0.15)``, the paper's BLM+.

    Parameters
    ----------
    smoothing : float, default=1.0
        Pseudo-count of a source label, in summed sample weights: the larger, the less a rare source
        label says.
    top_k : int, float or None, default=None
        None counts the highest output of each row. Otherwise a row gives its k largest
        probabilities to their source labels; a float is k as a share of the number of target
        classes, rounded down, and at least one.
    refit_every : int or None, default=1
        Epochs between two estimates, after each epoch as in the paper; None estimates once, with
        the program of the start.
    refresh : {"epoch", "exact"}, default="epoch"
        Where a refit's counts come from: gathered for nothing while the epoch trains, or by a
        further pass over the data.
    aggregation : {"probabilities", "logits", "softmax"}, default="probabilities"
        How the source's outputs become class scores: see `LabelMapping`. The paper's is "logits".

    Notes
    -----
    A class that no row voted for gets the same weight from every source label: under equation 2
    the probability ``1 / n_outputs`` before renormalising. The authors' code divides zero by zero
    there, and in BLM+ with fewer than seven classes, where its k is 0.

    References
    ----------
    .. [1] C. Cai, Z. Ye, L. Feng, J. Qi, F. Liu, "Bayesian-guided Label Mapping for Visual
       Reprogramming", NeurIPS 2024, section 4.

    Examples
    --------
    >>> import torch
    >>> from skreprogram.mappings import BayesianMapping
    >>> counts = torch.tensor([[3.0, 0.0], [1.0, 2.0], [0.0, 1.0]])
    >>> BayesianMapping().estimate(counts, torch.Generator())
    tensor([[0.7500, 0.0000],
            [0.2500, 0.5000],
            [0.0000, 0.5000]])
    """

    uses_counts = True

    def __init__(
        self,
        smoothing=1.0,
        top_k=None,
        refit_every=1,
        refresh="epoch",
        aggregation="probabilities",
    ):
        self.smoothing = smoothing
        self.top_k = top_k
        self.refit_every = refit_every
        self.refresh = refresh
        self.aggregation = aggregation

    def votes(self, given, n_classes):
        self._check()
        if self.top_k is None:
            return None
        probabilities = given.softmax(-1)
        top = probabilities.topk(self._n_voted(n_classes, given.shape[-1]), dim=-1)
        return torch.zeros_like(probabilities).scatter(-1, top.indices, top.values)

    def estimate(self, counts, generator):
        self._check()
        total = counts.sum(1, keepdim=True) + self.smoothing
        # without smoothing, a source label that nobody voted for has no total
        share = counts / torch.where(total > 0, total, 1.0)
        mass = share.sum(0)
        uniform = torch.full_like(share, 1 / len(counts))
        return torch.where(mass > 0, share / torch.where(mass > 0, mass, 1.0), uniform)

    def _n_voted(self, n_classes, n_outputs):
        """How many source labels a row votes for."""
        k = self.top_k if isinstance(self.top_k, Integral) else int(self.top_k * n_classes)
        return min(max(k, 1), n_outputs)

    def _check(self):
        super()._check()
        smoothing, k = self.smoothing, self.top_k
        if not isinstance(smoothing, Real) or not 0 <= smoothing < math.inf:
            raise ValueError(
                f"Got smoothing={smoothing!r} in BayesianMapping, expected a number that is not "
                "negative."
            )
        whole = isinstance(k, Integral) and not isinstance(k, bool) and k >= 1
        part = isinstance(k, Real) and not isinstance(k, Integral) and 0 < k <= 1
        if not (k is None or whole or part):
            raise ValueError(
                f"Got top_k={k!r} in BayesianMapping, expected None, a positive whole number of "
                "source labels, or a share of the number of classes above 0 and at most 1."
            )


OutputMapping.register("bayesian-soft", lambda: BayesianMapping(top_k=0.15))
