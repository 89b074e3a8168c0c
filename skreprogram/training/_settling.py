"""Fit a mapping to answers that are at hand, before a program asks for more."""

import torch

# all rows are one batch: so many steps cost less than a single query
N_STEPS = 200
LR = 0.05


def settle(mapping, omega, given, rows, loss):
    """Fit the mapping's trained tensors by true gradients.

    A plain loop and not skorch's: it runs in every fit by queries, and its 200 epochs of
    callbacks cost more than all the rest that is not the source.

    Parameters
    ----------
    mapping : OutputMapping
        Has trained tensors and reads outputs.
    omega : dict of str to torch.Tensor
        Where they start.
    given : torch.Tensor of shape (n, n_outputs)
        What the source answered.
    rows : Rows
        Classes and weights of the same n rows.
    loss : Loss
        The loss of a sample.

    Returns
    -------
    omega : dict of str to torch.Tensor
        All tensors of the mapping, for the lowest loss but for the number of steps.
    """
    trained = {name: omega[name].clone().requires_grad_() for name in mapping.trainable}
    optimizer = torch.optim.Adam(trained.values(), lr=LR)
    share = rows.weight / rows.weight.sum().clamp_min(1e-12)
    for _ in range(N_STEPS):
        optimizer.zero_grad()
        sides = {**omega, **trained}
        of_rows = loss.rows(mapping.apply(sides, given)[None], rows.y[None])[0]
        ((of_rows * share).sum() + mapping.penalty(sides)).backward()
        optimizer.step()
    return {**omega, **{name: tensor.detach() for name, tensor in trained.items()}}
