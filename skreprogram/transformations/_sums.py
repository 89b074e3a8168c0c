"""Running sums of a series before another transformation."""

from skreprogram.transformations._nested import NestedTransformation


class SumsTransformation(NestedTransformation, name="sums"):
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

    def shown(self, X):
        return (X - X.mean(-1, keepdim=True)).cumsum(-1)
