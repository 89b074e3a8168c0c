"""From noise and a class to latents: invertible, in the generator's law, drawn locally."""

import pytest
import torch
from scipy.stats import kstest
from torch.nn.functional import leaky_relu

from skreprogram._input_space import InputSpace
from skreprogram.transformations import NoiseTransformation, PerClassNoise, ResidualNoise
from skreprogram.transformations._residual_noise import contracted

NORMAL, UNIFORM = InputSpace((6,)), InputSpace((6,), (0.0, 1.0))
EVERY = [ResidualNoise(), PerClassNoise()]


def latents_of(transformation, space, n_samples=50, scale=1.0):
    """Latents of one class from tensors that are `scale` times as large as the drawn ones."""
    generator = torch.Generator().manual_seed(0)
    params = transformation.init(3, space, generator)
    params = {name: scale * tensor for name, tensor in params.items()}
    noise = torch.randn(n_samples, transformation.n_noise(space), generator=generator)
    return transformation.apply(params, noise, torch.full((n_samples,), 1), space)


def test_the_family_has_two_members_by_name():
    assert NoiseTransformation.names() == ["per-class", "residual"]


@pytest.mark.parametrize("transformation", EVERY)
@pytest.mark.parametrize("shape", [(6,), (6, 1, 1), (2, 3)])
def test_latents_have_the_shape_that_the_generator_takes(transformation, shape):
    assert latents_of(transformation, InputSpace(shape)).shape == (50, *shape)


@pytest.mark.parametrize("transformation", EVERY)
def test_uniform_latents_stay_in_their_range_whatever_is_trained(transformation):
    latents = latents_of(transformation, UNIFORM, scale=100.0)
    assert latents.min() >= 0 and latents.max() <= 1


@pytest.mark.parametrize(
    ("space", "law"), [(NORMAL, "norm"), (UNIFORM, "uniform")], ids=["normal", "uniform"]
)
def test_without_blocks_the_latents_have_the_law_of_the_generator(space, law):
    latents = latents_of(PerClassNoise(), space, n_samples=500, scale=0.0)
    assert kstest(latents.flatten().numpy(), law).pvalue > 0.01


def test_no_matrix_is_longer_than_allowed_and_short_ones_stay():
    matrices = torch.stack([5 * torch.eye(4), 0.5 * torch.eye(4)])
    scaled = contracted(matrices, 0.9)
    torch.testing.assert_close(scaled, torch.stack([0.9 * torch.eye(4), 0.5 * torch.eye(4)]))


def test_noise_is_found_again_from_latents():
    transformation = ResidualNoise(n_embedding=2, n_blocks=2)
    generator = torch.Generator().manual_seed(0)
    params = transformation.init(3, NORMAL, generator)
    params = {name: 20 * tensor.double() for name, tensor in params.items()}
    noise, codes = torch.randn(9, 4, generator=generator).double(), torch.arange(9) % 3
    values = transformation.apply(params, noise, codes, NORMAL)
    weights = contracted(params["weights"], 0.9)
    for block in (1, 0):
        (first, second), (bias, other) = weights[block], params["biases"][block]
        target = values
        # z = target - g(z) contracts, so that the fixed point is the one way back
        for _ in range(300):
            inner = leaky_relu(values @ first.T + bias, 0.1)
            values = target - leaky_relu(inner @ second.T + other, 0.1)
    torch.testing.assert_close(values[:, :4], noise)
    torch.testing.assert_close(values[:, 4:], params["embedding"][codes])


def test_per_class_blocks_of_one_class_leave_the_others_alone():
    transformation, generator = PerClassNoise(), torch.Generator().manual_seed(0)
    params = transformation.init(3, NORMAL, generator)
    noise, codes = torch.randn(6, 6, generator=generator), torch.arange(6) % 3
    before = transformation.apply(params, noise, codes, NORMAL)
    changed = {name: tensor.clone() for name, tensor in params.items()}
    changed["biases"][1] += 1
    moved = (transformation.apply(changed, noise, codes, NORMAL) != before).any(1)
    assert moved.tolist() == [False, True, False] * 2


@pytest.mark.parametrize("transformation", EVERY)
def test_the_draws_are_those_of_the_generator_that_is_given(transformation):
    state = torch.get_rng_state()
    assert torch.equal(latents_of(transformation, NORMAL), latents_of(transformation, NORMAL))
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(
    ("transformation", "words"),
    [
        (ResidualNoise(n_embedding=6), "n_embedding=6.*from 1 to 5"),
        (ResidualNoise(n_blocks=0), "n_blocks=0.*at least 1"),
        (ResidualNoise(contraction=1.0), "contraction=1.0.*between 0 and 1"),
        (PerClassNoise(contraction="much"), "contraction='much'"),
    ],
)
def test_wrong_settings_are_answered_in_a_sentence(transformation, words):
    with pytest.raises(ValueError, match=words):
        transformation.init(3, NORMAL, torch.Generator())


def test_a_latent_of_one_number_has_no_room_for_a_class():
    with pytest.raises(ValueError, match="at least two numbers.*per-class"):
        ResidualNoise().n_noise(InputSpace((1,)))
