"""Data as patches that a trained layer embeds at the positions of a language model."""

import math

import torch
from torch.nn import functional

from skreprogram._input_space import ATTENDED
from skreprogram.transformations._base import InputTransformation
from skreprogram.transformations._parameters import check_whole


class PatchEmbedding(InputTransformation, name="patch-embedding"):
    """Show images, series or tables to a source of text: each patch becomes one position.

    The input layer of the frozen pretrained transformer [1]_: position i holds
    ``spread (W u_i + b)``, where u_i are the values of patch i, less their mean over the training
    data and divided by their standard deviation, and "spread" is that of the embeddings of the
    source's words. The paper trains the scales and shifts of the source's normalisation layers as
    well: ``finetune="norm"``.

    Parameters
    ----------
    patch_size : int, default=4
        Both sides of a patch of an image of shape (channels, height, width); points of a series
        of shape (channels, length), over all channels; features in a row of a table.
    init_scale : float, default=1.0
        Standard deviation of ``W u`` at the start, where W is drawn at random and b is 0.

    Notes
    -----
    Patches do not overlap; those of an image go from left to right and from top to bottom. What is
    missing in the last ones is filled with the mean. All positions are attended and alike, and no
    special token is put around them: what comes before the source's own positions is the patches
    alone. W has ``d`` times the values of a patch, 6,144 numbers for 16 grey pixels and d = 384.

    References
    ----------
    .. [1] K. Lu, A. Grover, P. Abbeel, I. Mordatch, "Frozen Pretrained Transformers as Universal
       Computation Engines", AAAI 2022.

    Examples
    --------
    >>> import torch
    >>> from skreprogram._input_space import InputSpace, Vocabulary
    >>> from skreprogram.transformations import PatchEmbedding
    >>> space = InputSpace((20, 9), flexible=True, vocabulary=Vocabulary(torch.rand(50, 8)))
    >>> patches, X = PatchEmbedding(2), torch.rand(5, 1, 4, 6)
    >>> patches.apply(patches.init(X, space, torch.Generator()), X, space).shape
    torch.Size([5, 6, 9])
    """

    trainable = ("bias", "weight")

    def __init__(self, patch_size=4, init_scale=1.0):
        self.patch_size = patch_size
        self.init_scale = init_scale

    def init(self, X, space, generator):
        check_whole(self, "patch_size")
        if space.vocabulary is None:
            raise ValueError(
                f"Got a source that takes inputs of shape {tuple(space.shape)} for "
                f"{type(self).__name__}, expected a source of text, which has positions to embed "
                "at. Use source='minilm' or TextSource."
            )
        _, n_patches, n_values = self._patches(X[:1]).shape
        if n_patches > space.shape[0]:
            raise ValueError(
                f"Got samples of shape {tuple(X.shape[1:])}, {n_patches} patches with "
                f"patch_size={self.patch_size}, but the source takes {space.shape[0]} positions. "
                "Use a larger patch_size, or a source with a larger max_length."
            )
        vectors = space.vocabulary.embeddings
        drawn = torch.randn(vectors.shape[1], n_values, generator=generator, dtype=X.dtype)
        spread = X.std(correction=0)
        return {
            "mean": X.mean(),
            "spread": torch.where(spread > 0, spread, 1.0),
            "words": vectors.std().cpu().to(X.dtype),
            "weight": drawn * (self.init_scale / math.sqrt(n_values)),
            "bias": X.new_zeros(vectors.shape[1]),
        }

    def apply(self, params, X, space):
        patches = self._patches((X - params["mean"]) / params["spread"])
        vectors = params["words"] * (patches @ params["weight"].T + params["bias"])
        return functional.pad(vectors, (0, 1), value=ATTENDED)

    def _patches(self, X):
        """Values of the patches of every sample: (n_samples, n_patches, n_values)."""
        size, n_axes = self.patch_size, 2 if X.ndim == 4 else 1
        missing = [-length % size for length in X.shape[: -n_axes - 1 : -1]]
        whole = functional.pad(X, [n for side in missing for n in (0, side)])
        if X.ndim == 4:
            return functional.unfold(whole, size, stride=size).transpose(1, 2)
        runs = whole.unflatten(-1, (-1, size))
        # all channels of a series are in one patch
        return runs if X.ndim == 2 else runs.transpose(1, 2).flatten(2)
