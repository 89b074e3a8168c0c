"""Strategies: hyper-parameters with pure functions, chosen by a short name or an object."""

from difflib import get_close_matches

from sklearn.base import BaseEstimator


class Strategy(BaseEstimator):
    """Base of input transformations and output mappings.

    A strategy holds hyper-parameters only: it is clonable, printable and searchable by
    scikit-learn. What it learns lives in dictionaries of tensors that its pure functions
    create and consume, so one strategy can serve many programs at once.

    A subclass says its short name where it is written::

        class FrequencyMapping(LabelMapping, name="frequency"): ...
    """

    family = "strategy"
    _makers = None

    def __init_subclass__(cls, name=None, family=None, **kwargs):
        super().__init_subclass__(**kwargs)
        if family is not None:
            cls.family, cls._makers = family, {}
        if name is not None:
            cls.register(name, cls)

    @classmethod
    def register(cls, name, maker):
        """Give a short name to what a function returns.

        Parameters
        ----------
        name : str
            Short name, new in this family.
        maker : callable
            Called without arguments whenever the name is resolved.
        """
        # a notebook's cell that runs again writes the same class again
        if _origin(cls._makers.get(name, maker)) != _origin(maker):
            raise ValueError(
                f"Got the {cls.family} name {name!r} twice, expected a new name: "
                f"{cls._makers[name]!r} already has it."
            )
        cls._makers[name] = maker

    @classmethod
    def names(cls):
        """Sorted short names of this family."""
        return sorted(cls._makers)

    @classmethod
    def resolve(cls, choice):
        """Return the strategy object that a short name or an object stands for.

        Parameters
        ----------
        choice : str or Strategy
            Short name, or an object of this family.

        Returns
        -------
        strategy : Strategy
            A new object for a name, the same object otherwise.

        Raises
        ------
        ValueError
            For an unknown name; the message lists the known ones.
        TypeError
            For anything else.
        """
        if isinstance(choice, cls):
            return choice
        if isinstance(choice, str):
            if choice in cls._makers:
                return cls._makers[choice]()
            near = get_close_matches(choice, cls._makers, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise ValueError(
                f"Got the {cls.family} {choice!r}, expected one of {cls.names()} "
                f"or an object of {cls.__name__}.{hint}"
            )
        raise TypeError(
            f"Got {choice!r} of type {type(choice).__name__} as {cls.family}, expected a name "
            f"among {cls.names()} or an object of {cls.__name__}."
        )


def _origin(maker):
    """Where a maker was written."""
    return maker.__module__, getattr(maker, "__qualname__", None)
