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

    @property
    def trainable(self):
        """Names of the tensors of `init` that training changes; the rest are constants."""
        return ()

    @abstractmethod
    def init(self, given, n_classes, generator):
        """Draw one program's tensors.

        Parameters
        ----------
        given : torch.Tensor of shape (n_samples, n_outputs), or tuple of stages
            What the source model gives for the training data before training.
        n_classes : int
            Number of target classes.
        generator : torch.Generator
            The only source of randomness.

        Returns
        -------
        params : dict of str to torch.Tensor
            The program's output side.
        """

    @abstractmethod
    def apply(self, params, given):
        """Score the target classes.

        Parameters
        ----------
        params : dict of str to torch.Tensor
            What `init` drew, perhaps trained or estimated since.
        given : torch.Tensor of shape (n_samples, n_outputs), or tuple of stages
            What the source model gives.

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


class LabelMapping(OutputMapping):
    """An output mapping that is a matrix estimated from counts.

    Column t of the matrix holds the weights of the source labels of target class t; it sums to
    one. Class scores follow equation 2 of the survey, in log space:
    ``log p_t = logsumexp_s (z_s + log matrix[s, t])``, the mean of the source probabilities,
    renormalised over the target classes by the softmax that comes after.
    """

    refit_every = None
    uses_counts = False

    @abstractmethod
    def estimate(self, counts, generator):
        """Estimate the matrix.

        Parameters
        ----------
        counts : torch.Tensor of shape (n_outputs, n_classes)
            How often (summed sample weight) a sample of the target class had this source label
            as its highest output. Counts add up over batches, epochs and machines.
        generator : torch.Generator
            For mappings that draw.

        Returns
        -------
        matrix : torch.Tensor of shape (n_outputs, n_classes)
            Non-negative, columns sum to one.
        """

    def init(self, given, n_classes, generator):
        return {"matrix": self.estimate(given.new_zeros(given.shape[1], n_classes), generator)}

    def apply(self, params, given):
        return torch.logsumexp(given.unsqueeze(-1) + params["matrix"].log(), dim=-2)


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
