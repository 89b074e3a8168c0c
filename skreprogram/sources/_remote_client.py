"""Asking a model server until it answers: connections, retries, rate limit, counts."""

import logging
import random
import ssl
import threading
import time
from collections import Counter
from typing import NamedTuple

import httpx
import tenacity

from skreprogram.sources._open_inference import MalformedAnswerError
from skreprogram.sources._remote_faults import Fault, RemoteError, check_status
from skreprogram.sources._remote_pace import Counts, Pace

_LOGGER = logging.getLogger("skreprogram")
_LONGEST_BACKOFF = 60.0
_LONGEST_RETRY_AFTER = 600.0
_QUIET_TRIES = 2


class Question(NamedTuple):
    """One request over HTTP.

    Parameters
    ----------
    method : {"GET", "POST"}
        The verb.
    path : str
        What follows the address of the server.
    content : bytes or None, default=None
        The body.
    headers : dict
        Headers of this request, beside those of the client.
    """

    method: str
    path: str
    content: bytes | None = None
    headers: dict = {}


class RemoteClient:
    """A pool of connections to one server, and the patience with it.

    Parameters
    ----------
    url : str
        Address of the server.
    headers : RequestHeaders
        Headers of every request.
    verify : bool or str
        Whether certificates are checked, or the file of the certificates that are trusted.
    timeout : float
        Seconds.
    retries : int
        Tries after the first.
    backoff : float
        Seconds before the first retry; doubled at each.
    max_rate : float or None
        Requests a second.
    n_connections : int
        Connections at once.
    """

    def __init__(self, url, headers, verify, timeout, retries, backoff, max_rate, n_connections):
        self.url, self.headers, self.timeout = url, headers, timeout
        self.retries, self.backoff = retries, backoff
        self.counts, self._pace = Counts(), Pace(max_rate)
        # own draws: those of the random module belong to the user
        self._jitter = random.Random()
        limits = httpx.Limits(
            max_connections=n_connections, max_keepalive_connections=n_connections
        )
        trusted = ssl.create_default_context(cafile=verify) if isinstance(verify, str) else verify
        # no timeout for a free connection: a thread waits as long as the others ask
        patience = httpx.Timeout(timeout, pool=None)
        self._pool = httpx.Client(base_url=url, verify=trusted, timeout=patience, limits=limits)

    def ask(self, question, read, stop=None):
        """Ask until there is an answer that can be read.

        Parameters
        ----------
        question : Question
            What is asked.
        read : callable
            ``read(body, headers)`` returns what is wanted; it raises `MalformedAnswerError` or
            `Fault` for another try.
        stop : threading.Event or None, default=None
            Ends the waiting between tries when it is set.

        Returns
        -------
        answer : object
            What `read` returned.

        Raises
        ------
        RemoteError
            When the server refuses, or after the last try.
        """
        stop, began = stop or threading.Event(), time.monotonic()
        found, last = Counter(), {}

        def note(state):
            fault = state.outcome.exception()
            found[fault.kind] += 1
            last[fault.kind] = fault
            self._note(fault, state.attempt_number, question)

        tries = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(Fault),
            stop=tenacity.stop_after_attempt(self.retries + 1),
            wait=self._seconds_to_wait,
            sleep=tenacity.sleep_using_event(stop),
            after=note,
            reraise=True,
        )
        try:
            return tries(self._try, question, read, stop, lambda: bool(found))
        except Fault as fault:
            spent = time.monotonic() - began
            raise RemoteError(self._last_sentence(question, found, last, spent)) from fault

    def reaches(self, path):
        """Whether the server answers a GET with success; one try.

        Parameters
        ----------
        path : str
            What follows the address of the server.

        Returns
        -------
        reached : bool
        """
        try:
            return self._pool.get(path, headers=self.headers.resolved()).is_success
        except httpx.TransportError:
            return False

    def close(self):
        """Close the connections."""
        self._pool.close()

    def _try(self, question, read, stop, is_repeat):
        self._pace.wait(stop)
        if stop.is_set():
            raise RemoteError(f"Got no answer from {self._address(question)}: no longer wanted.")
        headers = {**question.headers, **self.headers.resolved()}
        self.counts.add(n_requests=1, n_retries=int(is_repeat()))
        status, answered, body = self._exchange(question, headers)
        if status != 200:
            # a server that repeats a header must not bring it into a message
            body = self.headers.hidden_in(body)
            check_status(status, answered, body, self._address(question))
        try:
            return read(body, answered)
        except MalformedAnswerError as error:
            raise Fault("malformed", str(error)) from error

    def _exchange(self, question, headers):
        try:
            with self._pool.stream(
                question.method, question.path, content=question.content, headers=headers
            ) as response:
                return response.status_code, response.headers, self._whole_body(response)
        except httpx.TimeoutException as error:
            raise Fault("timeout", f"{type(error).__name__}, {self.timeout:g} s") from error
        except httpx.TransportError as error:
            if "CERTIFICATE_VERIFY_FAILED" in str(error):
                raise RemoteError(
                    f"Got {error} from {self.url}, expected a certificate that is trusted here. "
                    "Give verify, the file of your authority's certificates."
                ) from error
            raise Fault("connection", str(error) or type(error).__name__) from error

    def _whole_body(self, response):
        pieces, until = [], time.monotonic() + self.timeout
        try:
            for piece in response.iter_bytes():
                pieces.append(piece)
                # httpx's timeout is for each piece: a server may send a byte now and then for ever
                if time.monotonic() > until:
                    raise Fault("timeout", f"an answer that takes longer than {self.timeout:g} s")
        except (httpx.RemoteProtocolError, httpx.ReadError, httpx.DecodingError) as error:
            raise Fault("truncated", str(error)) from error
        return b"".join(pieces)

    def _seconds_to_wait(self, state):
        asked = state.outcome.exception().retry_after or 0.0
        doubled = min(self.backoff * 2.0 ** (state.attempt_number - 1), _LONGEST_BACKOFF)
        return max(asked, doubled * self._jitter.uniform(0.5, 1.0))

    def _note(self, fault, n_tries, question):
        """Count a fault, log it, and let the other threads wait too where the server says so."""
        self.counts.add(fault=fault.kind)
        level = logging.INFO if n_tries <= _QUIET_TRIES else logging.WARNING
        tried = f"{n_tries} of {self.retries + 1}"
        _LOGGER.log(level, "Try %s: %s from %s.", tried, fault, self._address(question))
        if fault.retry_after is None:
            return
        if fault.retry_after > _LONGEST_RETRY_AFTER:
            raise RemoteError(
                f"Got {fault} from {self._address(question)} with the wish to wait "
                f"{fault.retry_after:.0f} s, expected at most {_LONGEST_RETRY_AFTER:.0f}. Go on "
                "later."
            )
        self._pace.hold(fault.retry_after)

    def _last_sentence(self, question, found, last, spent):
        kinds = "; ".join(f"{count} x {last[kind]}" for kind, count in found.most_common())
        return (
            f"Got no usable answer from {self._address(question)} in {found.total()} tries and "
            f"{spent:.1f} s: {kinds}. Expected a whole answer of finite numbers. See whether the "
            "server runs, can be reached and likes the input; then go on, with a longer timeout, "
            "more retries or a lower max_rate where it is only busy."
        )

    def _address(self, question):
        return f"{self.url}{question.path}"
