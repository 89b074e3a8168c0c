"""The door for texts and sequences of tokens."""

from numbers import Integral

import numpy as np
from sklearn.base import clone
from sklearn.utils.validation import _check_sample_weight

from skreprogram._base import BaseReprogrammer
from skreprogram._texts import check_texts
from skreprogram.tokenizers import as_tokenizer
from skreprogram.transformations import TokenTransformation

# without max_length no sample is longer than this, however long the training texts are
LONGEST = 512


class SequenceReprogrammer(BaseReprogrammer):
    """Classify texts, molecules, proteins or DNA by a frozen model of something else.

    ``p(y | x) = mapping(source(transformation(tokens)))``: the source model stays frozen. A
    tokenizer cuts a text into tokens and numbers them by a vocabulary of the training texts, the
    input transformation turns the numbers into what the source takes, the output mapping turns its
    answers into classes. With the defaults every character becomes a trained patch of an image,
    and an ImageNet network looks at the patches side by side.

    Parameters
    ----------
    source : str, SourceModel, BlackBoxSource or torch.nn.Module, \
            default="imagenet-efficientnet-lite0"
        Frozen source model: a name of :func:`skreprogram.sources.list_sources`, a handle, or any
        torch module, of which a private copy is frozen.
    tokenizer : str, Tokenizer or callable, default="char"
        From a text to tokens: "char", "word", "kmer:3" (overlapping runs of three characters), an
        object of :mod:`skreprogram.tokenizers`, or a function that returns the list of tokens.
    max_length : int or None, default=None
        Tokens of a sample that count, from its start. None takes the longest training sample, but
        not more than 512 tokens.
    input_transformation : str or TokenTransformation, default="token-patches"
        From numbers of tokens to source inputs: "token-patches", or an object of
        :mod:`skreprogram.transformations` made for tokens.
    output_mapping : str or OutputMapping, default="linear"
        From the source to the classes: "linear" (head on the source's outputs), "features" (head
        on its features), "first", "random", "frequency", "iterative" (source labels stand for
        target classes), or an object of :mod:`skreprogram.mappings`.
    max_epochs : int, default=10
        Epochs at most, where something trains by gradient; the parameters from here to
        `callbacks` have no effect elsewhere.
    lr : float, default=0.05
        Learning rate of the input transformation.
    batch_size : int, default=32
        Samples per gradient step.
    optimizer : str or class, default="adam"
        "adam", "adamw", "nadam", "radam", "rmsprop", "sgd", or a class of ``torch.optim``.
    weight_decay : float, default=0.0
        Weight decay of the optimiser.
    lr_scheduler : str, callable or None, default="cosine"
        "cosine", "linear", "plateau", or a function from the epoch to a factor.
    early_stopping : bool, default=False
        Whether to cut a validation part from the training data and keep the program with the
        lowest validation loss.
    validation_fraction : float, default=0.2
        Share of that part.
    n_iter_no_change : int, default=10
        Epochs without a lower validation loss after which training stops.
    callbacks : list of skorch.callbacks.Callback or None, default=None
        Further callbacks of the training loop.
    loss : str or Loss, default="cross-entropy"
        What a wrong answer costs where something trains by gradient: "cross-entropy", "focal",
        "class-balanced", or an object of :mod:`skreprogram.losses`.
    output_lr : float or None, default=0.01
        Learning rate of the output mapping, where it trains; None takes `lr`.
    augmentation : callable or None, default=None
        ``augmentation(X, generator)`` returns a changed copy of a training batch, a tensor of
        numbers of tokens of the same shape; for validation and prediction nothing is changed.
    gradient : str or Gradient, default="auto"
        How the program's gradient is had: "backprop" through the source, or estimated from queries
        by "spsa", "rgf" or "cma-es", or of a local copy by "surrogate"; or an object of
        :mod:`skreprogram.gradients`. "auto" is "backprop" where the source can be looked into, and
        "spsa" for a black box.
    max_queries : int or None, default=None
        Rows that `fit` may have answered by a black box, or for an estimated gradient, before it
        ends in good order; answers that lie in a cache count, so that a repeated fit is the same.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes, as in scikit-learn.
    warm_start : bool, default=False
        Whether `fit` goes on with the program of the last `fit`.
    device : str, default="auto"
        "auto", "cpu", "cuda", "cuda:N".
    dtype : {"float32", "float64"}, default="float32"
        Type of the numbers in source and program.
    precision : {"full", "bf16"}, default="full"
        "bf16" lets the source multiply in bfloat16: on recent CPUs and GPUs several times as fast
        for dense layers, not for filters of single channels; it rounds outputs to three digits.
    random_state : int, RandomState or None, default=None
        Seed of everything that is drawn; None draws it from numpy's global generator, as in
        scikit-learn. No other global generator is touched.
    verbose : int, default=0
        1 shows progress bars.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted.
    program_ : Program
        What was learned: the tensors of both sides as numpy arrays.
    source_ : SourceModel
        Handle of the frozen source.
    transformation_ : InputTransformation
        Input side as it was fitted.
    mapping_ : OutputMapping
        Output side as it was fitted.
    history_ : list of dict
        A row an epoch: ``epoch``, ``train_loss``, perhaps ``valid_loss``.
    n_queries_ : int
        Rows that were asked of a black box, or for an estimated gradient; 0 elsewhere.
    stopped_by_ : str or None
        Why such a training ended before its time: "max_queries", a failure of the source, an
        interrupt, or a loss that grew.
    surrogate_ : Primed or None
        With ``gradient="surrogate"`` the local copy, which then is `source_`, and its agreement
        and divergence on inputs that its head was not fitted to; None elsewhere.
    n_iter_ : int
        Epochs that were run; 0 for a closed form.
    input_shape_ : tuple of int
        Number of tokens of a sample, padded or cut off.
    tokenizer_ : Tokenizer
        Tokenizer as it was fitted.
    vocabulary_ : dict
        From tokens to numbers, most frequent first: 2, 3, ...; 0 is padding, 1 an unknown token.

    See Also
    --------
    ReprogrammingClassifier : The same for feature tables and images.
    TimeSeriesReprogrammer : The same for time series.

    Notes
    -----
    X is a list, a one-dimensional array or a pandas Series of texts, or of lists of tokens, which
    no tokenizer touches; tokens are texts or whole numbers. The vocabulary is learned from the
    training texts of positive weight alone; with ``warm_start``, and in later calls of
    `partial_fit`, it stays that of the first fit. What is too long is cut off at its end, what is
    too short is filled up with padding, an empty text is nothing but padding.

    References
    ----------
    .. [1] P. Neekhara, S. Hussain, J. Du, S. Dubnov, F. Koushanfar, J. McAuley, "Cross-modal
       Adversarial Reprogramming", WACV 2022.
    .. [2] P.-Y. Chen, "Model Reprogramming: Resource-Efficient Cross-Domain Machine Learning",
       AAAI 2024.

    Examples
    --------
    >>> import torch
    >>> from skreprogram import SequenceReprogrammer
    >>> from skreprogram.sources import SourceModel
    >>> from skreprogram.transformations import TokenPatchesTransformation
    >>> with torch.random.fork_rng():
    ...     _ = torch.manual_seed(0)
    ...     network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 8))
    >>> source = SourceModel.from_module(network, (1, 8, 8), value_range=(0, 1))
    >>> patches = TokenPatchesTransformation(patch_size=2)
    >>> clf = SequenceReprogrammer(source, input_transformation=patches, random_state=0)
    >>> clf.fit(["AAAC", "ACAA", "GTTT", "TTG"], ["low", "low", "high", "high"])
    SequenceReprogrammer(...)
    >>> clf.predict(["CAAA", "TTTG"])
    array(['low', 'high'], dtype='<U4')
    >>> clf.vocabulary_
    {'A': 2, 'T': 3, 'C': 4, 'G': 5}
    """

    _kept_facts = ("tokenizer_", "vocabulary_")

    def __init__(
        self,
        source="imagenet-efficientnet-lite0",
        *,
        tokenizer="char",
        max_length=None,
        input_transformation="token-patches",
        output_mapping="linear",
        max_epochs=10,
        lr=0.05,
        batch_size=32,
        optimizer="adam",
        weight_decay=0.0,
        lr_scheduler="cosine",
        early_stopping=False,
        validation_fraction=0.2,
        n_iter_no_change=10,
        callbacks=None,
        loss="cross-entropy",
        output_lr=0.01,
        augmentation=None,
        gradient="auto",
        max_queries=None,
        class_weight=None,
        warm_start=False,
        device="auto",
        dtype="float32",
        precision="full",
        random_state=None,
        verbose=0,
    ):
        self.source = source
        self.tokenizer = tokenizer
        self.max_length = max_length
        self.input_transformation = input_transformation
        self.output_mapping = output_mapping
        self.max_epochs = max_epochs
        self.lr = lr
        self.batch_size = batch_size
        self.optimizer = optimizer
        self.weight_decay = weight_decay
        self.lr_scheduler = lr_scheduler
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.callbacks = callbacks
        self.loss = loss
        self.output_lr = output_lr
        self.augmentation = augmentation
        self.gradient = gradient
        self.max_queries = max_queries
        self.class_weight = class_weight
        self.warm_start = warm_start
        self.device = device
        self.dtype = dtype
        self.precision = precision
        self.random_state = random_state
        self.verbose = verbose

    def _check_samples(self, X, reset):
        samples = self.tokenizer_.split(check_texts(X))
        return self.tokenizer_.encode(samples, self.vocabulary_, *self.input_shape_)

    def _check_fit_data(self, X, y, sample_weight, classes=None, reset=True):
        samples = check_texts(X)
        learns = reset and not (self.warm_start and hasattr(self, "program_"))
        if learns:
            self.tokenizer_ = clone(as_tokenizer(self.tokenizer))
        samples = self.tokenizer_.split(samples)
        if learns:
            seen = _with_weight(samples, sample_weight)
            self.vocabulary_ = self.tokenizer_.learn(seen)
            self.input_shape_ = (_length(seen, self.max_length),)
        return super()._check_fit_data(samples, y, sample_weight, classes, reset=False)

    def _resolve(self):
        super()._resolve()
        if not isinstance(self.transformation_, TokenTransformation):
            raise ValueError(
                f"Got input_transformation={self.input_transformation!r}, which takes numbers, "
                "expected one of tokens: 'token-patches', or an object of a subclass of "
                "TokenTransformation. Choose one, or another estimator."
            )
        self.transformation_.set_params(n_tokens=max(self.vocabulary_.values()) + 1)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        return tags


def _with_weight(samples, sample_weight):
    """Samples that count; those of weight 0 must be as good as absent."""
    weight = _check_sample_weight(sample_weight, samples, dtype=np.float64)
    seen = [own for own, mass in zip(samples, weight, strict=True) if mass > 0]
    # no weight at all is refused later, with all the labels at hand
    return seen or samples


def _length(samples, max_length):
    """Numbers of tokens to which samples are padded or cut off."""
    if max_length is None:
        return min(max(max(map(len, samples)), 1), LONGEST)
    if not isinstance(max_length, Integral) or isinstance(max_length, bool) or max_length < 1:
        raise ValueError(
            f"Got max_length={max_length!r}, expected None or a positive whole number of tokens."
        )
    return int(max_length)
