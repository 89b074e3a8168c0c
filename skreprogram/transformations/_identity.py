"""No transformation: the data already have the source's shape."""

from skreprogram.transformations._base import InputTransformation


class IdentityTransformation(InputTransformation, name="identity"):
    """Hand the data to the source as they are.

    With it the source runs once per sample, and only the output mapping is fitted: a probe of
    the frozen model.

    Examples
    --------
    >>> from skreprogram.transformations import IdentityTransformation
    >>> IdentityTransformation()
    IdentityTransformation()
    """

    def init(self, X, space, generator):
        if X[0].numel() != space.size and not (space.flexible and X.ndim - 1 == len(space.shape)):
            raise ValueError(
                f"Got samples of shape {tuple(X.shape[1:])} for a source that takes {space.shape}, "
                "and the transformation 'identity' changes nothing. Expected the same shape; use "
                "input_transformation='padding', or reshape X."
            )
        return {}

    def apply(self, params, X, space):
        if space.flexible and X.ndim - 1 == len(space.shape):
            return X
        return X.reshape(len(X), *space.shape)
