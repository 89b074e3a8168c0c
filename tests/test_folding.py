"""A network made faster: folded where that is exact, left alone where it is not."""

import copy
import threading

import pytest
import torch
from torch import nn

from skreprogram.sources import SourceModel
from skreprogram.sources._folding import quicken

NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


class TwoReaders(nn.Module):
    """The output of the convolution is normalised, and read as well."""

    def __init__(self):
        super().__init__()
        self.convolution, self.norm = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)

    def forward(self, images):
        maps = self.convolution(images)
        return (self.norm(maps) + 1e-6 * maps).flatten(1)


class CalledTwice(nn.Module):
    """One convolution with two norms, or one norm behind two convolutions."""

    def __init__(self, n_convolutions, n_norms):
        super().__init__()
        self.convolutions = nn.ModuleList(nn.Conv2d(3, 3, 1) for _ in range(n_convolutions))
        self.norms = nn.ModuleList(nn.BatchNorm2d(3) for _ in range(n_norms))

    def forward(self, images):
        for number in range(2):
            convolution = self.convolutions[number % len(self.convolutions)]
            images = self.norms[number % len(self.norms)](convolution(images))
        return images.flatten(1)


class Early(nn.Module):
    """A network whose stages show what the convolution gives before it is normalised."""

    def __init__(self):
        super().__init__()
        self.convolution, self.norm = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)

    def stages(self, images):
        maps = self.convolution(images)
        return maps, self.norm(maps)

    def forward(self, images):
        return self.norm(self.convolution(images)).mean((2, 3))


class Peeking(nn.Module):
    """A network that reads a tensor of its own layers, which folding would change."""

    def __init__(self, name):
        super().__init__()
        self.linear, self.norm = nn.Linear(3, 4), nn.BatchNorm1d(4)
        self.name = name

    def forward(self, rows):
        return self.norm(self.linear(rows)) + self.state_dict(keep_vars=True)[self.name]


class Standardised(nn.Conv2d):
    """A convolution that standardises its weights in every call."""

    def forward(self, images):
        weight = self.weight - self.weight.mean((1, 2, 3), keepdim=True)
        return nn.functional.conv2d(images, weight / weight.std(), self.bias)


class Viewing(nn.Module):
    """A network that demands that the channels come first in memory."""

    def __init__(self):
        super().__init__()
        self.convolution = nn.Conv2d(3, 4, 3)

    def forward(self, images):
        return self.convolution(images).view(len(images), -1)


class Noisy(nn.Module):
    """A network that draws."""

    def __init__(self):
        super().__init__()
        self.linear, self.norm = nn.Linear(3, 4), nn.BatchNorm1d(4)

    def forward(self, rows):
        return self.norm(self.linear(rows)) + torch.randn(4)


def lived(module):
    """Give the norms statistics and weights that a missing fold would show."""
    generator = torch.Generator().manual_seed(0)
    for part in module.modules():
        if isinstance(part, NORMS):
            for tensor in part.state_dict().values():
                if tensor.is_floating_point():
                    tensor.copy_(torch.rand(tensor.shape, generator=generator) + 0.5)
    return module.eval()


def n_norms(module):
    return sum(isinstance(part, NORMS) for part in module.modules())


def quick(module, shape, layers=(), dtype=torch.float32):
    """The network and its quick copy, and inputs for both."""
    module = lived(module).to(dtype)
    inputs = torch.rand(5, *shape, dtype=dtype)
    return module, quicken(copy.deepcopy(module), inputs[:2], layers), inputs


IMAGES = (3, 8, 8)
BLOCKS = {
    "linear": (nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Tanh()), (3,)),
    "sound": (
        nn.Sequential(nn.Conv1d(3, 4, 3, bias=False), nn.BatchNorm1d(4), nn.Flatten()),
        (3, 20),
    ),
    "grouped": (
        nn.Sequential(nn.Conv2d(3, 6, 3, groups=3), nn.BatchNorm2d(6), nn.Flatten()),
        IMAGES,
    ),
    "circular, not affine": (
        nn.Sequential(
            nn.Conv2d(3, 4, 3, padding=1, padding_mode="circular"),
            nn.BatchNorm2d(4, affine=False),
            nn.Flatten(),
        ),
        IMAGES,
    ),
    "volume": (
        nn.Sequential(nn.Conv3d(1, 2, 2), nn.BatchNorm3d(2), nn.Flatten()),
        (1, 4, 4, 4),
    ),
}


@pytest.mark.parametrize("kind", BLOCKS)
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-13)])
def test_norms_are_folded_and_outputs_and_gradients_stay(kind, dtype, tolerance):
    module, folded, inputs = quick(*BLOCKS[kind], dtype=dtype)
    assert n_norms(module) == 1 and n_norms(folded) == 0
    results = []
    for network in (module, folded):
        given = inputs.clone().requires_grad_()
        outputs = network(given)
        outputs.square().sum().backward()
        results.append((outputs, given.grad))
    for expected, got in zip(*results, strict=True):
        torch.testing.assert_close(got, expected, rtol=tolerance, atol=tolerance)


