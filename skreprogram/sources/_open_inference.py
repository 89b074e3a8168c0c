"""The Open Inference Protocol, version 2, over HTTP: requests and answers as bytes."""

import json
from math import prod
from typing import NamedTuple

import numpy as np

# binary tensors are little-endian, row-major, without padding
DATATYPES = {
    "BOOL": np.dtype("?"),
    **{f"{kind}{8 * size}": np.dtype(f"<{letter}{size}")
       for kind, letter in (("INT", "i"), ("UINT", "u")) for size in (1, 2, 4, 8)},
    "FP32": np.dtype("<f4"),
    "FP64": np.dtype("<f8"),
}  # fmt: skip
_LENGTH_HEADER = "Inference-Header-Content-Length"


class MalformedAnswerError(Exception):
    """An answer that breaks the protocol; asked again, the server may give a whole one."""


class InferenceRequest(NamedTuple):
    """The body of a request and what must stand in its headers.

    Parameters
    ----------
    content : bytes
        The body.
    headers : dict
        Names and values.
    """

    content: bytes
    headers: dict


def read_object(content):
    """Read the JSON object that an answer is; raise `MalformedAnswerError` where it is none.

    Parameters
    ----------
    content : bytes
        JSON text.

    Returns
    -------
    found : dict
    """
    try:
        found = json.loads(content)
    except ValueError as error:  # text that is no UTF-8 included
        raise MalformedAnswerError(f"no JSON: {error}") from error
    if not isinstance(found, dict):
        raise MalformedAnswerError(f"a JSON {type(found).__name__} instead of an object")
    return found


def datatype_of(array):
    """The protocol's name for the numbers of an array.

    Parameters
    ----------
    array : ndarray
        Any numbers.

    Returns
    -------
    datatype : str
        A key of ``DATATYPES``.

    Examples
    --------
    >>> datatype_of(np.zeros(3, dtype=np.float32))
    'FP32'
    """
    for name, dtype in DATATYPES.items():
        if array.dtype.newbyteorder("<") == dtype:
            return name
    return _dtype_of(str(array.dtype))


def _dtype_of(datatype):
    if datatype not in DATATYPES:
        raise ValueError(
            f"Got a tensor of {datatype}, expected one of {list(DATATYPES)}. Serve the model with "
            "an input and an output of these, for example behind a cast to FP32."
        )
    return DATATYPES[datatype]


def as_datatype(array, datatype):
    """Return an array as the numbers that a server takes, where nothing is lost but rounding.

    Parameters
    ----------
    array : ndarray
        Finite numbers of any type.
    datatype : str
        A key of ``DATATYPES``.

    Returns
    -------
    tensor : ndarray
        Contiguous, little-endian.

    Raises
    ------
    ValueError
        Where numbers are not finite or do not fit, such as 0.5 into UINT8.

    Examples
    --------
    >>> as_datatype(np.array([0.0, 255.0]), "UINT8")
    array([  0, 255], dtype=uint8)
    """
    dtype = _dtype_of(datatype)
    with np.errstate(over="ignore", invalid="ignore"):
        tensor = np.ascontiguousarray(array, dtype=dtype)
    fits = np.isfinite(tensor).all() if dtype.kind == "f" else np.array_equal(tensor, array)
    if not fits:
        raise ValueError(
            f"Got inputs from {np.min(array)} to {np.max(array)} that {datatype} cannot hold, "
            "expected finite numbers, and whole ones in its range for a whole-number type. Give "
            "`prepare`, a function that makes them so, or declare the range and levels of inputs."
        )
    return tensor.reshape(np.shape(array))  # ascontiguousarray gives a scalar an axis


def encode_request(tensor, input_name, output_name=None, binary=False, request_id=None):
    """Write a request for the outputs of a model.

    Parameters
    ----------
    tensor : ndarray of shape (n_rows, ...)
        Numbers as `as_datatype` returns them.
    input_name : str
        Name of the model's input.
    output_name : str or None, default=None
        The wanted output; None leaves the choice to the server.
    binary : bool, default=False
        Whether numbers travel as they lie in memory (the binary tensor data extension), or as
        JSON text.
    request_id : str or None, default=None
        A mark that the server repeats in its answer.

    Returns
    -------
    request : InferenceRequest

    References
    ----------
    .. [1] Open Inference Protocol: REST, version 2, and binary tensor data extension.
       https://github.com/kserve/open-inference-protocol

    Examples
    --------
    >>> encode_request(np.array([[1.0, 2.0]]), "x").content
    b'{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP64","data":[1.0,2.0]}]}'
    """
    datatype = datatype_of(tensor)
    tensor = np.ascontiguousarray(tensor, dtype=DATATYPES[datatype])
    entry = {"name": input_name, "shape": tensor.shape, "datatype": datatype}
    body = {} if request_id is None else {"id": request_id}
    if binary:
        entry["parameters"] = {"binary_data_size": tensor.nbytes}
    else:
        entry["data"] = tensor.ravel().tolist()
    body["inputs"] = [entry]
    if output_name is not None:
        wanted = {"parameters": {"binary_data": True}} if binary else {}
        body["outputs"] = [{"name": output_name, **wanted}]
    elif binary:
        body["parameters"] = {"binary_data_output": True}
    text = json.dumps(body, separators=(",", ":"), allow_nan=False).encode()
    if not binary:
        return InferenceRequest(text, {"Content-Type": "application/json"})
    headers = {"Content-Type": "application/octet-stream", _LENGTH_HEADER: str(len(text))}
    return InferenceRequest(b"".join([text, tensor.ravel().view(np.uint8)]), headers)


