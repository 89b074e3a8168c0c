"""The door for sktime: the time series estimator as a classifier of that library."""

import numpy as np
from sktime.classification.base import BaseClassifier

from skreprogram._time_series import TimeSeriesReprogrammer
from skreprogram.transformations import FrequencyModulation

# what scikit-learn's searches and pipelines leave on an estimator while it fits
_CALLBACK_STATE = ("_parent_callback_ctx", "_callback_fit_ctx", "_skl_callbacks")


class SktimeReprogrammer(BaseClassifier):
    """Classify time series by a frozen model of sound, as a classifier of sktime.

    The same method and parameters as :class:`skreprogram.TimeSeriesReprogrammer`, with the
    interface of sktime: it takes every panel container, and works in sktime's pipelines, tuning
    and benchmarks, and in those of scikit-learn.

    Parameters
    ----------
    source : str, SourceModel, torch.nn.Module or list of them, default="auto"
        Frozen source model: a name of :func:`skreprogram.sources.list_sources`, a handle, or any
        torch module, of which a private copy is frozen. Several networks in a list are read side
        by side. "auto" is "speech-commands"; with the best `effort`, and no single
        `input_transformation` of your own, an image network too.
    input_transformation : str, InputTransformation or list of them, default="auto"
        From a series to source inputs: a short name, or an object of
        :mod:`skreprogram.transformations`; a list has one for each source. "auto" is
        "modulations" where the source hears sound, "pictures" where it takes images of three
        colours, and "padding" elsewhere.
    output_mapping : str or OutputMapping, default="heads"
        From the source to the classes: a short name, or an object of
        :mod:`skreprogram.mappings`.
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
        "backprop", or estimated from queries: "spsa", "rgf", "cma-es", "surrogate". "auto" is
        "backprop" where the source can be looked into, and "spsa" for a black box.
    max_queries : int or None, default=None
        Rows that `fit` may have answered by a black box.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes, as in scikit-learn.
    device : str, default="auto"
        "auto", "cpu", "cuda", "cuda:N".
    dtype : {"float32", "float64"}, default="float32"
        Type of the numbers in source and program.
    precision : {"full", "bf16"}, default="full"
        "bf16" lets the source multiply in bfloat16.
    random_state : int, RandomState or None, default=None
        Seed of everything that is drawn; None draws it from numpy's global generator, as in
        scikit-learn. No other global generator is touched.
    verbose : int, default=0
        1 shows progress bars.

    Attributes
    ----------
    estimator_ : TimeSeriesReprogrammer
        What was fitted; absent when the training data had one class.
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted; without -1 where that means unlabelled.

    See Also
    --------
    skreprogram.TimeSeriesReprogrammer : The same for arrays, with sample weights and saving.

    Notes
    -----
    sktime resets a classifier whenever it is fitted, so there is no `warm_start`, and its ``fit``
    takes no sample weights. Series of unequal lengths are brought to the length of the longest one
    at fit, as `TimeSeriesReprogrammer` does it. scikit-learn's cross-validation counts the rows of
    a container: pass it arrays, not row-indexed tables (``pd-multiindex``).

    Examples
    --------
    >>> from skreprogram.datasets import make_tones
    >>> from skreprogram.sktime import SktimeReprogrammer
    >>> X, y = make_tones(n_samples=40, length=50, n_classes=2, random_state=0)
    >>> clf = SktimeReprogrammer(random_state=0).fit(X[:20], y[:20])
    >>> bool(clf.score(X[20:], y[20:]) > 0.9)
    True
    """

    _tags = {
        "authors": "The skreprogram developers",
        "maintainers": "The skreprogram developers",
        "python_dependencies": ["torch", "skorch"],
        "X_inner_mtype": ["df-list", "numpy3D"],
        "y_inner_mtype": "numpy1D",
        "capability:multivariate": True,
        "capability:unequal_length": True,
        "capability:missing_values": False,
        "capability:predict_proba": True,
        "capability:class_weight": True,
        "capability:random_state": True,
        "property:randomness": "derandomized",
    }

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
        self.device = device
        self.dtype = dtype
        self.precision = precision
        self.random_state = random_state
        self.verbose = verbose
        super().__init__()

    def fit(self, X, y):
        """Fit a program to the training data.

        Parameters
        ----------
        X : panel container of sktime
            For example an ndarray of shape (n_samples, n_channels, length) or (n_samples, length);
            series of unequal lengths in a container that can hold them, such as ``df-list``.
        y : array-like of shape (n_samples,)
            Labels of any kind.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        return super().fit(X, np.asarray(y) if isinstance(y, (list, tuple)) else y)

    def reset(self):
        """Return to the state before `fit`.

        Returns
        -------
        self : object
            The estimator, with its parameters.
        """
        kept = {name: vars(self)[name] for name in _CALLBACK_STATE if name in vars(self)}
        super().reset()
        vars(self).update(kept)
        return self

    def _fit(self, X, y):
        self.estimator_ = TimeSeriesReprogrammer(**self.get_params(deep=False)).fit(X, y)
        # sktime counts the label of unlabelled rows as a class
        self.classes_ = self.estimator_.classes_
        self.n_classes_ = len(self.classes_)
        self._class_dictionary = {label: code for code, label in enumerate(self.classes_)}
        return self

    def _predict(self, X):
        return self.estimator_.predict(X)

    def _predict_proba(self, X):
        return self.estimator_.predict_proba(X)

    def __sklearn_tags__(self):
        return TimeSeriesReprogrammer().__sklearn_tags__()

    def __sklearn_is_fitted__(self):
        return self.is_fitted

    @classmethod
    def get_test_params(cls, parameter_set="default"):
        """Parameters with which sktime tests the class.

        Parameters
        ----------
        parameter_set : str, default="default"
            There is one set only.

        Returns
        -------
        params : list of dict
            Parameters of the test instances.
        """
        short = {"input_transformation": FrequencyModulation(shortest=0.1, longest=0.2)}
        mapped = {**short, "output_mapping": "frequency", "class_weight": "balanced"}
        return [short, mapped]


__all__ = ["SktimeReprogrammer"]
