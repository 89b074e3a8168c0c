"""Hinge losses of a discriminator to whom generated samples are unlabelled, not negative."""

from torch.nn.functional import relu

# steps of the plain hinge loss at the start
WARM_UP = 30


def share_of_good(step, n_steps, n_classes, largest=1.0):
    """Share of generated samples that are taken to be as good as real ones.

    Parameters
    ----------
    step : int
        Steps of the program that are done.
    n_steps : int
        Steps of the whole training.
    n_classes : int
        Number of classes: an untrained program hits the right one in ``1 / n_classes`` of cases.
    largest : float, default=1.0
        Where the share stops rising.

    Returns
    -------
    share : float
        0 in the first 30 steps, then linear from ``1 / n_classes`` to `largest` at the last step.

    Examples
    --------
    >>> from skreprogram.training._positive_unlabelled import share_of_good
    >>> [share_of_good(step, 101, 4) for step in (0, 29, 30, 65, 100)]
    [0.0, 0.0, 0.25, 0.625, 1.0]
    """
    if step < WARM_UP:
        return 0.0
    first = min(1 / n_classes, largest)
    done = (step - WARM_UP) / max(1, n_steps - 1 - WARM_UP)
    return first + (largest - first) * done


def discriminator_loss(real, fake, share):
    """Positive-unlabelled hinge loss [1]_.

    ``(1 + pi) E max(0, 1 - D(real)) + max(0, E max(0, 1 + D(fake)) - pi E max(0, 1 + D(real)))``:
    generated samples are a mixture that holds a share pi of good ones, and what those would cost
    is taken off again. With pi = 0 it is the hinge loss.

    Parameters
    ----------
    real, fake : torch.Tensor of shape (n,)
        Scores of real and of generated samples, high for what looks real.
    share : float
        The share pi.

    Returns
    -------
    loss : torch.Tensor
        A scalar, not negative.

    References
    ----------
    .. [1] T. Dinh, D. Seo, Z. Du, L. Shang, K. Lee, "Improved Input Reprogramming for GAN
       Conditioning", 2022, arXiv:2201.02692.

    Examples
    --------
    >>> import torch
    >>> from skreprogram.training._positive_unlabelled import discriminator_loss
    >>> real, fake = torch.tensor([0.5, 2.0]), torch.tensor([-0.5, 0.5])
    >>> discriminator_loss(real, fake, 0.0)  # .25 + 1
    tensor(1.2500)
    >>> discriminator_loss(real, fake, 0.4)  # 1.4 * .25 + 1 - .4 * 2.25
    tensor(0.4500)
    """
    bad = relu(1 + fake).mean() - share * relu(1 + real).mean()
    return (1 + share) * relu(1 - real).mean() + relu(bad)