UNFOLDABLE = {
    "norm first": (
        nn.Sequential(nn.BatchNorm2d(3), nn.Conv2d(3, 4, 3), nn.Flatten()),
        IMAGES,
    ),
    "something between": (
        nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.BatchNorm2d(4), nn.Flatten()),
        IMAGES,
    ),
    "two readers": (TwoReaders(), IMAGES),
    "one convolution, two norms": (CalledTwice(1, 2), IMAGES),
    "two convolutions, one norm": (CalledTwice(2, 1), IMAGES),
    "a stage before the norm": (Early(), IMAGES),
    "statistics of the batch": (
        nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4, track_running_stats=False)),
        (3,),
    ),
    "statistics that are read": (Peeking("norm.running_mean"), (3,)),
    "weights that are read": (Peeking("linear.bias"), (3,)),
    "weights that are computed": (
        nn.Sequential(Standardised(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten()),
        IMAGES,
    ),
    "weights with a parametrisation": (
        nn.Sequential(
            nn.utils.parametrizations.weight_norm(nn.Linear(3, 4)),
            nn.BatchNorm1d(4),
        ),
        (3,),
    ),
    "channels in the middle": (
        nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Flatten()),
        (4, 3),
    ),
}


@pytest.mark.parametrize("kind", UNFOLDABLE)
def test_what_cannot_be_folded_is_left_alone(kind):
    module, folded, inputs = quick(*UNFOLDABLE[kind])
    assert n_norms(folded) == n_norms(module) > 0
    torch.testing.assert_close(folded(inputs), module(inputs))


def test_only_the_pairs_that_may_be_folded_are():
    module = nn.Sequential(
        *(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU()),
        *(nn.Conv2d(4, 4, 3), nn.ReLU(), nn.BatchNorm2d(4), nn.Flatten()),
    )
    module, folded, inputs = quick(module, IMAGES)
    assert n_norms(folded) == 1
    torch.testing.assert_close(folded(inputs), module(inputs))


@pytest.mark.parametrize(("layer", "n_left"), [("0", 1), ("1", 0), ("2", 0)])
def test_a_named_layer_keeps_its_meaning(layer, n_left):
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten())
    source = SourceModel.from_module(lived(module), IMAGES, feature_layers=(layer,))
    inputs = torch.rand(5, *IMAGES)
    (feature,) = source.load().features(inputs)
    torch.testing.assert_close(feature, module[: int(layer) + 1](inputs))
    assert n_norms(source.load()._module) == n_left


@pytest.mark.parametrize("side", [32, 128])
@pytest.mark.parametrize("groups", [1, 3])
def test_channels_lie_last_for_filters_of_single_channels_and_for_large_images(side, groups):
    network = nn.Sequential(nn.Conv2d(3, 6, 3, groups=groups), nn.Flatten())
    module, fast, inputs = quick(network, (3, side, side))
    last = fast[0].weight.is_contiguous(memory_format=torch.channels_last)
    assert last == (side == 128 or groups == 3)
    torch.testing.assert_close(fast(inputs), module(inputs))


def test_a_network_that_views_its_maps_keeps_the_channels_first():
    module, fast, inputs = quick(Viewing(), IMAGES)
    assert fast.convolution.weight.is_contiguous()
    assert torch.equal(fast(inputs), module(inputs))


def test_a_network_that_draws_is_left_alone_and_so_is_the_generator():
    before = torch.get_rng_state()
    module, folded, _ = quick(Noisy(), (3,))
    after = torch.get_rng_state()
    torch.set_rng_state(before)
    lived(Noisy())
    torch.rand(5, 3)
    assert n_norms(folded) == n_norms(module)
    assert torch.equal(torch.get_rng_state(), after)


def test_a_network_that_refuses_the_probe_says_so_later():
    module = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    assert n_norms(quicken(module, torch.rand(2, 7))) == 1


def test_the_module_and_the_file_of_the_user_stay_as_they_are():
    module = lived(nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))).train()
    source = SourceModel.from_module(module, (3,))
    network = source.load()
    digest = network.state_digest()
    network.outputs(torch.rand(5, 3))
    assert network.state_digest() == digest
    assert n_norms(network._module) == 0 and n_norms(module) == n_norms(source._build()) == 1
    assert module.training and all(weight.requires_grad for weight in module.parameters())
    again = source.with_random_weights()._build()
    assert n_norms(again) == 1


def test_mixed_precision_runs_on_the_folded_network():
    module = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten())
    network = SourceModel.from_module(lived(module), IMAGES).load()
    inputs = torch.rand(4, *IMAGES)
    rounded = network.with_precision("bf16")
    assert n_norms(rounded._module) == 0 and rounded._module[0].weight.dtype == torch.bfloat16
    torch.testing.assert_close(rounded.outputs(inputs), module(inputs), rtol=0.05, atol=0.05)


def test_other_threads_may_run_their_networks_meanwhile():
    busy = lived(nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten()))
    inputs = torch.rand(2, *IMAGES)
    expected, wrong, done = busy(inputs), [], threading.Event()

    def run():
        while not done.is_set():
            wrong.extend([1] * (not torch.equal(busy(inputs), expected)))

    thread = threading.Thread(target=run)
    thread.start()
    for _ in range(20):
        _, folded, _ = quick(copy.deepcopy(busy), IMAGES)
        assert n_norms(folded) == 0
    done.set()
    thread.join()
    assert not wrong
