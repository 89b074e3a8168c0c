"""Checks of the hyper-parameters that several transformations have."""

from numbers import Integral, Real


def check_choice(transformation, name, allowed):
    """Refuse a word that is not one of the allowed ones."""
    value = getattr(transformation, name)
    if not (isinstance(value, str) and value in allowed):
        raise ValueError(
            f"Got {name}={value!r} in {type(transformation).__name__}, expected one of "
            f"{list(allowed)}."
        )


def check_whole(transformation, name, lowest=1, highest=None):
    """Refuse what is no whole number between two limits."""
    value = getattr(transformation, name)
    whole = isinstance(value, Integral) and not isinstance(value, bool)
    if not whole or value < lowest or (highest is not None and value > highest):
        limits = f"of at least {lowest}" if highest is None else f"from {lowest} to {highest}"
        raise ValueError(
            f"Got {name}={value!r} in {type(transformation).__name__}, expected a whole number "
            f"{limits}."
        )


def check_share(transformation, name):
    """Refuse what is no number from 0 to 1."""
    value = getattr(transformation, name)
    if not (isinstance(value, Real) and 0 <= value <= 1):
        raise ValueError(
            f"Got {name}={value!r} in {type(transformation).__name__}, expected a share from 0 "
            "to 1."
        )


def check_takes_images(transformation, space):
    """Refuse sources whose inputs are no images."""
    if len(space.shape) != 3:
        raise ValueError(
            f"Got a source that takes inputs of shape {tuple(space.shape)} for "
            f"{type(transformation).__name__}, expected one that takes images: (channels, height, "
            "width). Choose such a source, or input_transformation='padding'."
        )
