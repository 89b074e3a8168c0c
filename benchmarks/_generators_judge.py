"""Who judges generated digits: classifiers that neither generator nor program has seen."""

from functools import cache

import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.neural_network import MLPClassifier
from sklearn.svm import SVC

# the recipe of the generator has seen the images before these, without labels
N_POOL = 1297


@cache
def digits():
    """All images (1797, 64) of values from 0 to 16, and their labels."""
    return load_digits(return_X_y=True)


class Judge:
    """A network trained on all labelled digits but those that the program was fitted to.

    Its second hidden layer is what distances are measured in.

    Parameters
    ----------
    X : ndarray of shape (n, 64)
        The images that the program was fitted to.
    """

    def __init__(self, X):
        images, labels = digits()
        others = ~(images[:, None] == X).all(2).any(1)
        self.real, self.labels = images[others] / 16, labels[others]
        self.network = MLPClassifier((128, 32), alpha=1e-3, max_iter=300, random_state=0)
        self.network.fit(self.real, self.labels)

    def predict(self, images):
        """Labels of images (n, 64) between 0 and 1."""
        return self.network.predict(images)

    def features(self, images):
        """Activations (n, 32) of the second hidden layer."""
        values = images
        layers = zip(self.network.coefs_[:-1], self.network.intercepts_[:-1], strict=True)
        for weights, bias in layers:
            values = np.maximum(values @ weights + bias, 0)
        return values


class ValidationJudge:
    """A support vector machine and principal components of the 500 digits of other writers.

    Settings were chosen by it, so that `Judge` has chosen nothing.

    Parameters
    ----------
    X : ndarray of shape (n, 64)
        Not looked at: they are never among the 500.
    """

    def __init__(self, X):
        images, self.labels = (part[N_POOL:] for part in digits())
        self.real = images / 16
        self.machine = SVC(gamma="scale", C=10).fit(self.real, self.labels)
        self.components = PCA(16, random_state=0).fit(self.real)

    def predict(self, images):
        """Labels of images (n, 64) between 0 and 1."""
        return self.machine.predict(images)

    def features(self, images):
        """First sixteen principal components (n, 16)."""
        return self.components.transform(images)


def verdict(judge, X, y):
    """What a judge says of samples.

    Parameters
    ----------
    judge : Judge or ValidationJudge
        With its real digits.
    X : ndarray of shape (n, 64)
        Samples, from 0 to 16.
    y : ndarray of shape (n,)
        Labels that they were drawn for, as many of each.

    Returns
    -------
    scores : dict of str to float
        Share of samples that it takes for their class, of all and of the worst class, and the
        Frechet distance to real digits, of all and as mean over the classes.
    """
    images = X.reshape(len(X), -1) / 16
    right, features = judge.predict(images) == y, judge.features(images)
    real = judge.features(judge.real)
    classes = [(features[y == k], real[judge.labels == k]) for k in range(10)]
    accuracies = [right[y == k].mean() for k in range(10)]
    return {
        "accuracy": np.mean(accuracies),
        "lowest_accuracy": np.min(accuracies),
        "distance": frechet_distance(features, real),
        "distance_within": np.mean([frechet_distance(*pair) for pair in classes]),
    }


def frechet_distance(first, second):
    """Squared distance of two normal laws fitted to rows (n, d) and (m, d)."""
    means = first.mean(0) - second.mean(0)
    one, two = np.cov(first, rowvar=False), np.cov(second, rowvar=False)
    # the trace of the root of a product is the sum of the roots of its eigenvalues, which, unlike
    # the root itself, also exist where features are constant
    roots = np.sqrt(np.linalg.eigvals(one @ two).real.clip(0))
    return float(means @ means + np.trace(one + two) - 2 * roots.sum())
