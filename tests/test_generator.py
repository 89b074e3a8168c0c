"""The door for generators, on a ring of eight heaps whose answer is known."""

import pickle

import numpy as np
import pytest
import torch
from ring import N_HEAPS, heap_of, ring, ring_source
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import StratifiedKFold, cross_val_score
from torch import nn

from skreprogram import GeneratorReprogrammer
from skreprogram.sources import GeneratorSource, load_source
from skreprogram.transformations import ResidualNoise

QUICK = {"n_steps": 8, "random_state": 0}


def quick(**params):
    """A drawer over the ring that is fitted in no time, and badly."""
    return GeneratorReprogrammer(**{"source": ring_source(), **QUICK, **params})


@pytest.fixture(scope="module")
def drawer():
    """One fitted to three heaps of the ring, by name."""
    X, y = ring()
    kept = y < 3
    names = np.array(["east", "north-east", "north"])
    return GeneratorReprogrammer(ring_source(), lr=0.03, n_steps=250, random_state=0).fit(
        X[kept], names[y[kept]]
    )


def test_samples_of_a_class_lie_in_its_heap(drawer):
    assert drawer.classes_.tolist() == ["east", "north", "north-east"]
    for name, heap in {"east": 0, "north-east": 1, "north": 2}.items():
        assert (heap_of(drawer.sample(name, n=200, random_state=0)) == heap).mean() > 0.9


def test_the_score_is_the_share_that_real_neighbours_confirm(drawer):
    X, y = ring(20, random_state=1)
    names = np.array(["east", "north-east", "north"])
    kept = y < 3
    assert drawer.score(X[kept], names[y[kept]]) > 0.9
    # the same real points under other names: now nothing is right
    others = np.array(["north-east", "north", "east"])
    assert drawer.score(X[kept], others[y[kept]]) < 0.1


@pytest.mark.slow
def test_all_eight_heaps_of_the_ring_are_told_apart():
    drawer = GeneratorReprogrammer(ring_source(), lr=0.03, n_steps=1500, random_state=0)
    samples = drawer.fit(*ring()).sample(n=200, random_state=1)
    assert (heap_of(samples) == np.arange(N_HEAPS).repeat(200)).mean() > 0.95


def test_samples_vary_within_a_class(drawer):
    points = drawer.sample("north", n=200, random_state=0)
    assert len(np.unique(points, axis=0)) == 200
    assert points.std(0).max() > 0.02


def test_a_sample_of_labels_follows_their_order(drawer):
    wanted = ["north", "east", "north", "north-east"]
    assert heap_of(drawer.sample(wanted, random_state=3)).tolist() == [2, 0, 2, 1]


def test_no_labels_are_all_classes_in_order(drawer):
    # in the order of classes_: east, north, north-east
    points = drawer.sample(n=50, random_state=0).reshape(3, 50, 2)
    assert [np.bincount(heap_of(own)).argmax() for own in points] == [0, 2, 1]


def test_the_same_seed_draws_the_same_samples(drawer):
    first, second, other = (drawer.sample("east", n=5, random_state=s) for s in (0, 0, 1))
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, other)


def test_no_samples_are_an_empty_array(drawer):
    assert drawer.sample([], random_state=0).shape == (0, 2)
    assert drawer.sample("east", n=0).shape == (0, 2)


def test_a_fit_with_the_same_seed_is_the_same_and_disturbs_no_global_generator():
    state, seeds = torch.get_rng_state(), np.random.get_state()[1].copy()
    first, second = (quick().fit(*ring()).program_.input for _ in range(2))
    assert all(np.array_equal(first[name], second[name]) for name in first)
    assert torch.equal(torch.get_rng_state(), state)
    np.testing.assert_array_equal(np.random.get_state()[1], seeds)


def test_a_fit_leaves_data_and_source_as_they_were():
    X, y = ring()
    source, before = ring_source(), X.copy()
    digest = source.load().state_digest()
    GeneratorReprogrammer(source, **QUICK).fit(X, y)
    np.testing.assert_array_equal(X, before)
    assert source.load().state_digest() == digest


def test_a_pickle_holds_the_program_and_no_weights(drawer):
    content = pickle.dumps(drawer)
    assert len(content) < 30_000
    again = pickle.loads(content)
    np.testing.assert_array_equal(
        again.sample("east", n=5, random_state=0), drawer.sample("east", n=5, random_state=0)
    )


def test_a_clone_is_unfitted_and_shares_the_source(drawer):
    other = clone(drawer)
    assert other.source is drawer.source and not hasattr(other, "program_")
    with pytest.raises(NotFittedError):
        other.sample("east", n=1)


def test_parameters_of_the_transformation_are_reached_by_name():
    drawer = quick(input_transformation=ResidualNoise()).set_params(
        input_transformation__n_embedding=3
    )
    assert drawer.fit(*ring()).program_.input["embedding"].shape == (N_HEAPS, 3)


