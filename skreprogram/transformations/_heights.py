"""Heights of the points of a series between 0 and 1: pure functions."""

import torch

SCALES = ("series", "range", "set", "rank")
CONSTANTS = ("centre", "spread", "size")


def fitted_to(X, scale):
    """Constants of a training set that its scale needs.

    Parameters
    ----------
    X : torch.Tensor of shape (n_samples, n_channels, length)
        Training series.
    scale : {"series", "range", "set", "rank"}
        What sets the height of a point. Series of one or two points use "set" for "series" and
        "range": by themselves they would only have an order.

    Returns
    -------
    constants : dict of str to torch.Tensor
        ``centre``, ``spread`` and ``size`` of each channel for "set", the first two in units of
        the third; nothing for the others.
    """
    if scale == "rank" or (scale != "set" and X.shape[-1] > 2):
        return {}
    size = _size(X, (0, 2))
    units = X / size.unsqueeze(-1)
    # what rounding leaves of a flat set stays small
    spread = units.std((0, 2), correction=0).clamp_min(1e-6)
    return {"centre": units.mean((0, 2)), "spread": spread, "size": size}


def heights(constants, X, scale):
    """Heights of all points.

    Parameters
    ----------
    constants : dict of str to torch.Tensor
        What `fitted_to` returned.
    X : torch.Tensor of shape (n_samples, n_channels, length)
        Series.
    scale : {"series", "range", "set", "rank"}
        What sets the height of a point.

    Returns
    -------
    heights : torch.Tensor of shape (n_samples, n_channels, length)
        From 0 to 1; 0.5 for flat series, unless the scale is that of the set.
    """
    if scale == "rank":
        return shares_below(X)
    if constants:
        centre, spread, size = (constants[name].unsqueeze(-1) for name in CONSTANTS)
        return _squashed((X / size - centre) / spread)
    X = X / _size(X, -1).unsqueeze(-1)
    if scale == "range":
        low, high = X.amin(-1, keepdim=True), X.amax(-1, keepdim=True)
        # flat series have no range; what rounding leaves of it stays small
        return 0.5 + (X - (low + high) / 2) / (high - low).clamp_min(1e-6)
    deviation = X - X.mean(-1, keepdim=True)
    # flat series have no variance; their differentiable root needs a floor
    return _squashed(deviation / deviation.square().mean(-1, keepdim=True).clamp_min(1e-12).sqrt())


def shares_below(X):
    """Share of the points of each series that lie below each of its points; equals share.

    Parameters
    ----------
    X : torch.Tensor of shape (n_samples, n_channels, length)
        Series.

    Returns
    -------
    shares : torch.Tensor of shape (n_samples, n_channels, length)
        From 0 to 1; no gradient passes.
    """
    X = X.detach().contiguous()
    ordered = X.sort(-1).values.contiguous()
    below = torch.searchsorted(ordered, X)
    up_to = torch.searchsorted(ordered, X, right=True)
    return ((below + up_to).to(X) - 1) / max(2 * (X.shape[-1] - 1), 1)


def _squashed(deviation):
    """Any number into 0 to 1; two standard deviations are 0.88."""
    return (1 + torch.tanh(deviation / 2)) / 2


def _size(X, dim):
    """Largest magnitude; divided by it, series of any units neither overflow nor vanish."""
    size = X.abs().amax(dim)
    # zeros stay zeros, with a finite gradient
    return torch.where(size > torch.finfo(X.dtype).tiny, size, 1.0)
