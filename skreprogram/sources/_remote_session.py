"""What one process says to a model on a server: descriptions, requests side by side, checks."""

import os
import threading
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from functools import cached_property
from math import prod
from uuid import uuid4

import numpy as np

from skreprogram.sources._open_inference import (
    MalformedAnswerError,
    as_datatype,
    datatype_of,
    decode_answer,
    encode_request,
)
from skreprogram.sources._open_inference_metadata import (
    model_path,
    read_binary_ability,
    read_metadata,
)
from skreprogram.sources._remote_client import Question, RemoteClient
from skreprogram.sources._remote_faults import Fault, RemoteError

# what MLServer calls the input of a model that declares none; its runtimes take any name
_UNNAMED_INPUT = "input-0"


class RemoteSession:
    """The connections of one process to a model, and what the server said of it.

    Parameters
    ----------
    model : RemoteModel
        Where the model is, and how to ask.
    """

    def __init__(self, model):
        self.process = os.getpid()
        self.path = model_path(model.model, model.version)
        self.client = RemoteClient(
            model.url,
            model.headers,
            model.verify,
            model.timeout,
            model.retries,
            model.backoff,
            model.max_rate,
            model.n_connections,
        )
        self._input_name, self._output_name = model.input_name, model.output_name
        self._max_batch, self._binary = model.max_batch, model.binary
        self._threads = ThreadPoolExecutor(model.n_connections, thread_name_prefix="remote-model")

    @cached_property
    def metadata(self):
        """What the server says of the model, asked for once."""
        return self.client.ask(Question("GET", self.path), lambda body, _: read_metadata(body))

    @cached_property
    def declared_input(self):
        """The declared input that is fed; None where the server declares none."""
        if not self.metadata.inputs:
            return None
        return _chosen(self.metadata.inputs, "input", self._input_name)

    @cached_property
    def declared_output(self):
        """The declared output that is read; None where the server declares none."""
        if not self.metadata.outputs:
            return None
        return _chosen(self.metadata.outputs, "output", self._output_name)

    @cached_property
    def is_binary(self):
        """Whether numbers travel as they lie in memory."""
        if self._binary != "auto":
            return self._binary
        try:
            return self.client.ask(Question("GET", "/v2"), lambda body, _: _takes_bytes(body))
        except RemoteError as error:
            if error.status is None:
                raise
            return False  # a gateway that shows its models only

    def outputs(self, inputs):
        """Ask about inputs, in several requests at once.

        Parameters
        ----------
        inputs : ndarray of shape (n, ...)
            What the model takes.

        Returns
        -------
        outputs : ndarray of shape (n, n_outputs) or (n,)
            In the order of the inputs.
        """
        if len(inputs) == 0:
            raise ValueError(f"Got inputs of shape {inputs.shape}, expected one row at least.")
        step, stop = self._rows_in_request(inputs.shape), threading.Event()
        parts = [inputs[start : start + step] for start in range(0, len(inputs), step)]
        # found out before the threads start, so that it is asked for once
        _ = self.declared_input, self.declared_output, self.is_binary
        if len(parts) == 1:
            return _table([self._answer(parts[0], stop)])
        futures = [self._threads.submit(self._answer, part, stop) for part in parts]
        try:
            done, _ = wait(futures, return_when=FIRST_EXCEPTION)
            for future in done:
                future.result()
        except BaseException:
            # KeyboardInterrupt too: the other requests shall neither wait nor be sent
            stop.set()
            for future in futures:
                future.cancel()
            raise
        return _table([future.result() for future in futures])

    def close(self):
        """Close the connections."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self.client.close()

    def _rows_in_request(self, shape):
        """A model of a fixed batch takes no other; mostly that is a single row."""
        declared = self.declared_input and self.declared_input.shape
        if declared and len(declared) == len(shape) and declared[0] > 0:
            return min(declared[0], self._max_batch)
        return self._max_batch

    def _answer(self, part, stop):
        spec, output, mark = self.declared_input, self._wanted_output, uuid4().hex
        tensor = as_datatype(part, spec.datatype if spec else datatype_of(part))
        name = spec.name if spec else self._input_name or _UNNAMED_INPUT
        request = encode_request(tensor, name, output, self.is_binary, mark)

        def read(body, headers):
            answer = decode_answer(body, headers, output, mark)
            self._check(answer, len(part))
            return answer

        question = Question("POST", f"{self.path}/infer", request.content, request.headers)
        return self.client.ask(question, read, stop)

    @property
    def _wanted_output(self):
        return self.declared_output.name if self.declared_output else self._output_name

    def _check(self, answer, n_rows):
        """Raise a fault where an answer is whole, but not what was asked for."""
        found = answer.shape[1:]
        declared = self.declared_output.shape[1:] if self.declared_output else found
        if -1 in declared:
            fits = len(declared) == len(found) and all(
                length in (-1, other) for length, other in zip(declared, found, strict=True)
            )
        else:  # MLServer writes an axis more than a model of labels declares
            fits = prod(declared) == prod(found)
        if answer.shape[:1] != (n_rows,) or not fits:
            expected = ", ".join(map(str, (n_rows, *declared)))
            raise Fault("shape", f"numbers of shape {answer.shape}, expected ({expected})")
        if not np.isfinite(answer).all():
            raise Fault("not finite", "NaN or infinity among the numbers")


def _takes_bytes(body):
    try:
        return read_binary_ability(body)
    except MalformedAnswerError:  # the page of a gateway: asking again gives it again
        return False


def _chosen(specs, side, name):
    """The tensor of this name, or the only one."""
    names = [spec.name for spec in specs]
    if name is None and len(names) == 1:
        return specs[0]
    if name not in names:
        raise ValueError(
            f"Got {side}_name={name!r} for a model with the {side}s {names}, expected one of them."
            f" Give {side}_name, one of these; a model that needs several inputs cannot be asked."
        )
    return specs[names.index(name)]


def _table(answers):
    """The answers below one another, a row for each input; one whole number a row is a label."""
    widths = {answer.shape[1:] for answer in answers}
    if len(widths) > 1:
        raise RemoteError(
            f"Got outputs of the shapes {sorted(widths)} for rows of one array, expected the same "
            "for all. Give output_name, if the model has several."
        )
    table = np.concatenate(answers)
    if table.size == len(table) and table.dtype.kind in "iu":
        return table.reshape(-1)
    return table.reshape(len(table), -1)
