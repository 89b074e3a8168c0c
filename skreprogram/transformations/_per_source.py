"""A transformation for each of several sources."""

from skreprogram.transformations._base import InputTransformation
from skreprogram.transformations._side_by_side import SideBySide


class PerSource(SideBySide):
    """Show each of several sources its own views of each sample.

    Estimators make it of a list: ``input_transformation=["modulations", "resizing"]``. Tensors of
    the program begin with the number of their source. Its two functions take a sequence of
    :class:`InputSpace` in the place of one, and `apply` returns a list with a tuple of views for
    each source.

    Parameters
    ----------
    transformations : list of InputTransformation or str
        One transformation a source, in their order.

    See Also
    --------
    SideBySide : Several views for one source; it may stand in the list.

    Examples
    --------
    >>> from skreprogram.transformations import PerSource
    >>> PerSource(["modulation", "tiling"]).trainable
    ('1/program',)
    """

    def apply(self, params, X, space):
        shown = super().apply(params, X, space)
        return [views if isinstance(views, tuple) else (views,) for views in shown]

    def _spaces(self, space):
        return space

    def _views(self):
        views = [InputTransformation.resolve(choice) for choice in self.transformations]
        if not views or any(isinstance(view, PerSource) for view in views):
            raise ValueError(
                f"Got transformations={self.transformations!r} in PerSource, expected a list of "
                "one transformation for each source, none of them PerSource itself."
            )
        return views


def each_of(choice, n_sources):
    """One choice of an input transformation for each source.

    Parameters
    ----------
    choice : str, InputTransformation, or list of them
        What the user passed: one that serves all sources, or a list with one for each.
    n_sources : int
        How many sources there are.

    Returns
    -------
    choices : list of str or InputTransformation
        One for each source.
    """
    if isinstance(choice, PerSource):
        choice = choice.transformations
    if not isinstance(choice, (list, tuple)):
        return [choice] * n_sources
    if len(choice) != n_sources:
        raise ValueError(
            f"Got {len(choice)} input transformations for {n_sources} source(s), expected one for "
            "each source, in their order. Use SideBySide for several views of one source."
        )
    return list(choice)


def side_by_source(choices):
    """The input side for the choices of each source.

    Parameters
    ----------
    choices : list of str or InputTransformation
        One for each source.

    Returns
    -------
    transformation : InputTransformation
        The one, or :class:`PerSource` of several.
    """
    resolved = [InputTransformation.resolve(choice) for choice in choices]
    return resolved[0] if len(resolved) == 1 else PerSource(resolved)
