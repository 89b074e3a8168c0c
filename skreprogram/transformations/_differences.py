"""Differences of a series before another transformation."""

from skreprogram.transformations._base import InputTransformation
from skreprogram.transformations._modulation import FrequencyModulation


class DifferencesTransformation(InputTransformation, name="differences"):
    """Show the source the changes of a series instead of its values.

    Parameters
    ----------
    transformation : InputTransformation, str or None, default=None
        What turns the differences into source inputs; None stands for
        :class:`FrequencyModulation`.

    Examples
    --------
    >>> from skreprogram.transformations import DifferencesTransformation
    >>> DifferencesTransformation("tiling")
    DifferencesTransformation(transformation='tiling')
    """

    def __init__(self, transformation=None):
        self.transformation = transformation

    @property
    def trainable(self):
        return self._inner().trainable

    def init(self, X, space, generator):
        if X.shape[-1] < 3:
            raise ValueError(
                f"Got series of {X.shape[-1]} point(s), expected at least 3 to take differences. "
                "Use another input_transformation."
            )
        return self._inner().init(X.diff(dim=-1), space, generator)

    def apply(self, params, X, space):
        return self._inner().apply(params, X.diff(dim=-1), space)

    def disturb(self, params, generator):
        return self._inner().disturb(params, generator)

    def penalty(self, params):
        return self._inner().penalty(params)

    def _inner(self):
        if self.transformation is None:
            return FrequencyModulation()
        return InputTransformation.resolve(self.transformation)
