"""One safetensors file per fitted estimator: tensors and a JSON header, never a pickle."""

import hashlib
import importlib
import json
import os
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file
from sklearn.base import clone

from skreprogram._strategy import Strategy
from skreprogram.sources import (
    SeveralSources,
    SourceModel,
    as_source,
    list_sources,
    load_source,
)
from skreprogram.sources._download import temporary_beside
from skreprogram.training import Program

FORMAT = 1
ESTIMATORS = {
    "ReprogrammingClassifier": "skreprogram._classifier",
    "ReprogrammingRegressor": "skreprogram._regressor",
    "SequenceReprogrammer": "skreprogram._sequence",
    "TimeSeriesReprogrammer": "skreprogram._time_series",
    "TimeSeriesReprogrammingRegressor": "skreprogram._time_series_regressor",
}
# what prediction does not need, and a file can only hold where it is a name or a number
KEPT_WHERE_PLAIN = ("callbacks", "random_state", "optimizer", "lr_scheduler", "augmentation")


def write_program(estimator, path):
    """Write a fitted estimator; its source stays behind as name and sha256.

    Parameters
    ----------
    estimator : BaseReprogrammer
        Fitted.
    path : path-like
        Where to; an existing file is replaced.
    """
    program = estimator.program_
    tensors = {
        f"{side}/{name}": np.ascontiguousarray(array)
        for side in ("input", "output", "source")
        for name, array in getattr(program, side).items()
    }
    header = {
        "format": FORMAT,
        "skreprogram": _version(),
        "estimator": type(estimator).__name__,
        "params": _kept_params(estimator),
        "source": _facts(estimator.source_),
        **_classes(estimator),
        "input_shape": list(estimator.input_shape_),
        "n_features_in": getattr(estimator, "n_features_in_", None),
        "feature_names_in": getattr(estimator, "feature_names_in_", np.array([])).tolist(),
        "transformation": _encode(estimator.transformation_),
        "mapping": _encode(estimator.mapping_),
        "facts": _encode({name: getattr(estimator, name) for name in estimator._kept_facts}),
        "history": program.history,
        "n_queries": estimator.n_queries_,
        "stopped_by": estimator.stopped_by_,
    }
    header["sha256"] = _digest(header, tensors)
    with temporary_beside(path) as temporary:
        save_file(tensors, temporary, metadata={"skreprogram": json.dumps(header)})
        os.replace(temporary, path)


def load(path, source=None):
    """Read a fitted estimator that :meth:`TimeSeriesReprogrammer.save` wrote.

    Nothing in the file is executed: it holds tensors and JSON.

    Parameters
    ----------
    path : path-like
        The file.
    source : SourceModel, torch.nn.Module, str, list of them or None, default=None
        The source model, needed when it is not of the catalogue (`list_sources`). It must have
        the weights the program was fitted to. For several sources a list in their order, with
        None for those of the catalogue.

    Returns
    -------
    estimator : BaseReprogrammer
        Of the class that wrote the file, ready to predict.

    Raises
    ------
    FileNotFoundError
        When there is no file.
    ValueError
        When the file is cut, changed or of another format, or the source has other weights.
    """
    header, tensors = _read(path)
    params = {name: _decode(value) for name, value in header["params"].items()}
    handle = _matching_source(header, source, path)
    if params.get("source") is None:
        params["source"] = handle
    module = importlib.import_module(ESTIMATORS[header["estimator"]])
    estimator = getattr(module, header["estimator"])(**params)
    return _filled(estimator, header, tensors, handle)


def _filled(estimator, header, tensors, source):
    sides = {"input": {}, "output": {}, "source": {}}
    for name, array in tensors.items():
        side, _, key = name.partition("/")
        sides[side][key] = array
    estimator.source_ = source
    estimator.transformation_ = _decode(header["transformation"])
    estimator.mapping_ = _decode(header["mapping"])
    if "classes" in header:
        estimator.classes_ = np.array(_decode(header["classes"]), dtype=header["classes_dtype"])
    estimator.input_shape_ = tuple(header["input_shape"])
    if header["n_features_in"] is not None:
        estimator.n_features_in_ = header["n_features_in"]
    if header["feature_names_in"]:
        estimator.feature_names_in_ = np.array(header["feature_names_in"], dtype=object)
    for name in estimator._kept_facts:
        setattr(estimator, name, _decode(header["facts"])[name])
    estimator._seen = None
    estimator.surrogate_ = None
    estimator.n_queries_, estimator.stopped_by_ = header["n_queries"], header["stopped_by"]
    estimator._store(Program(history=header["history"], **sides))
    return estimator


def _read(path):
    if not Path(path).is_file():
        raise FileNotFoundError(
            f"Got {str(path)!r}, expected a file written by save: it is not there."
        )
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise ValueError(
            f"Got {str(path)!r}, which is no readable safetensors file ({error}): it was cut or "
            "changed. Save the estimator again."
        ) from error
    try:
        header = json.loads(metadata["skreprogram"])
        written_by = {name: header[name] for name in ("format", "estimator", "skreprogram")}
    except (KeyError, ValueError, TypeError) as error:
        raise ValueError(
            f"Got {str(path)!r}, a safetensors file without a header of skreprogram, expected one "
            "written by save."
        ) from error
    if written_by["format"] != FORMAT or written_by["estimator"] not in ESTIMATORS:
        raise ValueError(
            f"Got {str(path)!r}, which holds {written_by}, expected format {FORMAT} of one of "
            f"{sorted(ESTIMATORS)}. Load it with the version that wrote it; this is {_version()}."
        )
    if header.pop("sha256", None) != _digest(header, tensors):
        raise ValueError(
            f"Got {str(path)!r}, whose content does not match its sha256: the file was changed. "
            "Save the estimator again."
        )
    return header, tensors


