"""Labels of which some are missing, and what can be done about the rows without one."""

import numpy as np
from sklearn.utils.validation import column_or_1d

from skreprogram._validation import check_labels
from skreprogram.gradients import Surrogate

# scikit-learn's sign for a row without a label, and the code that stands for it
UNLABELLED = -1


def check_partial_labels(y, n_samples, classes=None):
    """Validate labels where -1 stands for none; return sorted classes and codes.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        Labels; text together with -1 in an array of objects.
    n_samples : int
        Number of rows in X.
    classes : array-like or None, default=None
        All classes, where y may lack some.

    Returns
    -------
    classes : ndarray of shape (n_classes,)
        Without -1.
    codes : ndarray of int of shape (n_samples,)
        -1 where there is no label.
    """
    if y is None:
        return check_labels(y, n_samples, classes)
    y = column_or_1d(y, warn=True)
    if y.dtype.kind in "US":
        raise ValueError(
            f"Got y of type {y.dtype}, in which no row can have the label -1, expected numbers or "
            "objects. Pass np.array(y, dtype=object) with the number -1 for unlabelled rows, or "
            "set unlabelled=None."
        )
    if len(y) != n_samples:
        return check_labels(y, n_samples, classes)
    if classes is not None and UNLABELLED in np.asarray(classes).tolist():
        raise ValueError(
            f"Got classes={np.asarray(classes).tolist()}, in which -1 stands for no label, because "
            "unlabelled is set, expected the classes alone. Leave -1 out."
        )
    known = np.asarray(y != UNLABELLED, bool)
    if not known.any():
        raise ValueError(
            "Got y without a labelled row: -1 stands for no label, because unlabelled is set. "
            "Label some rows of every class, or set unlabelled=None."
        )
    codes = np.full(n_samples, UNLABELLED)
    classes, codes[known] = check_labels(y[known], int(known.sum()), classes)
    return classes, codes


def check_unlabelled(strategy, estimator, options):
    """Refuse a use of unlabelled rows that the way of training does not allow.

    Parameters
    ----------
    strategy : Unlabelled
        What is asked for.
    estimator : BaseReprogrammer
        With source and strategies resolved.
    options : TrainingOptions
        How it trains.
    """
    strategy.check()
    named = f"Got unlabelled={strategy!r}"
    black_box = not estimator.source_.differentiable
    by_queries = options.asks_queries or black_box
    if isinstance(options.gradient, Surrogate) and black_box:
        raise ValueError(
            f"{named} with gradient='surrogate', whose local copy learns from labelled rows only, "
            "expected unlabelled=None."
        )
    if by_queries and estimator.transformation_.trainable:
        raise ValueError(
            f"{named} with an input transformation that is trained by queries, of which unlabelled "
            "rows would take most. Set unlabelled=None, or use a transformation without a program."
        )
    if not strategy.closed_form and not estimator._trains_by_gradient():
        raise ValueError(
            f"{named} where the output mapping is solved and nothing trains by gradient, expected "
            "'pseudo-label'. Use it, or output_mapping='linear', or an input transformation with "
            "a program."
        )
    if not strategy.compares:
        return
    if by_queries:
        raise ValueError(
            f"{named} with the black box {estimator.source_.name!r}, which would be asked about "
            "new copies in every epoch, expected 'pseudo-label' or 'entropy'."
        )
    augmentation = strategy.augmentation or estimator.augmentation
    if not callable(augmentation):
        raise ValueError(
            f"{named} without an augmentation, so that there is nothing to be consistent with. "
            "Give the estimator or Consistency an augmentation: a function of a batch and a "
            "torch.Generator."
        )


__all__ = ["check_partial_labels", "check_unlabelled"]
