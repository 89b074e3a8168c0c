"""Vectors as sums of few others: orthogonal matching pursuit."""

import warnings

import numpy as np
import torch
from sklearn.linear_model import orthogonal_mp, orthogonal_mp_gram

# products of all pairs of so many vectors are kept, 128 MiB
MOST_PAIRED = 4096


def sparse_codes(vectors, targets, n_atoms):
    """Write each target as a weighted sum of few vectors.

    The vectors are chosen one after the other by the angle to what is left of the target,
    whatever their lengths and signs; after each choice all weights are solved again.

    Parameters
    ----------
    vectors : torch.Tensor of shape (n_vectors, d)
        What to choose from.
    targets : torch.Tensor of shape (n_targets, d)
        What to write.
    n_atoms : int
        Most vectors in each sum.

    Returns
    -------
    rows : torch.Tensor of int of shape (n_targets, n_atoms)
        Rows of `vectors`.
    weights : torch.Tensor of float64 of shape (n_targets, n_atoms)
        Their weights, the largest first; 0 where fewer are enough.

    Examples
    --------
    >>> import torch
    >>> from skreprogram.transformations._sparse_coding import sparse_codes
    >>> vectors = torch.tensor([[2.0, 0.0, 0.0], [0.0, 3.0, 0.0], [0.0, 0.0, 1.0]])
    >>> sparse_codes(vectors, torch.tensor([[4.0, 0.0, -5.0]]), 2)
    (tensor([[2, 0]]), tensor([[-5.,  2.]], dtype=torch.float64))
    """
    atoms, wanted = vectors.double().cpu().numpy(), targets.double().cpu().numpy()
    lengths = np.linalg.norm(atoms, axis=1)
    # a vector of zeros is of no use, whatever it is divided by
    lengths[lengths == 0] = 1
    codes = _pursued(atoms / lengths[:, None], wanted, n_atoms) / lengths
    rows = np.argsort(-np.abs(codes), axis=1, kind="stable")[:, :n_atoms]
    return torch.from_numpy(rows), torch.from_numpy(np.take_along_axis(codes, rows, 1))


def _pursued(atoms, wanted, n_atoms):
    """Dense codes of shape (n_targets, n_vectors) by scikit-learn."""
    with warnings.catch_warnings():
        # of targets that fewer vectors make up exactly
        warnings.simplefilter("ignore", RuntimeWarning)
        if len(atoms) <= MOST_PAIRED:
            codes = orthogonal_mp_gram(atoms @ atoms.T, atoms @ wanted.T, n_nonzero_coefs=n_atoms)
        else:
            codes = orthogonal_mp(atoms.T, wanted.T, n_nonzero_coefs=n_atoms, precompute=False)
    return codes.reshape(len(atoms), len(wanted)).T
