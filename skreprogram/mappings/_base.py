"""The contract of an output mapping."""

from abc import abstractmethod
from numbers import Integral

import torch

from skreprogram._strategy import Strategy


class OutputMapping(Strategy, family="output mapping"):
    """Turns what the source model gives into scores of the target classes.

    `reads` says what it is given: ``"outputs"``, logits of shape ``(n, n_outputs)``, or
    ``"features"``, a tuple of stages of shape ``(n, channels, *positions)``.
    """

    reads = "outputs"
    # whether what comes before trains through the mapping's solution, and not beside the mapping
    trains_through_solution = False
    # whether `apply` may run over the tensors of several programs at once (``torch.func.vmap``),
    # which wants shapes that do not depend on numbers
    vectorises = True

    @property
    def trainable(self):
        """Names of the tensors of `init` that training changes; the rest are constants."""
        return ()

    @abstractmethod
    def init(self, given, n_classes, generator):
        """Draw one program's tensors.

        Parameters
        ----------
        given : torch.Tensor of shape (n_samples, n_outputs), or tuple of tuple of torch.Tensor
            What the source model gives for the training data before training: outputs, or the
            stages of each view.
        n_classes : int
            Number of target classes.
        generator : torch.Generator
            The only source of randomness.

        Returns
        -------
        params : dict of str to torch.Tensor
            The program's output side.
        """

    def init_pooled(self, given, n_classes, generator):
        """Draw as `init` does, and pool the same rows, where there is a closed form with `pool`.

        Parameters
        ----------
        given : torch.Tensor of shape (n_samples, n_outputs), or tuple of tuple of torch.Tensor
            As for `init`.
        n_classes : int
            Number of target classes.
        generator : torch.Generator
            The only source of randomness.

        Returns
        -------
        params : dict of str to torch.Tensor
            What `init` returns.
        pooled : torch.Tensor of shape (n_samples, n_features)
            What `pool` returns with it.
        """
        params = self.init(given, n_classes, generator)
        return params, self.pool(params, given)

    @abstractmethod
    def apply(self, params, given):
        """Score the target classes.

        Parameters
        ----------
        params : dict of str to torch.Tensor
            What `init` drew, perhaps trained or estimated since.
        given : torch.Tensor of shape (n_samples, n_outputs), or tuple of tuple of torch.Tensor
            What the source model gives, as in `init`.

        Returns
        -------
        scores : torch.Tensor of shape (n_samples, n_classes)
            Unnormalised logarithms of probabilities.
        """

    def penalty(self, params):
        """Return what is added to the training loss, for example an l2 term; 0 here.

        Parameters
        ----------
        params : dict of str to torch.Tensor
            One program's tensors of this side.

        Returns
        -------
        penalty : float or torch.Tensor
            A scalar.
        """
        return 0.0


def _mean_of_probabilities(logits, matrix):
    return torch.logsumexp(logits.unsqueeze(-1) + matrix.log(), dim=-2)


def _sum_of_probabilities(logits, matrix):
    n_source_labels = (matrix > 0).sum(-2).to(matrix.dtype)
    return _mean_of_probabilities(logits, matrix) + n_source_labels.log()


AGGREGATIONS = {
    "probabilities": _mean_of_probabilities,
    "logits": torch.matmul,
    "softmax": _sum_of_probabilities,
}


