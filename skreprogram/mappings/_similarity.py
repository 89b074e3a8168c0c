"""Source labels whose samples are most alike those of the classes."""

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment

from skreprogram.mappings._assignment import assign
from skreprogram.mappings._base import LabelMapping, check_counts


class SimilarityMapping(LabelMapping, name="similarity"):
    """Share all source labels among the classes, to those that they resemble.

    Likeness is the cosine between an embedding of the source label and one of the class, as in
    low-resource speech commands [1]_: means of features, over the clips of a source label and over
    the training samples of a class. Without embeddings, those of the outputs are taken: the mean
    answer of the source to a class, which `fit` measures, and for a source label the answer that
    names it alone. Then nothing but the training data is needed, and any source will do.

    The paper goes through the source labels in their order and lets each choose a class that is
    not full. Here the sum of the cosines is the largest possible: the choice is disjoint, gives
    every class its number of source labels, and does not depend on the order of the classes.

    Parameters
    ----------
    source_embeddings : array-like of shape (n_outputs, n_dimensions) or None, default=None
        One vector for each output of the source, in their order: means of features of its own
        samples, or the rows of its last layer. Without `class_embeddings`, mean answers
        (n_dimensions = n_outputs) to the source's own samples.
    class_embeddings : array-like of shape (n_classes, n_dimensions) or None, default=None
        One vector for each target class, in the order of the estimator's ``classes_`` (sorted):
        means of the same features of its training samples.
    n_source_labels : int or None, default=None
        Source labels of each class. None leaves none over: every class gets
        ``n_outputs // n_classes`` of them or one more.
    aggregation : {"probabilities", "logits", "softmax"}, default="probabilities"
        How the source's outputs become class scores: see `LabelMapping`. The paper sums, which is
        "softmax".

    Notes
    -----
    Nothing is drawn. Classes whose embeddings are equal up to their lengths cannot be told apart:
    between them the order decides. Embeddings of classes must come from training data alone; in
    cross-validation only the mean answers, which every fit measures anew, keep that promise.

    References
    ----------
    .. [1] H. Yen, P.-J. Ku, C.-H. H. Yang, H. Hu, S. M. Siniscalchi, P.-Y. Chen, Y. Tsao,
       "Neural Model Reprogramming with Similarity Based Mapping for Low-Resource Spoken Command
       Recognition", Interspeech 2023.

    Examples
    --------
    Both classes are nearest to the first source label; five labels make two and three.

    >>> import torch
    >>> from skreprogram.mappings import SimilarityMapping
    >>> words = [[1.0, 0.0], [0.8, 0.6], [0.6, 0.8], [0.0, 1.0], [-0.6, 0.8]]
    >>> mapping = SimilarityMapping(words, [[0.9, 0.1], [0.8, 0.4]])
    >>> (mapping.estimate(torch.zeros(5, 2), torch.Generator()) > 0).int().T
    tensor([[1, 1, 0, 0, 0],
            [0, 0, 1, 1, 1]], dtype=torch.int32)
    """

    def __init__(
        self,
        source_embeddings=None,
        class_embeddings=None,
        n_source_labels=None,
        aggregation="probabilities",
    ):
        self.source_embeddings = source_embeddings
        self.class_embeddings = class_embeddings
        self.n_source_labels = n_source_labels
        self.aggregation = aggregation

    @property
    def uses_counts(self):
        """Whether the classes' embeddings are mean answers, which have to be measured."""
        return self.class_embeddings is None

    def votes(self, given, n_classes):
        return given.softmax(-1) if self.uses_counts else None

    def estimate(self, counts, generator):
        self._check()
        m = check_counts(counts, self.n_source_labels, "similarity")
        similarities = self._similarities(counts)
        if self.n_source_labels is None:
            return share_out(similarities).to(counts.dtype)
        return assign(similarities, m).to(counts.dtype)

    def _similarities(self, counts):
        """Cosines, float64 of shape (n_outputs, n_classes)."""
        n_outputs, n_classes = counts.shape
        if self.uses_counts:
            classes = _unit(counts.double().numpy().T)
        else:
            classes = self._directions("class_embeddings", n_classes, "target classes")
        if self.source_embeddings is None and self.uses_counts:
            return classes.T
        sources = self._directions("source_embeddings", n_outputs, "source outputs")
        if sources.shape[1] != classes.shape[1]:
            raise ValueError(
                f"Got source_embeddings of {sources.shape[1]} dimensions for classes of "
                f"{classes.shape[1]} in SimilarityMapping, expected as many. Take both from the "
                "same features; without class_embeddings, from the source's outputs."
            )
        return sources @ classes.T

    def _directions(self, name, n_rows, of):
        """Embeddings as unit vectors, float64 of shape (n_rows, n_dimensions)."""
        given = getattr(self, name)
        vectors = np.empty(0) if given is None else np.asarray(given, dtype=np.float64)
        if vectors.ndim != 2 or len(vectors) != n_rows:
            raise ValueError(
                f"Got {name} {'None' if given is None else f'of shape {vectors.shape}'} in "
                f"SimilarityMapping, expected shape ({n_rows}, n_dimensions). Give a vector for "
                f"each of the {n_rows} {of}, in their order, or no embeddings at all."
            )
        if not np.isfinite(vectors).all() or not vectors.any(axis=1).all():
            raise ValueError(
                f"Got {name} with a row of zeros, NaN or infinite numbers in SimilarityMapping, "
                "expected directions. Leave no class without samples."
            )
        return _unit(vectors)


def share_out(similarities):
    """Give every source label to one class, so that the sum of similarities is the largest.

    Parameters
    ----------
    similarities : ndarray of shape (n_outputs, n_classes)
        How well a source label suits a class; ``n_classes <= n_outputs``.

    Returns
    -------
    matrix : torch.Tensor of float64 of shape (n_outputs, n_classes)
        Every row has one positive number, every column ``n_outputs // n_classes`` of them or one
        more; columns sum to one.
    """
    n_outputs, n_classes = similarities.shape
    least = n_outputs // n_classes
    # places that must be filled, then one further place a class
    places = np.concatenate([np.repeat(similarities, least, axis=1), similarities], axis=1)
    owners = np.concatenate([np.repeat(np.arange(n_classes), least), np.arange(n_classes)])
    # rows that stand for nobody leave the further places empty, and may have no others
    nobody = np.zeros((len(owners) - n_outputs, len(owners)))
    nobody[:, : least * n_classes] = -np.inf
    rows, columns = linear_sum_assignment(np.concatenate([places, nobody]), maximize=True)
    matrix = torch.zeros(similarities.shape, dtype=torch.float64)
    matrix[rows[:n_outputs], owners[columns[:n_outputs]]] = 1.0
    return matrix / matrix.sum(0)


def _unit(vectors):
    """Rows of length one; rows of zeros, classes that were never counted, stay zeros."""
    # their largest number first: squares of very small answers vanish
    scaled = vectors / np.maximum(np.abs(vectors).max(1, keepdims=True), 1e-300)
    return scaled / np.maximum(np.linalg.norm(scaled, axis=1, keepdims=True), 1e-300)
