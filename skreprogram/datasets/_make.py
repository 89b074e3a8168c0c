"""Small generators of time series and images whose structure is known."""

import numpy as np
from sklearn.utils import check_random_state


def make_tones(n_samples=60, length=100, n_classes=3, noise=0.3, random_state=None):
    """Make noisy tones whose class is their frequency.

    A series of class ``c`` has ``2 * (c + 1)`` cycles and a random phase, so single time points
    say nothing about the class.

    Parameters
    ----------
    n_samples : int, default=60
        Number of series.
    length : int, default=100
        Number of time points of a series, more than eight times the number of classes.
    n_classes : int, default=3
        Number of classes. They are equally frequent up to one series.
    noise : float, default=0.3
        Standard deviation of the normal noise. The tones have amplitude one.
    random_state : int, RandomState instance or None, default=None
        Determines phases, noise and order. Pass an int for the same output at every call.

    Returns
    -------
    X : ndarray of shape (n_samples, length)
        The series.
    y : ndarray of shape (n_samples,)
        The classes, integers from 0 to ``n_classes - 1``.

    See Also
    --------
    make_echoes : Several channels, whose relation is the class.

    Examples
    --------
    >>> from skreprogram.datasets import make_tones
    >>> X, y = make_tones(n_samples=6, length=50, random_state=0)
    >>> X.shape
    (6, 50)
    >>> sorted(y.tolist())
    [0, 0, 1, 1, 2, 2]
    """
    if length <= 8 * n_classes:
        raise ValueError(
            f"Got length={length} with n_classes={n_classes}, but expected more than "
            f"{8 * n_classes} time points: the highest tone would have fewer than four a cycle. "
            "Increase length or reduce n_classes."
        )
    rng = check_random_state(random_state)
    y = _shuffled_classes(n_samples, n_classes, rng)
    phase = rng.uniform(0, 2 * np.pi, size=(n_samples, 1))
    time = np.arange(length) / length
    X = np.sin(2 * np.pi * 2 * (y[:, np.newaxis] + 1) * time + phase)
    return X + noise * rng.standard_normal(X.shape), y


def make_echoes(n_samples=60, n_channels=2, length=100, n_classes=2, noise=0.1, random_state=None):
    """Make series of several channels whose class is the delay between the channels.

    The first channel is white noise of variance one. Every further channel repeats the one before
    it, circularly, after ``3 * c`` time points in class ``c``. Each channel alone has the same
    distribution in all classes.

    Parameters
    ----------
    n_samples : int, default=60
        Number of series.
    n_channels : int, default=2
        Number of channels, two or more.
    length : int, default=100
        Number of time points of a series, at least three times the number of classes.
    n_classes : int, default=2
        Number of classes. They are equally frequent up to one series.
    noise : float, default=0.1
        Standard deviation of the normal noise that is added to all channels.
    random_state : int, RandomState instance or None, default=None
        Determines series, noise and order. Pass an int for the same output at every call.

    Returns
    -------
    X : ndarray of shape (n_samples, n_channels, length)
        The series.
    y : ndarray of shape (n_samples,)
        The classes, integers from 0 to ``n_classes - 1``.

    See Also
    --------
    make_tones : One channel, whose frequency is the class.

    Examples
    --------
    >>> from skreprogram.datasets import make_echoes
    >>> X, y = make_echoes(n_samples=4, n_channels=3, random_state=0)
    >>> X.shape
    (4, 3, 100)
    """
    if n_channels < 2 or length < 3 * n_classes:
        raise ValueError(
            f"Got n_channels={n_channels} and length={length}, but expected two or more channels "
            f"and {3 * n_classes} or more time points, three for each of the {n_classes} classes."
        )
    rng = check_random_state(random_state)
    y = _shuffled_classes(n_samples, n_classes, rng)
    first = rng.standard_normal((n_samples, length))
    X = np.empty((n_samples, n_channels, length))
    for series, original, label in zip(X, first, y, strict=True):
        for channel in range(n_channels):
            series[channel] = np.roll(original, 3 * label * channel)
    return X + noise * rng.standard_normal(X.shape), y


def make_squares(n_samples=60, n_classes=10, random_state=None):
    """Make images of white squares on black whose class is the number of squares.

    The counting task of adversarial reprogramming [1]_: images of 36 x 36 pixels, a grid of 4 x 4
    places, and a square of 9 x 9 pixels in each of as many places, drawn at random, as the class
    says. Neighbouring squares touch.

    Parameters
    ----------
    n_samples : int, default=60
        Number of images.
    n_classes : int, default=10
        Largest number of squares, 16 at most. Classes are equally frequent up to one image.
    random_state : int, RandomState instance or None, default=None
        Determines places and order. Pass an int for the same output at every call.

    Returns
    -------
    X : ndarray of float32 of shape (n_samples, 36, 36)
        The images: 0 is black, 1 is white.
    y : ndarray of shape (n_samples,)
        Numbers of squares, integers from 1 to `n_classes`.

    References
    ----------
    .. [1] G. Elsayed, I. Goodfellow, J. Sohl-Dickstein, "Adversarial Reprogramming of Neural
       Networks", ICLR 2019.

    Examples
    --------
    >>> from skreprogram.datasets import make_squares
    >>> X, y = make_squares(n_samples=4, random_state=0)
    >>> X.shape
    (4, 36, 36)
    >>> bool((X.sum((1, 2)) == 81 * y).all())
    True
    """
    if not 1 <= n_classes <= 16:
        raise ValueError(
            f"Got n_classes={n_classes}, but expected a number from 1 to 16, because the grid has "
            "16 places."
        )
    rng = check_random_state(random_state)
    y = _shuffled_classes(n_samples, n_classes, rng) + 1
    # the lowest of 16 random numbers lie in places drawn without replacement
    ranks = rng.uniform(size=(n_samples, 16)).argsort(axis=1).argsort(axis=1)
    grid = (ranks < y[:, np.newaxis]).reshape(n_samples, 4, 4)
    return grid.repeat(9, axis=1).repeat(9, axis=2).astype(np.float32), y


def _shuffled_classes(n_samples, n_classes, rng):
    return rng.permutation(np.arange(n_samples) % n_classes)