class LabelMapping(OutputMapping):
    """An output mapping that is a matrix estimated from counts.

    Column t of the matrix holds the weights ``w_st`` of the source labels of target class t; it
    sums to one. ``B_t`` are the source labels of positive weight, ``z_s`` the source's logits.
    A subclass says with its parameter `aggregation` how they become class scores, whose softmax
    over t are the class probabilities:

    - ``"probabilities"``: ``log sum_s w_st exp(z_s)``, the weighted mean of the source's
      probabilities: equation 2 of the survey [1]_, in log space.
    - ``"logits"``: ``sum_s w_st z_s``, the weighted mean of the logits, as in AutoVP [2]_ and
      Bayesian label mapping [3]_. One confident source label is diluted by the others of its class.
    - ``"softmax"``: ``log |B_t| + log sum_s w_st exp(z_s)``. Where the weights of a class are equal
      this is ``log sum_{s in B_t} exp(z_s)``, a softmax over the mapped source labels alone whose
      probabilities are summed for each class; with one label a class it is the softmax of the
      gathered logits [4]_.

    "probabilities" and "softmax" differ only where classes have different numbers of labels.

    References
    ----------
    .. [1] P.-Y. Chen, "Model Reprogramming: Resource-Efficient Cross-Domain Machine Learning",
       AAAI 2024, equation 2.
    .. [2] H.-A. Tsao et al., "AutoVP: An Automated Visual Prompting Framework and Benchmark",
       ICLR 2024.
    .. [3] C. Cai et al., "Bayesian-guided Label Mapping for Visual Reprogramming", NeurIPS 2024.
    .. [4] A. Chen et al., "Understanding and Improving Visual Prompting: A Label-Mapping
       Perspective", CVPR 2023.
    """

    refit_every = None
    refresh = "epoch"
    uses_counts = False
    aggregation = "probabilities"

    @abstractmethod
    def estimate(self, counts, generator):
        """Estimate the matrix.

        Parameters
        ----------
        counts : torch.Tensor of shape (n_outputs, n_classes)
            Summed sample weight that the samples of a target class gave to a source label: to
            that of their highest output, or as `votes` has it. Counts add up over batches, epochs
            and machines.
        generator : torch.Generator
            For mappings that draw.

        Returns
        -------
        matrix : torch.Tensor of shape (n_outputs, n_classes)
            Non-negative, columns sum to one.
        """

    def votes(self, given, n_classes):
        """Say what each row gives to each source label when labels are counted.

        Parameters
        ----------
        given : torch.Tensor of shape (..., n_outputs)
            Logits of the source, for any leading axes.
        n_classes : int
            Number of target classes.

        Returns
        -------
        votes : torch.Tensor of shape (..., n_outputs) or None
            Non-negative; None, as here, gives one to the highest output and nothing to others.
        """
        return None

    def init(self, given, n_classes, generator):
        return {"matrix": self.estimate(given.new_zeros(given.shape[1], n_classes), generator)}

    def apply(self, params, given):
        return AGGREGATIONS[self.aggregation](given, params["matrix"])

    def _check(self):
        """Refuse what no label mapping can do; `estimate` begins with it."""
        name, every = type(self).__name__, self.refit_every
        if every is not None and (not isinstance(every, Integral) or every < 1):
            raise ValueError(
                f"Got refit_every={every!r} in {name}, expected None or a positive whole number of "
                "epochs."
            )
        if self.refresh not in ("epoch", "exact"):
            raise ValueError(
                f"Got refresh={self.refresh!r} in {name}, expected 'epoch' or 'exact'."
            )
        if not isinstance(self.aggregation, str) or self.aggregation not in AGGREGATIONS:
            raise ValueError(
                f"Got aggregation={self.aggregation!r} in {name}, expected one of "
                f"{sorted(AGGREGATIONS)}."
            )


def check_counts(counts, n_source_labels, name):
    """Refuse a label mapping that cannot be disjoint; return source labels per class."""
    n_outputs, n_classes = counts.shape
    most = n_outputs // n_classes
    if n_source_labels is not None and (
        not isinstance(n_source_labels, Integral) or n_source_labels < 1
    ):
        raise ValueError(
            f"Got n_source_labels={n_source_labels!r} in the mapping {name!r}, expected None or a "
            "positive whole number."
        )
    wanted = 1 if n_source_labels is None else n_source_labels
    if most < wanted:
        raise ValueError(
            f"Got {n_classes} target classes with {wanted} source label(s) each, but the source "
            f"has only {n_outputs} outputs, and the mapping {name!r} gives no source label twice. "
            "Use fewer source labels a class, or output_mapping='linear' or 'features'."
        )
    return most if n_source_labels is None else n_source_labels


def class_shares(counts):
    """Divide the counts of every class by their sum, so that large classes do not outvote small.

    Parameters
    ----------
    counts : torch.Tensor of shape (n_outputs, n_classes)
        Label counts.

    Returns
    -------
    shares : torch.Tensor of float64 of shape (n_outputs, n_classes)
        Columns sum to one, or are 0 where a class was never counted.
    """
    counts = counts.double()
    total = counts.sum(0)
    return counts / torch.where(total > 0, total, 1.0)
