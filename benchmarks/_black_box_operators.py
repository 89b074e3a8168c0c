"""The operators of ONNX that the benchmark's networks need, in torch; one function each."""

import torch
from torch.nn import functional as F

# numbers of ONNX's types
TYPES = {1: torch.float32, 6: torch.int32, 7: torch.int64, 11: torch.float64}


def cast(values, to):
    return values.to(TYPES[to])


def constant_of_shape(shape, value):
    return value.expand(shape.tolist())


def convolve(maps, weight, bias=None, **options):
    return F.conv2d(maps, weight, bias, **convolution_options(**options))


def convolution_options(kernel_shape, strides, pads, dilations, group):
    """ONNX's words for a convolution in torch's."""
    return {
        "stride": tuple(strides),
        "padding": alike_on_both_sides(pads),
        "dilation": tuple(dilations),
        "groups": group,
    }


def alike_on_both_sides(pads):
    """Padding of height and width; torch pads no side more than the other."""
    half = len(pads) // 2
    if pads[:half] != pads[half:]:
        raise ValueError(
            f"Got pads={pads}, expected as much before as after. Pad by an operator of its own."
        )
    return tuple(pads[:half])


def divide(left, right):
    # whole numbers stay whole; those of shapes are not negative
    return left / right if left.is_floating_point() else left // right


def gather(values, indices, axis=0):
    shape = (*values.shape[:axis], *indices.shape, *values.shape[axis + 1 :])
    return values.index_select(axis, indices.flatten()).reshape(shape)


def max_pool(maps, kernel_shape, strides, pads, dilations, ceil_mode):
    return F.max_pool2d(
        maps, kernel_shape, strides, alike_on_both_sides(pads), dilations, bool(ceil_mode)
    )


def pad(values, widths, fill=None, *, mode="constant"):
    before, after = widths.view(2, -1).tolist()
    if mode == "constant":
        pairs = [width for pair in zip(before, after, strict=True) for width in pair[::-1]]
        return F.pad(values, pairs[::-1], value=0.0 if fill is None else fill.item())
    if mode != "edge":
        raise ValueError(f"Got padding of mode {mode!r}, expected 'constant' or 'edge'.")
    for axis, (left, right) in enumerate(zip(before, after, strict=True)):
        if left or right:
            places = torch.arange(-left, values.shape[axis] + right, device=values.device)
            values = values.index_select(axis, places.clamp(0, values.shape[axis] - 1))
    return values


def reduce_mean(values, axes, keepdims=1):
    return values.mean(list(axes), keepdim=bool(keepdims))


def reshape(values, shape, allowzero=0):
    sizes = [
        values.shape[axis] if size == 0 and not allowzero else size
        for axis, size in enumerate(shape.tolist())
    ]
    return values.reshape(sizes)


def cut(values, starts, ends, axes, steps):
    """ONNX's Slice, whose steps may be negative."""
    numbers = [tensor.tolist() for tensor in (starts, ends, axes, steps)]
    for start, end, axis, step in zip(*numbers, strict=True):
        places = range(values.shape[axis])[slice(start, end, step)]
        values = values.index_select(axis, torch.tensor(places, device=values.device))
    return values


def unsqueeze(values, axes):
    for axis in sorted(axes.tolist()):
        values = values.unsqueeze(axis)
    return values


OPERATORS = {
    "Add": torch.add,
    "Cast": cast,
    "Concat": lambda *parts, axis: torch.cat(parts, axis),
    "Constant": lambda value: value,
    "ConstantOfShape": constant_of_shape,
    "Conv": convolve,
    "Div": divide,
    "Gather": gather,
    "Identity": lambda values: values,
    "Linear": F.linear,  # none of ONNX's: a product with a matrix and its bias
    "MatMul": torch.matmul,
    "MaxPool": max_pool,
    "Mul": torch.mul,
    "Pad": pad,
    "ReduceMean": reduce_mean,
    "Relu": torch.relu,
    "Reshape": reshape,
    "Shape": lambda values: torch.tensor(values.shape),
    "Slice": cut,
    "Softmax": lambda values, axis=-1: values.softmax(axis),
    "Sub": torch.sub,
    "Transpose": lambda values, perm: values.permute(*perm),
    "Unsqueeze": unsqueeze,
}
