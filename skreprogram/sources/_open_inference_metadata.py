"""What a server of the Open Inference Protocol says about itself and its models."""

from typing import NamedTuple
from urllib.parse import quote

from skreprogram.sources._open_inference import MalformedAnswerError, read_object

_BINARY = "binary_tensor_data"


class TensorSpec(NamedTuple):
    """An input or output as a server declares it.

    Parameters
    ----------
    name : str
        Its name.
    datatype : str
        A key of ``DATATYPES``, or another type of the protocol.
    shape : tuple of int
        Lengths of its axes, the batch axis among them; -1 is any length.
    """

    name: str
    datatype: str
    shape: tuple


class ModelMetadata(NamedTuple):
    """What a server says about a model.

    Parameters
    ----------
    versions : tuple of str
        Versions that are served; empty where the server does not tell.
    platform : str
        Framework of the model; empty where the server does not tell.
    inputs, outputs : tuple of TensorSpec
        Declared tensors; empty where the server does not tell.
    """

    versions: tuple
    platform: str
    inputs: tuple
    outputs: tuple


def model_path(model, version=None):
    """Path of a model below the address of a server.

    Parameters
    ----------
    model : str
        Name of the model.
    version : str or None, default=None
        Version of the model; None leaves the choice to the server.

    Returns
    -------
    path : str

    Examples
    --------
    >>> model_path("night watch", 2)
    '/v2/models/night%20watch/versions/2'
    """
    path = f"/v2/models/{quote(model, safe='')}"
    return path if version is None else f"{path}/versions/{quote(str(version), safe='')}"


def read_metadata(content):
    """Read the answer about a model.

    Parameters
    ----------
    content : bytes
        Body of the answer.

    Returns
    -------
    metadata : ModelMetadata

    Examples
    --------
    >>> read_metadata(b'{"name": "m", "inputs": [{"name": "x", "datatype": "FP32", '
    ...               b'"shape": [-1, 4]}]}').inputs
    (TensorSpec(name='x', datatype='FP32', shape=(-1, 4)),)
    """
    found = read_object(content)
    versions = tuple(str(version) for version in found.get("versions") or ())
    sides = [_tensors(found.get(side)) for side in ("inputs", "outputs")]
    return ModelMetadata(versions, str(found.get("platform") or ""), *sides)


def _tensors(declared):
    try:
        return tuple(
            TensorSpec(str(one["name"]), str(one["datatype"]), tuple(map(int, one["shape"])))
            for one in declared or ()
        )
    except (KeyError, TypeError, ValueError) as error:
        raise MalformedAnswerError(f"tensors that are not declared in full: {error!r}") from error


def read_binary_ability(content):
    """Whether a server says that it takes tensors as bytes.

    Parameters
    ----------
    content : bytes
        Body of the answer about the server.

    Returns
    -------
    able : bool

    Examples
    --------
    >>> read_binary_ability(b'{"name": "triton", "extensions": ["binary_tensor_data"]}')
    True
    """
    return _BINARY in (read_object(content).get("extensions") or ())
