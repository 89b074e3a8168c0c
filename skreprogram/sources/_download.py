"""Files from the network: temporary file, sha256, rename, cache folder."""

import hashlib
import http.client
import os
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from tqdm import tqdm

_ATTEMPTS = 4
_FIRST_WAIT = 1.0
_TIMEOUT = 30.0
_PIECE = 1 << 16
_WORTH_A_BAR = 1 << 20


class DownloadError(OSError):
    """A file of weights is not at hand and could not be downloaded."""


def cache_folder():
    """Folder for weights: ``$SKREPROGRAM_HOME``, or else ``~/.cache/skreprogram``."""
    home = os.environ.get("SKREPROGRAM_HOME")
    return Path(home).expanduser() if home else Path.home() / ".cache" / "skreprogram"


def sha256_of(path):
    """The sha256 of a file, as hexadecimal text."""
    if not Path(path).is_file():
        raise FileNotFoundError(f"Got {str(path)!r}, expected a file of weights: it is not there.")
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def temporary_beside(path):
    """Yield a fresh path in the same folder, to be renamed to `path` when complete."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # no mkstemp: its files are private, and a cache folder may be shared
    temporary = path.with_name(f"{uuid4().hex}.part")
    try:
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


def fetch(url, sha256, path, download=True):
    """Make sure that a file is at hand, and that it is the right one.

    Parameters
    ----------
    url : str
        Address of the file.
    sha256 : str
        Its hash, as hexadecimal text.
    path : path-like
        Where the file is, or shall be.
    download : bool, default=True
        Whether the network may be used.

    Returns
    -------
    path : pathlib.Path
        The file, with the right hash.

    Raises
    ------
    DownloadError
        When the file is not there and may not or cannot be downloaded.
    """
    path = Path(path)
    if path.is_file() and sha256_of(path) == sha256:
        return path
    by_hand = f"Put the file with sha256 {sha256} from {url} at {path} by hand"
    if not download:
        state = "has another sha256" if path.is_file() else "is not there"
        raise DownloadError(
            f"Got download=False, but {path} {state}. {by_hand}, or allow download=True."
        )
    for attempt in range(_ATTEMPTS):
        if attempt:
            time.sleep(_FIRST_WAIT * 2 ** (attempt - 1))
        try:
            _download(url, sha256, path)
            return path
        except (OSError, http.client.HTTPException) as error:
            last = error
            if not _may_pass(error):
                break
    raise DownloadError(f"Got {last!r} from {url}, expected the file. {by_hand}.") from last


def _download(url, sha256, path):
    with temporary_beside(path) as temporary:
        found = _receive(url, temporary, path.name)
        if found != sha256:
            raise DownloadError(f"a file with sha256 {found}, expected {sha256}")
        os.replace(temporary, path)


def _receive(url, temporary, title):
    hashed, received = hashlib.sha256(), 0
    with urllib.request.urlopen(url, timeout=_TIMEOUT) as answer, open(temporary, "xb") as file:
        size = int(answer.headers.get("Content-Length") or 0)
        with tqdm(
            total=size, desc=title, unit="B", unit_scale=True, disable=size < _WORTH_A_BAR
        ) as bar:
            while piece := answer.read(_PIECE):
                file.write(piece)
                hashed.update(piece)
                received += len(piece)
                bar.update(len(piece))
    if received < size:
        raise http.client.IncompleteRead(b"", size - received)
    return hashed.hexdigest()


def _may_pass(error):
    if isinstance(error, urllib.error.HTTPError):
        return error.code >= 500 or error.code in (408, 429)
    passing = (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError)
    return isinstance(error, passing)
