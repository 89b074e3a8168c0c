"""Data that fill the source's input and are changed there."""

from abc import abstractmethod

from skreprogram.transformations._base import InputTransformation
from skreprogram.transformations._parameters import check_choice
from skreprogram.transformations._placement import laid_out, resized
from skreprogram.transformations._range import affine_to_range, clipped, into_range


class FullSizeTransformation(InputTransformation):
    """Base of transformations that resize the data to the source's input and change them.

    A subclass has a parameter ``clip``, "hard" or "straight-through".
    """

    @abstractmethod
    def drawn(self, X, space, generator):
        """Draw the tensors of `init` but those that scale the data."""

    @abstractmethod
    def changed(self, params, images, space):
        """Change data that have the source's shape; the sum is cut off afterwards.

        Parameters
        ----------
        params : dict of str to torch.Tensor
            One program's tensors.
        images : torch.Tensor of shape (n_samples, *space.shape)
            Data in the value range.
        space : InputSpace
            What the source takes.

        Returns
        -------
        changed : torch.Tensor of the same shape
            Source inputs, not yet cut off at the ends of the range.
        """

    def init(self, X, space, generator):
        check_choice(self, "clip", ("hard", "straight-through"))
        drawn = self.drawn(X, space, generator)
        check_fills(self, X, space)
        return {**affine_to_range(X, space), **drawn}

    def apply(self, params, X, space):
        images = self.filled(params, X, space)
        return clipped(self.changed(params, images, space), space, self.clip)

    def filled(self, params, X, space):
        """Data that fill the source's input; all programs of the same constants share them."""
        return full_size(params, X, space)


class AdditiveTransformation(FullSizeTransformation):
    """Base of transformations that add a program to data of the source's size.

    A subclass has the parameters ``clip`` and ``l2``.
    """

    @abstractmethod
    def addition(self, params, space):
        """Return what is added to every sample.

        Parameters
        ----------
        params : dict of str to torch.Tensor
            One program's tensors.
        space : InputSpace
            What the source takes.

        Returns
        -------
        addition : torch.Tensor broadcastable to ``space.shape``
            In the units of the value range.
        """

    def changed(self, params, images, space):
        return images + self.addition(params, space)

    def penalty(self, params):
        if not self.l2:
            return 0.0
        return self.l2 * sum(params[name].square().sum() for name in self.trainable)


def full_size(params, X, space):
    """Data scaled into the value range and resized to the source's input.

    Returns
    -------
    images : torch.Tensor of shape (n_samples, *space.shape)
    """
    images = laid_out(into_range(params, X, space), space)
    return resized(images, space.shape[1:]) if len(space.shape) == 3 else images


def check_fills(transformation, X, space):
    """Refuse data that do not become what the source takes."""
    shape = tuple(laid_out(X[:1], space).shape[1:])
    room = tuple(space.shape)
    images = len(room) == 3
    if len(shape) != len(room) or (shape[0] != room[0] if images else shape != room):
        wish = (
            f"images of {room[0]} channels (1 and 3 become one another), or rows of a table"
            if images
            else f"samples of shape {room}"
        )
        way = "'convolution', which mixes channels" if images else "'padding' or 'stretching'"
        raise ValueError(
            f"Got samples of shape {tuple(X.shape[1:])} in {type(transformation).__name__} for a "
            f"source that takes {room}, expected {wish}. Use input_transformation={way}."
        )
