"""A model behind a server on the network, as a function of an array."""

import os
import threading
from math import prod

import numpy as np

from skreprogram._input_space import InputSpace
from skreprogram.sources._open_inference_metadata import model_path
from skreprogram.sources._remote_facts import (
    check_numbers,
    check_remote_extra,
    mark_of,
    tidy_url,
    tidy_verify,
)
from skreprogram.sources._remote_headers import RequestHeaders

_LOCK = threading.RLock()


class RemoteModel:
    """A model on a server of the Open Inference Protocol, version 2: a function of an array.

    Triton, KServe, MLServer and OpenVINO Model Server speak it. Calling the object sends an array
    ``(n, *input_shape)`` in requests of at most `max_batch` rows, several at once, and returns
    the model's outputs in the order of the rows. What fails and may pass is asked again: no
    answer in time, lost connections, status 408, 425, 429 and 5xx, answers that are cut, break
    the protocol, have another shape or hold NaN. Other 4xx fail at once.

    Parameters
    ----------
    url : str
        Address of the server, ``"https://host:port"``, without ``/v2``.
    model : str
        Name of the model there.
    version : str or None, default=None
        Version of the model; None leaves the choice to the server.
    input_name, output_name : str or None, default=None
        Names of the tensors; None takes the only one that the server declares.
    prepare : callable or None, default=None
        Importable function from an array ``(n, *input_shape)`` to what the model's input takes,
        for example with the channels last.
    headers : dict or None, default=None
        Headers of every request. ``"env:NAME"``, also behind other text as in
        ``"Bearer env:NAME"``, is read from the environment whenever a request is sent. Other
        values are known to this process only: they are left out of pickles.
    verify : bool or path-like, default=True
        Whether the server's certificate is checked, or the file of the certificates to trust.
    timeout : float, default=30.0
        Seconds to wait for a connection, for each next piece of an answer, and for the rest of an
        answer that has begun.
    retries : int, default=8
        Tries after the first one, for each request.
    backoff : float, default=0.5
        Seconds before the first retry; doubled at each, up to a minute, and cut by up to a half
        at random. A longer ``Retry-After`` of the server is kept to.
    max_rate : float or None, default=None
        Most requests a second, of all threads of this object together.
    n_connections : int, default=4
        Requests that are under way at once.
    max_batch : int, default=64
        Most rows in one request.
    binary : {"auto", True, False}, default="auto"
        Whether numbers travel as they lie in memory, by the binary tensor data extension, which
        is many times faster than JSON. "auto" does so where the server lists the extension, as
        Triton does; KServe and OpenVINO Model Server take it too, but do not list it.

    Attributes
    ----------
    n_requests, n_retries : int
        Requests sent by this object in this process, and how many of them were repeats.
    faults : dict
        From kinds of faults to how often each was met: ``timeout``, ``connection``, ``truncated``,
        ``malformed``, ``shape``, ``not finite``, ``status 429`` and other numbers.

    Raises
    ------
    RemoteError
        By a call, when the server refuses or after the last try.

    References
    ----------
    .. [1] Open Inference Protocol. https://github.com/kserve/open-inference-protocol

    Examples
    --------
    >>> from skreprogram.sources._remote import RemoteModel
    >>> RemoteModel("http://localhost:8080", "digits", headers={"Authorization": "env:TOKEN"})
    RemoteModel('http://localhost:8080', 'digits', headers=['Authorization'])
    """

    def __init__(
        self,
        url,
        model,
        *,
        version=None,
        input_name=None,
        output_name=None,
        prepare=None,
        headers=None,
        verify=True,
        timeout=30.0,
        retries=8,
        backoff=0.5,
        max_rate=None,
        n_connections=4,
        max_batch=64,
        binary="auto",
    ):
        check_remote_extra()
        self.url, self.model, self.version = tidy_url(url), model, version
        self.input_name, self.output_name, self.prepare = input_name, output_name, prepare
        self.headers = RequestHeaders(headers or {})
        self.verify = tidy_verify(verify)
        self.timeout, self.retries, self.backoff = timeout, retries, backoff
        self.max_rate, self.n_connections = max_rate, n_connections
        self.max_batch, self.binary = max_batch, binary
        self._session = None
        check_numbers(self)

    def __call__(self, rows):
        """Return the model's outputs for rows.

        Parameters
        ----------
        rows : ndarray of shape (n, *input_shape)
            Inputs, before `prepare`.

        Returns
        -------
        outputs : ndarray of shape (n, n_outputs), or (n,)
            One axis where the model gives one whole number a row: a label.
        """
        inputs = np.asarray(rows if self.prepare is None else self.prepare(rows))
        if len(inputs) != len(rows):
            raise ValueError(
                f"Got {len(inputs)} rows from prepare for {len(rows)}, expected one for each."
            )
        return self._begun().outputs(inputs)

    def ready(self):
        """Whether the server answers that it has the model ready; one try.

        Returns
        -------
        ready : bool
            False also where no answer came.
        """
        return self._begun().client.reaches(f"{model_path(self.model, self.version)}/ready")

    def facts(self, input_shape=None, centre=0.0):
        """What the server says of the model: parameters of a black-box source.

        Parameters
        ----------
        input_shape : tuple of int or None, default=None
            Shape of one input, before `prepare`; None takes the one that the server declares.
        centre : float, default=0.0
            Value of the numbers of one row that is asked, where the server does not declare the
            number of outputs.

        Returns
        -------
        facts : dict
            ``input_shape, n_outputs, max_batch, identity, name``, and for 8-bit inputs the
            ``value_range`` and ``levels``.
        """
        session = self._begun()
        shape = tuple(input_shape or ()) or self._declared_shape(session.declared_input)
        facts = {
            "input_shape": shape,
            "n_outputs": _n_outputs(session.declared_output),
            "max_batch": self.max_batch * self.n_connections,
            "identity": self._identity(session),
            "name": self.model,
        }
        if facts["n_outputs"] is None:
            outputs = self(np.full((1, *shape), centre, dtype=np.float32))
            facts["n_outputs"] = outputs.size
        spec = session.declared_input
        if self.prepare is None and spec and spec.datatype == "UINT8":
            facts.update(value_range=(0.0, 255.0), levels=256)
        return facts

    @property
    def n_requests(self):
        """Requests sent by this object in this process."""
        return self._begun().client.counts.n_requests

    @property
    def n_retries(self):
        """How many of them were repeats."""
        return self._begun().client.counts.n_retries

    @property
    def faults(self):
        """From kinds of faults to how often each was met."""
        return dict(self._begun().client.counts.faults)

    def close(self):
        """Close the connections; the next call opens new ones and counts from zero."""
        with _LOCK:
            session, self._session = self._session, None
        if session is not None:
            session.close()

    def _begun(self):
        """This process's session: after a fork, connections and threads are the parent's."""
        from skreprogram.sources._remote_session import RemoteSession  # needs the extra

        with _LOCK:
            if self._session is None or self._session.process != os.getpid():
                self._session = RemoteSession(self)
            return self._session

    def _declared_shape(self, spec):
        shape = spec.shape[1:] if spec else ()
        if self.prepare is not None or not shape or min(shape) < 1:
            declared = f"{spec.name} of shape {spec.shape}" if spec else "no input"
            raise ValueError(
                f"Got the model {self.model!r}, for which the server declares {declared}"
                f"{' behind prepare' if self.prepare else ''}, expected lengths of all axes. Give "
                "input_shape, the shape of one input."
            )
        return shape

    def _identity(self, session):
        """What decides the answers; headers, which may hold secrets, do not."""
        served = ", ".join(session.metadata.versions)
        versions = served if self.version is None else self.version
        tensors = [spec and spec.name for spec in (session.declared_input, session.declared_output)]
        where = f"{self.url}{model_path(self.model)} version {versions or 'unknown'}"
        return f"{where}, {tensors[0]} -> {tensors[1]}{mark_of(self.prepare)}"

    def __getstate__(self):
        return {**self.__dict__, "_session": None}

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self

    def __repr__(self):
        version = "" if self.version is None else f", version={self.version!r}"
        headers = f", headers={self.headers.names}" if self.headers.names else ""
        return f"RemoteModel({self.url!r}, {self.model!r}{version}{headers})"


