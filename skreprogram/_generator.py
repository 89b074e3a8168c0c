"""The door for generators: fit a few labelled samples, draw samples of a class."""

import numpy as np
import torch
from sklearn.base import BaseEstimator, clone
from sklearn.neighbors import KNeighborsClassifier
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from skreprogram._generator_checks import (
    check_fits_source,
    check_generator_parameters,
    check_wanted,
)
from skreprogram._validation import check_enough_classes, check_labels, check_samples
from skreprogram.sources import as_generator
from skreprogram.training import (
    AdversarialOptions,
    ConditionalGenerator,
    Program,
    load_network,
    train_adversarially,
)
from skreprogram.transformations import NoiseTransformation

ROWS_AT_ONCE = 4096


class GeneratorReprogrammer(BaseEstimator):
    """Draw samples of a class from a frozen generator that knows no classes.

    ``x = source(transformation(noise, y))``: the generator stays frozen; a few labelled samples
    train the transformation of its noise against a discriminator [1]_.

    Parameters
    ----------
    source : GeneratorSource or str, default="digits-generator"
        Frozen generator: a handle made by
        :meth:`skreprogram.sources.GeneratorSource.from_module`, which declares the latents, or a
        name of :func:`skreprogram.sources.list_sources`.
    input_transformation : str or NoiseTransformation, default="residual"
        From noise and class to latents: "residual" (InRep+: shared invertible blocks behind an
        embedding of the class), "per-class" (blocks of its own for every class), or an object of
        :mod:`skreprogram.transformations`.
    loss : {"positive-unlabelled", "hinge"}, default="positive-unlabelled"
        Whether generated samples are unlabelled to the discriminator, a growing share of them
        good, or all of them bad.
    largest_share : float, default=0.5
        That share after the last step; it starts at one over the number of classes. The paper lets
        it rise to 1, where the discriminator here learns nothing more and samples lose variety.
    discriminator : callable or None, default=None
        Function of the shape of one sample that makes a torch module from ``(n, *shape)`` to
        features ``(n, d)``. None takes two dense layers, or convolutions for larger images.
    n_steps : int, default=500
        Steps of the program.
    n_discriminator_steps : int, default=2
        Steps of the discriminator before each.
    lr : float, default=0.01
        Learning rate of the program.
    discriminator_lr : float, default=0.001
        Learning rate of the discriminator.
    batch_size : int, default=64
        Samples per step, the classes in equal shares.
    gradient_penalty : float, default=1.0
        Weight of the squared gradient of the scores at real samples (R1 [2]_).
    averaging : float, default=0.99
        Weight of the past in the running mean of the program that is kept; 0 keeps the last step.
    device : str, default="auto"
        "auto", "cpu", "cuda", "cuda:N".
    random_state : int, RandomState or None, default=None
        Seed of everything that `fit` draws.
    verbose : int, default=0
        1 shows a progress bar.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted.
    program_ : Program
        What was learned, as numpy arrays; kilobytes.
    source_ : GeneratorSource
        Handle of the frozen generator.
    transformation_ : NoiseTransformation
        As it was fitted.
    history_ : list of dict
        About a hundred rows: ``step``, ``loss``, ``discriminator_loss``, ``share``.
    input_shape_ : tuple of int
        Shape of one sample at fit.
    n_features_in_ : int
        Second axis of X at fit.

    See Also
    --------
    ReprogrammingClassifier : Reprogram a classifier.

    Notes
    -----
    The discriminator is forgotten after `fit`. Rare classes are as frequent in its batches as
    others.

    References
    ----------
    .. [1] T. Dinh, D. Seo, Z. Du, L. Shang, K. Lee, "Improved Input Reprogramming for GAN
       Conditioning", 2022, arXiv:2201.02692.
    .. [2] L. Mescheder, A. Geiger, S. Nowozin, "Which Training Methods for GANs do actually
       Converge?", ICML 2018.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skreprogram import GeneratorReprogrammer
    >>> X, y = load_digits(return_X_y=True)
    >>> drawer = GeneratorReprogrammer(n_steps=20, random_state=0).fit(X[:90], y[:90])
    >>> drawer.sample([3, 3, 8], random_state=0).shape
    (3, 64)
    """

    def __init__(
        self,
        source="digits-generator",
        *,
        input_transformation="residual",
        loss="positive-unlabelled",
        largest_share=0.5,
        discriminator=None,
        n_steps=500,
        n_discriminator_steps=2,
        lr=0.01,
        discriminator_lr=0.001,
        batch_size=64,
        gradient_penalty=1.0,
        averaging=0.99,
        device="auto",
        random_state=None,
        verbose=0,
    ):
        self.source = source
        self.input_transformation = input_transformation
        self.loss = loss
        self.largest_share = largest_share
        self.discriminator = discriminator
        self.n_steps = n_steps
        self.n_discriminator_steps = n_discriminator_steps
        self.lr = lr
        self.discriminator_lr = discriminator_lr
        self.batch_size = batch_size
        self.gradient_penalty = gradient_penalty
        self.averaging = averaging
        self.device = device
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X, y):
        """Fit a program to labelled samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, *output_shape) or (n_samples, n_features)
            Samples such as the generator makes, in its range; rows may be flat.
        y : array-like of shape (n_samples,)
            Labels of any kind.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError, TypeError
            For data and parameters that cannot be used, in a sentence that says what to do.
        FloatingPointError
            When training diverges.
        """
        check_generator_parameters(self)
        X = check_samples(self, X, np.float32, reset=True)
        self.classes_, codes = check_labels(y, len(X))
        check_enough_classes(codes, self.classes_)
        self.source_ = as_generator(self.source)
        check_fits_source(X, self.source_)
        self.transformation_ = clone(NoiseTransformation.resolve(self.input_transformation))
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        params, self.history_ = self._train(X, codes, seed)
        arrays = {name: tensor.cpu().numpy() for name, tensor in params.items()}
        self.program_ = Program(arrays, {}, self.history_)
        return self

    def sample(self, y=None, n=None, random_state=None):
        """Draw samples of classes.

        Parameters
        ----------
        y : array-like of shape (n_samples,), label or None, default=None
            The class of each sample; or one label, for `n` samples of it; or None for `n` samples
            of every class, in the order of ``classes_``.
        n : int or None, default=None
            How many, where y does not say it.
        random_state : int, RandomState or None, default=None
            Seed of the noise.

        Returns
        -------
        samples : ndarray of shape (n_samples, *input_shape_), float32
            In the generator's range.
        """
        check_is_fitted(self, "program_")
        codes = torch.from_numpy(check_wanted(y, n, self.classes_))
        seed = int(check_random_state(random_state).randint(2**31 - 1))
        conditional, device = self._conditional(torch.Generator())
        params, _ = self.program_.tensors()
        params = {name: tensor.to(device) for name, tensor in params.items()}
        generator = torch.Generator().manual_seed(seed)
        noise = torch.randn(len(codes), conditional.n_noise, generator=generator)
        parts = [torch.empty(0, *self.source_.output_shape)]
        with torch.inference_mode():
            for rows in torch.arange(len(codes)).split(ROWS_AT_ONCE):
                given = noise[rows].to(device), codes[rows].to(device)
                parts.append(conditional.generate(params, *given).cpu())
        return torch.cat(parts).reshape(len(codes), *self.input_shape_).numpy()

    def score(self, X, y):
        """Class accuracy of samples, judged by real data.

        For each row of y a sample is drawn, always with the same noise; it is right where its
        nearest neighbour in X has the label that it was drawn for. Give data that `fit` has not
        seen.

        Parameters
        ----------
        X : array-like of shape (n_samples, *input_shape_)
            Real samples.
        y : array-like of shape (n_samples,)
            Their labels.

        Returns
        -------
        score : float
            Share of samples that are right.
        """
        check_is_fitted(self, "program_")
        X = check_samples(self, X, np.float32, reset=False)
        classes, codes = check_labels(y, len(X))
        judge = KNeighborsClassifier(1).fit(X.reshape(len(X), -1), codes)
        samples = self.sample(classes[codes], random_state=0)
        return float((judge.predict(samples.reshape(len(X), -1)) == codes).mean())

    def _train(self, X, codes, seed):
        conditional, device = self._conditional(torch.Generator().manual_seed(seed))
        X = torch.from_numpy(X).reshape(-1, *self.source_.output_shape)
        rows = X.to(device), torch.from_numpy(codes).to(device)
        same = (
            "n_steps n_discriminator_steps lr discriminator_lr batch_size gradient_penalty "
            "averaging loss largest_share discriminator verbose"
        )
        options = AdversarialOptions(**{name: getattr(self, name) for name in same.split()})
        scale = _scale(X, self.source_.output_range)
        return train_adversarially(conditional, rows, len(self.classes_), scale, options, seed)

    def _conditional(self, generator):
        """The untrained program before the loaded generator, and its device."""
        network, device = load_network(self.source_, self.device, "float32")
        space, transformation = self.source_.input_space, self.transformation_
        shape = self.source_.output_shape

        def generate(params, noise, codes):
            latents = transformation.apply(params, noise, codes, space)
            return network.outputs(latents).reshape(len(noise), *shape)

        params = transformation.init(len(self.classes_), space, generator)
        params = {name: tensor.to(device) for name, tensor in params.items()}
        return ConditionalGenerator(params, generate, transformation.n_noise(space)), device


def _scale(X, output_range):
    """Centre and spread of the data, as the discriminator sees them."""
    if output_range is not None:
        low, high = output_range
        return (low + high) / 2, (high - low) / 2
    return X.mean().item(), max(X.std(correction=0).item(), 1e-12)
