"""Running sums of a series before another transformation."""

from skreprogram.transformations._base import InputTransformation
from skreprogram.transformations._modulation import FrequencyModulation


class SumsTransformation(InputTransformation, name="sums"):
    """Show the source the running sum of a series' deviations from its mean.

    Slow changes, which differences hide, become large.

    Parameters
    ----------
    transformation : InputTransformation, str or None, default=None
        What turns the sums into source inputs; None stands for :class:`FrequencyModulation`.

    Examples
    --------
    >>> from skreprogram.transformations import SumsTransformation
    >>> SumsTransformation()
    SumsTransformation()
    """

    def __init__(self, transformation=None):
        self.transformation = transformation

    @property
    def trainable(self):
        return self._inner().trainable

    def init(self, X, space, generator):
        return self._inner().init(_sums(X), space, generator)

    def apply(self, params, X, space):
        return self._inner().apply(params, _sums(X), space)

    def disturb(self, params, generator):
        return self._inner().disturb(params, generator)

    def penalty(self, params):
        return self._inner().penalty(params)

    def _inner(self):
        if self.transformation is None:
            return FrequencyModulation()
        return InputTransformation.resolve(self.transformation)


def _sums(X):
    return (X - X.mean(-1, keepdim=True)).cumsum(-1)
