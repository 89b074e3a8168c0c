"""Checks of the hyper-parameters that several gradients have."""

from numbers import Integral, Real


def check_whole(gradient, name, lowest=1):
    """Refuse what is no whole number from a lowest one on."""
    value = getattr(gradient, name)
    if not isinstance(value, Integral) or isinstance(value, bool) or value < lowest:
        raise ValueError(
            f"Got {name}={value!r} in {type(gradient).__name__}, expected a whole number of at "
            f"least {lowest}."
        )


def check_number(gradient, name, words=(), zero=False):
    """Refuse what is neither one of some words nor a positive number, or zero where it may be."""
    value = getattr(gradient, name)
    if isinstance(value, str) and value in words:
        return
    number = isinstance(value, Real) and not isinstance(value, bool)
    if not (number and (0 <= value if zero else 0 < value) and value < float("inf")):
        expected = [*map(repr, words), "a number of at least 0" if zero else "a positive number"]
        raise ValueError(
            f"Got {name}={value!r} in {type(gradient).__name__}, expected {' or '.join(expected)}."
        )


def check_choice(gradient, name, allowed):
    """Refuse what is not one of the allowed words or switches."""
    value = getattr(gradient, name)
    if not isinstance(value, (str, bool)) or value not in allowed:
        raise ValueError(
            f"Got {name}={value!r} in {type(gradient).__name__}, expected one of {list(allowed)}."
        )
