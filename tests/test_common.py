"""scikit-learn's common tests, none excused, in double precision as `dtype` is meant for them."""

import pytest
import torch
from sklearn.utils.estimator_checks import estimator_checks_generator, parametrize_with_checks
from toys import sound_source, table_network, table_source

from skreprogram import (
    ReprogrammingClassifier,
    ReprogrammingRegressor,
    TimeSeriesReprogrammer,
    TimeSeriesReprogrammingRegressor,
)
from skreprogram.sources import BlackBoxSource
from skreprogram.transformations import FrequencyModulation, StretchingTransformation

EXACT = {"dtype": "float64", "random_state": 0}


def classifier():
    """Trained by gradient; the source takes the widest table of the checks."""
    return ReprogrammingClassifier(table_source(40), max_epochs=30, lr=0.03, **EXACT)


def finetuning_classifier():
    """The same, with all of the source's tensors."""
    return classifier().set_params(finetune="all", finetune_lr=0.01)


def time_series_classifier():
    """Solved in closed form, on a source that hears fast."""
    modulation = FrequencyModulation(low=20, high=180, samples_per_point=10, scale="set")
    return TimeSeriesReprogrammer(sound_source(), input_transformation=modulation, **EXACT)


def network_of_forty(rows):
    """A function of forty columns, asked by queries."""
    with torch.no_grad():
        return table_network(40).double()(torch.from_numpy(rows).double()).numpy()


def black_box_classifier():
    """Trained by queries alone."""
    source = BlackBoxSource(network_of_forty, (40,), 6, output_kind="logits", max_batch=10_000)
    return ReprogrammingClassifier(source, max_epochs=30, lr=0.03, **EXACT)


def regressor():
    """Trained by gradient."""
    return ReprogrammingRegressor(table_source(40), max_epochs=30, lr=0.03, **EXACT)


def time_series_regressor():
    """Solved in closed form, on features that tell single points apart."""
    stretching = StretchingTransformation(program=False)
    return TimeSeriesReprogrammingRegressor(
        table_source(40), input_transformation=stretching, **EXACT
    )


MAKERS = [
    classifier,
    finetuning_classifier,
    time_series_classifier,
    black_box_classifier,
    regressor,
    time_series_regressor,
]


@parametrize_with_checks([make() for make in MAKERS])
def test_scikit_learn_check(estimator, check):
    check(estimator)


@pytest.mark.slow
@parametrize_with_checks([TimeSeriesReprogrammer(**EXACT)])
def test_scikit_learn_check_of_the_default_for_time_series(estimator, check):
    check(estimator)


@pytest.mark.parametrize("make", MAKERS)
def test_no_check_vanished(make):
    # a wrong order of the base classes or a wrong tag drops checks silently
    assert len(list(estimator_checks_generator(make()))) >= 60
