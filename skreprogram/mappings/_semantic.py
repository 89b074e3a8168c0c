"""Source labels whose names mean what the classes mean."""

import numpy as np

from skreprogram.mappings._assignment import assign
from skreprogram.mappings._base import LabelMapping, check_counts


class SemanticMapping(LabelMapping, name="semantic"):
    """Give the classes the source labels that are nearest to them in meaning.

    Nearness is the cosine between embeddings of the names, from any text encoder. The choice is
    the disjoint one with the largest sum of cosines, so that it does not depend on the order of
    the classes (AutoVP [1]_ lets them choose in turn).

    Parameters
    ----------
    source_embeddings : array-like of shape (n_outputs, n_dimensions) or None, default=None
        One vector for each output of the source, in their order.
    class_embeddings : array-like of shape (n_classes, n_dimensions) or None, default=None
        One vector for each target class, in the order of the estimator's ``classes_`` (sorted).
    n_source_labels : int or None, default=1
        Source labels of each class; None takes as many as there are.
    aggregation : {"probabilities", "logits", "softmax"}, default="probabilities"
        How the source's outputs become class scores: see `LabelMapping`.

    Notes
    -----
    Both embeddings must be given; they are None so that the short name ``"semantic"`` can be
    written and its embeddings set afterwards, for example by a grid.

    References
    ----------
    .. [1] H.-A. Tsao, L. Hsiung, P.-Y. Chen, S. Liu, T.-Y. Ho, "AutoVP: An Automated Visual
       Prompting Framework and Benchmark", ICLR 2024, section 3.

    Examples
    --------
    >>> import torch
    >>> from skreprogram.mappings import SemanticMapping
    >>> cat, dog, lorry = [1.0, 0.1], [0.9, 0.3], [0.0, 1.0]
    >>> mapping = SemanticMapping([lorry, cat, dog], [[0.1, 0.8], [0.8, 0.3]])
    >>> mapping.estimate(torch.zeros(3, 2), torch.Generator())
    tensor([[1., 0.],
            [0., 0.],
            [0., 1.]])
    """

    def __init__(
        self,
        source_embeddings=None,
        class_embeddings=None,
        n_source_labels=1,
        aggregation="probabilities",
    ):
        self.source_embeddings = source_embeddings
        self.class_embeddings = class_embeddings
        self.n_source_labels = n_source_labels
        self.aggregation = aggregation

    def estimate(self, counts, generator):
        self._check()
        m = check_counts(counts, self.n_source_labels, "semantic")
        source_directions = self._directions("source_embeddings", len(counts), "source outputs")
        class_directions = self._directions("class_embeddings", counts.shape[1], "target classes")
        if source_directions.shape[1] != class_directions.shape[1]:
            raise ValueError(
                f"Got source_embeddings of {source_directions.shape[1]} and class_embeddings of "
                f"{class_directions.shape[1]} dimensions in SemanticMapping, expected as many. "
                "Embed both with the same encoder."
            )
        return assign(source_directions @ class_directions.T, m).to(counts.dtype)

    def _directions(self, name, n_rows, of):
        """Embeddings as unit vectors, float64 of shape (n_rows, n_dimensions)."""
        given = getattr(self, name)
        if given is None:
            raise ValueError(
                f"Got no {name} in SemanticMapping, expected a vector for each of the {n_rows} "
                f"{of}. Pass output_mapping=SemanticMapping(source_embeddings=..., "
                "class_embeddings=...)."
            )
        vectors = np.asarray(given, dtype=np.float64)
        if vectors.ndim != 2 or len(vectors) != n_rows:
            raise ValueError(
                f"Got {name} of shape {vectors.shape} in SemanticMapping, expected "
                f"({n_rows}, n_dimensions): a vector for each of the {n_rows} {of}, in their order."
            )
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not np.isfinite(lengths).all() or not lengths.all():
            raise ValueError(
                f"Got {name} with a row of zeros, NaN or infinite numbers in SemanticMapping, "
                "expected directions. Leave no name without its vector."
            )
        return vectors / lengths
