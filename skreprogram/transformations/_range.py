"""Data into a bounded value range: one affine map for the whole training set."""

import torch


def affine_to_range(X, space):
    """Constants that bring training data into the source's value range.

    Data that already lie inside are left as they are.

    Returns
    -------
    constants : dict of str to torch.Tensor
        ``offset`` and ``gain``; inputs are ``(X - offset) * gain + centre``.
    """
    lowest, highest = X.amin(), X.amax()
    bounds = space.value_range
    if bounds is None or (lowest >= bounds[0] and highest <= bounds[1]):
        return {"offset": X.new_tensor(space.centre), "gain": X.new_ones(())}
    # halved first: the sum of two large numbers may overflow
    middle, half = lowest / 2 + highest / 2, highest / 2 - lowest / 2
    gain = torch.where(half > 0, space.half_range / half.clamp_min(1e-12), 1.0)
    return {"offset": middle, "gain": gain.to(X.dtype)}


def into_range(params, X, space):
    """Apply the constants; what later data exceed is cut off at the range's ends."""
    scaled = (X - params["offset"]) * params["gain"] + space.centre
    return scaled if space.value_range is None else scaled.clamp(*space.value_range)


def bounded(program, space):
    """Keep a program inside the value range by tanh, the change of variables of the papers.

    Unbounded sources take the program as it is.
    """
    if space.value_range is None:
        return program
    return space.centre + space.half_range * torch.tanh(program)


def swing(program, space, strength=1.0):
    """Turn a program into an addition that may move a value through the whole range.

    Parameters
    ----------
    program : torch.Tensor
        Any numbers; 0 adds nothing.
    space : InputSpace
        What the source takes.
    strength : float, default=1.0
        Largest addition as a share of the range's width. Unbounded sources take the program times
        this number.
    """
    if space.value_range is None:
        return strength * program
    return strength * 2 * space.half_range * torch.tanh(program)


def clipped(total, space, clip="hard"):
    """Cut a sum off at the ends of the value range.

    With ``clip="straight-through"`` gradients pass as if nothing had been cut, so that a program
    can come back from where it left the range; with "hard" they are 0 there.
    """
    if space.value_range is None:
        return total
    cut = total.clamp(*space.value_range)
    return cut.detach() + (total - total.detach()) if clip == "straight-through" else cut
