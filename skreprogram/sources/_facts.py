"""The declared facts of a source model, checked and made immutable."""

from numbers import Integral

_TUPLES = ("value_range", "mean", "std", "output_names", "feature_layers")
_OUTPUT_KINDS = ("logits", "probabilities")


def tidy_facts(source):
    """Return the declared facts as tuples; raise where they contradict themselves.

    Parameters
    ----------
    source : SourceModel
        The handle that is being made.

    Returns
    -------
    facts : dict
        The facts that are sequences, each a tuple of plain values.
    """
    facts = {"input_shape": tidy_shape(source.input_shape)}
    for name in _TUPLES:
        facts[name] = tidy_tuple(getattr(source, name))
    if source.output_kind not in _OUTPUT_KINDS:
        raise ValueError(
            f"Got output_kind={source.output_kind!r}, expected one of {_OUTPUT_KINDS}."
        )
    check_range(facts["value_range"])
    _check_normalisation(facts)
    check_names(facts["output_names"], source.n_outputs)
    return facts


def tidy_shape(input_shape):
    """The shape of one input as a tuple of plain whole numbers."""
    shape = (input_shape,) if isinstance(input_shape, Integral) else tuple(input_shape)
    if not shape or not all(isinstance(length, Integral) and length > 0 for length in shape):
        raise ValueError(
            f"Got input_shape={input_shape!r}, expected a tuple of positive whole numbers, for "
            "example (3, 224, 224) or (16000,)."
        )
    return tuple(map(int, shape))


def tidy_tuple(value):
    """A sequence, array or single value as a tuple of plain values; None stays None."""
    if value is None:
        return None
    values = value.tolist() if hasattr(value, "tolist") else value
    return (values,) if isinstance(values, (str, int, float)) else tuple(values)


def check_range(value_range):
    """Raise where a value range is not a pair that rises."""
    if value_range is None:
        return
    if len(value_range) != 2 or not value_range[0] < value_range[1]:
        raise ValueError(
            f"Got value_range={value_range!r}, expected the lowest and the highest value of an "
            "input, for example (0.0, 1.0)."
        )


def check_names(names, n_outputs):
    """Raise where there is not one name for each output; -1 outputs are not counted yet."""
    if names is not None and n_outputs not in (-1, len(names)):
        raise ValueError(
            f"Got {len(names)} output_names for a source with {n_outputs} outputs. Give "
            "one name per output, or none."
        )


def _check_normalisation(facts):
    n_channels = facts["input_shape"][0]
    for name in ("mean", "std"):
        if facts[name] is not None and len(facts[name]) not in (1, n_channels):
            raise ValueError(
                f"Got {len(facts[name])} values as {name}, expected 1 or {n_channels}: one per "
                f"channel of inputs of shape {facts['input_shape']}."
            )
    if facts["std"] is not None and not all(value > 0 for value in facts["std"]):
        raise ValueError(f"Got std={facts['std']}, expected positive numbers.")