def _facts(source):
    """What the header says of a source."""
    facts = {"name": source.name, "sha256": source.digest}
    if isinstance(source, SeveralSources):
        return {**facts, "sources": [_facts(each) for each in source.sources]}
    return {**facts, "input_shape": list(source.input_shape)}


def _matching_source(header, source, path):
    data_shape, several = tuple(header["input_shape"]), header["source"].get("sources")
    if several is None:
        return _matching(header["source"], source, data_shape, path)
    given = [None] * len(several) if source is None else source
    given = given.sources if isinstance(given, SeveralSources) else given
    if not isinstance(given, (list, tuple)) or len(given) != len(several):
        names = [facts["name"] for facts in several]
        raise ValueError(
            f"Got source={source!r} for {str(path)!r}, expected a list of {len(several)}, because "
            f"the program reads {names}. Pass them in this order, None for those of the catalogue."
        )
    pairs = zip(several, given, strict=True)
    return SeveralSources([_matching(facts, each, data_shape, path) for facts, each in pairs])


def _matching(facts, source, data_shape, path):
    """The source that a header means: the one that was passed, or that of the catalogue."""
    name, digest, shape = facts["name"], facts["sha256"], tuple(facts["input_shape"])
    if source is None:
        if name not in list_sources():
            raise ValueError(
                f"Got {str(path)!r}, fitted to the source {name!r}, which is not in the catalogue "
                f"{list_sources()}. Pass it: load(path, source=...)."
            )
        source = load_source(name, input_shape=shape)
    handle = as_source(source, data_shape)
    if handle.digest != digest:
        raise ValueError(
            f"Got a source with sha256 {handle.digest}, expected {digest}, the weights that the "
            f"program in {str(path)!r} was fitted to. Pass that source, {name!r}, or fit again."
        )
    if handle.input_shape != shape:
        raise ValueError(
            f"Got a source that takes inputs of shape {handle.input_shape}, expected {shape}, for "
            f"which the program in {str(path)!r} was made. Pass the source with that input_shape."
        )
    return handle


def _classes(estimator):
    """Classes and the kind of their labels; nothing for regression."""
    if not hasattr(estimator, "classes_"):
        return {}
    classes = estimator.classes_
    return {"classes": _encode(classes), "classes_dtype": classes.dtype.str}


def _kept_params(estimator):
    params = estimator.get_params(deep=False)
    source = params["source"]
    listed = source if isinstance(source, (list, tuple)) else [source]
    if not all(isinstance(each, str) for each in listed):
        params["source"] = None
    params["device"] = str(params["device"])
    if getattr(params.get("unlabelled"), "augmentation", None) is not None:
        # a function, without which going on is refused in a sentence
        params["unlabelled"] = clone(params["unlabelled"]).set_params(augmentation=None)
    for name in KEPT_WHERE_PLAIN:
        if not isinstance(params[name], (str, int, np.integer)):
            del params[name]
    return {name: _encode(value) for name, value in params.items()}


def _encode(value):
    """Turn a parameter into what JSON holds; strategies become name and parameters."""
    if isinstance(value, Strategy):
        params = value.get_params(deep=False)
        return {
            "strategy": f"{type(value).__module__}:{type(value).__qualname__}",
            "params": {name: _encode(param) for name, param in params.items()},
        }
    if isinstance(value, SourceModel):
        return None
    if isinstance(value, (list, tuple)):
        return {"tuple" if isinstance(value, tuple) else "list": [_encode(item) for item in value]}
    if isinstance(value, dict):
        return {"pairs": [[_encode(key), _encode(item)] for key, item in value.items()]}
    if isinstance(value, (np.generic, np.ndarray)):
        return _encode(value.tolist())
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise TypeError(
        f"Got a parameter {value!r} of type {type(value).__name__}, which the file cannot hold; "
        "expected numbers, text, lists, dicts or strategies. Use joblib.dump for this estimator."
    )


def _decode(value):
    if not isinstance(value, dict):
        return value
    if "strategy" in value:
        params = {name: _decode(param) for name, param in value["params"].items()}
        return _strategy(value["strategy"])(**params)
    if "pairs" in value:
        return {_decode(key): _decode(item) for key, item in value["pairs"]}
    ((kind, items),) = value.items()
    return (tuple if kind == "tuple" else list)(_decode(item) for item in items)


def _strategy(name):
    """A strategy class that is imported already: a file never makes us import code."""
    found, queue = {}, [Strategy]
    while queue:
        kind = queue.pop()
        queue += kind.__subclasses__()
        found[f"{kind.__module__}:{kind.__qualname__}"] = kind
    if name not in found:
        raise ValueError(
            f"Got a program with the strategy {name!r}, which is not known here. Import "
            f"{name.partition(':')[0]} before load."
        )
    return found[name]


def _digest(header, tensors):
    """The sha256 of header and tensors, in an order of their own."""
    digest = hashlib.sha256(json.dumps(header, sort_keys=True).encode())
    for name in sorted(tensors):
        array = tensors[name]
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def _version():
    from skreprogram import __version__

    return __version__
