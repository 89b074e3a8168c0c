"""The door for texts and sequences of tokens."""

from sklearn.base import clone

from skreprogram._base_classifier import BaseReprogrammingClassifier
from skreprogram._texts import check_texts, length_of, reads_source_tokens, weighing
from skreprogram.sources import as_source, load_source
from skreprogram.tokenizers import as_tokenizer
from skreprogram.transformations import InputTransformation, TokenTransformation

# what "auto" stands for, by what the source takes
_TEXTS = {"input_transformation": "embedding", "output_mapping": "features"}
_OTHERS = {"input_transformation": "token-patches", "output_mapping": "linear"}


class SequenceReprogrammer(BaseReprogrammingClassifier):
    """Classify texts, molecules, proteins or DNA by a frozen model of something else.

    ``p(y | x) = mapping(source(transformation(tokens)))``: the source model stays frozen. A
    tokenizer cuts a text into tokens and numbers them, the input transformation turns the numbers
    into what the source takes, the output mapping turns its answers into classes. With the defaults
    a language model reads the text and a head on its features is solved in closed form; around an
    image network every character becomes a trained patch of an image.

    Parameters
    ----------
    source : str, SourceModel, BlackBoxSource or torch.nn.Module, default="minilm"
        Frozen source model: "minilm" (needs the extra ``text``) or another name of
        :func:`skreprogram.sources.list_sources`, a handle, or any torch module, of which a private
        copy is frozen.
    tokenizer : str, Tokenizer or callable, default="auto"
        From a text to tokens: "source" (the language model's own), "char", "word", "kmer:3"
        (overlapping runs of three characters), an object of :mod:`skreprogram.tokenizers`, or a
        function that returns the list of tokens. "auto" is "source" where the input transformation
        reads the source's own tokens, and "char" elsewhere.
    max_length : int or None, default=None
        Tokens of a sample that count, from its start. None takes the longest training sample, but
        not more than 512 tokens.
    input_transformation : str or InputTransformation, default="auto"
        From numbers of tokens to source inputs: "embedding" (the text as it is), "prompts" (trained
        prompts around it), "sparse-vocabulary" and "vocabulary-remapping" (other tokens in the
        terms of a language model), "token-patches" (trained patches of an image), or an object of
        :mod:`skreprogram.transformations` made for tokens. "auto" is "embedding" where the source
        is a language model and "token-patches" elsewhere.
    output_mapping : str or OutputMapping, default="auto"
        From the source to the classes: "linear" (head on the source's outputs), "features" (head
        on its features), "first", "random", "frequency", "iterative" (source labels stand for
        target classes), or an object of :mod:`skreprogram.mappings`. "auto" is "features" where the
        source is a language model and "linear" elsewhere.
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
    finetune : {"norm", "head", "last", "all"}, list of str or None, default=None
        What trains inside the source as well, as tensors of the program's own; the source itself
        stays as it is. "norm": scales and shifts of normalisation layers; "head": the last linear
        layer; "last": the last block; "all"; or a list of such words and of patterns of parameter
        names, ``["layer4.*"]``. Then both sides train by gradient.
    finetune_lr : float, default=0.001
        Learning rate of these tensors.
    augmentation : callable or None, default=None
        ``augmentation(X, generator)`` returns a changed copy of a training batch, a tensor of
        numbers of tokens of the same shape; for validation and prediction nothing is changed.
    unlabelled : str, Unlabelled or None, default=None
        What rows with the label -1 teach: "pseudo-label", "consistency", "entropy", or an object
        of :mod:`skreprogram.unlabelled`. With None, -1 is a class like any other.
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
        Labels, sorted; without -1 where that means unlabelled.
    program_ : Program
        What was learned, as numpy arrays: the tensors of both sides, and those of the source that
        were fine-tuned.
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
    tokenizer_ : Tokenizer or None
        Tokenizer as it was fitted; None where the source's own is used.
    vocabulary_ : dict
        From tokens to numbers, most frequent first: 2, 3, ...; 0 is padding, 1 an unknown token.
        Empty where the source's own tokenizer is used.

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
        source="minilm",
        *,
        tokenizer="auto",
        max_length=None,
        input_transformation="auto",
        output_mapping="auto",
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
        finetune=None,
        finetune_lr=0.001,
        augmentation=None,
        unlabelled=None,
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
        self.finetune = finetune
        self.finetune_lr = finetune_lr
        self.augmentation = augmentation
        self.unlabelled = unlabelled
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
        tokenizer = self.tokenizer_ or self.source_.tokenizer
        samples = tokenizer.split(check_texts(X))
        return tokenizer.encode(samples, self.vocabulary_, *self.input_shape_)

    def _check_fit_data(self, X, y, sample_weight, classes=None, reset=True):
        samples = check_texts(X)
        learns = reset and not (self.warm_start and hasattr(self, "program_"))
        if learns:
            self.tokenizer_ = self._chosen_tokenizer()
        if self.tokenizer_ is None:
            self.source_ = as_source(self.source, None)
        tokenizer = self.tokenizer_ or self.source_.tokenizer
        samples = tokenizer.split(samples)
        if learns:
            seen = weighing(samples, sample_weight)
            self.vocabulary_ = tokenizer.learn(seen)
            self.input_shape_ = (length_of(seen, self.max_length),)
        return super()._check_fit_data(samples, y, sample_weight, classes, reset=False)

    def _chosen_tokenizer(self):
        """A tokenizer to fit; None where the source's own is used."""
        choice = self.tokenizer
        if isinstance(choice, str) and choice == "auto":
            chosen = InputTransformation.resolve(self._chosen("input_transformation"))
            choice = "source" if reads_source_tokens(chosen) else "char"
        if not (isinstance(choice, str) and choice == "source"):
            return clone(as_tokenizer(choice))
        if not self._takes_text():
            raise ValueError(
                f"Got tokenizer='source' with the source {self.source!r}, which has no tokenizer, "
                "expected a language model. Use tokenizer='char', 'word' or 'kmer:3'."
            )
        return None

    def _takes_text(self):
        """Whether the source is a language model."""
        source = load_source(self.source) if isinstance(self.source, str) else self.source
        return hasattr(source, "tokenizer")

    def _chosen(self, name):
        choice = super()._chosen(name)
        if not (isinstance(choice, str) and choice == "auto"):
            return choice
        return (_TEXTS if self._takes_text() else _OTHERS)[name]

    def _resolve(self):
        super()._resolve()
        own = self.tokenizer_ is None
        if reads_source_tokens(self.transformation_) and own:
            return
        if own or not isinstance(self.transformation_, TokenTransformation):
            raise ValueError(
                f"Got input_transformation={self.input_transformation!r} with "
                f"tokenizer={self.tokenizer!r}, expected 'embedding' or 'prompts' with "
                "tokenizer='source', which read a language model's own tokens, or one that numbers "
                "the tokens of any tokenizer, such as 'token-patches'. Leave tokenizer='auto'."
            )
        self.transformation_.set_params(n_tokens=max(self.vocabulary_.values()) + 1)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        return tags
