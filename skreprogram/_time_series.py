"""The door for time series."""

from skreprogram._base_classifier import BaseReprogrammingClassifier
from skreprogram._series import Series


class TimeSeriesReprogrammer(Series, BaseReprogrammingClassifier):
    """Classify time series by a frozen model of sound.

    ``p(y | x) = mapping(source(transformation(x)))``: the source model stays frozen, the input
    transformation turns a series into a waveform, the output mapping turns what the source hears
    into classes. With the defaults a series becomes tones of varying pitch, heard by a network
    that recognises spoken words, and its features are classified by ridge heads in closed form: no
    gradient, no download, no settings.

    Parameters
    ----------
    source : str, SourceModel, torch.nn.Module or list of them, default="auto"
        Frozen source model: a name of :func:`skreprogram.sources.list_sources`, a handle, or any
        torch module, of which a private copy is frozen. Several networks in a list are read side
        by side. "auto" is "speech-commands"; with the best `effort`, and no single
        `input_transformation` of your own, an image network too.
    input_transformation : str, InputTransformation or list of them, default="auto"
        From a series to source inputs: "modulations" (several tones side by side), "modulation",
        "differences", "tiling" (Voice2Series), "stretching", "padding", "identity"; for sources of
        images "pictures" (several side by side), "segments", "drawing", "recurrence", "gramian",
        "spectrogram"; or an object of :mod:`skreprogram.transformations`; a list has one for each
        source. "auto" is "modulations" where the source hears sound, "pictures" where it takes
        images of three colours, and "padding" elsewhere.
    output_mapping : str or OutputMapping, default="heads"
        From the source to the classes: "heads" (a head on each statistic of the source's features
        and on each view, averaged), "features" (one head on all of them), "linear" (head on its
        outputs), "first", "random", "frequency", "iterative" (source labels stand for target
        classes), or an object of :mod:`skreprogram.mappings`.
    effort : {"fast", "default", "best"}, default="default"
        What "auto" stands for: "fast" lets the network of spoken words hear one sound of each
        series, "default" eight; with "best" a network of photographs sees pictures of it, too.
    max_epochs : int, default=100
        Epochs at most, where something trains by gradient; the parameters from here to
        `callbacks` have no effect elsewhere.
    lr : float, default=0.01
        Learning rate.
    batch_size : int, default=32
        Samples per gradient step.
    optimizer : str or class, default="adam"
        "adam", "adamw", "nadam", "radam", "rmsprop", "sgd", or a class of ``torch.optim``.
    weight_decay : float, default=0.0
        Weight decay of the optimiser.
    lr_scheduler : str, callable or None, default=None
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
    output_lr : float or None, default=None
        Learning rate of the output mapping, where it trains; None takes `lr`.
    finetune : {"norm", "head", "last", "all"}, list of str or None, default=None
        What trains inside the source as well, as tensors of the program's own; the source itself
        stays as it is. "norm": scales and shifts of normalisation layers; "head": the last linear
        layer; "last": the last block; "all"; or a list of such words and of patterns of parameter
        names, ``["layer4.*"]``. Then both sides train by gradient.
    finetune_lr : float, default=0.001
        Learning rate of these tensors.
    augmentation : callable or None, default=None
        ``augmentation(X, generator)`` returns a changed copy of a training batch, a tensor of the
        same shape; for validation and prediction the data stay as they are.
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
        scikit-learn. No other global generator is touched. The defaults draw nothing: the same
        data give the same program.
    verbose : int, default=0
        1 shows progress bars.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted; without -1 where that means unlabelled.
    program_ : Program
        What was learned, as numpy arrays: the tensors of both sides, and those of the source that
        were fine-tuned.
    source_ : SourceModel, BlackBoxSource or SeveralSources
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
        Shape of one sample at fit.
    common_length_ : int or None
        Length that series are brought to; None where those at fit had one length.
    n_features_in_ : int
        Second axis of X at fit.
    feature_names_in_ : ndarray of str
        Columns of X at fit, where X was a DataFrame with such names.

    See Also
    --------
    ReprogrammingClassifier : The same for feature tables and images.
    TimeSeriesReprogrammingRegressor : Values in the place of classes.
    skreprogram.sktime.SktimeReprogrammer : The same as a classifier of sktime.

    Notes
    -----
    X has shape (n_samples, length) or (n_samples, n_channels, length), the order of sktime and
    aeon. Containers of sktime are converted.

    Series of unequal lengths come as a list of arrays of shape (length,) or (n_channels, length),
    in a container of sktime, or as an array that ends in NaN where a series is shorter. If those
    at fit differ, each is brought to the length of the longest of them by linear interpolation, and
    so are those of any length that come later. If they do not, another length is refused.

    References
    ----------
    .. [1] C.-H. H. Yang, Y.-Y. Tsai, P.-Y. Chen, "Voice2Series: Reprogramming Acoustic Models for
       Time Series Classification", ICML 2021.
    .. [2] P.-Y. Chen, "Model Reprogramming: Resource-Efficient Cross-Domain Machine Learning",
       AAAI 2024.

    Examples
    --------
    >>> from skreprogram import TimeSeriesReprogrammer
    >>> from skreprogram.datasets import make_tones
    >>> X, y = make_tones(n_samples=40, length=50, n_classes=2, random_state=0)
    >>> clf = TimeSeriesReprogrammer(random_state=0).fit(X[:20], y[:20])
    >>> clf.score(X[20:], y[20:])
    1.0
    """

    def __init__(
        self,
        source="auto",
        *,
        input_transformation="auto",
        output_mapping="heads",
        effort="default",
        max_epochs=100,
        lr=0.01,
        batch_size=32,
        optimizer="adam",
        weight_decay=0.0,
        lr_scheduler=None,
        early_stopping=False,
        validation_fraction=0.2,
        n_iter_no_change=10,
        callbacks=None,
        loss="cross-entropy",
        output_lr=None,
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
        self.input_transformation = input_transformation
        self.output_mapping = output_mapping
        self.effort = effort
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
