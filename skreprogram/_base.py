"""What all estimators share: fit, going on, scores, save, written once."""

from abc import abstractmethod

from sklearn.base import BaseEstimator, clone
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from skreprogram._persistence import write_program
from skreprogram._validation import check_finetuning, check_queries, check_through_solution
from skreprogram._warm_start import last_fit, start_from, with_seen
from skreprogram.gradients import Gradient
from skreprogram.mappings import OutputMapping
from skreprogram.sources import SeveralSources, as_source
from skreprogram.sources._several_sources import sources_of
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
from skreprogram.transformations._per_source import each_of, side_by_source


class BaseReprogrammer(BaseEstimator):
    """Base of the estimators: everything that does not depend on the kind of data and targets.

    A subclass states its parameters and turns X into an array (`_check_samples`), and y into what
    training takes.
    """

    # further attributes of a fit that prediction needs, plain values for the file of `save`
    _kept_facts = ()
    # the attribute that says what a fit learned of its targets
    _target_fact = "classes_"
    # whether `source` may be a list: samples then go to each source in its own way
    _takes_several_sources = False

    @abstractmethod
    def _check_samples(self, X, reset):
        """Validate X; return what the input transformation takes, as an ndarray."""

    @abstractmethod
    def _check_fit_data(self, X, y, sample_weight, reset=True):
        """Validate everything; return data, targets and weights of the rows that count."""

    @abstractmethod
    def _n_scores(self):
        """Number of target classes, or of values of a sample."""

    @abstractmethod
    def _loss(self):
        """The loss that `loss` stands for."""

    def fit(self, X, y, sample_weight=None):
        """Fit a program to the training data.

        Parameters
        ----------
        X : array-like
            Target data, in the shape that the class describes.
        y : array-like of shape (n_samples,)
            Labels of any kind; for regression numbers, perhaps several a sample, of shape
            (n_samples, n_targets).
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
        rows = self._check_fit_data(X, y, sample_weight)
        self._resolve()
        start = start_from(previous, self) if self._trains_by_gradient() else None
        train, valid = self._split(*self._as_trained(*rows, anew=start is None))
        self._fit(self._task(train, valid, start), self._options())
        self._seen = None
        return self

    def _go_on(self, X, y, sample_weight, **kinds):
        """Fit to further samples: the body of `partial_fit`."""
        begun = hasattr(self, "program_")
        rows = self._check_fit_data(X, y, sample_weight, reset=not begun, **kinds)
        if not begun:
            self._resolve()
        if self._trains_by_gradient():
            start = self.program_ if begun else None
            if self.mapping_.trains_through_solution:
                # a head that is solved needs all rows
                rows = self._seen = with_seen(self._seen, rows) if begun else rows
            rows = rows_of(*self._as_trained(*rows, anew=not begun))
            self._fit(self._task(rows, None, start), self._options(one_epoch=True), went_on=begun)
            return self
        rows = with_seen(self._seen, rows) if begun else rows
        self._fit(self._task(rows_of(*self._as_trained(*rows, anew=True))), self._options())
        self._seen = rows
        return self

    def _scores(self, X):
        """What the fitted program makes of samples: float64 of shape (n_samples, n_scores)."""
        check_is_fitted(self, "program_")
        X = self._check_samples(X, reset=False)
        composition = self._compose(folded=not self.program_.source)
        return class_scores(self.program_, composition, X, self.verbose)

    def reprogram(self, X):
        """Source inputs of samples: what the frozen model is shown.

        Parameters
        ----------
        X : array-like
            Target data.

        Returns
        -------
        inputs : ndarray of shape (n_samples, *source_shape), or tuple of them
            A tuple where the input transformation shows several views of each sample, or where
            there are several sources: all views of the first one, then those of the next.
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

    def _as_trained(self, X, y, weight, anew):
        """Rows as training takes them, in what they were standardised, or anew."""
        return X, y, weight

    def _task(self, train, valid=None, start=None):
        return Task(train, self._n_scores(), self._seed(), valid, start)

    def _resolve(self):
        """Make the source handle and the strategies that the parameters name."""
        chosen = self._chosen_source()
        listed = isinstance(chosen, (list, tuple, SeveralSources))
        if listed and not self._takes_several_sources:
            raise ValueError(
                f"Got source={self.source!r} in {type(self).__name__}, expected one source, not a "
                "list: sources differ in their tokens. Lists are for series, tables and images."
            )
        self.source_ = as_source(chosen, self.input_shape_)
        sources = sources_of(self.source_)
        places = each_of(self._chosen("input_transformation"), len(sources))
        pairs = zip(places, sources, strict=True)
        places = [self._meant("input_transformation", *pair) for pair in pairs]
        self.transformation_ = clone(side_by_source(places))
        mapping = self._chosen("output_mapping")
        meant = [self._meant("output_mapping", mapping, source) for source in sources]
        # what sources of different kinds have in common are features
        agreed = meant.count(meant[0]) == len(meant)
        self.mapping_ = clone(OutputMapping.resolve(meant[0] if agreed else "features"))

    def _chosen_source(self):
        """The source, or several, that the parameter stands for."""
        return self.source

    def _chosen(self, name):
        """The strategy that a parameter stands for."""
        return getattr(self, name)

    def _meant(self, name, choice, source):
        """The same for one source, which decides what "auto" means."""
        automatic = isinstance(choice, str) and choice == "auto"
        return self._automatic(name, source) if automatic else choice

    def _automatic(self, name, source):
        """What "auto" stands for."""
        return "auto"

    def _gradient(self):
        """How the gradient is had from this source."""
        choice = self.gradient
        if isinstance(choice, str) and choice == "auto":
            asking = self.transformation_.query_gradient
            choice = "backprop" if self.source_.differentiable else asking
        gradient = Gradient.resolve(choice)
        check_queries(gradient, self.source_, self.transformation_, self.mapping_, self.precision)
        check_finetuning(self, gradient)
        if self.mapping_.trains_through_solution and self._trains_by_gradient():
            check_through_solution(self, gradient)
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
        # a mapping that is solved again at the end needs all rows, and cuts them itself
        cuts = self._trains_by_gradient() and not self.mapping_.trains_through_solution
        if not self.early_stopping or not cuts:
            return rows_of(X, y, weight), None
        return hold_out(X, y, weight, self.validation_fraction, self._seed())

    def _trains_by_gradient(self):
        mapping = self.mapping_
        solved = hasattr(mapping, "solve") and not mapping.trains_through_solution
        trains = bool(mapping.trainable) and not solved
        return bool(self.transformation_.trainable) or trains or self.finetune is not None

    def _seed(self):
        return int(check_random_state(self.random_state).randint(2**31 - 1))

    def _options(self, one_epoch=False):
        stopping = self.early_stopping and self._trains_by_gradient() and not one_epoch
        as_named = ("lr", "output_lr", "finetune", "finetune_lr", "batch_size", "optimizer")
        as_named += ("weight_decay", "augmentation", "validation_fraction")
        return TrainingOptions(
            max_epochs=1 if one_epoch else self.max_epochs,
            lr_scheduler=None if one_epoch else self.lr_scheduler,
            patience=self.n_iter_no_change if stopping else None,
            callbacks=tuple(self.callbacks or ()),
            loss=self._loss(),
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
