"""The graph of an ONNX file, read and made simpler without changing what it computes."""

from collections import Counter
from typing import NamedTuple

import torch

from _black_box_operators import OPERATORS


class Step(NamedTuple):
    """One operator: what it reads and gives, by name.

    Parameters
    ----------
    operator : str
        A name of `OPERATORS`.
    inputs : tuple of str
        Values that it reads; "" where an optional one is left out.
    output : str
        The value that it gives.
    options : dict
        Keyword arguments of the operator.
    """

    operator: str
    inputs: tuple
    output: str
    options: dict


class Graph(NamedTuple):
    """Steps in their order, tensors by name, and the names of what comes in and goes out."""

    steps: list
    constants: dict
    input: str
    output: str


def read_graph(path):
    """Read an ONNX file with one input and one output.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    graph : Graph
        With every operator known.

    Raises
    ------
    ValueError
        If the graph has an operator that is not in `OPERATORS`.
    """
    import onnx

    graph = onnx.load(path).graph
    unknown = sorted({node.op_type for node in graph.node} - set(OPERATORS))
    if unknown:
        raise ValueError(
            f"Got a graph with the operators {unknown} in {str(path)!r}, expected only "
            f"{sorted(OPERATORS)}. Write the missing ones in _black_box_operators.py."
        )
    constants = {tensor.name: _tensor(tensor) for tensor in graph.initializer}
    (came,) = [entry.name for entry in graph.input if entry.name not in constants]
    (goes,) = [entry.name for entry in graph.output]
    steps = [
        Step(node.op_type, tuple(node.input), node.output[0], _options(node)) for node in graph.node
    ]
    return Graph(steps, constants, came, goes)


def _tensor(stored):
    from onnx import numpy_helper

    return torch.from_numpy(numpy_helper.to_array(stored).copy())


def _options(node):
    from onnx.helper import get_attribute_value

    options = {entry.name: get_attribute_value(entry) for entry in node.attribute}
    if "value" in options:
        options["value"] = _tensor(options["value"])
    return {
        name: option.decode() if isinstance(option, bytes) else option
        for name, option in options.items()
    }


def run(graph, inputs):
    """Compute every value of a graph.

    Parameters
    ----------
    graph : Graph
        Steps and tensors.
    inputs : torch.Tensor of shape (n, ...)
        What comes in.

    Returns
    -------
    values : dict of str to torch.Tensor
        By name; ``values[graph.output]`` is what goes out.
    """
    values = {**graph.constants, graph.input: inputs}
    for step in graph.steps:
        given = [values.get(name) for name in step.inputs]
        values[step.output] = OPERATORS[step.operator](*given, **step.options)
    return values


def without_softmax(graph):
    """The graph up to the logits."""
    ends = [step for step in graph.steps if step.output == graph.output]
    if [step.operator for step in ends] != ["Softmax"]:
        raise ValueError(
            f"Got a graph that ends in {ends[0].operator if ends else 'nothing'}, expected Softmax."
            " Use the graph as it is."
        )
    steps = [step for step in graph.steps if step is not ends[0]]
    return graph._replace(steps=steps, output=ends[0].inputs[0])


def freeze(graph, input_shape):
    """Turn into constants what is the same whatever comes in, such as widths of padding.

    Inputs of two and of three rows tell: what depends on the data has another shape there. What
    nobody needs is left out.
    """
    with torch.no_grad():
        two, three = (run(graph, torch.zeros(n_rows, *input_shape)) for n_rows in (2, 3))
    constants = {
        name: value
        for name, value in two.items()
        if value.shape == three[name].shape and torch.equal(value, three[name])
    }
    steps, wanted = [], {graph.output}
    for step in reversed(graph.steps):
        if step.output in wanted and step.output not in constants:
            steps.append(step)
            wanted.update(step.inputs)
    return graph._replace(steps=steps[::-1], constants=constants)


