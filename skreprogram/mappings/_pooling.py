"""Statistics that turn a stage of activations into numbers per channel."""

import numpy as np
import torch

POOLINGS = ("mean", "std", "max", "min", "thirds", "share", "crossings")
# those that need thresholds of the training data
WITH_THRESHOLDS = ("share", "crossings")
# width of the ramp around a threshold, in standard deviations of the channel
RAMP = 0.1
# values of a channel from which its thresholds are taken
N_VALUES = 5_000
# positions from which a copy with neighbours side by side is sooner made than done without
N_POSITIONS = 500


def pool(stage, poolings, thresholds=None, width=None):
    """Pool the positions of one stage away.

    Parameters
    ----------
    stage : torch.Tensor of shape (n, channels, *positions)
        Activations; vectors of shape (n, channels) are returned as they are.
    poolings : sequence of {"mean", "std", "max", "min", "thirds", "share", "crossings"}
        Statistics over the positions; "thirds" are the means of the first, second and last third
        of the positions (they know where something happens, the others only whether); "share" is
        the share of positions above each threshold: the proportion of positive values of ROCKET,
        with biases from the training data; "crossings" is how often a threshold is crossed from
        one position to the next.
    thresholds : torch.Tensor of shape (n_thresholds, channels) or None
        Needed by "share" and "crossings".
    width : torch.Tensor of shape (channels,) or None
        Activations count in part when they are nearer to a threshold than half of this. A hard
        step would turn rounding into jumps, and pass no gradient.

    Returns
    -------
    pooled : torch.Tensor of shape (n, n_statistics * channels)
        Statistics side by side, in the order of `order`.
    """
    if stage.ndim == 2:
        return stage
    flat = stage.flatten(2)
    if flat.shape[-1] >= N_POSITIONS:
        flat = flat.contiguous()
    parts = [_STATISTICS[name](flat) for name in poolings if name not in WITH_THRESHOLDS]
    asked = [name for name in WITH_THRESHOLDS if name in poolings]
    if asked:
        scaled = flat * (1 / width).unsqueeze(-1)
        for low in thresholds / width - 0.5:
            # cutting off and shifting back is one pass over the stage; a shift first would be two
            cut = torch.clamp(scaled, low.unsqueeze(-1), (low + 1).unsqueeze(-1))
            if "share" in asked:
                parts.append(cut.mean(-1) - low)
            if "crossings" in asked:
                parts.append((cut[..., 1:] - cut[..., :-1]).abs().sum(-1) / flat.shape[-1])
    return torch.cat(parts, 1)


def order(poolings, n_thresholds):
    """The statistic behind each block of as many features as a stage has channels.

    Parameters
    ----------
    poolings : sequence of str
        As in `pool`.
    n_thresholds : int
        Thresholds of a channel.

    Returns
    -------
    blocks : list of str
        A name a block, in the order in which `pool` lays them.
    """
    blocks = []
    for name in poolings:
        if name not in WITH_THRESHOLDS:
            blocks += [name] * (3 if name == "thirds" else 1)
    return blocks + [name for name in WITH_THRESHOLDS if name in poolings] * n_thresholds


def share_levels(stage, quantiles):
    """Thresholds and ramp of every channel, from the training data.

    Parameters
    ----------
    stage : torch.Tensor of shape (n, channels, *positions)
        Activations of training data.
    quantiles : sequence of float
        Thresholds as quantiles over samples and positions.

    Returns
    -------
    thresholds : torch.Tensor of shape (n_quantiles, channels)
    width : torch.Tensor of shape (channels,)
    """
    flat = stage.flatten(2)
    n_values = len(flat) * flat.shape[-1]
    # quantiles of all values would take longer than the network; a part of them tells as much
    places = torch.arange(0, n_values, -(-n_values // N_VALUES), device=flat.device)
    rows, positions = places // flat.shape[-1], places % flat.shape[-1]
    values = flat[rows, :, positions].T.contiguous()
    # numpy looks for single places of the order, torch sorts all values
    thresholds = np.quantile(values.detach().cpu().numpy(), quantiles, axis=1)
    return torch.from_numpy(thresholds).to(values), (RAMP * values.std(1)).clamp_min(1e-6)


def _standard_deviation(flat):
    # the difference of two means is five times as fast as torch.std on short rows
    variance = flat.square().mean(-1) - flat.mean(-1).square()
    return variance.clamp_min(1e-12).sqrt()


def _thirds(flat):
    n_positions = flat.shape[-1]
    bounds = [(i * n_positions // 3, -(-(i + 1) * n_positions // 3)) for i in range(3)]
    return torch.cat([flat[..., start:stop].mean(-1) for start, stop in bounds], 1)


_STATISTICS = {
    "mean": lambda flat: flat.mean(-1),
    "std": _standard_deviation,
    "max": lambda flat: flat.amax(-1),
    "min": lambda flat: flat.amin(-1),
    "thirds": _thirds,
}
