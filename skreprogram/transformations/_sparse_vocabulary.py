"""Target tokens as sums of few of the source's tokens."""

import numpy as np
import torch

from skreprogram.transformations._parameters import check_whole
from skreprogram.transformations._sparse_coding import sparse_codes
from skreprogram.transformations._target_tokens import (
    check_source_of_text,
    framed_vectors,
    usable_tokens,
)
from skreprogram.transformations._text_positions import vectors_on
from skreprogram.transformations._tokens import TokenTransformation


class SparseVocabularyTransformation(TokenTransformation, name="sparse-vocabulary"):
    """Give every target token a vector that is a sum of few of the source's embeddings: R2DL.

    ``V_T = Theta V_S``, where the rows of Theta have at most k numbers other than zero [1]_. What
    the source is shown always is such a sum; its weights train. Which of the source's tokens are in
    it is found as in K-SVD, whose atoms here are the frozen V_S: besides the weights the vectors as
    a whole take gradient steps, off the sums, and every `refit_every` epochs they are written
    as sums of k embeddings again, by orthogonal matching pursuit.

    Parameters
    ----------
    n_atoms : int, default=8
        Most source tokens in a sum: k.
    refit_every : int or None, default=5
        Epochs between two choices of the source tokens; None keeps the first one and trains the
        weights alone. Estimated gradients see no steps off the sums: there use None.
    initial : "random" or array-like of shape (n_tokens, d), default="random"
        What vectors start as: sums of random tokens with weights of one sign, as long as the median
        embedding; or what comes nearest to these vectors, whose rows 0 and 1 are of padding, which
        is never shown, and of unknown tokens.
    n_source_tokens : int or None, default=2000
        Source tokens to choose from, drawn at random without special ones; None takes all, with
        which a choice takes longer, about a second for every ten target tokens.
    n_tokens : int or None, default=None
        Length of the table of target tokens; the estimator sets it.

    Notes
    -----
    Samples stand between the special tokens that the source's tokenizer puts around a text,
    ``[CLS] sample [SEP]`` for BERT, and lose their end where they are too long.

    Papers and code run tens of thousands of iterations with steps of 5e-4. Here the steps off the
    sums are counted in units of the embeddings' spread, so that one learning rate suits both.

    References
    ----------
    .. [1] R. Vinod, P.-Y. Chen, P. Das, "Reprogramming Language Models for Molecular Representation
       Learning", 2020.

    Examples
    --------
    >>> import torch
    >>> from skreprogram._input_space import InputSpace, Vocabulary
    >>> from skreprogram.transformations import SparseVocabularyTransformation
    >>> vocabulary = Vocabulary(torch.eye(5), padding=0, start=1, end=2)
    >>> space = InputSpace((6, 6), flexible=True, vocabulary=vocabulary)
    >>> wanted = torch.tensor([[0, 0, 0, 0, 0], [0, 0, 0, 2, 3], [0, 0, 0, -1, 0]]).float()
    >>> sparse = SparseVocabularyTransformation(1, initial=wanted.numpy())
    >>> X = torch.tensor([[1, 2]])
    >>> sparse.apply(sparse.init(X, space, torch.Generator()), X, space)
    tensor([[[ 0.,  1.,  0.,  0.,  0.,  1.],
             [ 0.,  0.,  0.,  0.,  3.,  1.],
             [ 0.,  0.,  0., -1.,  0.,  1.],
             [ 0.,  0.,  1.,  0.,  0.,  1.]]])
    """

    def __init__(
        self, n_atoms=8, refit_every=5, initial="random", n_source_tokens=2000, n_tokens=None
    ):
        self.n_atoms = n_atoms
        self.refit_every = refit_every
        self.initial = initial
        self.n_source_tokens = n_source_tokens
        self.n_tokens = n_tokens

    @property
    def trainable(self):
        return ("weights",) if self.refit_every is None else ("weights", "steps")

    def init(self, X, space, generator):
        check_source_of_text(self, space)
        n_tokens, vectors = self.table_length(X), space.vocabulary.embeddings.cpu()
        pool = usable_tokens(self, space.vocabulary, generator)
        self._check(len(pool))
        if isinstance(self.initial, str):
            rows, weights = self._drawn(n_tokens, vectors[pool], generator)
        else:
            wanted = self._given(n_tokens, vectors.shape[1])
            rows, weights = sparse_codes(vectors[pool], wanted, self.n_atoms)
        params = {"atoms": pool[rows], "weights": weights.to(vectors.dtype)}
        if self.refit_every is None:
            return params
        spread = vectors[pool].norm(dim=1).median() / vectors.shape[1] ** 0.5
        return {
            **params,
            "steps": vectors.new_zeros(n_tokens, vectors.shape[1]),
            "pool": pool,
            "spread": spread.reshape(1),
            "epochs": torch.zeros(1, dtype=torch.int64),
        }

    def apply(self, params, X, space):
        table = self._table(params, space.vocabulary)
        if self.refit_every is not None:
            # nothing is added, but the gradient of the whole vector is had
            steps = params["steps"]
            table = table + params["spread"] * (steps - steps.detach())
        return framed_vectors(X, X, table, space)

    def renew(self, params, space):
        if self.refit_every is None:
            return params
        epochs = params["epochs"]
        params = {**params, "epochs": epochs + 1}
        if not epochs or epochs % self.refit_every:
            return params
        vocabulary, pool = space.vocabulary, params["pool"]
        wanted = self._table(params, vocabulary) + params["spread"] * params["steps"]
        choices = vectors_on(vocabulary.embeddings, pool.device)[pool]
        rows, weights = sparse_codes(choices, wanted, self.n_atoms)
        return {
            **params,
            "atoms": pool[rows.to(pool.device)],
            "weights": weights.to(params["weights"]),
            "steps": torch.zeros_like(params["steps"]),
        }

    def _table(self, params, vocabulary):
        """Vectors of the target tokens, of shape (n_tokens, d)."""
        atoms, weights = params["atoms"], params["weights"]
        vectors = vectors_on(vocabulary.embeddings, atoms.device)
        # one after the other: all atoms at once are k times the memory
        parts = (weights[:, [j]] * vectors[atoms[:, j]] for j in range(self.n_atoms))
        return sum(parts)

    def _drawn(self, n_tokens, choices, generator):
        """Random sums as long as the median embedding: rows of the choices, and weights."""
        shape = n_tokens, len(choices)
        rows = torch.rand(shape, generator=generator, dtype=torch.float32).topk(self.n_atoms)[1]
        weights = torch.rand(rows.shape, generator=generator, dtype=choices.dtype) + 0.1
        sums = torch.einsum("tk,tkd->td", weights, choices[rows])
        lengths = sums.norm(dim=1, keepdim=True).clamp_min(1e-12)
        return rows, weights * choices.norm(dim=1).median() / lengths

    def _given(self, n_tokens, d):
        """The vectors to start from, one a token."""
        wanted = np.asarray(self.initial, dtype=np.float64)
        if wanted.shape != (n_tokens, d):
            raise ValueError(
                f"Got initial vectors of shape {wanted.shape} in {type(self).__name__}, expected "
                f"{(n_tokens, d)}: one for every number of a token, from padding and unknown on, "
                "each as long as the source's. Use initial='random', or vectors of that shape."
            )
        return torch.from_numpy(wanted)

    def _check(self, n_choices):
        check_whole(self, "n_atoms", 1, n_choices)
        if self.refit_every is not None:
            check_whole(self, "refit_every")
        if isinstance(self.initial, str) and self.initial != "random":
            raise ValueError(
                f"Got initial={self.initial!r} in {type(self).__name__}, expected 'random' or one "
                "vector a token. Choose one of these."
            )