def decode_answer(content, headers, output_name=None, request_id=None):
    """Read the numbers of one output from an answer.

    Parameters
    ----------
    content : bytes
        Body of the answer.
    headers : mapping
        Headers of the answer, whose names are read in any case of letters.
    output_name : str or None, default=None
        Which output; None expects one only.
    request_id : str or None, default=None
        The mark of the request, which the answer must repeat if it has any.

    Returns
    -------
    outputs : ndarray
        Numbers in the shape and type that the server says.

    Raises
    ------
    MalformedAnswerError
        Where the answer is cut or contradicts itself.
    ValueError
        Where it is whole, but the output is not among it or not of numbers.

    Examples
    --------
    >>> decode_answer(
    ...     b'{"outputs": [{"name": "p", "shape": [1, 2], "datatype": "FP32", "data": [0.5, 1]}]}',
    ...     headers={},
    ... )
    array([[0.5, 1. ]], dtype=float32)
    """
    text, rest = _split(content, headers)
    found = read_object(text)
    if request_id is not None and found.get("id") not in (None, "", request_id):
        raise MalformedAnswerError(f"the answer to another request, {found['id']!r}")
    entries = found.get("outputs")
    if not isinstance(entries, list) or not all(isinstance(one, dict) for one in entries):
        raise MalformedAnswerError(f"no list of outputs in {str(found)[:200]}")
    pieces = _pieces(entries, rest)
    names = [entry.get("name") for entry in entries]
    if output_name is None and len(names) == 1:
        output_name = names[0]
    if output_name not in names:
        raise ValueError(
            f"Got the outputs {names} from the server, expected {output_name or 'one only'}. "
            "Give output_name, one of these."
        )
    position = names.index(output_name)
    return _numbers(entries[position], pieces[position])


def _split(content, headers):
    """The JSON text of an answer, and the binary tensors behind it."""
    lengths = [value for name, value in headers.items() if name.lower() == _LENGTH_HEADER.lower()]
    if not lengths:
        return content, b""
    if not lengths[0].isdecimal() or int(lengths[0]) > len(content):
        raise MalformedAnswerError(f"{_LENGTH_HEADER} {lengths[0]} of {len(content)} bytes")
    return content[: int(lengths[0])], memoryview(content)[int(lengths[0]) :]


def _pieces(entries, rest):
    """What belongs to each output of the bytes behind the JSON text; None for JSON numbers."""
    pieces, start = [], 0
    for entry in entries:
        size = (entry.get("parameters") or {}).get("binary_data_size")
        if size is None:
            pieces.append(None)
            continue
        if not isinstance(size, int) or size < 0:
            raise MalformedAnswerError(f"binary_data_size={size!r}")
        pieces.append(rest[start : start + size])
        start += size
    if start != len(rest):
        raise MalformedAnswerError(f"{len(rest)} bytes of tensors, where {start} are announced")
    return pieces


def _numbers(entry, piece):
    shape, dtype = entry.get("shape"), _dtype_of(entry.get("datatype"))
    try:
        if piece is not None:
            numbers = np.frombuffer(piece, dtype=dtype)
        else:
            numbers = _from_json(entry.get("data"), dtype)
        if prod(shape) != numbers.size:
            raise MalformedAnswerError(f"{numbers.size} numbers in the shape {shape}")
        return numbers.reshape(shape)
    except (TypeError, ValueError, OverflowError) as error:
        raise MalformedAnswerError(f"numbers that cannot be read: {error}") from error


def _from_json(data, dtype):
    numbers = np.array(data, dtype=dtype)
    if dtype.kind == "f":
        # some servers write null for NaN: an object for numpy, which turns it into NaN again
        right = np.asarray(data).dtype.kind in "fiuO"
    else:
        # numpy cuts fractions and reads text
        right = np.array_equal(numbers, np.array(data, dtype=object))
    if not right and numbers.size:
        raise MalformedAnswerError(f"{str(data)[:60]} as numbers of {dtype}")
    return numbers.ravel()
