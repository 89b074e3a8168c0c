"""The declared facts of a black box, checked, and the digest that names its answers."""

import hashlib
import math
from functools import partial
from numbers import Integral, Real
from pathlib import Path

from torch import nn

from skreprogram.sources._facts import check_names, check_range, tidy_shape, tidy_tuple
from skreprogram.sources._identity import identity_of
from skreprogram.sources._output_kinds import OUTPUT_KINDS


def tidy_black_box(source):
    """Return the declared facts as plain immutable values; raise where they contradict themselves.

    Parameters
    ----------
    source : BlackBoxSource
        The handle that is being made.

    Returns
    -------
    facts : dict
        The facts that are stored otherwise than they were given.
    """
    _check_function(source.predict)
    facts = {
        "input_shape": tidy_shape(source.input_shape),
        "value_range": tidy_tuple(source.value_range),
        "output_names": tidy_tuple(source.output_names),
        "cache": _tidy_cache(source.cache),
        "name": source.name or name_of(source.predict),
        "identity": source.identity or identity_of(source.predict),
    }
    check_range(facts["value_range"])
    _check_outputs(source)
    check_names(facts["output_names"], source.n_outputs)
    _check_whole("max_batch", source.max_batch, 1)
    if source.levels is not None:
        _check_whole("levels", source.levels, 2)
        if facts["value_range"] is None or not all(map(math.isfinite, facts["value_range"])):
            raise ValueError(
                f"Got levels={source.levels} with value_range={facts['value_range']}, expected a "
                "finite range in which they are equally spaced. Give (0, 255) for pixels, say."
            )
    cost = source.cost_per_query
    if not isinstance(cost, Real) or not 0 <= cost < math.inf:
        raise ValueError(
            f"Got cost_per_query={cost!r}, expected a number of at least 0: money for one row."
        )
    return facts


def digest_of(source):
    """The sha256 of what decides the answers that are kept, as hexadecimal text."""
    said = [source.identity, source.output_kind, source.n_outputs]
    if source.output_kind in ("labels", "top-k"):  # elsewhere names number no outputs
        said.append(source.output_names)
    return hashlib.sha256(repr(said).encode()).hexdigest()


def name_of(predict):
    """Name to print of a function, a partial one, or an object."""
    function = predict.func if isinstance(predict, partial) else predict
    return getattr(function, "__name__", type(function).__name__)


def _check_function(predict):
    if isinstance(predict, nn.Module):
        raise TypeError(
            f"Got the torch module {type(predict).__name__} as black box, expected a function of "
            "an array. Pass the module itself as source: its gradients need no queries."
        )
    if hasattr(predict, "predict") and hasattr(predict, "get_params"):
        raise TypeError(
            f"Got the estimator {type(predict).__name__}, expected a function of an array. Use "
            "BlackBoxSource.from_estimator(estimator)."
        )
    if not callable(predict):
        raise TypeError(
            f"Got predict={predict!r}, expected a function of an array of shape (n, *input_shape)."
        )


def _check_outputs(source):
    if source.output_kind not in OUTPUT_KINDS:
        raise ValueError(f"Got output_kind={source.output_kind!r}, expected one of {OUTPUT_KINDS}.")
    _check_whole("n_outputs", source.n_outputs, 2 if source.output_kind in OUTPUT_KINDS[2:] else 1)


def _check_whole(name, value, least):
    if not isinstance(value, Integral) or isinstance(value, bool) or value < least:
        raise ValueError(f"Got {name}={value!r}, expected a whole number of at least {least}.")


def _tidy_cache(cache):
    if cache is None or cache is False:
        return None
    return True if cache is True else str(Path(cache).expanduser().absolute())
