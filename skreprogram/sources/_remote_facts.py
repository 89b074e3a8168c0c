"""The declared facts of a remote model, checked."""

import hashlib
import pickle
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4


def tidy_url(url):
    """The address of a server, without the end that all have in common.

    Parameters
    ----------
    url : str
        With or without ``/v2``.

    Returns
    -------
    url : str

    Examples
    --------
    >>> tidy_url("https://models.example:8443/v2/")
    'https://models.example:8443'
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(
            f"Got url={url!r}, expected the address of a server: 'http://host:port' or "
            "'https://host:port'."
        )
    if parts.username or parts.password or parts.query:
        # not shown: it may be the secret itself
        raise ValueError(
            f"Got a url for {parts.hostname} with a user name, password or query, expected none: "
            "addresses are printed and saved. Give headers={'Authorization': 'env:NAME'}."
        )
    return url.rstrip("/").removesuffix("/v2")


def tidy_verify(verify):
    """Whether certificates are checked, or the path of those to trust.

    Parameters
    ----------
    verify : bool or path-like
        What the user gave.

    Returns
    -------
    verify : bool or str
    """
    if isinstance(verify, bool):
        return verify
    if not Path(verify).is_file():
        raise FileNotFoundError(
            f"Got verify={str(verify)!r}, expected True, False or a file of certificates in PEM "
            "format: it is not there."
        )
    return str(Path(verify).absolute())


def check_numbers(model):
    """Raise where a number of a remote model makes no sense.

    Parameters
    ----------
    model : RemoteModel
        The object that is being made.
    """
    for name, least in (("retries", 0), ("n_connections", 1), ("max_batch", 1)):
        value = getattr(model, name)
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise ValueError(f"Got {name}={value!r}, expected a whole number of at least {least}.")
    if not model.timeout > 0 or not model.backoff >= 0:
        raise ValueError(
            f"Got timeout={model.timeout!r} and backoff={model.backoff!r}, expected seconds: a "
            "timeout above 0 and a backoff of at least 0."
        )
    if model.max_rate is not None and not model.max_rate > 0:
        raise ValueError(
            f"Got max_rate={model.max_rate!r}, expected requests a second, above 0, or None."
        )
    if model.binary not in ("auto", True, False):
        raise ValueError(f"Got binary={model.binary!r}, expected 'auto', True or False.")


def check_remote_extra():
    """Raise where the packages of the extra ``remote`` are missing."""
    missing = [name for name in ("httpx", "tenacity") if find_spec(name) is None]
    if missing:
        raise ImportError(
            f"Got no {' and no '.join(missing)}, expected what remote models need. Run "
            "`pip install skreprogram[remote]`."
        )


def mark_of(prepare):
    """What tells two preparations apart, across processes where they can be pickled.

    Parameters
    ----------
    prepare : callable or None
        What is done with inputs before they are sent.

    Returns
    -------
    mark : str
        Empty for None.
    """
    if prepare is None:
        return ""
    try:
        return f", prepare {hashlib.sha256(pickle.dumps(prepare)).hexdigest()[:16]}"
    except (pickle.PicklingError, AttributeError, TypeError):  # a lambda, or a local function
        return f", prepare {uuid4().hex}"
