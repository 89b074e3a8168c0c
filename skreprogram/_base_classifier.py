"""What all classifiers share: labels, probabilities."""

from dataclasses import replace

import numpy as np
from scipy.special import log_softmax
from sklearn.base import ClassifierMixin

from skreprogram._base import BaseReprogrammer
from skreprogram._partly_labelled import check_partial_labels, check_unlabelled
from skreprogram._validation import (
    check_enough_classes,
    check_labels,
    check_parameters,
    check_weights,
)
from skreprogram.losses import Loss
from skreprogram.unlabelled import Unlabelled


class BaseReprogrammingClassifier(ClassifierMixin, BaseReprogrammer):
    """Base of the classifiers: everything that does not depend on the kind of data."""

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Go on fitting with further samples.

        Where the program trains by gradient, this is one epoch over the new samples. Where the
        mapping is solved or estimated behind a frozen transformation, the samples are kept and it
        is solved again over all of them, so that it equals `fit` on everything seen; after `fit`
        or a load, which keep no samples, it begins anew with a warning.

        Parameters
        ----------
        X : array-like
            Further target data.
        y : array-like of shape (n_samples,)
            Their labels.
        classes : array-like of shape (n_classes,) or None, default=None
            All classes that will come; needed in the first call unless y holds all of them.
        sample_weight : array-like of shape (n_samples,) or None, default=None
            Non-negative weights.

        Returns
        -------
        self : object
            The estimator.
        """
        if hasattr(self, "program_"):
            classes = self._same_classes(classes)
        return self._go_on(X, y, sample_weight, classes=classes)

    def predict_log_proba(self, X):
        """Logarithms of the class probabilities.

        Parameters
        ----------
        X : array-like
            Target data.

        Returns
        -------
        log_proba : ndarray of shape (n_samples, n_classes)
            In the order of ``classes_``.
        """
        return log_softmax(self._scores(X), axis=1)

    def predict_proba(self, X):
        """Class probabilities.

        Parameters
        ----------
        X : array-like
            Target data.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_classes)
            Rows sum to one; columns in the order of ``classes_``.
        """
        return np.exp(self.predict_log_proba(X))

    def predict(self, X):
        """Likeliest classes.

        Parameters
        ----------
        X : array-like
            Target data.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            Labels as they were given to `fit`.
        """
        best = self.predict_log_proba(X).argmax(1)
        return self.classes_[best]

    def _check_fit_data(self, X, y, sample_weight, classes=None, reset=True):
        check_parameters(self)
        X = self._check_samples(X, reset)
        check = check_labels if self.unlabelled is None else check_partial_labels
        self.classes_, codes = check(y, len(X), classes)
        weight = check_weights(sample_weight, X)
        known = codes >= 0
        weight[known] = self._class_weighted(weight[known], codes[known])
        kept = weight > 0
        X, codes, weight = X[kept], codes[kept], weight[kept]
        if classes is None:
            check_enough_classes(codes[codes >= 0], self.classes_)
        return X, codes, weight.astype(self.dtype)

    def _class_weighted(self, weight, codes):
        """Weights of labelled rows, with those of their classes."""
        labels = np.asarray(self.classes_)[codes]
        weight = check_weights(weight, codes, labels, self.class_weight)
        n_samples = np.bincount(codes, None, len(self.classes_))
        return weight * Loss.resolve(self.loss).class_weights(n_samples)[codes]

    def _task(self, train, valid=None, start=None):
        train, further = train.parted()
        return super()._task(train, valid, start)._replace(unlabelled=further)

    def _options(self, one_epoch=False):
        options = super()._options(one_epoch)
        if self.unlabelled is None:
            return options
        strategy = Unlabelled.resolve(self.unlabelled)
        check_unlabelled(strategy, self, options)
        return replace(options, unlabelled=strategy)

    def _same_classes(self, classes):
        """Classes of the first call, which a later one may repeat."""
        if classes is not None and not np.array_equal(np.unique(classes), self.classes_):
            raise ValueError(
                f"Got classes={np.unique(classes).tolist()}, expected those of the first call: "
                f"{self.classes_.tolist()}. Leave classes out, or begin with a clone."
            )
        return self.classes_

    def _n_scores(self):
        return len(self.classes_)

    def _loss(self):
        return Loss.resolve(self.loss)
