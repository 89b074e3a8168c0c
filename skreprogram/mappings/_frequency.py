"""Source labels that answer a class most often."""

import torch

from skreprogram.mappings._base import LabelMapping, OutputMapping, check_counts


class FrequencyMapping(LabelMapping, name="frequency"):
    """Give every target class the source labels that its samples get most often.

    Pairs of source label and target class are taken in the order of their counts; a pair is
    skipped when its source label is taken or its class is full (frequency label mapping [1]_).
    Refitted while the program trains it is iterative label mapping [2]_: the short name
    ``"iterative"`` stands for ``FrequencyMapping(refit_every=1)``.

    Parameters
    ----------
    n_source_labels : int or None, default=1
        Source labels of each class; None takes as many as there are.
    refit_every : int or None, default=None
        Epochs between two estimates; None estimates once, with the program of the start.
    refresh : {"epoch", "exact"}, default="epoch"
        Where a refit's counts come from: gathered for nothing while the epoch trains, or by a
        further pass over the data, as in the papers' code.
    aggregation : {"probabilities", "logits", "softmax"}, default="probabilities"
        How the source's outputs become class scores: see `LabelMapping`.

    References
    ----------
    .. [1] Y.-Y. Tsai, P.-Y. Chen, T.-Y. Ho, "Transfer Learning without Knowing: Reprogramming
       Black-box Machine Learning Models with Scarce Data and Limited Resources", ICML 2020.
    .. [2] A. Chen et al., "Understanding and Improving Visual Prompting: A Label-Mapping
       Perspective", CVPR 2023, algorithm 1.

    Examples
    --------
    >>> import torch
    >>> from skreprogram.mappings import FrequencyMapping
    >>> counts = torch.tensor([[5.0, 6.0], [1.0, 5.0], [2.0, 0.0]])
    >>> FrequencyMapping().estimate(counts, torch.Generator())
    tensor([[0., 1.],
            [0., 0.],
            [1., 0.]])
    """

    uses_counts = True

    def __init__(
        self, n_source_labels=1, refit_every=None, refresh="epoch", aggregation="probabilities"
    ):
        self.n_source_labels = n_source_labels
        self.refit_every = refit_every
        self.refresh = refresh
        self.aggregation = aggregation

    def estimate(self, counts, generator):
        self._check()
        m = check_counts(counts, self.n_source_labels, "frequency")
        n_outputs, n_classes = counts.shape
        taken, full = set(), [0] * n_classes
        matrix = torch.zeros_like(counts)
        # a stable sort breaks ties by the lower source label, then the lower class
        order = counts.flatten().sort(descending=True, stable=True).indices
        for pair in order.tolist():
            source_label, target_class = divmod(pair, n_classes)
            if source_label not in taken and full[target_class] < m:
                taken.add(source_label)
                full[target_class] += 1
                matrix[source_label, target_class] = 1 / m
        return matrix


OutputMapping.register("iterative", lambda: FrequencyMapping(refit_every=1))
