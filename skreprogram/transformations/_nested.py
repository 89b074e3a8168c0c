"""A change of the series, before another transformation."""

from abc import abstractmethod

from skreprogram.transformations._base import InputTransformation
from skreprogram.transformations._modulation import FrequencyModulation


class NestedTransformation(InputTransformation):
    """Base of transformations that change the series and hand it to another one.

    A subclass has a parameter ``transformation``; None stands for :class:`FrequencyModulation`.
    """

    @abstractmethod
    def shown(self, X):
        """Change the series.

        Parameters
        ----------
        X : torch.Tensor of shape (n_samples, n_channels, length)
            Series.

        Returns
        -------
        X : torch.Tensor of shape (n_samples, n_channels, length)
            What the other transformation gets.
        """

    @property
    def trainable(self):
        return self._inner().trainable

    def init(self, X, space, generator):
        return self._inner().init(self.shown(X), space, generator)

    def apply(self, params, X, space):
        return self._inner().apply(params, self.shown(X), space)

    def disturb(self, params, generator):
        return self._inner().disturb(params, generator)

    def renew(self, params, space):
        return self._inner().renew(params, space)

    def penalty(self, params):
        return self._inner().penalty(params)

    def _inner(self):
        if self.transformation is None:
            return FrequencyModulation()
        return InputTransformation.resolve(self.transformation)
