"""A shared program under a mask of each sample's own."""

import pytest
import torch
from torch import nn

from skreprogram._input_space import InputSpace
from skreprogram.transformations import MaskedTransformation

SPACE = InputSpace((3, 21, 16), (0.0, 1.0))


def G(seed=0):
    return torch.Generator().manual_seed(seed)


def drawn(n_samples=4, **settings):
    masked = MaskedTransformation(**settings)
    X = torch.rand(n_samples, 3, 21, 16, generator=G(1))
    return masked, masked.init(X, SPACE, G()), X


def masks_of(masked, params, X):
    """Masks, read off a small addition that nothing cuts off."""
    X = 0.25 + X / 2
    params = {**params, "program": torch.full(SPACE.shape, 1e-2)}
    return (masked.apply(params, X, SPACE) - X) / torch.tanh(torch.tensor(1e-2))


def by_modules(params, n_hidden, n_poolings):
    """The authors' network in evaluation mode, from modules."""
    layers = []
    for i in range(n_hidden + 1):
        width, before = params[f"kernel{i}"].shape[:2]
        convolution = nn.Conv2d(before, width, 3, padding=1)
        state = {"weight": params[f"kernel{i}"], "bias": params[f"bias{i}"]}
        convolution.load_state_dict(state)
        layers.append(convolution)
        if i < n_hidden:
            norm = nn.BatchNorm2d(width)
            norm.load_state_dict(
                {
                    "weight": params[f"gain{i}"],
                    "bias": params[f"shift{i}"],
                    "running_mean": params[f"mean{i}"],
                    "running_var": params[f"variance{i}"],
                },
                strict=False,
            )
            layers += [norm, nn.ReLU()]
        if i < n_poolings:
            layers.append(nn.MaxPool2d(2, ceil_mode=True))
    return nn.Sequential(*layers).eval()


def test_at_the_start_the_image_is_unchanged():
    masked, params, X = drawn()
    assert torch.equal(masked.apply(params, X, SPACE), X)


def test_masks_are_those_of_the_authors_network_bounded_by_tanh():
    masked, params, X = drawn()
    for i in range(4):
        params[f"gain{i}"] = 1 + 0.3 * torch.randn(params[f"gain{i}"].shape, generator=G(i))
        params[f"shift{i}"] = 0.3 * torch.randn(params[f"shift{i}"].shape, generator=G(i + 9))
    with torch.no_grad():
        # the network sees the range from -1 to 1
        expected = by_modules(params, 4, 3)(2 * (0.25 + X / 2) - 1).tanh()
    got = masks_of(masked, params, X)
    for row in range(21):
        for column in range(16):
            patch = expected[:, :, row // 8, column // 8]
            torch.testing.assert_close(got[:, :, row, column], patch, atol=1e-4, rtol=1e-4)


def test_masks_differ_between_samples_and_channels_and_not_inside_a_patch():
    masked, params, X = drawn()
    masks = masks_of(masked, params, X)
    first = masks[:, :, ::8, ::8]
    assert not torch.allclose(first[0], first[1], atol=1e-3)
    assert not torch.allclose(first[:, 0], first[:, 1], atol=1e-3)
    torch.testing.assert_close(masks[:, :, :8, :8], first[:, :, :1, :1].expand(-1, -1, 8, 8))


@pytest.mark.parametrize(
    ("widths", "numbers"), [((8, 16, 32, 64), 26_499), ((8, 16, 32, 64, 128), 102_339)]
)
def test_the_network_has_as_many_numbers_as_the_paper_counts(widths, numbers):
    masked, params, _ = drawn(widths=widths)
    trained = [params[name] for name in masked.trainable if name != "program"]
    assert sum(tensor.numel() for tensor in trained) == numbers


def test_layers_are_normalised_on_the_training_data():
    masked, params, X = drawn(50)
    network = by_modules(params, 4, 3)
    with torch.no_grad():
        maps = network[:2](2 * X - 1)
    torch.testing.assert_close(maps.mean((0, 2, 3)), torch.zeros(8), atol=1e-4, rtol=0)
    torch.testing.assert_close(maps.var((0, 2, 3)), torch.ones(8), atol=2e-2, rtol=0)


def test_only_the_program_moves_first_and_the_network_after_it():
    masked, params, X = drawn()
    for name in masked.trainable:
        params[name].requires_grad_()
    masked.apply(params, X, SPACE).sum().backward()
    assert params["program"].grad.abs().max() > 0 and params["kernel0"].grad.abs().max() == 0
    with torch.no_grad():
        params["program"] += 0.1
    masked.apply(params, X, SPACE).sum().backward()
    assert all(params[name].grad.abs().max() > 0 for name in masked.trainable)


@pytest.mark.parametrize("patch_size", [1, 2, 4, 16])
def test_patches_have_the_size_that_is_asked_for(patch_size):
    masked, params, X = drawn(patch_size=patch_size)
    masks = masks_of(masked, params, X)
    torch.testing.assert_close(masks[..., 1:patch_size, 0], masks[..., : patch_size - 1, 0])
    assert not torch.allclose(masks[..., patch_size, 0], masks[..., patch_size - 1, 0], atol=1e-4)


@pytest.mark.parametrize(
    "wrong", [{"patch_size": 3}, {"patch_size": 32}, {"widths": ()}, {"widths": (8, 0)}]
)
def test_parameters_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValueError, match=f"Got {next(iter(wrong))}=.*expected"):
        drawn(**wrong)
