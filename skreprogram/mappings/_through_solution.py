"""Train what comes before the source through the solution of the head behind it."""

from numbers import Real
from typing import NamedTuple

import torch
from torch.utils._pytree import tree_leaves

from skreprogram.mappings._base import OutputMapping
from skreprogram.mappings._calibration import calibrate
from skreprogram.mappings._features import FeaturesMapping
from skreprogram.mappings._head import standardise
from skreprogram.mappings._pooling import order
from skreprogram.mappings._ridge_answers import ridge_answers


class Fixed(NamedTuple):
    """What the solutions of single batches take from the solution of all rows.

    Parameters
    ----------
    mean, spread : torch.Tensor of shape (n_features,)
        Of the features.
    alphas : list of float
        Ridge penalty of each head.
    shares : torch.Tensor of shape (n_heads,)
        Shares of the heads in the probabilities.
    """

    mean: torch.Tensor
    spread: torch.Tensor
    alphas: list
    shares: torch.Tensor


class ThroughSolution(OutputMapping, name="through-solution"):
    """Solve a head in closed form, and train the program through the solution.

    Behind a transformation that trains, `FeaturesMapping` trains a head by gradient, beside the
    program. Here the head is solved in every step, and the gradient flows through its solution
    [1]_: half of each batch is solved by ridge regression, the other half is predicted, and what
    the predictions cost is the loss of the program. It begins at the frozen transformation with
    its solved head, and after training the head is solved on all rows again.

    With ``early_stopping=True`` a part of the training data decides: after every epoch the head is
    solved on the others, and the program with the lowest loss on that part is kept. If its gain on
    the frozen transformation is not larger than `margin` standard errors, the frozen one is kept:
    then the estimator is the one that was never trained.

    Parameters
    ----------
    mapping : "heads", "features", FeaturesMapping or HeadsMapping, default="heads"
        The head.
    stage_weights : bool, default=False
        Whether a weight of the features of each stage of the source, of each view, trains as well.
        They begin at one and end inside the head's weights.
    margin : float, default=1.0
        Standard errors by which the mean loss on the held-out rows must fall for a trained program
        to be kept; 0 keeps whatever has the lower loss. Without ``early_stopping`` it has no
        effect.

    See Also
    --------
    HeadsMapping : The head; in front of a frozen transformation and without `stage_weights`, this
        mapping is no other.

    Notes
    -----
    Batches are made of pairs of one class, where a class has two rows; a row of each pair is
    solved and the other one predicted. Take a `batch_size` that is several times the number of
    classes.

    References
    ----------
    .. [1] L. Bertinetto, J. F. Henriques, P. H. S. Torr, A. Vedaldi, "Meta-learning with
       differentiable closed-form solvers", ICLR 2019.

    Examples
    --------
    >>> from skreprogram import TimeSeriesReprogrammer
    >>> from skreprogram.datasets import make_tones
    >>> from skreprogram.mappings import ThroughSolution
    >>> from skreprogram.transformations import FrequencyModulation
    >>> X, y = make_tones(n_samples=20, length=40, n_classes=2, random_state=0)
    >>> clf = TimeSeriesReprogrammer(
    ...     input_transformation=FrequencyModulation(trains=("band", "gain")),
    ...     output_mapping=ThroughSolution("features", stage_weights=True),
    ...     max_epochs=2,
    ...     random_state=0,
    ... ).fit(X, y)
    >>> clf.program_.output["log_weights"].shape  # a weight a stage
    (9,)
    """

    reads = "features"
    trains_through_solution = True
    vectorises = False

    def __init__(self, mapping="heads", stage_weights=False, margin=1.0):
        self.mapping = mapping
        self.stage_weights = stage_weights
        self.margin = margin

    @property
    def trainable(self):
        return ("log_weights",) if self.stage_weights else ()

    def init(self, given, n_classes, generator):
        inner = self._inner()
        params = inner.init(given, n_classes, generator)
        if self.stage_weights:
            n_blocks = len(order(tuple(inner.poolings), len(inner.quantiles)))
            sizes = [s.shape[1] * (n_blocks if s.ndim > 2 else 1) for s in tree_leaves(given)]
            params["block_sizes"] = torch.tensor(sizes, dtype=torch.int32)
            params["log_weights"] = params["shift"].new_zeros(len(sizes))
        return params

    def pool(self, params, given):
        """Pool the stages; see `FeaturesMapping.pool`.

        Parameters
        ----------
        params : dict of str to torch.Tensor
            What `init` drew.
        given : tuple of torch.Tensor of shape (n_samples, channels, *positions)
            Stages.

        Returns
        -------
        pooled : torch.Tensor of shape (n_samples, n_features)
            Statistics of all stages side by side.
        """
        return self._inner().pool(params, given)

    def score(self, params, pooled):
        """Score the target classes from pooled features; see `FeaturesMapping.score`.

        Parameters
        ----------
        params : dict of str to torch.Tensor
            What `solve` found.
        pooled : torch.Tensor of shape (n_samples, n_features)
            Pooled features.

        Returns
        -------
        scores : torch.Tensor of shape (n_samples, n_classes)
            Unnormalised logarithms of probabilities.
        """
        return self._inner().score(params, pooled)

    def apply(self, params, given):
        return self._inner().apply(params, given)

    def solve(self, params, pooled, y, weight, n_classes, loss=None):
        """Solve the head on features that have the weights of their stages.

        Parameters
        ----------
        params : dict of str to torch.Tensor
            What `init` drew, with trained weights.
        pooled : torch.Tensor of shape (n_samples, n_features)
            Pooled features of the training data.
        y : torch.Tensor of int of shape (n_samples,), or of float of shape (n_samples, n_targets)
            Class codes, or values.
        weight : torch.Tensor of shape (n_samples,)
            Positive sample weights.
        n_classes : int
            Number of target classes, or of values of a sample.
        loss : callable or None, default=None
            Losses of rows of values, where it is not the squared error that counts.

        Returns
        -------
        params : dict of str to torch.Tensor
            With the head's weights, in which those of the stages are.
        """
        scales = self._feature_weights(params)
        if scales is not None and params["log_weights"].any():
            params = {**params, "feature_weights": scales}
        return self._inner().solve(params, pooled, y, weight, n_classes, loss)

    def fix(self, params, pooled, y, weight, n_classes):
        """Choose what training holds fixed, from all training rows.

        Parameters
        ----------
        params : dict of str to torch.Tensor
            What `init` drew.
        pooled : torch.Tensor of shape (n_samples, n_features)
            Pooled features before training.
        y : torch.Tensor of int of shape (n_samples,), or of float of shape (n_samples, n_targets)
            Class codes, or values.
        weight : torch.Tensor of shape (n_samples,)
            Positive sample weights.
        n_classes : int
            Number of target classes, or of values of a sample.

        Returns
        -------
        fixed : Fixed
            Scales, penalties and shares.
        """
        inner = self._inner()
        solved = inner.solve(params, pooled, y, weight, n_classes)
        mean, spread = pooled.mean(0), pooled.std(0, correction=0)
        weight = (weight / weight.mean()).numpy()
        alphas = []
        for own in self._columns(params, y):
            standard = standardise(mean[own], spread[own])
            F = ((pooled[:, own] - standard["shift"]) * standard["factor"]).numpy()
            alphas.append(inner.ridge(F, y, weight, n_classes).alpha)
        shares = solved.get("shares", pooled.new_ones(1))
        return Fixed(mean, spread, alphas, shares)

    def answer(self, params, fixed, support, query, n_classes):
        """Solve the head on some rows and score others, differentiably.

        Parameters
        ----------
        params : dict of str to torch.Tensor
            What `init` drew, with weights that train.
        fixed : Fixed
            Scales, penalties and shares.
        support, query : tuple of torch.Tensor
            Pooled features, classes or values, and weights: of the rows that are solved, and of
            those that are scored. The labels of the latter calibrate their scores.
        n_classes : int
            Number of target classes, or of values of a sample.

        Returns
        -------
        scores : torch.Tensor of float64 of shape (n_query, n_classes)
            Logarithms of probabilities, or values.
        """
        F, y, weight = support
        scales, targets = self._feature_weights(params), _targets(y, n_classes)
        weight = weight / weight.mean()
        heads = []
        for own, alpha in zip(self._columns(params, y), fixed.alphas, strict=True):
            scale = None if scales is None else scales[own]
            standard = standardise(fixed.mean[own], fixed.spread[own], scale)
            solved, asked = (
                (X[:, own] - standard["shift"]) * standard["factor"] for X in (F, query[0])
            )
            heads.append(ridge_answers(solved, targets, weight, asked, alpha))
        if y.is_floating_point():
            return heads[0]
        return _mixed(torch.stack(heads), fixed.shares, query[1], query[2])

    def _columns(self, params, y):
        """Numbers of the features of each head."""
        head_of = params.get("head_of")
        if head_of is None or y.is_floating_point():
            return [slice(None)]
        heads = range(int(head_of.max()) + 1)
        return [(head_of == head).any(0).nonzero()[:, 0] for head in heads]

    def _feature_weights(self, params):
        if "log_weights" not in params:
            return None
        return params["log_weights"].exp().repeat_interleave(params["block_sizes"].long())

    def _inner(self):
        inner = OutputMapping.resolve(self.mapping)
        if not isinstance(inner, FeaturesMapping):
            raise ValueError(
                f"Got mapping={self.mapping!r} in ThroughSolution, expected a head on features "
                "that is solved: 'heads', 'features', or an object of HeadsMapping or "
                "FeaturesMapping."
            )
        if not isinstance(self.margin, Real) or not self.margin >= 0:
            raise ValueError(f"Got margin={self.margin!r}, expected a number of at least 0.")
        return inner


def _targets(y, n_classes):
    """One-hot targets of -1 and 1; values as they are."""
    if y.is_floating_point():
        return y
    return 2.0 * torch.nn.functional.one_hot(y, n_classes) - 1


def _mixed(heads, shares, y, weight):
    """Log-probabilities of the heads' mean, each calibrated on these rows.

    The factors are the best ones for these rows, so that the gradient of the loss with respect to
    them is about zero and they count as constants.
    """
    codes, weight = y.cpu().numpy(), weight.double().cpu().numpy()
    known, shares = heads.detach().cpu().numpy(), shares.double()
    each = heads.new_tensor([calibrate(own, codes, weight).factor for own in known])[:, None, None]
    together = (each.cpu().numpy() * known, codes, weight, shares.cpu().numpy())
    log_p = (calibrate(*together).factor * each * heads).log_softmax(2)
    return (log_p + shares.clamp_min(1e-300).log()[:, None, None]).logsumexp(0)
