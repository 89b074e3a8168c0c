"""Ridge regression that a gradient flows through."""

import torch


def ridge_answers(F, Y, sample_weight, queries, alpha):
    """Fit ridge regression to some rows and answer others, differentiably.

    The solution is that of `solve_ridge` with one penalty. It is had in the dual, from the inner
    products of the rows, of which there are fewer than features [1]_.

    Parameters
    ----------
    F : torch.Tensor of shape (n_samples, n_features)
        Features of the rows that are fitted.
    Y : torch.Tensor of shape (n_samples, n_targets)
        Their targets.
    sample_weight : torch.Tensor of shape (n_samples,)
        Positive weights.
    queries : torch.Tensor of shape (n_queries, n_features)
        Features of the rows that are answered.
    alpha : float
        Positive penalty.

    Returns
    -------
    answers : torch.Tensor of float64 of shape (n_queries, n_targets)

    References
    ----------
    .. [1] L. Bertinetto, J. F. Henriques, P. H. S. Torr, A. Vedaldi, "Meta-learning with
       differentiable closed-form solvers", ICLR 2019, equation 6.
    """
    share = sample_weight / sample_weight.sum()
    root = sample_weight.sqrt().unsqueeze(1)
    centre = share @ F
    A = (F - centre) * root
    # a small penalty drowns in single precision; these matrices are small
    targets, middle = Y.double(), share.double() @ Y.double()
    kernel = (A @ A.T).double()
    kernel = kernel + alpha * torch.eye(len(F), dtype=kernel.dtype, device=kernel.device)
    dual = torch.linalg.solve(kernel, (targets - middle) * root.double())
    return middle + ((queries - centre) @ A.T).double() @ dual
