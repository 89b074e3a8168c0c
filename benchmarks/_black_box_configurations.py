"""The configurations that the black-box benchmark knows by name.

To add one, write a line in `CONFIGURATIONS`. Settings are those of the papers, or were chosen on
the targets in `_black_box_targets.DEVELOPMENT`, which are not reported.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

from _black_box_twin import open_nsfw_twin
from skreprogram import ReprogrammingClassifier
from skreprogram.gradients import (
    CovarianceAdaptation,
    RandomDirections,
    SimultaneousPerturbation,
    Surrogate,
)
from skreprogram.losses import FocalLoss
from skreprogram.mappings import FrequencyMapping
from skreprogram.sources import load_source
from skreprogram.transformations import (
    CoarseGridTransformation,
    PaddingTransformation,
    ResizingTransformation,
)


class Service(NamedTuple):
    """A black box of the benchmark.

    Parameters
    ----------
    shown : dict of bool to InputTransformation
        How the data are shown to it, with a program and without.
    n_source_labels : int
        Source labels a class in the recipe of BAR.
    rates : dict
        Learning rates of what is trained by queries with Adam. A noisy gradient needs smaller
        steps than a true one, and a source of many outputs smaller steps behind it.
    n_numbers : int
        Numbers of the program.
    twin : callable or None
        Makes the same function with gradients.
    local : callable or None
        Makes the local network of the surrogate.
    """

    shown: dict
    n_source_labels: int
    rates: dict
    n_numbers: int
    twin: Any = None
    local: Any = None


def photographs():
    """The local network of images; 64 pixels a side cost a tenth of 224."""
    return load_source("imagenet-efficientnet-lite0", input_shape=(3, 64, 64))


SERVICES = {
    "open-nsfw": Service(
        {True: CoarseGridTransformation(4), False: ResizingTransformation()},
        n_source_labels=1,
        rates={"lr": 0.05, "output_lr": 0.1},
        n_numbers=48,
        twin=open_nsfw_twin,
        local=photographs,
    ),
    "magika": Service(
        {True: PaddingTransformation(n_points=64), False: PaddingTransformation(program="none")},
        n_source_labels=10,
        rates={"lr": 0.001, "output_lr": 0.01},
        n_numbers=64,
    ),
}


class Configuration(NamedTuple):
    """One line of a table.

    Parameters
    ----------
    gradient : str or Gradient
        How the program's gradient is had.
    settings : dict
        Further parameters of the estimator.
    on : {"service", "twin"}, default="service"
        What is reprogrammed: the black box, or the same function with gradients.
    program : bool, default=True
        Whether anything before the source trains.
    once : bool, default=False
        Whether each training sample is asked about once, whatever the limit.
    random_weights : bool, default=False
        Whether the network that gradients pass through is untrained: the control of what it
        knows.
    """

    gradient: Any
    settings: dict
    on: str = "service"
    program: bool = True
    once: bool = False
    random_weights: bool = False

    def runs_on(self, service):
        """Whether the service has what this needs."""
        if self.on == "twin":
            return service.twin is not None
        return self.gradient != "surrogate" or service.local is not None


@dataclass(frozen=True)
class ExponentialDecay:
    """BAR's learning rate: it falls to a twentieth over the epochs of a fit."""

    n_epochs: int

    def __call__(self, epoch):
        return 0.05 ** (epoch / self.n_epochs)


BAR = {
    "output_mapping": "BAR",
    "loss": FocalLoss(gamma=2.0),
    "optimizer": "sgd",
    "lr_scheduler": "BAR",
    "lr": 0.3,
    "batch_size": 20,
}
LINEAR = {"output_mapping": "linear", "batch_size": 10, "lr_scheduler": "cosine"}
# with true gradients
ADAM = {**LINEAR, "lr": 0.1}

CONFIGURATIONS = {
    "no program": Configuration("auto", {**ADAM, "max_epochs": 100}, program=False, once=True),
    "no program, random weights": Configuration(
        "auto",
        {**ADAM, "max_epochs": 100},
        on="twin",
        program=False,
        once=True,
        random_weights=True,
    ),
    "backpropagation": Configuration("backprop", ADAM, on="twin"),
    "backpropagation, random weights": Configuration(
        "backprop", ADAM, on="twin", random_weights=True
    ),
    "backpropagation, recipe of BAR": Configuration("backprop", BAR, on="twin"),
    "spsa, Adam": Configuration(SimultaneousPerturbation(1), LINEAR),
    "spsa, gradient correction": Configuration(
        SimultaneousPerturbation(
            2, momentum=0.9, gain_decay=0.4, smoothing_decay=0.1, perturbation="segmented"
        ),
        {**LINEAR, "optimizer": "sgd", "lr_scheduler": None},
    ),
    "rgf, recipe of BAR": Configuration(RandomDirections(5), BAR),
    "rgf, Adam": Configuration(RandomDirections(4), LINEAR),
    "cma-es": Configuration(CovarianceAdaptation(), LINEAR),
    "surrogate": Configuration("surrogate", {**ADAM, "max_epochs": 20}, once=True),
    "surrogate, random weights": Configuration(
        "surrogate", {**ADAM, "max_epochs": 20}, once=True, random_weights=True
    ),
}


def make_estimator(configuration, name, source, n_train, budget, seed):
    """An unfitted estimator for one run.

    Parameters
    ----------
    configuration : Configuration
        The line of the table.
    name : str
        One of `SERVICES`.
    source : SourceModel or BlackBoxSource
        What is reprogrammed.
    n_train : int
        Rows of the training part.
    budget : int
        Queries at most; backpropagation passes so many rows, in whole epochs.
    seed : int
        Seed of all that is drawn.

    Returns
    -------
    estimator : ReprogrammingClassifier
    """
    service, settings = SERVICES[name], dict(configuration.settings)
    if settings["output_mapping"] == "BAR":
        settings["output_mapping"] = FrequencyMapping(service.n_source_labels)
    gradient = configuration.gradient
    if gradient == "backprop":
        settings["max_epochs"] = max(1, budget // n_train)
    elif not configuration.once:
        per_row = gradient.candidates_per_step(service.n_numbers)
        settings |= {"max_epochs": -(-budget // (per_row * n_train)), "max_queries": budget}
        settings = {**service.rates, **settings}
    if settings["lr_scheduler"] == "BAR":
        settings["lr_scheduler"] = ExponentialDecay(settings["max_epochs"])
    if gradient == "surrogate":
        local = service.local()
        untrained = configuration.random_weights
        gradient = Surrogate(local.with_random_weights(seed) if untrained else local)
    elif configuration.random_weights:
        source = source.with_random_weights(seed)
    return ReprogrammingClassifier(
        source,
        input_transformation=service.shown[configuration.program],
        gradient=gradient,
        random_state=seed,
        **settings,
    )