def black_box_from_server(make, url, model, *, input_shape=None, **options):
    """Take a model on a server as a black box (extra ``remote``).

    Parameters
    ----------
    make : callable
        ``make(predict, input_shape, n_outputs, **facts)`` returns the source: the class of black
        boxes, of which this function can be a class method.
    url : str
        Address of the server, ``"https://host:port"``, without ``/v2``.
    model : str
        Name of the model there.
    input_shape : tuple of int or None, default=None
        Shape of one input, before `prepare`; None takes the one that the server declares.
    **options
        Parameters of :class:`RemoteModel`, and further ones of the source, such as
        ``value_range``. `max_batch` is that of a request.

    Returns
    -------
    source : object
        What `make` returned. The server was asked for its description, and one row where it does
        not declare the number of outputs.
    """
    connection = {name: options.pop(name) for name in _CONNECTION if name in options}
    remote = RemoteModel(url, model, **connection)
    centre = InputSpace((1,), options.get("value_range")).centre
    return make(remote, **{**remote.facts(input_shape, centre), **options})


_CONNECTION = tuple(RemoteModel.__init__.__kwdefaults__)


def _n_outputs(spec):
    """The declared number of outputs; None where there is no saying."""
    if spec is None or len(spec.shape) < 2 or min(spec.shape[1:]) < 1:
        return None
    return prod(spec.shape[1:])
