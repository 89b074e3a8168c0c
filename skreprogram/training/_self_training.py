"""Rounds of self-training, where a mapping is solved and nothing trains by gradient."""

import torch

from skreprogram.training._task import Rows
from skreprogram.unlabelled._base import confident


def solve_in_rounds(solve, score, labelled, further, strategy):
    """Solve with the labels there are, label what is sure enough, solve again.

    Every round labels all unlabelled rows anew, so that an early mistake can be taken back.

    Parameters
    ----------
    solve : callable
        From rows to the tensors of the mapping.
    score : callable
        From these tensors and X to scores of shape (n_samples, n_classes).
    labelled : Rows
        Rows with a label.
    further : Rows
        Rows without one; their codes have no meaning.
    strategy : PseudoLabels
        When a row is sure enough, what it then weighs, and rounds at most.

    Returns
    -------
    omega : dict of str to torch.Tensor
        Tensors of the mapping after the last round.
    """
    omega, believed = solve(labelled), None
    for _ in range(strategy.max_rounds):
        codes, sure = confident(score(omega, further.X), strategy.threshold)
        codes = codes.where(sure, -1)
        if believed is not None and torch.equal(codes, believed):
            break
        believed = codes
        own = Rows(further.X[sure], codes[sure], strategy.weight * further.weight[sure])
        omega = solve(_joined(labelled, own) if strategy.weight else labelled)
    return omega


def _joined(first, second):
    return Rows(
        torch.cat([first.X, second.X]),
        torch.cat([first.y, second.y]),
        torch.cat([first.weight, second.weight]),
    )
