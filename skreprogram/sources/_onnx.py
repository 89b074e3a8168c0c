"""An ONNX file as a function of an array, run by ONNX Runtime."""

import hashlib
import importlib
import os
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from skreprogram.sources._identity import identity_of
from skreprogram.sources._weights import locate, sha256_of

_SESSIONS = OrderedDict()
_SESSIONS_AT_MOST = 4
_LOCK = threading.Lock()
_TYPES = {
    "tensor(float)": "float32",
    "tensor(double)": "float64",
    "tensor(float16)": "float16",
    "tensor(uint8)": "uint8",
    "tensor(int8)": "int8",
    "tensor(int32)": "int32",
    "tensor(int64)": "int64",
}
_FLOATS = ("tensor(float)", "tensor(double)", "tensor(float16)")


@dataclass(frozen=True)
class OnnxModel:
    """An ONNX file that answers queries.

    The object is a reference: every process opens the file once, and its pickle holds no weights.

    Parameters
    ----------
    path : str
        The file; ``"package:NAME/PATH"`` lies in an installed package.
    sha256 : str
        Its hash, checked when the file is opened.
    prepare : callable or None, default=None
        Importable function from an array of queries to what the file's input takes.
    output : str or None, default=None
        Name of the output that is read; None takes the first one that holds floating point
        numbers.
    n_threads : int or None, default=None
        Processor threads; None takes as many as torch.
    """

    path: str
    sha256: str
    prepare: object = None
    output: str | None = None
    n_threads: int | None = None

    @classmethod
    def from_file(cls, path, prepare=None, output=None, n_threads=None):
        """Refer to a file as it is now."""
        path = Path(path).expanduser().resolve()
        return cls(str(path), sha256_of(path), prepare, output, n_threads)

    def __call__(self, rows):
        """What the file's output says.

        Parameters
        ----------
        rows : ndarray of shape (n, *input_shape)
            Queries; whole numbers are made of them where the file takes such.

        Returns
        -------
        answers : ndarray of shape (n, n_outputs)
        """
        session = self._session()
        (wanted,) = session.get_inputs()
        prepared = rows if self.prepare is None else self.prepare(rows)
        dtype = np.dtype(_TYPES[wanted.type])
        if dtype.kind in "iu":
            prepared = np.rint(prepared)
        feed = {wanted.name: np.ascontiguousarray(prepared, dtype)}
        return session.run([self._output_of(session).name], feed)[0]

    def facts(self, input_shape=None, value=0.0, max_batch=None):
        """What the file says of itself: parameters of a black-box source.

        Parameters
        ----------
        input_shape : tuple of int or None, default=None
            Shape of one query; None reads it from the file.
        value : float, default=0.0
            What the one row holds that is asked to count the outputs.
        max_batch : int or None, default=None
            What the user chose.

        Returns
        -------
        facts : dict
        """
        (wanted,) = self._session().get_inputs()
        n_rows, *shape = wanted.shape
        facts = {"identity": self._identity, "name": Path(self.path).stem}
        if isinstance(n_rows, int):
            if n_rows != 1 or max_batch not in (None, 1):
                raise ValueError(
                    f"Got {self.path} with {n_rows} rows in every call, expected a free first "
                    "axis, or 1 row and max_batch=1. Export it with a dynamic batch axis."
                )
            facts["max_batch"] = 1
        if input_shape is None:
            if self.prepare is not None or not all(isinstance(length, int) for length in shape):
                raise ValueError(
                    f"Got {self.path}, which takes inputs of shape {wanted.shape}, without "
                    "input_shape; expected the shape of one query, as the file does not tell it."
                )
            input_shape = tuple(shape)
        probe = np.full((1, *np.atleast_1d(input_shape)), value, np.float32)
        return {**facts, "input_shape": input_shape, "n_outputs": self._width(self(probe))}

    @property
    def _identity(self):
        prepared = "" if self.prepare is None else identity_of(self.prepare)
        return f"onnx {self.sha256} {self.output} {prepared}"

    def _width(self, answers):
        if np.ndim(answers) != 2 or len(answers) != 1:
            raise ValueError(
                f"Got answers of shape {np.shape(answers)} from {self.path} for one row, expected "
                f"(1, n_outputs). {self._names_of_outputs(self._session())}"
            )
        return answers.shape[1]

    def _output_of(self, session):
        outputs = session.get_outputs()
        for output in outputs:
            if output.name == self.output or (self.output is None and output.type in _FLOATS):
                return output
        wanted = "one of floating point numbers" if self.output is None else repr(self.output)
        raise ValueError(
            f"Got {self.path}, expected {wanted} among its outputs. "
            f"{self._names_of_outputs(session)}"
        )

    @staticmethod
    def _names_of_outputs(session):
        said = ", ".join(f"{output.name!r} ({output.type})" for output in session.get_outputs())
        return f"Choose output=... among {said}."

    def _session(self):
        # a session does not survive a fork
        key = (self.path, self.sha256, self.n_threads, os.getpid())
        with _LOCK:
            if key not in _SESSIONS:
                _SESSIONS[key] = self._opened()
            _SESSIONS.move_to_end(key)
            while len(_SESSIONS) > _SESSIONS_AT_MOST:
                _SESSIONS.popitem(last=False)
            return _SESSIONS[key]

    def _opened(self):
        onnxruntime, content = _runtime(), self._content()
        options = onnxruntime.SessionOptions()
        # torch's number heeds OMP_NUM_THREADS and what joblib allots to a worker
        options.intra_op_num_threads = self.n_threads or torch.get_num_threads()
        options.inter_op_num_threads = 1
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        taken = [(entry.name, entry.type) for entry in session.get_inputs()]
        if len(taken) != 1 or taken[0][1] not in _TYPES:
            raise ValueError(
                f"Got {self.path} with the inputs {taken}, expected one tensor of "
                f"{sorted(set(_TYPES.values()))}. Wrap the others in a function of your own."
            )
        return session

    def _content(self):
        path = locate(self.path)
        if not path.is_file():
            raise FileNotFoundError(
                f"Got an ONNX model that was expected at {path}, but there is no such file. Put it "
                "there, or make the source again."
            )
        content = path.read_bytes()
        found = hashlib.sha256(content).hexdigest()
        if found != self.sha256:
            raise ValueError(
                f"Got the sha256 {found} of {path}, expected {self.sha256}: the file was changed. "
                "Make the source again, or install the version that it came with."
            )
        return content


def _runtime():
    try:
        return importlib.import_module("onnxruntime")
    except ImportError as error:
        raise ImportError(
            f"Got {error!r} when onnxruntime was imported, expected it to be installed. Run "
            '`pip install "skreprogram[onnx]"`.'
        ) from error
