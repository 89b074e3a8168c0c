"""The nearest neighbour under dynamic time warping, without comparing all pairs."""

import numpy as np
from scipy.ndimage import maximum_filter1d, minimum_filter1d
from sklearn.base import BaseEstimator, ClassifierMixin


class NearestNeighbourDTW(ClassifierMixin, BaseEstimator):
    """One nearest neighbour under dynamic time warping in a band, exactly.

    The training series are tried in the order of a lower bound of their distance, until the bound
    alone is larger than the best distance found; each distance is given up once it is larger.

    Parameters
    ----------
    window : float, default=0.1
        Half width of the band, as a share of the length, rounded down to time points.

    Notes
    -----
    LB_Keogh is the Euclidean distance between a series and its nearest point between the moving
    minimum and maximum of the other: no path within the band is shorter. dtaidistance computes the
    distances in C, in one thread.

    References
    ----------
    .. [1] E. Keogh, C. A. Ratanamahatana, "Exact indexing of dynamic time warping", Knowledge and
       Information Systems, 2005.
    """

    def __init__(self, window=0.1):
        self.window = window

    def fit(self, X, y):
        self.series_, self.labels_ = _univariate(X), np.asarray(y)
        self.classes_ = np.unique(y)
        self.radius_ = int(self.window * self.series_.shape[1])
        width = 2 * self.radius_ + 1
        self.upper_ = maximum_filter1d(self.series_, width, axis=1)
        self.lower_ = minimum_filter1d(self.series_, width, axis=1)
        return self

    def predict(self, X):
        return self.labels_[self.nearest(X)]

    def nearest(self, X):
        """Which training series is nearest to each of X, an array of shape (n_samples,)."""
        return np.array([self._nearest_to(series) for series in _univariate(X)])

    def _nearest_to(self, series):
        from dtaidistance.dtw import distance_fast

        outside = series - np.clip(series, self.lower_, self.upper_)
        bounds = np.sqrt((outside**2).sum(axis=1))
        best, nearest = np.inf, 0
        for candidate in np.argsort(bounds, kind="stable"):
            if bounds[candidate] >= best:
                break
            # dtaidistance counts the diagonal in, and takes None as no limit
            limits = {"window": self.radius_ + 1, "max_dist": best if best < np.inf else None}
            distance = distance_fast(series, self.series_[candidate], use_pruning=False, **limits)
            if distance < best:
                best, nearest = distance, candidate
        return nearest


def _univariate(X):
    X = np.asarray(X, dtype=float)
    if X.ndim == 3 and X.shape[1] == 1:
        X = X[:, 0]
    if X.ndim != 2:
        raise ValueError(
            f"Got X of shape {X.shape}, but expected one channel. Leave 1nn-dtw out for this set."
        )
    return np.ascontiguousarray(X)
