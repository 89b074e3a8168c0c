"""Ridge regression in closed form, with leave-one-out predictions for every penalty."""

from typing import NamedTuple

import numpy as np
from scipy.linalg import cho_factor, cho_solve, eigh
from scipy.linalg.lapack import dpotri
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, logsumexp

# rows or columns that are turned to double precision at once
BLOCK = 2048
# more rows choose their penalty on so many of them: eigenvectors take n^3
N_CHOOSING = 1_500


class RidgeSolution(NamedTuple):
    """Weights, intercept, chosen penalty and the leave-one-out predictions that chose it."""

    coef: np.ndarray
    intercept: np.ndarray
    alpha: float
    left_out: np.ndarray


def solve_ridge(F, Y, sample_weight, alphas):
    """Fit ridge regression with the penalty of the smallest leave-one-out squared error.

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

    Returns
    -------
    solution : RidgeSolution
        ``coef`` of shape (n_features, n_targets), ``intercept`` of shape (n_targets,).

    Notes
    -----
    With ``A = Q sqrt(L) V'`` the weighted, centred features, the prediction without row i is off
    by ``(y - H y)_i / (1 - H_ii - w_i / sum(w))`` where ``H = Q diag(L / (L + alpha)) Q'`` [1]_.
    The smaller one of ``A A'`` and ``A' A`` is decomposed, once for all penalties.

    Of more than 1,500 rows with still more features, 1,500 drawn rows choose the penalty, and all
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
        alphas = [solve_ridge(F[some], Y[some], sample_weight[some], alphas).alpha]
    root = np.sqrt(sample_weight)[:, None]
    share = sample_weight / sample_weight.sum()
    centre, middle = share @ F, share @ Y
    A = (F - centre) * root
    targets = ((Y - middle) * root).astype(np.float64)
    # rounding outgrows a penalty that is smaller, and the factorisation fails
    is_safe = is_large and alphas[0] >= 1e-4
    solve = _by_inverse if is_safe else _by_eigenvectors
    alpha, error, dual = solve(A, targets, share, alphas)
    coef = _in_double(A.T, dual).astype(A.dtype)
    return RidgeSolution(coef, middle - centre @ coef, float(alpha), Y - error / root)


def _by_eigenvectors(A, targets, share, alphas):
    """Best penalty, its errors of rows left out, and weights of the rows."""
    eigenvalues, Q = _decompose(A)
    rotated = Q.T @ targets
    best = None
    for alpha in alphas:
        shrunk = eigenvalues / (eigenvalues + alpha)
        leverage = np.square(Q) @ shrunk + share
        residual = targets - Q @ (shrunk[:, None] * rotated)
        error = residual / np.maximum(1 - leverage, 1e-10)[:, None]
        loss = np.square(error).sum()
        if best is None or loss < best[0]:
            best = loss, alpha, error
    _, alpha, error = best
    return alpha, error, Q @ (rotated / (eigenvalues + alpha)[:, None])


def _by_inverse(A, targets, share, alphas):
    """The same for one penalty, which costs a tenth."""
    (alpha,) = alphas
    kernel = _gram(A)
    kernel[np.diag_indices_from(kernel)] += alpha
    factor = cho_factor(kernel, lower=True, overwrite_a=True)
    dual = cho_solve(factor, targets)
    inverse, _ = dpotri(factor[0], lower=1, overwrite_c=1)
    left = alpha * inverse.diagonal() - share
    return alpha, alpha * dual / np.maximum(left, 1e-10)[:, None], dual


def _decompose(A):
    """Positive eigenvalues of ``A A'`` and their orthonormal vectors."""
    n_samples, n_features = A.shape
    if n_samples <= n_features:
        eigenvalues, Q = eigh(_in_double(A, A.T), driver="evd")
    else:
        eigenvalues, V = eigh(_in_double(A.T, A), driver="evd")
    kept = eigenvalues > max(eigenvalues[-1], 0) * np.finfo(np.float64).eps * max(A.shape)
    if n_samples <= n_features:
        return eigenvalues[kept], Q[:, kept]
    return eigenvalues[kept], _in_double(A, V[:, kept] / np.sqrt(eigenvalues[kept]))


def _gram(A):
    """``A A'``, multiplied in the precision of A and summed up in double.

    Rows have about unit norm, so that single precision is off by a millionth at most.
    """
    total = np.zeros((len(A), len(A)))
    for j in range(0, A.shape[1], BLOCK):
        total += A[:, j : j + BLOCK] @ A[:, j : j + BLOCK].T
    return total


def _in_double(left, right):
    """Matrix product in double precision, without a double copy of a large factor.

    In single precision the small eigenvalues, and with them the leave-one-out errors of small
    penalties, are noise.
    """
    if left.shape[0] > left.shape[1]:
        parts = [left[i : i + BLOCK].astype(np.float64) @ right for i in range(0, len(left), BLOCK)]
        return np.concatenate(parts)
    total = np.zeros((left.shape[0], right.shape[1]))
    for j in range(0, left.shape[1], BLOCK):
        total += left[:, j : j + BLOCK].astype(np.float64) @ right[j : j + BLOCK].astype(np.float64)
    return total


def sharpness(scores, codes, sample_weight, shares=None):
    """Factor that makes a softmax of the scores likeliest for the labels (temperature scaling).

    Of several classifiers it is the mean of their softmaxes that counts.

    Labels are smoothed as Platt does [1]_, so that classes which nothing confuses do not ask for
    an infinite factor.

    Parameters
    ----------
    scores : ndarray of shape (n_samples, n_classes) or (n_heads, n_samples, n_classes)
        Scores of samples that were left out of the fit.
    codes : ndarray of int of shape (n_samples,)
        Classes.
    sample_weight : ndarray of shape (n_samples,)
        Weights.
    shares : ndarray of shape (n_heads,) or None, default=None
        How much each of several classifiers counts; None is equally.

    Returns
    -------
    factor : float
        Between 0.1 and 100.

    References
    ----------
    .. [1] J. Platt, "Probabilistic Outputs for Support Vector Machines and Comparisons to
       Regularized Likelihood Methods", Advances in Large Margin Classifiers, 1999, section 2.2.
    """
    n_samples, n_classes = scores.shape[-2:]
    heads = scores.reshape(-1, n_samples, n_classes)
    shares = np.full(len(heads), 1 / len(heads)) if shares is None else shares
    mass = np.bincount(codes, sample_weight, n_classes)
    right = (mass + 1) / (mass + 2)
    target = np.repeat(((1 - right) / (n_classes - 1))[codes, None], n_classes, axis=1)
    target[np.arange(n_samples), codes] = right[codes]

    def loss(log_factor):
        log_p = log_softmax(np.exp(log_factor) * heads, axis=2)
        log_p = logsumexp(log_p, axis=0, b=shares[:, None, None])
        return -(sample_weight[:, None] * target * log_p).sum()

    return float(np.exp(minimize_scalar(loss, bounds=(np.log(0.1), np.log(100.0))).x))
