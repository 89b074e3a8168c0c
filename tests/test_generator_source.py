"""Generators as sources: laws of latents, shapes, handles by reference."""

import copy
import pickle

import pytest
import torch
from ring import ring_source
from scipy.stats import kstest
from torch import nn

from skreprogram.sources import (
    GeneratorSource,
    as_generator,
    as_source,
    list_sources,
    load_source,
)
from skreprogram.sources._packaged_generators import PACKAGED_GENERATORS
from skreprogram.sources._weights import BUNDLED, sha256_of


def network():
    """A generator with batch statistics, from 4 numbers to (2, 3)."""
    layers = nn.Linear(4, 6), nn.BatchNorm1d(6), nn.Unflatten(1, (2, 3))
    return nn.Sequential(*layers)


def test_the_bundled_generator_is_listed_and_its_weights_are_the_right_ones():
    entry = PACKAGED_GENERATORS["digits-generator"]
    assert "digits-generator" in list_sources()
    assert sha256_of(BUNDLED / entry.file) == entry.sha256
    assert as_generator("digits-generator") == load_source("digits-generator")


def test_the_bundled_generator_draws_digits_in_their_range():
    source = load_source("digits-generator")
    images = source.generate(source.draw(100, torch.Generator().manual_seed(0)))
    assert images.shape == (100, 8, 8)
    assert images.min() >= 0 and images.max() <= 16
    assert images.std(0).mean() > 2  # not one image again and again


def test_another_latent_shape_is_refused():
    with pytest.raises(ValueError, match="takes \\(32,\\)"):
        load_source("digits-generator", input_shape=(16,))


def test_samples_are_those_of_the_module_as_it_predicts():
    module, latents = network(), torch.randn(5, 4)
    source = GeneratorSource.from_module(module, (4,))
    torch.testing.assert_close(source.generate(latents), module.eval()(latents))


def test_shapes_are_counted():
    source = GeneratorSource.from_module(network(), (4,))
    assert (source.input_shape, source.output_shape, source.n_outputs) == ((4,), (2, 3), 6)


def test_gradients_reach_the_latents_and_nothing_else():
    source, latents = GeneratorSource.from_module(network(), (4,)), torch.randn(5, 4)
    source.generate(latents.requires_grad_()).sum().backward()
    assert latents.grad.abs().sum() > 0
    assert not source.load()._module[0][0].weight.requires_grad


@pytest.mark.parametrize(
    ("value_range", "latent", "law"),
    [(None, "normal", ("norm", ())), ((-2, 1), "uniform", ("uniform", (-2, 3)))],
)
def test_latents_are_drawn_from_the_declared_law(value_range, latent, law):
    source = GeneratorSource.from_module(network(), (4,), value_range=value_range)
    drawn = source.draw(500, torch.Generator().manual_seed(0))
    assert source.latent == latent
    assert kstest(drawn.flatten().numpy(), *law).pvalue > 0.01


def test_a_handle_is_copied_and_cloned_as_itself():
    source = ring_source()
    assert copy.deepcopy(source) is source and source.__sklearn_clone__() is source


def test_a_pickled_handle_is_the_same_generator_without_its_weights():
    source = load_source("digits-generator")
    content = pickle.dumps(source)
    assert len(content) < 2000 and pickle.loads(content) == source


def test_a_factory_and_a_file_make_the_same_generator():
    entry = PACKAGED_GENERATORS["digits-generator"]
    source = GeneratorSource.from_factory(entry.factory, BUNDLED / entry.file, (32,))
    latents = torch.randn(3, 32)
    bundled = load_source("digits-generator")
    torch.testing.assert_close(source.generate(latents), bundled.generate(latents))


def test_the_control_has_other_weights_and_the_same_shapes():
    source = load_source("digits-generator")
    other = source.with_random_weights(0)
    latents = torch.randn(3, 32)
    assert other.output_shape == (8, 8) and other.output_range == (0.0, 16.0)
    assert not torch.allclose(other.generate(latents), source.generate(latents))


@pytest.mark.parametrize(
    ("module", "words"),
    [
        (nn.Linear(5, 2), "Got an error from the generator 'Linear'.*input_shape"),
        (nn.Flatten(0), r"shape \(8,\).*for two latents"),
    ],
)
def test_a_module_that_does_not_take_the_latents_is_refused(module, words):
    with pytest.raises(ValueError, match=words):
        GeneratorSource.from_module(module, (4,))


def test_a_range_that_does_not_rise_is_refused():
    with pytest.raises(ValueError, match="lowest and the highest"):
        GeneratorSource.from_module(network(), (4,), output_range=(1, 0))


@pytest.mark.parametrize("choice", ["digits-generator", ring_source()], ids=["name", "handle"])
def test_classifiers_refuse_a_generator(choice):
    with pytest.raises(TypeError, match="expected a model that classifies.*GeneratorReprogrammer"):
        as_source(choice, (4,))
