"""A program added to images that fill the source's input: visual prompts."""

import torch
from torch.nn import functional

from skreprogram.transformations._full_size import AdditiveTransformation
from skreprogram.transformations._parameters import check_choice, check_takes_images, check_whole
from skreprogram.transformations._range import swing

REGIONS = ("everywhere", "frame", "patch", "random patch")
# the prompt of 30 pixels on images of 224 (reference 1)
SHARE = 30 / 224


class OverlayTransformation(AdditiveTransformation, name="overlay"):
    """Resize the data to the source's input and add a program: a watermark, a frame or a patch.

    ``inputs = clip(resize(x) + M * delta)`` [1]_. At its start the program adds nothing.

    Parameters
    ----------
    region : {"everywhere", "frame", "patch", "random patch"}, default="everywhere"
        Where the program acts. A random patch gets a new place in every training step, from the
        generator of its program, and the fixed place in prediction.
    width : int or None, default=None
        Pixels of the frame's border or of the patch's sides; None stands for 30 of 224.
    placement : (int, int), default=(0, 0)
        Row and column of a patch's upper left corner.
    strength : float, default=1.0
        Largest addition, as a share of the width of the value range.
    clip : {"hard", "straight-through"}, default="hard"
        Whether gradients are 0 where the sum is cut off at the range's ends, or pass.
    l2 : float, default=0.0
        Weight of the squared program in the training loss.

    Notes
    -----
    The authors add the prompt after the source's normalisation and without bounds; here source
    inputs stay in the value range, so that they are images.

    References
    ----------
    .. [1] H. Bahng, A. Jahanian, S. Sankaranarayanan, P. Isola, "Exploring Visual Prompts for
       Adapting Large-Scale Models", 2022: padding, fixed and random patch.

    Examples
    --------
    >>> import torch
    >>> from skreprogram._input_space import InputSpace
    >>> from skreprogram.transformations import OverlayTransformation
    >>> overlay, space = OverlayTransformation("frame", 1), InputSpace((1, 4, 4), (0.0, 1.0))
    >>> X = torch.full((2, 1, 2, 2), 0.5)
    >>> params = overlay.init(X, space, torch.Generator())
    >>> overlay.apply({**params, "program": torch.full((1, 4, 4), 9.0)}, X, space)[0, 0]
    tensor([[1.0000, 1.0000, 1.0000, 1.0000],
            [1.0000, 0.5000, 0.5000, 1.0000],
            [1.0000, 0.5000, 0.5000, 1.0000],
            [1.0000, 1.0000, 1.0000, 1.0000]])
    """

    trainable = ("program",)

    def __init__(
        self,
        region="everywhere",
        width=None,
        placement=(0, 0),
        strength=1.0,
        clip="hard",
        l2=0.0,
    ):
        self.region = region
        self.width = width
        self.placement = placement
        self.strength = strength
        self.clip = clip
        self.l2 = l2

    def drawn(self, X, space, generator):
        check_choice(self, "region", REGIONS)
        if self.region == "everywhere":
            return {"program": X.new_zeros(space.shape)}
        check_takes_images(self, space)
        side = min(space.shape[1:])
        if self.width is not None:
            check_whole(self, "width", 1, side // 2 if self.region == "frame" else side)
        if self.region == "frame":
            return {"program": X.new_zeros(space.shape)}
        width = self._width(space)
        places = [room - width + 1 for room in space.shape[1:]]
        self._check_placement(places)
        # shares of the places, so that new ones are drawn without knowing how many there are
        shares = [(at + 0.5) / n for at, n in zip(self.placement, places, strict=True)]
        return {
            "program": X.new_zeros(space.shape[0], width, width),
            "corner": X.new_tensor(shares),
        }

    def addition(self, params, space):
        addition = swing(params["program"], space, self.strength)
        if self.region == "everywhere":
            return addition
        width = self._width(space)
        if self.region == "frame":
            inner = addition.new_zeros([side - 2 * width for side in space.shape[1:]])
            return addition * functional.pad(inner, (width,) * 4, value=1.0)
        for axis, room in enumerate(space.shape[1:]):
            n_places = room - width + 1
            corner = (params["corner"][axis] * n_places).floor().clamp(max=n_places - 1).long()
            place = torch.arange(room, device=addition.device) - corner
            inside = (place >= 0) & (place < width)
            addition = addition.index_select(axis + 1, place.clamp(0, width - 1))
            addition = addition * inside.reshape((-1, 1) if axis == 0 else (-1,))
        return addition

    def disturb(self, params, generator):
        if self.region != "random patch":
            return params
        corner = torch.rand(2, generator=generator, dtype=params["corner"].dtype)
        return {**params, "corner": corner.to(params["corner"])}

    def _check_placement(self, places):
        """Refuse corners from which a patch would leave the image."""
        pair = isinstance(self.placement, (list, tuple)) and len(self.placement) == 2
        if not pair or any(
            at not in range(n) for at, n in zip(self.placement, places, strict=True)
        ):
            raise ValueError(
                f"Got placement={self.placement!r} in OverlayTransformation, expected a row below "
                f"{places[0]} and a column below {places[1]}, where the patch ends inside the "
                "image."
            )

    def _width(self, space):
        return max(1, round(SHARE * min(space.shape[1:]))) if self.width is None else self.width
