"""How fast a model server may be asked, and how often it was."""

import threading
import time
from collections import Counter


class Pace:
    """When the next request may be sent, for all threads together.

    Parameters
    ----------
    max_rate : float or None
        Requests a second; None is any number.
    """

    def __init__(self, max_rate):
        self._interval = 0.0 if max_rate is None else 1.0 / max_rate
        self._next = 0.0
        self._lock = threading.Lock()

    def wait(self, stop):
        """Wait for this thread's turn, or until `stop` is set.

        Parameters
        ----------
        stop : threading.Event
            Set where the answer is no longer wanted.
        """
        with self._lock:
            now = time.monotonic()
            turn = max(now, self._next)
            self._next = turn + self._interval
        if turn > now:
            stop.wait(turn - now)

    def hold(self, seconds):
        """Let no request be sent for so many seconds: the server asked for it.

        Parameters
        ----------
        seconds : float
            Counted from now.
        """
        with self._lock:
            self._next = max(self._next, time.monotonic() + seconds)


class Counts:
    """How often a server was asked and why it was asked again; threads may share it."""

    def __init__(self):
        self.n_requests = self.n_retries = 0
        self.faults = Counter()
        self._lock = threading.Lock()

    def add(self, n_requests=0, n_retries=0, fault=None):
        """Add to the counts.

        Parameters
        ----------
        n_requests, n_retries : int, default=0
            Requests sent, and how many of them were repeats.
        fault : str or None, default=None
            Kind of a fault.
        """
        with self._lock:
            self.n_requests += n_requests
            self.n_retries += n_retries
            if fault is not None:
                self.faults[fault] += 1
