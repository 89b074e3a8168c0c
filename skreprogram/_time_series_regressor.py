"""The door for values of time series."""

from skreprogram._base_regressor import BaseReprogrammingRegressor
from skreprogram._series import Series


class TimeSeriesReprogrammingRegressor(Series, BaseReprogrammingRegressor):
    """Predict values of time series by a frozen model of sound.

    ``y = mapping(source(transformation(x)))``: the source model stays frozen, the input
    transformation turns a series into a waveform, the output mapping turns what the source hears
    into values. With the defaults a series becomes tones of varying pitch, heard by a network that
    recognises spoken words, and ridge regression on its features is solved in closed form: no
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
        "differences", "tiling" (Voice2Series), "stretching", "padding", "identity", or an object
        of :mod:`skreprogram.transformations`; a list has one for each source. "auto" is
        "modulations" where the source hears sound, "pictures" where it takes images of three
        colours, and "padding" elsewhere.
    output_mapping : str or OutputMapping, default="features"
        From the source to the values: "features" (head on the source's features), "ridge" and
        "linear" (heads on its outputs, solved where nothing before the source trains, and always
        trained), or an object of :mod:`skreprogram.mappings`.
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
    loss : str or RegressionLoss, default="squared"
        What a wrong value costs, which says what is predicted: "squared" (the mean), "absolute"
        (the median), or an object of :mod:`skreprogram.losses` such as ``QuantileLoss(q=0.9)``.
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
    gradient : str or Gradient, default="auto"
        How the program's gradient is had: "backprop" through the source, or estimated from queries
        by "spsa", "rgf" or "cma-es", or of a local copy by "surrogate"; or an object of
        :mod:`skreprogram.gradients`. "auto" is "backprop" where the source can be looked into, and
        "spsa" for a black box.
    max_queries : int or None, default=None
        Rows that `fit` may have answered by a black box, or for an estimated gradient, before it
        ends in good order; answers that lie in a cache count, so that a repeated fit is the same.
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
    target_shape_ : tuple of int
        Shape of the target of one sample: (), or (n_targets,).
    target_mean_ : list of float
        Means of the targets, one for each.
    target_scale_ : list of float
        Their standard deviations; 1 for a constant.
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
        Epochs that were run; 0 where the mapping is solved.
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
    ReprogrammingRegressor : The same for feature tables and images.
    TimeSeriesReprogrammer : Classes in the place of values.

    Notes
    -----
    X is what `TimeSeriesReprogrammer` takes. y has shape (n_samples,), or (n_samples, n_targets)
    for several values of a sample. It is standardised for the training, and predictions come back
    in its units.

    References
    ----------
    .. [1] C.-H. H. Yang, Y.-Y. Tsai, P.-Y. Chen, "Voice2Series: Reprogramming Acoustic Models for
       Time Series Classification", ICML 2021.
    .. [2] C. W. Tan, C. Bergmeir, F. Petitjean, G. I. Webb, "Time Series Extrinsic Regression",
       Data Mining and Knowledge Discovery 35, 2021.

    Examples
    --------
    >>> import numpy as np
    >>> from skreprogram import TimeSeriesReprogrammingRegressor
    >>> frequency = np.linspace(1, 4, 40)
    >>> X = np.sin(2 * np.pi * frequency[:, None] * np.linspace(0, 1, 50))
    >>> reg = TimeSeriesReprogrammingRegressor(random_state=0).fit(X[::2], frequency[::2])
    >>> bool(reg.score(X[1::2], frequency[1::2]) > 0.95)
    True
    """

    _kept_facts = (*Series._kept_facts, *BaseReprogrammingRegressor._kept_facts)

    def __init__(
        self,
        source="auto",
        *,
        input_transformation="auto",
        output_mapping="features",
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
        loss="squared",
        output_lr=None,
        finetune=None,
        finetune_lr=0.001,
        augmentation=None,
        gradient="auto",
        max_queries=None,
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
        self.gradient = gradient
        self.max_queries = max_queries
        self.warm_start = warm_start
        self.device = device
        self.dtype = dtype
        self.precision = precision
        self.random_state = random_state
        self.verbose = verbose
