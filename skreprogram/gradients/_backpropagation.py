"""The true gradient."""

from skreprogram.gradients._base import Gradient


class Backpropagation(Gradient, name="backprop"):
    """The gradient itself, for sources that torch can differentiate.

    It has nothing to set: the training loop calls ``backward``.

    Examples
    --------
    >>> from skreprogram.gradients import Backpropagation
    >>> Backpropagation().asks_queries
    False
    """

    looks_inside = True
