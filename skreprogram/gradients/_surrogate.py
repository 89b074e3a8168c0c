"""True gradients, of a local copy that answers as the black box does."""

from skreprogram.gradients._base import Gradient


class Surrogate(Gradient, name="surrogate"):
    """Ask the black box about every training sample once, then reprogram a local copy of it.

    A linear head behind a local frozen network is fitted to the black box's answers; from then on
    the program is trained by true gradients through that copy, and predicting asks nothing [1]_.
    The fitted estimator's `source_` is the copy, its `surrogate_` says how well it answers.

    Parameters
    ----------
    source : str, SourceModel or torch.nn.Module, default="imagenet-efficientnet-lite0"
        The local network, whose features the head reads.
    threshold : float or None, default=None
        Where the reprogrammed copy is less accurate than the black box with the output mapping
        alone, by more than this (in R2 for values), the black box is kept. Both are compared on a
        part of the training data that neither sees, which takes a further training. None always
        takes the copy.

    Notes
    -----
    With a source that can be looked into there is nothing to copy: it is trained by
    backpropagation.

    References
    ----------
    .. [1] "AReS: Adapt Remotely, Serve Locally", CVPR 2026: priming with the answers of the
       service, then reprogramming of the local network; AReS-MS for the threshold.

    Examples
    --------
    >>> from skreprogram.gradients import Surrogate
    >>> Surrogate(threshold=0.05)
    Surrogate(threshold=0.05)
    """

    def __init__(self, source="imagenet-efficientnet-lite0", threshold=None):
        self.source = source
        self.threshold = threshold
