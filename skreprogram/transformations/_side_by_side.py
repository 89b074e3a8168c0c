"""Several placements of the same sample, side by side."""

from skreprogram.transformations._base import InputTransformation


class SideBySide(InputTransformation):
    """Show the source several views of each sample.

    The source sees the views one after the other. Mappings that read features get those of all
    views; mappings that read outputs get the mean of the views' log-probabilities.

    Parameters
    ----------
    transformations : list of InputTransformation or str
        One transformation a view.

    Examples
    --------
    >>> from skreprogram.transformations import SideBySide
    >>> SideBySide(["modulation", "tiling"]).trainable
    ('1/program',)
    """

    def __init__(self, transformations):
        self.transformations = transformations

    @property
    def trainable(self):
        views = enumerate(self._views())
        return tuple(f"{i}/{name}" for i, view in views for name in view.trainable)

    def init(self, X, space, generator):
        params = {}
        for i, (view, own) in enumerate(self._in_spaces(space)):
            drawn = view.init(X, own, generator)
            params.update({f"{i}/{name}": tensor for name, tensor in drawn.items()})
        return params

    def apply(self, params, X, space):
        views = enumerate(self._in_spaces(space))
        return tuple(view.apply(_of_view(params, i), X, own) for i, (view, own) in views)

    def disturb(self, params, generator):
        disturbed = {}
        for i, view in enumerate(self._views()):
            changed = view.disturb(_of_view(params, i), generator)
            disturbed.update({f"{i}/{name}": tensor for name, tensor in changed.items()})
        return disturbed

    def renew(self, params, space):
        renewed = {}
        for i, (view, own) in enumerate(self._in_spaces(space)):
            changed = view.renew(_of_view(params, i), own)
            renewed.update({f"{i}/{name}": tensor for name, tensor in changed.items()})
        return renewed

    def penalty(self, params):
        return sum(view.penalty(_of_view(params, i)) for i, view in enumerate(self._views()))

    def _in_spaces(self, space):
        views = self._views()
        return zip(views, self._spaces(space), strict=True)

    def _spaces(self, space):
        """The space of each view."""
        return [space] * len(self.transformations)

    def _views(self):
        views = [InputTransformation.resolve(choice) for choice in self.transformations]
        if not views or any(isinstance(view, SideBySide) for view in views):
            raise ValueError(
                f"Got transformations={self.transformations!r} in SideBySide, expected a list of "
                "at least one transformation, none of them SideBySide itself."
            )
        return views


def _of_view(params, i):
    prefix = f"{i}/"
    return {
        name.removeprefix(prefix): tensor
        for name, tensor in params.items()
        if name.startswith(prefix)
    }
