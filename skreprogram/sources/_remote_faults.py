"""What may go wrong between here and a model server, and which of it may pass by itself."""

import json
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_PASSING_STATUS = (408, 425, 429)
_NEVER_PASSING_STATUS = (501, 505)
_TOO_LARGE = 413
_SHOWN = 300


class RemoteError(OSError):
    """A model server gave no usable answer.

    Attributes
    ----------
    status : int or None
        The HTTP status, where the server refused the question.
    """

    status = None


class Fault(Exception):
    """One failed try that may succeed when it is repeated.

    Parameters
    ----------
    kind : str
        A word or two, by which faults are counted.
    detail : str
        What was found.
    retry_after : float or None, default=None
        Seconds to wait, where the server says so.
    """

    def __init__(self, kind, detail, retry_after=None):
        super().__init__(f"{kind} ({detail})" if detail else kind)
        self.kind, self.retry_after = kind, retry_after


def check_status(status, headers, body, address):
    """Let an answer with status 2xx pass; raise what another one deserves.

    Parameters
    ----------
    status : int
        The HTTP status.
    headers : mapping
        Headers of the answer, with names in lower case or case-insensitive.
    body : bytes
        The body, where a server explains itself.
    address : str
        What was asked, for the sentence.

    Raises
    ------
    Fault
        Where another try may succeed: 408, 425, 429 and 5xx, but for 501 and 505.
    RemoteError
        Where it may not.
    """
    if 200 <= status < 300:
        return
    reason = server_message(body)
    passing = status in _PASSING_STATUS or status >= 500
    if passing and status not in _NEVER_PASSING_STATUS:
        raise Fault(f"status {status}", reason, seconds_to_wait(headers.get("retry-after")))
    where = f" and sends on to {headers.get('location')}" if 300 <= status < 400 else ""
    cure = "Check the address, the names of model, version, input and output, and the headers."
    if status == _TOO_LARGE:
        cure = "Give a smaller max_batch, or binary=True."
    error = RemoteError(
        f"Got status {status}{where} from {address}, expected 200. The server says: "
        f"{reason or 'nothing'}. {cure}"
    )
    error.status = status
    raise error


def server_message(body):
    """What a server says in the body of an answer, in at most a few hundred letters.

    Parameters
    ----------
    body : bytes
        JSON with an ``error``, or any text.

    Returns
    -------
    message : str

    Examples
    --------
    >>> server_message(b'{"error": "no such model"}')
    'no such model'
    """
    text = body.decode("utf-8", errors="replace").strip()
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if isinstance(found, dict):
        text = str(found.get("error") or found.get("detail") or text)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]} ..."


def seconds_to_wait(retry_after):
    """Seconds that a Retry-After header asks for.

    Parameters
    ----------
    retry_after : str or None
        A number of seconds or a date; anything else counts as no header.

    Returns
    -------
    seconds : float or None
        Not negative.

    Examples
    --------
    >>> seconds_to_wait("2")
    2.0
    >>> seconds_to_wait("Wed, 21 Oct 2015 07:28:00 GMT")
    0.0
    """
    if retry_after is None:
        return None
    if retry_after.strip().isdecimal():
        return float(retry_after)
    try:
        moment = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
