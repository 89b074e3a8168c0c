"""Source labels that the user names."""

from numbers import Integral

import torch

from skreprogram.mappings._base import LabelMapping, OutputMapping


class GivenMapping(LabelMapping):
    """Give classes the source labels that the user names; another mapping completes the rest.

    Parameters
    ----------
    labels : sequence of length n_classes
        For each target class, in the order of the estimator's ``classes_`` (sorted): a source label
        (an int), a list of source labels, which weigh alike, or None for a class that `otherwise`
        completes. No source label may be given twice.
    otherwise : str or LabelMapping, default="frequency"
        Label mapping of the classes that are None; it may choose among the source labels that are
        not given, and decides when it is refitted.
    aggregation : {"probabilities", "logits", "softmax"}, default="probabilities"
        How the source's outputs become class scores: see `LabelMapping`. That of `otherwise` does
        not count.

    Examples
    --------
    >>> import torch
    >>> from skreprogram.mappings import GivenMapping
    >>> counts = torch.tensor([[9.0, 1.0], [0.0, 1.0], [0.0, 4.0], [0.0, 6.0]])
    >>> GivenMapping([[1, 3], None]).estimate(counts, torch.Generator())
    tensor([[0.0000, 0.0000],
            [0.5000, 0.0000],
            [0.0000, 1.0000],
            [0.5000, 0.0000]])
    """

    def __init__(self, labels, otherwise="frequency", aggregation="probabilities"):
        self.labels = labels
        self.otherwise = otherwise
        self.aggregation = aggregation

    @property
    def uses_counts(self):
        """Whether classes are left that are mapped by counts."""
        return self._is_open() and self._completing().uses_counts

    @property
    def refit_every(self):
        """Epochs between two estimates of the classes that are left; None for none."""
        return self._completing().refit_every if self._is_open() else None

    @property
    def refresh(self):
        """Where the counts of a refit come from."""
        return self._completing().refresh

    def votes(self, given, n_classes):
        return self._completing().votes(given, n_classes) if self._is_open() else None

    def estimate(self, counts, generator):
        self._check()
        listed = self._listed()
        self._check_listed(listed, *counts.shape)
        matrix = torch.zeros_like(counts)
        for target_class, source_labels in enumerate(listed):
            if source_labels is not None:
                matrix[source_labels, target_class] = 1 / len(source_labels)
        left = torch.tensor([t for t, own in enumerate(listed) if own is None], dtype=torch.long)
        if len(left):
            free = (matrix.sum(1) == 0).nonzero()[:, 0]
            part = free.unsqueeze(1), left
            matrix[part] = self._completing().estimate(counts[part], generator)
        return matrix

    def _completing(self):
        """The mapping of the classes that are left."""
        mapping = OutputMapping.resolve(self.otherwise)
        if not isinstance(mapping, LabelMapping):
            raise TypeError(
                f"Got otherwise={self.otherwise!r} in GivenMapping, expected a label mapping, "
                "which is estimated from counts. Use for example 'frequency' or 'bayesian'."
            )
        return mapping

    def _is_open(self):
        """Whether classes are left to the other mapping."""
        return any(source_labels is None for source_labels in self._listed())

    def _listed(self):
        """The user's labels as lists of int, None where a class is left."""
        if isinstance(self.labels, (str, dict)) or not hasattr(self.labels, "__len__"):
            raise TypeError(
                f"Got labels={self.labels!r} in GivenMapping, expected a sequence with an int, a "
                "list of int or None for each target class, in their sorted order."
            )
        listed = []
        for entry in self.labels:
            labels = entry
            if entry is not None:
                labels = list(entry) if hasattr(entry, "__len__") else [entry]
                whole = [isinstance(s, Integral) and not isinstance(s, bool) for s in labels]
                if not labels or not all(whole):
                    raise TypeError(
                        f"Got {entry!r} among the labels of GivenMapping, expected an int, a list "
                        "of at least one int, or None. Name source labels by their position."
                    )
            listed.append(labels)
        return listed

    def _check_listed(self, listed, n_outputs, n_classes):
        if len(listed) != n_classes:
            raise ValueError(
                f"Got labels for {len(listed)} classes in GivenMapping, expected {n_classes}: one "
                "entry for each target class. Write None for those that are left open."
            )
        named = [label for source_labels in listed for label in source_labels or ()]
        outside = sorted({int(label) for label in named if not 0 <= label < n_outputs})
        if outside:
            raise ValueError(
                f"Got the source labels {outside} in GivenMapping, expected numbers from 0 to "
                f"{n_outputs - 1}: the source has {n_outputs} outputs."
            )
        twice = sorted({int(label) for label in named if named.count(label) > 1})
        if twice:
            raise ValueError(
                f"Got the source labels {twice} twice in GivenMapping, expected each one once at "
                "most. Leave it to one class."
            )
        n_left, n_free = sum(own is None for own in listed), n_outputs - len(named)
        if n_left and not n_free:
            raise ValueError(
                f"Got all {n_outputs} source labels named in GivenMapping while {n_left} class(es) "
                "are None, expected some for them. Name fewer source labels."
            )
