"""What all regressors share: targets in their own units."""

import numpy as np
from sklearn.base import MultiOutputMixin, RegressorMixin

from skreprogram._base import BaseReprogrammer
from skreprogram._validation import check_parameters, check_values, check_weights
from skreprogram.losses import RegressionLoss
from skreprogram.mappings import LabelMapping


class BaseReprogrammingRegressor(MultiOutputMixin, RegressorMixin, BaseReprogrammer):
    """Base of the regressors: everything that does not depend on the kind of data.

    Training sees targets of mean zero and variance one; predictions come back in y's units.
    """

    # lists, because the file of `save` holds plain values
    _kept_facts = ("target_shape_", "target_mean_", "target_scale_")
    _target_fact = "target_shape_"

    def partial_fit(self, X, y, sample_weight=None):
        """Go on fitting with further samples.

        Where the program trains by gradient, this is one epoch over the new samples, in the units
        of the first ones. Where the mapping is solved behind a frozen transformation, the samples
        are kept and it is solved again over all of them, so that it equals `fit` on everything
        seen; after `fit` or a load, which keep no samples, it begins anew with a warning.

        Parameters
        ----------
        X : array-like
            Further target data.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Their values.
        sample_weight : array-like of shape (n_samples,) or None, default=None
            Non-negative weights.

        Returns
        -------
        self : object
            The estimator.
        """
        return self._go_on(X, y, sample_weight)

    def predict(self, X):
        """Predicted values: the mean, median or quantile that the loss asks for.

        Parameters
        ----------
        X : array-like
            Target data.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_targets)
            In the units and the shape of the y of `fit`.
        """
        scores = self._scores(X)
        values = scores * np.array(self.target_scale_) + np.array(self.target_mean_)
        return values.reshape(len(scores), *self.target_shape_)

    def _check_fit_data(self, X, y, sample_weight, reset=True):
        check_parameters(self)
        X = self._check_samples(X, reset)
        y = check_values(y, len(X))
        if not reset and y.shape[1:] != self.target_shape_:
            raise ValueError(
                f"Got y with targets of shape {y.shape[1:]}, expected {self.target_shape_} as in "
                "the first call. Reshape y, or begin with a clone."
            )
        self.target_shape_ = y.shape[1:]
        weight = check_weights(sample_weight, X)
        kept = weight > 0
        if kept.sum() == 1:
            raise ValueError(
                "Got 1 sample (rows of zero weight do not count), expected at least two. Give more "
                "data."
            )
        y = y.reshape(len(y), -1)
        return X[kept], y[kept], weight[kept].astype(self.dtype)

    def _as_trained(self, X, y, weight, anew):
        """Standardise y; a constant target keeps its units."""
        if anew:
            mean = np.average(y, axis=0, weights=weight)
            scale = np.sqrt(np.average(np.square(y - mean), axis=0, weights=weight))
            # what rounding leaves of a constant is no scale, and an optimiser would run after it
            constant = scale <= 1e-14 * np.abs(mean)
            self.target_mean_ = np.where(constant, y[0], mean).tolist()
            self.target_scale_ = np.where(constant, 1.0, scale).tolist()
        standard = (y - np.array(self.target_mean_)) / np.array(self.target_scale_)
        return X, standard.astype(self.dtype), weight

    def _resolve(self):
        super()._resolve()
        if isinstance(self.mapping_, LabelMapping):
            raise ValueError(
                f"Got output_mapping={self.output_mapping!r}, which lets source labels stand for "
                "classes, expected a mapping to values. Use 'features', 'ridge' or 'linear'."
            )

    def _n_scores(self):
        return len(self.target_mean_)

    def _loss(self):
        return RegressionLoss.resolve(self.loss)