def without_detours(graph):
    """Leave out casts, identities and padding by nothing.

    Behind :func:`freeze` all that moves is of one type, so no cast changes anything.
    """
    steps, stands_for = [], {}
    for step in graph.steps:
        step = _renamed(step, stands_for)
        is_idle = step.operator == "Pad" and not graph.constants[step.inputs[1]].any()
        if is_idle or step.operator in ("Cast", "Identity"):
            stands_for[step.output] = step.inputs[0]
        else:
            steps.append(step)
    return _ended(graph, steps, stands_for)


def fold_channels(graph):
    """Put what is added to or multiplied with the channels behind a layer into its weights.

    Chains of sums, differences and products are followed, through transpositions, as long as
    nobody else reads what is between. Products with a matrix become layers with a bias.
    """
    n_readers = Counter(name for step in graph.steps for name in step.inputs)
    n_readers[graph.output] += 1
    steps, stands_for, layers = [], {}, {}
    for step in graph.steps:
        is_alone = n_readers[step.inputs[0]] == 1
        step = _renamed(step, stands_for)
        layer = layers.get(step.inputs[0]) if is_alone else None
        second = graph.constants.get(step.inputs[1]) if len(step.inputs) > 1 else None
        if layer and layer.folds(step.operator, second):
            stands_for[step.output] = step.inputs[0]
        elif layer and step.operator == "Transpose":
            layers[step.output] = layer.transposed(step.options["perm"])
            steps.append(step)
        elif step.operator in Layer.KINDS and second is not None:
            layers[step.output] = Layer(step, graph.constants)
            steps.append(layers[step.output])
        else:
            steps.append(step)
    constants = dict(graph.constants)
    steps = [step.settle(constants) if isinstance(step, Layer) else step for step in steps]
    return _ended(graph._replace(constants=constants), steps, stands_for)


class Layer:
    """Weights that take in what is done to the channels of their outputs.

    Parameters
    ----------
    step : Step
        A convolution, or a product with a constant matrix.
    constants : dict of str to torch.Tensor
        Where its weights are.
    """

    # operator without and with weights taken in, channels' axis of the weights, of the outputs
    KINDS = {"Conv": ("Conv", 0, -3), "MatMul": ("Linear", 1, -1)}

    def __init__(self, step, constants):
        self._operator, self._side, self._axis = self.KINDS[step.operator]
        self._step = step
        self._weight = constants[step.inputs[1]].double()
        bias = constants[step.inputs[2]] if len(step.inputs) > 2 else torch.zeros(1)
        self._bias = bias.double().expand(self._weight.shape[self._side])

    def transposed(self, perm):
        """Note where the channels are after a transposition; returns the layer."""
        self._axis = list(perm).index(self._axis + len(perm)) - len(perm)
        return self

    def folds(self, operator, number):
        """Take in a sum, difference or product with one number a channel; whether it could."""
        if operator not in ("Add", "Sub", "Mul") or number is None:
            return False
        axes = range(-number.ndim, 0)
        if any(number.shape[axis] != 1 for axis in axes if axis != self._axis):
            return False
        number = number.flatten().double()
        if operator == "Mul":
            sizes = [1] * self._weight.ndim
            sizes[self._side] = -1
            self._weight, self._bias = self._weight * number.view(sizes), self._bias * number
        else:
            self._bias = self._bias + (number if operator == "Add" else -number)
        return True

    def settle(self, constants):
        """Write the weights into the constants; return the step that reads them."""
        names = tuple(f"{part} of {self._step.output}" for part in ("weight", "bias"))
        like = constants[self._step.inputs[1]]
        weight = self._weight if self._operator == "Conv" else self._weight.T
        for name, tensor in zip(names, (weight, self._bias), strict=True):
            constants[name] = tensor.to(like.dtype).contiguous()
        inputs = (self._step.inputs[0], *names)
        return self._step._replace(operator=self._operator, inputs=inputs)


def _renamed(step, stands_for):
    return step._replace(inputs=tuple(stands_for.get(name, name) for name in step.inputs))


def _ended(graph, steps, stands_for):
    return graph._replace(steps=steps, output=stands_for.get(graph.output, graph.output))
