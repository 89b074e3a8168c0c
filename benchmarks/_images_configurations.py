"""The configurations that the images benchmark knows by name.

To add one, write a function of source, budget and seed that returns an unfitted estimator, and a
line in `LADDER` or `GOALS`.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import torch
from sklearn.linear_model import LogisticRegressionCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skreprogram import ReprogrammingClassifier
from skreprogram.mappings import AssignmentMapping
from skreprogram.transformations import PaddingTransformation, ResizingTransformation


class Budget(NamedTuple):
    """What all lines of the ladder share."""

    max_epochs: int = 8
    lr: float = 0.01
    batch_size: int = 32


class Configuration(NamedTuple):
    """One line of a table: how to make the estimator, and what it has of its own.

    Parameters
    ----------
    make : callable
        From source, budget and seed to an unfitted estimator.
    random_weights : bool, default=False
        Whether the weights of the source are drawn again.
    budget : Budget or None, default=None
        Of this line alone; None takes that of the command line.
    side : int or None, default=None
        Pixels of the source's input for this line alone.
    """

    make: Callable[..., Any]
    random_weights: bool = False
    budget: Budget | None = None
    side: int | None = None


def program_around(source, budget, seed, mapping):
    """Show the image in the middle of the frame, with a program around it that trains."""
    return _classifier(source, budget, seed, PaddingTransformation(), mapping)


def program_everywhere(source, budget, seed, mapping):
    """Show the image as large as the frame, with a program on top."""
    transformation = PaddingTransformation(program="everywhere", size=source.input_shape[1])
    return _classifier(source, budget, seed, transformation, mapping)


def no_program(source, budget, seed, mapping):
    """Leave the same frame grey: only the mapping is fitted."""
    return _classifier(source, budget, seed, PaddingTransformation(program="none"), mapping)


def features_probe(source, budget, seed):
    """Ridge on statistics of all stages, images resized to the frame: the package's default."""
    return _classifier(source, budget, seed, _resizing(source), "features")


def penultimate_probe(source, budget, seed):
    """Logistic regression on the pooled last features: the linear probe of the papers."""
    head = LogisticRegressionCV(
        Cs=(1e-4, 1e-3, 1e-2, 1e-1),
        cv=3,
        max_iter=500,
        l1_ratios=(0,),
        use_legacy_attributes=False,
        scoring="accuracy",
    )
    features = FunctionTransformer(penultimate_features, kw_args={"source": source})
    return make_pipeline(features, StandardScaler(), head)


def penultimate_features(X, source):
    """Pool the last stage of the source for images resized to its size.

    Parameters
    ----------
    X : ndarray of shape (n, height, width) or (n, channels, height, width)
        Images, bytes or numbers between 0 and 1.
    source : SourceModel
        A source of images.

    Returns
    -------
    features : ndarray of shape (n, n_channels)
    """
    network, space, resizing = source.load(), source.input_space, _resizing(source)
    images = torch.from_numpy(X if X.ndim == 4 else X[:, None]).contiguous().float()
    images = images / 255 if X.dtype.kind == "u" else images
    constants = resizing.init(images[:1], space, None)
    with torch.inference_mode():
        parts = [
            network.features(resizing.apply(constants, part, space))[-1]
            for part in images.split(64)
        ]
    stage = torch.cat(parts)
    return (stage.flatten(2).mean(-1) if stage.ndim > 2 else stage).numpy()


def _resizing(source):
    return ResizingTransformation(source.input_shape[1])


def _classifier(source, budget, seed, transformation, mapping):
    return ReprogrammingClassifier(
        source,
        input_transformation=transformation,
        output_mapping=mapping,
        lr_scheduler="cosine",
        random_state=seed,
        **budget._asdict(),
    )


def _around(mapping, random_weights=False):
    return Configuration(partial(program_around, mapping=mapping), random_weights)


LADDER = {
    "random": _around("random"),
    "frequency": _around("frequency"),
    "iterative": _around("iterative"),
    "assignment": _around(AssignmentMapping(refit_every=1)),
    "bayesian": _around("bayesian"),
    "bayesian-soft": _around("bayesian-soft"),
    "linear": _around("linear"),
    "no program, frequency": Configuration(partial(no_program, mapping="frequency")),
    "no program, linear": Configuration(partial(no_program, mapping="linear")),
    "linear probe, last features": Configuration(penultimate_probe),
    "linear probe, all stages": Configuration(features_probe),
    "random weights, iterative": _around("iterative", random_weights=True),
    "random weights, linear": _around("linear", random_weights=True),
}

# settings of their own, chosen on a validation part of the training data: README.md tells how
GOALS = {
    "program everywhere, one label a class": Configuration(
        partial(program_everywhere, mapping="assignment"),
        budget=Budget(max_epochs=10, lr=0.03),
        side=48,
    ),
    "program everywhere, linear": Configuration(
        partial(program_everywhere, mapping="linear"), budget=Budget(max_epochs=3), side=48
    ),
    "program everywhere, linear, longer": Configuration(
        partial(program_everywhere, mapping="linear"), budget=Budget(max_epochs=5), side=48
    ),
}

CONFIGURATIONS = {**LADDER, **GOALS}
