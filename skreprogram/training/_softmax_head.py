"""A linear head whose softmax comes near to given probabilities."""

import numpy as np
import torch
from scipy.optimize import minimize
from scipy.special import log_softmax
from torch import nn
from torch.nn import functional

# weights of the squared head in the loss, from stiff to loose, for features of unit norm
PENALTIES = tuple(10.0**power for power in range(1, -8, -1))
N_FOLDS = 5
ONE_FOLD_FROM = 1_000


def fit_head(features, targets, generator, penalties=PENALTIES):
    """Fit a softmax head to probabilities, its penalty chosen by cross-validation.

    The mean Kullback-Leibler divergence plus a penalty is convex in the head, and solved to its
    minimum in double precision. Each fifth of the rows is held out in turn; of more than a
    thousand rows the first fifth only, which then says enough.

    Parameters
    ----------
    features : torch.Tensor of shape (n, n_features)
        Features.
    targets : torch.Tensor of shape (n, n_outputs)
        Probabilities.
    generator : torch.Generator
        Draws the fifths.
    penalties : sequence of float
        Weights of the squared head in the loss, to choose from; features count as if they had
        about unit norm.

    Returns
    -------
    head : torch.nn.Linear
        Fitted to all rows, in the precision of the features.
    facts : tuple of float
        Share of held-out rows whose largest output is the same, mean divergence on them in nats,
        and the penalty chosen.

    Examples
    --------
    >>> import torch
    >>> from skreprogram.training._softmax_head import fit_head
    >>> generator = torch.Generator().manual_seed(0)
    >>> features = torch.randn(100, 3, generator=generator)
    >>> targets = features.softmax(1)
    >>> head, (agreement, divergence, _) = fit_head(features, targets, generator)
    >>> bool((head(features).softmax(1) - targets).abs().max() < 0.01)
    True
    """
    shift, factor, rotation, rows = _rotated(features.double())
    targets = targets.double()
    penalties = sorted(penalties, reverse=True)
    trials = _held_out(rows, targets, penalties, generator)
    best = int(trials[:, 1].argmin())
    found = _minimise(rows, targets, penalties[best])
    weight = factor.unsqueeze(1) * (rotation @ found[:-1])
    state = {"weight": weight.T.contiguous(), "bias": found[-1] - shift @ weight}
    # on the meta device nothing is drawn
    head = nn.Linear(*weight.shape, device="meta")
    head.load_state_dict({name: tensor.to(features) for name, tensor in state.items()}, assign=True)
    return head.requires_grad_(False), (*trials[best].tolist(), penalties[best])


def _held_out(rows, targets, penalties, generator):
    """Agreement and divergence for each penalty; shape (n_penalties, 2)."""
    fifths = torch.randperm(len(rows), generator=generator).tensor_split(N_FOLDS)
    n_trials = 1 if len(rows) > ONE_FOLD_FROM else N_FOLDS
    totals, n_held = 0.0, 0
    for held in fifths[:n_trials]:
        kept = torch.ones(len(rows), dtype=torch.bool).index_fill(0, held, False)
        found, facts = None, []
        # from stiff to loose, each from where the last one ended
        for penalty in penalties:
            found = _minimise(rows[kept], targets[kept], penalty, found)
            logits = rows[held] @ found[:-1] + found[-1]
            agreement = (logits.argmax(1) == targets[held].argmax(1)).double().mean()
            facts.append(torch.stack([agreement, _divergence(logits, targets[held])]))
        totals, n_held = totals + len(held) * torch.stack(facts), n_held + len(held)
    return totals / n_held


def _rotated(features):
    """Standardise, and turn to as few axes as there are rows: the minimum stays the same."""
    shift, spread = features.mean(0), features.std(0, correction=0)
    usable = spread > 1e-6 * (1 + shift.abs())
    factor = usable / spread.where(usable, spread.new_ones(()))
    factor = factor / usable.sum().clamp_min(1).sqrt()
    left, sizes, right = torch.linalg.svd((features - shift) * factor, full_matrices=False)
    return shift, factor, right.T, left * sizes


def _minimise(rows, targets, penalty, start=None):
    """Weights and, in the last row, offsets of least divergence plus penalty."""
    if start is None:
        offsets = targets.mean(0).clamp_min(1e-12).log()
        start = torch.cat([rows.new_zeros(rows.shape[1], targets.shape[1]), offsets[None]])
    X, P = rows.numpy(), targets.numpy()

    def loss(numbers):
        weight, bias = np.split(numbers.reshape(start.shape), [-1])
        log_q = log_softmax(X @ weight + bias, axis=1)
        excess = (np.exp(log_q) - P) / len(X)
        value = -(P * log_q).sum() / len(X) + penalty / 2 * (weight**2).sum()
        slope = np.vstack([X.T @ excess + penalty * weight, excess.sum(0)])
        return value, slope.ravel()

    limits = {"maxiter": 500, "ftol": 1e-12, "gtol": 1e-8}
    found = minimize(loss, start.numpy().ravel(), jac=True, method="L-BFGS-B", options=limits)
    return torch.from_numpy(found.x.reshape(start.shape))


def _divergence(logits, targets):
    """Mean Kullback-Leibler divergence of the softmax from the targets."""
    return functional.kl_div(logits.log_softmax(1), targets, reduction="batchmean")
