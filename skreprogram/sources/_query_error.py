"""The error of a source that does not answer."""


class QueryError(RuntimeError):
    """A black box gave no usable answer."""
