"""The white-box twin of an ONNX file: folded, frozen, and answering the same."""

import importlib
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.datasets import load_sample_image
from torch.nn import functional as F


@pytest.fixture
def load(monkeypatch):
    """Import a module of the benchmarks, which are scripts and no package."""
    monkeypatch.syspath_prepend(Path(__file__).parents[1] / "benchmarks")
    return importlib.import_module


def drawn(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


CONVOLUTION = {
    "kernel_shape": [3, 3],
    "strides": [2, 2],
    "pads": [1, 1, 1, 1],
    "dilations": [1, 1],
    "group": 1,
}


@pytest.fixture
def graph(load):
    """Images with channels last through a convolution, its scale and shift, a mean, a matrix."""
    module = load("_black_box_graph")
    steps = [
        ("Cast", ("x",), "float", {"to": 1}),
        ("Transpose", ("float",), "first", {"perm": [0, 3, 1, 2]}),
        ("Conv", ("first", "kernel"), "maps", CONVOLUTION),
        ("Transpose", ("maps",), "last", {"perm": [0, 2, 3, 1]}),
        ("Add", ("last", "bias"), "shifted", {}),
        ("Sub", ("shifted", "mean"), "centred", {}),
        ("Mul", ("centred", "scale"), "scaled", {}),
        ("Relu", ("scaled",), "rectified", {}),
        ("ReduceMean", ("rectified",), "pooled", {"axes": [1, 2], "keepdims": 0}),
        ("MatMul", ("pooled", "matrix"), "product", {}),
        ("Add", ("product", "offset"), "logits", {}),
        ("Softmax", ("logits",), "y", {"axis": -1}),
    ]
    shapes = {
        "kernel": (4, 3, 3, 3),
        "bias": (1, 1, 1, 4),
        "mean": (1, 1, 1, 4),
        "scale": (4,),
        "matrix": (4, 2),
        "offset": (2,),
    }
    constants = {name: drawn(*shape, seed=i) for i, (name, shape) in enumerate(shapes.items())}
    return module.Graph([module.Step(*step) for step in steps], constants, "x", "y")


def test_folding_leaves_what_the_graph_computes(load, graph):
    network = load("_black_box_twin").TorchGraph(graph, (9, 9, 3))
    x = drawn(5, 9, 9, 3)
    torch.testing.assert_close(network(x), load("_black_box_graph").run(graph, x)["y"])


def test_folding_leaves_no_sum_or_product_behind_a_layer(load, graph):
    simple = load("_black_box_graph")
    graph = simple.fold_channels(simple.without_detours(simple.freeze(graph, (9, 9, 3))))
    kept = [step.operator for step in graph.steps]
    middle = ["Transpose", "Conv", "Transpose", "Relu", "ReduceMean"]
    assert kept == [*middle, "Linear", "Softmax"]


def test_what_another_step_reads_as_well_is_not_folded(load, graph):
    simple = load("_black_box_graph")
    steps = [*graph.steps[:-2], simple.Step("Sub", ("logits", "product"), "y", {})]
    steps.insert(-1, graph.steps[-2])
    network = load("_black_box_twin").TorchGraph(graph._replace(steps=steps), (9, 9, 3))
    expected = graph.constants["offset"].expand(3, 2)
    torch.testing.assert_close(network(drawn(3, 9, 9, 3)), expected)


def test_a_factor_of_each_position_is_not_folded(load, graph):
    factor = drawn(1, 5, 5, 1)
    graph = graph._replace(constants={**graph.constants, "scale": factor})
    network = load("_black_box_twin").TorchGraph(graph, (9, 9, 3))
    x = drawn(2, 9, 9, 3)
    torch.testing.assert_close(network(x), load("_black_box_graph").run(graph, x)["y"])


def test_what_depends_on_shapes_only_is_computed_once(load):
    simple = load("_black_box_graph")
    steps = [
        simple.Step("Shape", ("x",), "shape", {}),
        simple.Step("Gather", ("shape", "one"), "side", {"axis": 0}),
        simple.Step("Mul", ("x", "side"), "y", {}),
    ]
    graph = simple.Graph(steps, {"one": torch.tensor(1)}, "x", "y")
    frozen = simple.freeze(graph, (7,))
    assert [step.operator for step in frozen.steps] == ["Mul"]
    assert frozen.constants["side"] == 7


def test_without_softmax_the_logits_come_out(load, graph):
    simple = load("_black_box_graph")
    x = drawn(5, 9, 9, 3)
    logits = simple.without_softmax(graph)
    expected = simple.run(graph, x)["y"]
    torch.testing.assert_close(simple.run(logits, x)[logits.output].softmax(1), expected)
    with pytest.raises(ValueError, match="ends in Add, expected Softmax"):
        simple.without_softmax(logits)


def test_padding_by_the_edge_repeats_it(load):
    pad = load("_black_box_operators").pad
    row = torch.tensor([[1.0, 2.0, 3.0]])
    padded = pad(row, torch.tensor([0, 2, 0, 1]), mode="edge")
    assert padded.tolist() == [[1, 1, 1, 2, 3, 3]]


def test_padding_by_a_constant_fills_before_and_behind(load):
    pad = load("_black_box_operators").pad
    assert pad(torch.ones(1, 1), torch.tensor([1, 0, 0, 2])).tolist() == [[0, 0, 0], [1, 0, 0]]


def test_a_slice_may_go_backwards(load):
    cut = load("_black_box_operators").cut
    numbers = [torch.tensor([number]) for number in (-1, -(2**63) + 1, 0, -2)]
    assert cut(torch.arange(5), *numbers).tolist() == [4, 2, 0]


def test_uneven_padding_inside_a_convolution_is_refused(load):
    with pytest.raises(ValueError, match="as much before as after"):
        load("_black_box_operators").convolution_options(**{**CONVOLUTION, "pads": [0, 0, 1, 1]})


def test_an_unknown_operator_is_told(load, tmp_path):
    onnx = pytest.importorskip("onnx")
    helper = onnx.helper
    ends = [helper.make_tensor_value_info(name, 1, [None, 2]) for name in "xy"]
    nodes = [helper.make_node("Erf", ["x"], ["y"])]
    model = helper.make_model(helper.make_graph(nodes, "graph", ends[:1], ends[1:]))
    onnx.save(model, tmp_path / "model.onnx")
    with pytest.raises(ValueError, match="the operators .'Erf'. .*expected only"):
        load("_black_box_graph").read_graph(tmp_path / "model.onnx")


def photographs():
    pytest.importorskip("PIL")
    for name in ("china.jpg", "flower.jpg"):
        image = torch.from_numpy(load_sample_image(name).copy()).permute(2, 0, 1)[None] / 255
        yield F.interpolate(image, (224, 224), mode="bilinear", antialias=True).clamp(0, 1)


@pytest.mark.slow
def test_the_twin_answers_like_the_moderation_service(load):
    runtime, _ = pytest.importorskip("onnxruntime"), pytest.importorskip("onnx")
    module = load("_black_box_twin")
    try:
        session = runtime.InferenceSession(str(module.locate(module.OPEN_NSFW)))
    except ModuleNotFoundError as error:
        pytest.skip(str(error))
    noise = torch.rand(1, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    images = torch.cat([noise, *photographs()])
    pixels = 255 * images.numpy()[:, ::-1].transpose(0, 2, 3, 1)
    pixels = np.ascontiguousarray(pixels - np.float32([104, 117, 123]), dtype=np.float32)
    expected = torch.from_numpy(session.run(None, {"input_0": pixels})[0])
    logits = module.open_nsfw_twin().load().outputs(images)
    torch.testing.assert_close(logits.softmax(1), expected, atol=1e-6, rtol=0)
    # small probabilities must be right as well: their logarithms are what is mapped
    torch.testing.assert_close(logits.diff(dim=1), expected.log().diff(dim=1), atol=1e-4, rtol=0)
