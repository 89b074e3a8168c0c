"""What all estimators share: fit, partial_fit, predict, save, written once."""

from abc import abstractmethod

import numpy as np
from scipy.special import log_softmax
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from skreprogram._persistence import write_program
from skreprogram._validation import (
    check_enough_classes,
    check_finetuning,
    check_labels,
    check_parameters,
    check_queries,
    check_weights,
)
from skreprogram._warm_start import last_fit, start_from, with_seen
from skreprogram.gradients import Gradient
from skreprogram.losses import Loss
from skreprogram.mappings import OutputMapping
from skreprogram.sources import as_source
from skreprogram.training import (
    Composition,
    Task,
    TrainingOptions,
    class_scores,
    fit_program,
    hold_out,
    load_network,
    rows_of,
    source_inputs,
)
from skreprogram.transformations import InputTransformation


class BaseReprogrammer(ClassifierMixin, BaseEstimator):
    """Base of the estimators: everything that does not depend on the kind of data.

    A subclass states its parameters and turns X into an array (`_check_samples`).
    """

    # further attributes of a fit that prediction needs, plain values for the file of `save`
    _kept_facts = ()

    @abstractmethod
    def _check_samples(self, X, reset):
        """Validate X; return what the input transformation takes, as an ndarray."""

    def fit(self, X, y, sample_weight=None):
        """Fit a program to the training data.

        Parameters
        ----------
        X : array-like
            Target data, in the shape that the class describes.
        y : array-like of shape (n_samples,)
            Labels of any kind.
        sample_weight : array-like of shape (n_samples,) or None, default=None
            Non-negative weights; rows of weight 0 are as good as absent.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError, TypeError
            For data and parameters that cannot be used, in a sentence that says what to do.
        """
        previous = last_fit(self)
        X, y, weight = self._check_fit_data(X, y, sample_weight)
        self._resolve()
        start = start_from(previous, self) if self._trains_by_gradient() else None
        train, valid = self._split(X, y, weight)
        self._fit(Task(train, len(self.classes_), self._seed(), valid, start), self._options())
        self._seen = None
        return self

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Go on fitting with further samples.

        Where the program trains by gradient, this is one epoch over the new samples. Where the
        mapping is solved or estimated behind a frozen transformation, the samples are kept and it
        is solved again over all of them, so that it equals `fit` on everything seen; after `fit`
        or a load, which keep no samples, it begins anew with a warning.

        Parameters
        ----------
        X : array-like
            Further target data.
        y : array-like of shape (n_samples,)
            Their labels.
        classes : array-like of shape (n_classes,) or None, default=None
            All classes that will come; needed in the first call unless y holds all of them.
        sample_weight : array-like of shape (n_samples,) or None, default=None
            Non-negative weights.

        Returns
        -------
        self : object
            The estimator.
        """
        begun = hasattr(self, "program_")
        if begun:
            classes = self._same_classes(classes)
        rows = self._check_fit_data(X, y, sample_weight, classes, reset=not begun)
        if not begun:
            self._resolve()
        if self._trains_by_gradient():
            start = self.program_ if begun else None
            task = Task(rows_of(*rows), len(self.classes_), self._seed(), None, start)
            self._fit(task, self._options(one_epoch=True), went_on=begun)
            return self
        rows = with_seen(self._seen, rows) if begun else rows
        task = Task(rows_of(*rows), len(self.classes_), self._seed())
        self._fit(task, self._options())
        self._seen = rows
        return self

    def predict_log_proba(self, X):
        """Logarithms of the class probabilities.

        Parameters
        ----------
        X : array-like
            Target data.

        Returns
        -------
        log_proba : ndarray of shape (n_samples, n_classes)
            In the order of ``classes_``.
        """
        check_is_fitted(self, "program_")
        X = self._check_samples(X, reset=False)
        composition = self._compose(folded=not self.program_.source)
        scores = class_scores(self.program_, composition, X, self.verbose)
        return log_softmax(scores, axis=1)

    def predict_proba(self, X):
        """Class probabilities.

        Parameters
        ----------
        X : array-like
            Target data.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_classes)
            Rows sum to one; columns in the order of ``classes_``.
        """
        return np.exp(self.predict_log_proba(X))

    def predict(self, X):
        """Likeliest classes.

        Parameters
        ----------
        X : array-like
            Target data.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            Labels as they were given to `fit`.
        """
        best = self.predict_log_proba(X).argmax(1)
        return self.classes_[best]

    def reprogram(self, X):
        """Source inputs of samples: what the frozen model is shown.

        Parameters
        ----------
        X : array-like
            Target data.

        Returns
        -------
        inputs : ndarray of shape (n_samples, *source_shape), or tuple of them
            A tuple where the input transformation shows several views of each sample.
        """
        check_is_fitted(self, "program_")
        X = self._check_samples(X, reset=False)
        return source_inputs(self.program_, self.transformation_, self.source_.input_space, X)

    def save(self, path):
        """Write the fitted estimator to one safetensors file, without the source's weights.

        Parameters
        ----------
        path : path-like
            Where to; an existing file is replaced.

        See Also
        --------
        skreprogram.load : Read it back.
        """
        check_is_fitted(self, "program_")
        write_program(self, path)

    def _fit(self, task, options, went_on=False):
        """Fit a program to the task and keep it."""
        composition = self._compose(folded=self.finetune is None)
        fitted = fit_program(task, composition, options, self.source_, self._load, self.max_queries)
        self.source_ = fitted.source
        self.surrogate_ = fitted.primed
        self.n_queries_ = fitted.n_queries + (self.n_queries_ if went_on else 0)
        self.stopped_by_ = fitted.stopped_by
        self._store(fitted.program, went_on)

    def _check_fit_data(self, X, y, sample_weight, classes=None, reset=True):
        check_parameters(self)
        X = self._check_samples(X, reset)
        self.classes_, codes = check_labels(y, len(X), classes)
        weight = check_weights(
            sample_weight, X, np.asarray(self.classes_)[codes], self.class_weight
        )
        by_class = Loss.resolve(self.loss).class_weights(
            np.bincount(codes, None, len(self.classes_))
        )
        weight = weight * by_class[codes]
        kept = weight > 0
        X, codes, weight = X[kept], codes[kept], weight[kept]
        if classes is None:
            check_enough_classes(codes, self.classes_)
        return X, codes, weight.astype(self.dtype)

    def _same_classes(self, classes):
        """Classes of the first call, which a later one may repeat."""
        if classes is not None and not np.array_equal(np.unique(classes), self.classes_):
            raise ValueError(
                f"Got classes={np.unique(classes).tolist()}, expected those of the first call: "
                f"{self.classes_.tolist()}. Leave classes out, or begin with a clone."
            )
        return self.classes_

    def _resolve(self):
        """Make the source handle and the strategies that the parameters name."""
        self.source_ = as_source(self.source, self.input_shape_)
        sides = self._chosen("input_transformation"), self._chosen("output_mapping")
        self.transformation_ = clone(InputTransformation.resolve(sides[0]))
        self.mapping_ = clone(OutputMapping.resolve(sides[1]))

    def _chosen(self, name):
        """The strategy that a parameter stands for."""
        return getattr(self, name)

    def _gradient(self):
        """How the gradient is had from this source."""
        choice = self.gradient
        if isinstance(choice, str) and choice == "auto":
            asking = self.transformation_.query_gradient
            choice = "backprop" if self.source_.differentiable else asking
        gradient = Gradient.resolve(choice)
        check_queries(gradient, self.source_, self.transformation_, self.mapping_, self.precision)
        check_finetuning(self, gradient)
        return gradient

    def _compose(self, folded):
        """Load the source and put it between the strategies."""
        network, device = self._load(self.source_, folded)
        space = self.source_.input_space
        return Composition(network, space, self.transformation_, self.mapping_, device)

    def _load(self, source, folded=True):
        return load_network(source, self.device, self.dtype, self.precision, folded)

    def _split(self, X, y, weight):
        """Training rows and, for early stopping, validation rows that are cut from them."""
        if not self.early_stopping or not self._trains_by_gradient():
            return rows_of(X, y, weight), None
        return hold_out(X, y, weight, self.validation_fraction, self._seed())

    def _trains_by_gradient(self):
        solved = hasattr(self.mapping_, "solve") or not self.mapping_.trainable
        return bool(self.transformation_.trainable) or not solved or self.finetune is not None

    def _seed(self):
        return int(check_random_state(self.random_state).randint(2**31 - 1))

    def _options(self, one_epoch=False):
        stopping = self.early_stopping and self._trains_by_gradient() and not one_epoch
        as_named = ("lr", "output_lr", "finetune", "finetune_lr", "batch_size", "optimizer")
        as_named += ("weight_decay", "augmentation")
        return TrainingOptions(
            max_epochs=1 if one_epoch else self.max_epochs,
            lr_scheduler=None if one_epoch else self.lr_scheduler,
            patience=self.n_iter_no_change if stopping else None,
            callbacks=tuple(self.callbacks or ()),
            loss=Loss.resolve(self.loss),
            gradient=self._gradient(),
            verbose=self.verbose,
            **{name: getattr(self, name) for name in as_named},
        )

    def _store(self, program, went_on=False):
        """Keep what was learned: plain values and numpy arrays."""
        if went_on:
            program.history = [*self.program_.history, *program.history]
        self.program_ = program
        self.history_ = program.history
        self.n_iter_ = len(program.history)
