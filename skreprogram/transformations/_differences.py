"""Differences of a series before another transformation."""

import torch

from skreprogram.transformations._nested import NestedTransformation


class DifferencesTransformation(NestedTransformation, name="differences"):
    """Show the source the changes of a series instead of its values.

    Parameters
    ----------
    transformation : InputTransformation, str or None, default=None
        What turns the differences into source inputs; None stands for
        :class:`FrequencyModulation`.
    keep : bool, default=False
        Whether the series stays, with its changes as further channels: the source then sees value
        and slope at the same moment.

    Examples
    --------
    >>> from skreprogram.transformations import DifferencesTransformation
    >>> DifferencesTransformation("tiling")
    DifferencesTransformation(transformation='tiling')
    """

    def __init__(self, transformation=None, keep=False):
        self.transformation = transformation
        self.keep = keep

    def shown(self, X):
        changes = _changes(X)
        if not self.keep:
            return changes
        missing = X.shape[-1] - changes.shape[-1]
        return torch.cat([X, torch.cat([changes, changes[..., -1:][..., :missing]], -1)], -2)


def _changes(X):
    """Differences along a series; a single point does not change."""
    return X.diff(dim=-1) if X.shape[-1] > 1 else torch.zeros_like(X)
