"""Ridge regression in closed form, with leave-one-out predictions for every penalty."""

from functools import cache
from typing import NamedTuple

import numpy as np
from scipy.linalg import cho_factor, cho_solve, eigh
from scipy.linalg.blas import get_blas_funcs
from scipy.linalg.lapack import dtrtri
from threadpoolctl import ThreadpoolController

# rows or columns that are turned to double precision at once
BLOCK = 4096
# more rows choose their penalty on so many of them: eigenvectors take n^3
N_CHOOSING = 1_000
# fewer rows or columns are solved in one thread: of several, each waits longer for the others than
# it multiplies
N_THREADED = 600


class RidgeSolution(NamedTuple):
    """Weights, intercept, chosen penalty and the leave-one-out predictions that chose it."""

    coef: np.ndarray
    intercept: np.ndarray
    alpha: float
    left_out: np.ndarray


def solve_ridge(F, Y, sample_weight, alphas, loss=None):
    """Fit ridge regression with the penalty of the smallest leave-one-out loss.

    Parameters
    ----------
    F : ndarray of shape (n_samples, n_features)
        Features.
    Y : ndarray of shape (n_samples, n_targets)
        Targets.
    sample_weight : ndarray of shape (n_samples,)
        Positive weights.
    alphas : array-like of float
        Positive penalties to choose from.
    loss : callable or None, default=None
        Loss of predictions of shape (n, n_targets) for rows that were left out, from these
        predictions, the numbers of these rows and their weights; None is the squared error.

    Returns
    -------
    solution : RidgeSolution
        ``coef`` of shape (n_features, n_targets), ``intercept`` of shape (n_targets,).

    Notes
    -----
    With ``A = Q sqrt(L) V'`` the weighted, centred features, the prediction without row i is off
    by ``(y - H y)_i / (1 - H_ii - w_i / sum(w))`` where ``H = Q diag(L / (L + alpha)) Q'`` [1]_.
    The smaller one of ``A A'`` and ``A' A`` is decomposed, once for all penalties.

    Of more than 1,000 rows with still more features, 1,000 drawn rows choose the penalty, and all
    are solved with it by Cholesky's factorisation of ``A A' + alpha``: with the inverse G,
    ``1 - H_ii = alpha G_ii``. The best penalty is the ratio of two variances, which does not
    depend on the number of rows.

    References
    ----------
    .. [1] R. Rifkin, R. Lippert, "Notes on Regularized Least Squares", MIT-CSAIL-TR-2007-025.
    """
    is_large = N_CHOOSING < len(F) <= F.shape[1]
    if is_large and len(alphas) > 1:
        # no global generator
        some = np.sort(np.random.RandomState(0).permutation(len(F))[:N_CHOOSING])
        of_some = loss and (lambda left_out, rows, weight: loss(left_out, some[rows], weight))
        alphas = [solve_ridge(F[some], Y[some], sample_weight[some], alphas, of_some).alpha]
    root = np.sqrt(sample_weight)[:, None]
    share = sample_weight / sample_weight.sum()
    centre, middle = share @ F, share @ Y
    A = (F - centre) * root
    targets = ((Y - middle) * root).astype(np.float64)
    # rounding outgrows a penalty that is smaller, and the factorisation fails
    is_safe = is_large and alphas[0] >= 1e-4
    if is_safe:
        alpha, error, dual = _by_inverse(A, targets, share, alphas)
    else:
        rows = np.arange(len(F))
        of_error = loss and (lambda error: loss(Y - error / root, rows, sample_weight))
        with _libraries().limit(limits=1 if min(A.shape) < N_THREADED else None, user_api="blas"):
            alpha, error, dual = _by_eigenvectors(A, targets, share, alphas, of_error)
    coef = _in_double(A.T, dual).astype(A.dtype)
    return RidgeSolution(coef, middle - centre @ coef, float(alpha), Y - error / root)


@cache
def _libraries():
    # looked for once: that takes longer than many a solution
    return ThreadpoolController()


def _by_eigenvectors(A, targets, share, alphas, loss):
    """Best penalty, its errors of rows left out, and weights of the rows."""
    eigenvalues, Q = _decompose(A)
    rotated = Q.T @ targets
    best = None
    shares = eigenvalues / (eigenvalues + np.asarray(alphas)[:, None])
    leverages = shares @ np.square(Q).T + share
    for alpha, shrunk, leverage in zip(alphas, shares, leverages, strict=True):
        residual = targets - Q @ (shrunk[:, None] * rotated)
        error = residual / np.maximum(1 - leverage, 1e-10)[:, None]
        value = np.square(error).sum() if loss is None else loss(error)
        if best is None or value < best[0]:
            best = value, alpha, error
    _, alpha, error = best
    return alpha, error, Q @ (rotated / (eigenvalues + alpha)[:, None])


def _by_inverse(A, targets, share, alphas):
    """The same for one penalty, which costs a tenth."""
    (alpha,) = alphas
    kernel = _gram(A, A.dtype)
    kernel[np.diag_indices_from(kernel)] += alpha
    factor = cho_factor(kernel, lower=True, overwrite_a=True)
    dual = cho_solve(factor, targets)
    # of the inverse only the diagonal counts: G = T' T with the inverse T of the triangle
    triangle, _ = dtrtri(factor[0], lower=1, overwrite_c=1)
    diagonal = np.square(np.tril(triangle)).sum(0)
    left = alpha * diagonal - share
    return alpha, alpha * dual / np.maximum(left, 1e-10)[:, None], dual


def _decompose(A):
    """Positive eigenvalues of ``A A'`` and their orthonormal vectors."""
    n_samples, n_features = A.shape
    if n_samples <= n_features:
        eigenvalues, Q = eigh(_gram(A, np.float64), driver="evd")
    else:
        eigenvalues, V = eigh(_gram(A.T, np.float64), driver="evd")
    kept = eigenvalues > max(eigenvalues[-1], 0) * np.finfo(np.float64).eps * max(A.shape)
    if n_samples <= n_features:
        return eigenvalues[kept], Q[:, kept]
    return eigenvalues[kept], _in_double(A, V[:, kept] / np.sqrt(eigenvalues[kept]))


def _gram(A, precision):
    """Lower triangle of ``A A'``, multiplied in some precision and summed up in double.

    Of rows of about unit norm, single precision is off by a millionth at most: for small penalties
    that is too much.
    """
    total = np.zeros((len(A), len(A)), order="F")
    (multiply,) = get_blas_funcs(["syrk"], dtype=precision)
    for j in range(0, A.shape[1], BLOCK):
        part = A[:, j : j + BLOCK].astype(precision, copy=False)
        total += multiply(1.0, part.T, trans=1, lower=1)
    return total


def _in_double(left, right):
    """Matrix product in double precision, without a double copy of a tall left factor.

    In single precision the small eigenvalues, and with them the leave-one-out errors of small
    penalties, are noise.
    """
    parts = [left[i : i + BLOCK].astype(np.float64) @ right for i in range(0, len(left), BLOCK)]
    return np.concatenate(parts)
