"""Headers of requests, which may hold secrets."""

import os
import re

from skreprogram.sources._remote_faults import RemoteError

_FROM_ENVIRONMENT = re.compile(r"(?P<before>.*?)env:(?P<name>\w+)", flags=re.DOTALL)
_SHORTEST_SECRET = 4


class RequestHeaders:
    """Headers whose values are looked up when they are sent, and are never printed or pickled.

    Parameters
    ----------
    values : dict
        From names to texts. What stands behind ``env:`` in a text is the name of an environment
        variable. A text without ``env:`` is known to this process only: its pickle leaves it out.

    Examples
    --------
    >>> import os
    >>> os.environ["MY_TOKEN"] = "secret"
    >>> headers = RequestHeaders({"Authorization": "Bearer env:MY_TOKEN"})
    >>> headers
    RequestHeaders(['Authorization'])
    >>> headers.resolved()
    {'Authorization': 'Bearer secret'}
    >>> del os.environ["MY_TOKEN"]
    """

    def __init__(self, values):
        wrong = [name for name, value in values.items() if not isinstance(value, str)]
        if wrong:
            raise TypeError(
                f"Got a value that is no text for the headers {wrong}, expected text, 'env:NAME' "
                "for the content of an environment variable."
            )
        self._values = dict(values)

    @property
    def names(self):
        """Names of the headers.

        Returns
        -------
        names : list of str
        """
        return list(self._values)

    def resolved(self):
        """Names and values to send.

        Returns
        -------
        headers : dict

        Raises
        ------
        RemoteError
            Where an environment variable is missing, or a value was left out of a pickle.
        """
        return {name: _resolved(name, value) for name, value in self._values.items()}

    def hidden_in(self, text):
        """Return a text of a server with stars for the values that were sent to it.

        Parameters
        ----------
        text : bytes
            A body that may repeat what was sent.

        Returns
        -------
        text : bytes
        """
        for value in self.resolved().values():
            for secret in (value, *value.split()):
                if len(secret) >= _SHORTEST_SECRET:
                    text = text.replace(secret.encode(), b"***")
        return text

    def __getstate__(self):
        named = {
            name: value if value is not None and _FROM_ENVIRONMENT.fullmatch(value) else None
            for name, value in self._values.items()
        }
        return {"_values": named}

    def __repr__(self):
        return f"RequestHeaders({self.names})"


def _resolved(name, value):
    if value is None:
        raise RemoteError(
            f"Got no value for the header {name!r}, expected one: values that stand in the code "
            "are not pickled. Write it as 'env:NAME', the name of an environment variable."
        )
    found = _FROM_ENVIRONMENT.fullmatch(value)
    if found is None:
        return value
    if found["name"] not in os.environ:
        raise RemoteError(
            f"Got no environment variable {found['name']}, expected the value of the header "
            f"{name!r} in it. Set it before Python starts, or in os.environ."
        )
    return found["before"] + os.environ[found["name"]]
