"""Answers on disk: what was asked once, and perhaps paid for, is not asked again."""

import hashlib
import os
import sqlite3
import threading
import weakref
from contextlib import contextmanager
from pathlib import Path

import numpy as np

_AT_ONCE = 500  # keys in one statement; old versions of SQLite take 999
_PATIENCE = 60.0  # seconds that a process waits for another one that writes
_KEY_BYTES = 20


def content_keys(rows, kind):
    """Keys of rows by their content.

    Parameters
    ----------
    rows : ndarray of shape (n, *shape)
        What the black box is told, or codes of it.
    kind : str
        What the numbers mean; equal bytes of another kind get another key.

    Returns
    -------
    keys : list of bytes
        One for each row; equal rows have equal keys.

    Examples
    --------
    >>> import numpy as np
    >>> from skreprogram.sources._answers import content_keys
    >>> first, second, third = content_keys(np.array([[1.0, 2.0], [1.0, 3.0], [1.0, 2.0]]), "")
    >>> first == third, first == second
    (True, False)
    """
    start = hashlib.sha256(f"{kind} {rows.dtype.str} {rows.shape[1:]}".encode())
    keys = []
    for row in np.ascontiguousarray(rows):
        key = start.copy()
        key.update(row.data)
        keys.append(key.digest()[:_KEY_BYTES])
    return keys


class AnswerCache:
    """Answers of one black box, in one SQLite file.

    Several processes and threads may share the file. What `put_many` was given is on disk when it
    returns, so a process that is killed later loses nothing of it.

    Parameters
    ----------
    path : path-like
        The file; it is made when it is not there.
    n_outputs : int
        Numbers in one answer.
    dtype : dtype, default="float32"
        Type of these numbers.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from skreprogram.sources._answers import AnswerCache
    >>> folder = tempfile.TemporaryDirectory()
    >>> cache = AnswerCache(f"{folder.name}/toy.sqlite3", n_outputs=2)
    >>> cache.put_many([b"one"], np.array([[0.25, 0.75]]))
    >>> cache.get_many([b"one", b"two"])
    {b'one': array([0.25, 0.75], dtype=float32)}
    >>> cache.close()
    >>> folder.cleanup()
    """

    def __init__(self, path, n_outputs, dtype="float32"):
        self.path = Path(path)
        # little-endian, so that the file may be carried to any machine
        self._stored = np.dtype(dtype).newbyteorder("<")
        self._dtype, self._n_outputs = np.dtype(dtype), n_outputs
        self._connection, self._process, self._lock = None, None, threading.Lock()

    def get_many(self, keys):
        """Answers that are known.

        Parameters
        ----------
        keys : iterable of bytes
            Keys of rows.

        Returns
        -------
        answers : dict of bytes to ndarray of shape (n_outputs,)
            Without the keys that are not known.
        """
        wanted, found = list(dict.fromkeys(keys)), {}
        with self._readable() as connection:
            for start in range(0, len(wanted), _AT_ONCE):
                part = wanted[start : start + _AT_ONCE]
                marks = ",".join("?" * len(part))
                query = f"SELECT key, answer FROM answers WHERE key IN ({marks})"
                found.update(connection.execute(query, part))
        return {key: self._decoded(answer) for key, answer in found.items()}

    def put_many(self, keys, answers):
        """Keep answers; where a key is known already, its first answer stays.

        Parameters
        ----------
        keys : sequence of bytes
            Keys of rows.
        answers : ndarray of shape (n, n_outputs)
            Their answers.
        """
        encoded = [row.tobytes() for row in np.asarray(answers, self._stored)]
        with self._readable() as connection, connection:
            connection.executemany(
                "INSERT OR IGNORE INTO answers VALUES (?, ?)", zip(keys, encoded, strict=True)
            )

    def __len__(self):
        with self._readable() as connection:
            return connection.execute("SELECT count(*) FROM answers").fetchone()[0]

    def close(self):
        """Close the file; the next call opens it again."""
        if self._connection is not None:
            _close(self._connection, self._process)
            self._connection = None

    def _decoded(self, answer):
        if len(answer) != self._n_outputs * self._stored.itemsize:
            raise ValueError(
                f"Got an answer of {len(answer)} bytes in {self.path}, expected {self._n_outputs} "
                f"numbers of {self._stored.itemsize} bytes. Delete the file: its answers are "
                "asked again."
            )
        return np.frombuffer(answer, self._stored).astype(self._dtype)

    @contextmanager
    def _readable(self):
        """The connection, for one thread at a time; sentences for what may go wrong with it."""
        try:
            with self._lock:
                # one that came over by a fork belongs to the parent
                if self._connection is None or self._process != os.getpid():
                    self._connection, self._process = self._opened(), os.getpid()
                    weakref.finalize(self, _close, self._connection, self._process)
                yield self._connection
        except sqlite3.OperationalError as error:
            raise OSError(
                f"Got {str(error)!r} from the file of answers {self.path}, expected to read and "
                "write it. Check the folder, its permissions and the free space, or choose "
                "another folder as cache."
            ) from error
        except sqlite3.DatabaseError as error:
            raise ValueError(
                f"Got the file {self.path}, which cannot be read ({error}), expected answers that "
                "were kept there. Delete it: its answers are asked again."
            ) from error

    def _opened(self):
        self.path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(
            self.path, _PATIENCE, isolation_level="IMMEDIATE", check_same_thread=False
        )
        try:
            # with a write-ahead log readers do not wait for writers; a commit survives the process
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
            with connection:
                connection.execute(
                    "CREATE TABLE IF NOT EXISTS answers (key BLOB PRIMARY KEY, answer BLOB)"
                )
        except sqlite3.Error:
            connection.close()
            raise
        return connection


def _close(connection, process):
    if process == os.getpid():
        connection.close()