def test_cross_validation_scores_samples():
    scores = cross_val_score(quick(), *ring(), cv=StratifiedKFold(2))
    assert len(scores) == 2 and ((scores >= 0) & (scores <= 1)).all()


@pytest.mark.parametrize("shape", [(64,), (8, 8)])
def test_samples_have_the_shape_of_the_data(shape):
    X, y = load_digits(n_class=2, return_X_y=True)
    drawer = GeneratorReprogrammer(**QUICK).fit(X.reshape(-1, *shape), y)
    samples = drawer.sample([0, 1, 1], random_state=0)
    assert samples.shape == (3, *shape) and samples.dtype == np.float32
    assert samples.min() >= 0 and samples.max() <= 16


@pytest.mark.parametrize("loss", ["hinge", "positive-unlabelled"])
@pytest.mark.parametrize("transformation", ["residual", "per-class"])
def test_every_loss_fits_every_transformation(loss, transformation):
    drawer = quick(loss=loss, input_transformation=transformation).fit(*ring())
    assert np.isfinite(drawer.sample(n=3, random_state=0)).all()


def test_a_generator_with_uniform_latents_is_shown_latents_in_their_range():
    class Checked(nn.Module):
        def forward(self, latents):
            assert latents.min() >= 0 and latents.max() <= 1
            return latents.flatten(1)[:, :2]

    source = GeneratorSource.from_module(Checked(), (4, 1, 1), value_range=(0, 1))
    drawer = GeneratorReprogrammer(source, **QUICK).fit(*ring())
    assert drawer.sample(n=2, random_state=0).shape == (16, 2)


def test_a_discriminator_of_ones_own_is_made_for_the_shape_of_a_sample():
    shapes = []

    def body(shape):
        shapes.append(shape)
        return nn.Linear(*shape, 7)

    quick(discriminator=body).fit(*ring())
    assert shapes == [(2,)]


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"n_steps": 0}, "n_steps=0, expected a whole number of at least 1"),
        ({"lr": 0}, "lr=0, expected a positive number"),
        ({"averaging": 1}, "averaging=1, expected a number in"),
        ({"gradient_penalty": -1}, "gradient_penalty=-1, expected a number of at least 0"),
        ({"largest_share": 2}, "largest_share=2"),
        ({"loss": "wasserstein"}, "'wasserstein', expected one of.*'hinge'"),
        ({"source": "digits"}, "'digits', expected one of.*digits-generator"),
        ({"input_transformation": "residuals"}, "noise transformation.*Did you mean 'residual'"),
    ],
)
def test_a_wrong_parameter_is_answered_in_a_sentence(params, words):
    with pytest.raises(ValueError, match=words):
        quick(**params).fit(*ring())


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"source": nn.Linear(4, 2)}, "Linear as source.*from_module"),
        ({"source": load_source("speech-commands")}, "SourceModel as source"),
        ({"discriminator": "dense"}, "discriminator='dense', expected None or a function"),
    ],
)
def test_a_parameter_of_the_wrong_kind_is_answered_in_a_sentence(params, words):
    with pytest.raises(TypeError, match=words):
        quick(**params).fit(*ring())


def test_samples_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"shape \(3,\), expected \(8, 8\).*flat rows of 64"):
        GeneratorReprogrammer(**QUICK).fit(np.ones((4, 3)), [0, 1, 0, 1])


def test_samples_out_of_range_are_refused():
    X, y = load_digits(n_class=2, return_X_y=True)
    with pytest.raises(ValueError, match="from 0 to 256, expected values from 0 to 16.*Scale X"):
        GeneratorReprogrammer(**QUICK).fit(16 * X, y)


def test_one_class_is_refused():
    with pytest.raises(ValueError, match="at least two classes"):
        quick().fit(ring()[0], np.zeros(80))


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"y": "south", "n": 1}, r"\['south'\] in y, expected those of fit"),
        ({"y": "east"}, "n=None, expected an array of labels"),
        ({"y": ["east"], "n": 2}, "n=2, expected an array of labels and no n"),
        ({"y": "east", "n": -1}, "n=-1, expected a whole number"),
        ({"y": [["east"]]}, r"shape \(1, 1\), expected one label a sample"),
        ({}, "y=None and n=None"),
    ],
)
def test_a_wish_that_cannot_be_met_is_answered_in_a_sentence(drawer, asked, words):
    with pytest.raises(ValueError, match=words):
        drawer.sample(**asked)


def test_progress_is_shown_only_when_asked(capsys):
    quick().fit(*ring())
    assert capsys.readouterr().err == ""
    quick(verbose=1).fit(*ring())
    assert "training the program" in capsys.readouterr().err
