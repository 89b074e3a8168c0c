"""A fitted scikit-learn estimator as a function of an array."""

import copy
import pickle
from dataclasses import dataclass

import numpy as np
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_is_fitted

from skreprogram.sources._identity import identity_of


@dataclass(frozen=True, eq=False)
class FittedEstimator:
    """A fitted classifier or pipeline that answers queries.

    Parameters
    ----------
    estimator : estimator
        Fitted, with ``classes_``. A private copy is kept, so that a later fit changes nothing.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skreprogram.sources._fitted_estimator import FittedEstimator
    >>> model = FittedEstimator(GaussianNB().fit([[0.0], [1.0], [4.0], [5.0]], [0, 0, 1, 1]))
    >>> model(np.array([[0.5], [4.5]])).round(2)
    array([[1., 0.],
           [0., 1.]])
    """

    estimator: object

    def __post_init__(self):
        estimator = self.estimator
        if isinstance(estimator, FrozenEstimator):
            estimator = estimator.estimator
        name = type(estimator).__name__
        try:
            check_is_fitted(estimator)
        except (NotFittedError, TypeError) as error:
            raise ValueError(
                f"Got {name}, expected a fitted classifier or pipeline ({error}). Fit it first."
            ) from error
        if np.ndim(getattr(estimator, "classes_", None)) != 1:
            raise ValueError(
                f"Got {name} without classes_, expected a classifier of one target. Pass a "
                "function instead: BlackBoxSource(function, input_shape, n_outputs)."
            )
        object.__setattr__(self, "estimator", _private_copy(estimator))

    def facts(self):
        """What the estimator says of itself: parameters of a black-box source."""
        classes = self.estimator.classes_
        facts = {
            "n_outputs": len(classes),
            "output_kind": self._kind,
            "output_names": tuple(map(str, classes)),
            "identity": identity_of(self.estimator),
            "name": type(self.estimator).__name__,
        }
        if hasattr(self.estimator, "n_features_in_"):
            facts["input_shape"] = (self.estimator.n_features_in_,)
        return facts

    @property
    def _kind(self):
        if hasattr(self.estimator, "predict_proba"):
            return "probabilities"
        return "logits" if hasattr(self.estimator, "decision_function") else "labels"

    def __call__(self, rows):
        """Answers for rows of shape (n, *input_shape), each flat for the estimator."""
        table = self._table(rows.reshape(len(rows), -1))
        if self._kind == "probabilities":
            return self.estimator.predict_proba(table)
        if self._kind == "logits":
            scores = self.estimator.decision_function(table)
            # one score tells two classes apart: the softmax of these halves is its sigmoid
            return np.stack([-scores, scores], 1) / 2 if scores.ndim == 1 else scores
        return np.searchsorted(self.estimator.classes_, self.estimator.predict(table))

    def _table(self, rows):
        """With the names of its columns, where the estimator was fitted to a data frame."""
        names = getattr(self.estimator, "feature_names_in_", None)
        if names is None:
            return rows
        import pandas as pd  # only here, because it takes half a second

        return pd.DataFrame(rows, columns=names)


def _private_copy(estimator):
    """A copy whose pickle, and so its identity, is the same for equal fits in any process.

    A deep copy of a decision tree is not: it leaves the gaps between its numbers as they were.
    """
    try:
        return pickle.loads(pickle.dumps(estimator))
    except Exception:  # whatever a reduce method of a stranger raises
        return copy.deepcopy(estimator)
