"""Source labels shared among classes by optimal transport."""

import math
from numbers import Integral, Real

from skreprogram.mappings._base import LabelMapping, class_shares


class TransportMapping(LabelMapping, name="transport"):
    """Share source labels among the classes by entropic optimal transport.

    The matrix ``P`` maximises ``sum P * S + regularisation * entropy(P)``, where ``S[s, t]`` is the
    share of class t's samples that answer with source label s, the largest share scaled to one.
    Its marginals: every class takes one, and a source label gives `capacity` at most. As
    `regularisation` vanishes, capacity 1 is optimal assignment (`AssignmentMapping`); the larger it
    is, the nearer to one another are all weights.

    Parameters
    ----------
    regularisation : float, default=0.02
        Weight of the entropy, in units of the largest share.
    capacity : float, default=1.0
        What a source label gives to all classes together. ``1 / m`` lets every class have m labels
        or more; infinity decides each class for itself.
    n_iter : int, default=200
        Rounds of scaling.
    refit_every : int or None, default=None
        Epochs between two estimates; None estimates once, with the program of the start.
    refresh : {"epoch", "exact"}, default="epoch"
        Where a refit's counts come from: gathered for nothing while the epoch trains, or by a
        further pass over the data.
    aggregation : {"probabilities", "logits", "softmax"}, default="probabilities"
        How the source's outputs become class scores: see `LabelMapping`.

    Notes
    -----
    Sinkhorn's scaling [1]_, in log space; the bound on the rows scales them down only [2]_. The
    columns are scaled last and sum to one exactly, the rows keep their bound as nearly as the
    rounds reach. Equal marginals on both sides would force labels that never answer upon the
    classes, which is why the source's side is a bound.

    References
    ----------
    .. [1] M. Cuturi, "Sinkhorn Distances: Lightspeed Computation of Optimal Transport", NeurIPS
       2013, algorithm 1.
    .. [2] L. Chizat, G. Peyre, B. Schmitzer, F.-X. Vialard, "Scaling Algorithms for Unbalanced
       Optimal Transport Problems", Mathematics of Computation 87, 2018 (range constraints).

    Examples
    --------
    >>> import torch
    >>> from skreprogram.mappings import TransportMapping
    >>> counts = torch.tensor([[10.0, 9.0], [9.0, 0.0], [0.0, 1.0]])
    >>> TransportMapping().estimate(counts, torch.Generator()).round(decimals=1)
    tensor([[0., 1.],
            [1., 0.],
            [0., 0.]])
    >>> TransportMapping(regularisation=0.2).estimate(counts, torch.Generator()).round(decimals=1)
    tensor([[0.1000, 0.9000],
            [0.8000, 0.0000],
            [0.1000, 0.1000]])
    """

    uses_counts = True

    def __init__(
        self,
        regularisation=0.02,
        capacity=1.0,
        n_iter=200,
        refit_every=None,
        refresh="epoch",
        aggregation="probabilities",
    ):
        self.regularisation = regularisation
        self.capacity = capacity
        self.n_iter = n_iter
        self.refit_every = refit_every
        self.refresh = refresh
        self.aggregation = aggregation

    def estimate(self, counts, generator):
        self._check()
        self._check_capacity(*counts.shape)
        shares = class_shares(counts)
        kernel = shares / (self.regularisation * shares.max().clamp_min(1e-12))
        rows, columns = kernel.new_zeros(len(kernel), 1), -kernel.logsumexp(0)
        for _ in range(self.n_iter):
            given = (kernel + columns).logsumexp(1, keepdim=True)
            rows = (math.log(self.capacity) - given).clamp_max(0.0)
            columns = -(kernel + rows).logsumexp(0)
        return (kernel + rows + columns).exp().to(counts.dtype)

    def _check(self):
        super()._check()
        for name in ("regularisation", "capacity"):
            value = getattr(self, name)
            if not isinstance(value, Real) or not value > 0:
                raise ValueError(
                    f"Got {name}={value!r} in TransportMapping, expected a positive number."
                )
        if not isinstance(self.n_iter, Integral) or self.n_iter < 1:
            raise ValueError(
                f"Got n_iter={self.n_iter!r} in TransportMapping, expected a positive whole number."
            )

    def _check_capacity(self, n_outputs, n_classes):
        if self.capacity * n_outputs < n_classes:
            raise ValueError(
                f"Got {n_classes} target classes for a source of {n_outputs} outputs with "
                f"capacity={self.capacity} each in TransportMapping, expected at least "
                f"{n_classes / n_outputs:.3g}. Raise the capacity, or use "
                "output_mapping='bayesian' or 'linear'."
            )
