"""The published Keras weights of the attention RNN, as a state dict."""

import numpy as np
import torch

from skreprogram.sources._attention_rnn import AttentionRNN

_DIRECTIONS = ("l0", "l0_reverse")


def convert(path):
    """Read a Keras weights file of the attention RNN.

    Parameters
    ----------
    path : path-like
        An HDF5 file as ``model.save`` or ``model.save_weights`` of Keras 2 writes it.

    Returns
    -------
    state : dict of str to tensor
        State dict of ``AttentionRNN(n_outputs, front_end="log_magnitude")``.
    """
    try:
        import h5py
    except ImportError as error:
        raise ImportError(
            "Got no h5py, which reads Keras weights. Install it: pip install skreprogram[keras]."
        ) from error
    try:
        with h5py.File(path) as file:
            layers = list(_layers(file.get("model_weights", file)))
    except (OSError, KeyError) as error:
        raise ValueError(
            f"Got {str(path)!r}, which cannot be read as Keras weights ({error}). Expected an HDF5 "
            "file that Keras 2 has saved."
        ) from error
    return _state(layers)


def _layers(weights):
    """Arrays of each layer that has any, in the order of the model."""
    for layer in map(_text, weights.attrs["layer_names"]):
        names = map(_text, weights[layer].attrs["weight_names"])
        if arrays := [np.asarray(weights[layer][name]) for name in names]:
            yield arrays


def _state(layers):
    parts = {
        "filters.0": _convolution,
        "filters.2": _norm,
        "filters.3": _convolution,
        "filters.5": _norm,
        "first_lstm": _bidirectional,
        "second_lstm": _bidirectional,
        "query": _linear,
        "narrowing.0": _linear,
        "narrowing.2": _linear,
        "head": _linear,
    }
    if [len(arrays) for arrays in layers] != [2, 4, 2, 4, 6, 6, 2, 2, 2, 2]:
        raise ValueError(
            f"Got Keras layers with {[len(arrays) for arrays in layers]} arrays, expected two "
            "convolutions (2) each with a batch norm (4), two bidirectional LSTMs (6) and four "
            "dense layers (2): the attention RNN."
        )
    state = AttentionRNN(len(layers[-1][1]), "log_magnitude").state_dict()
    for (part, translate), arrays in zip(parts.items(), layers, strict=True):
        for leaf, array in translate(*arrays):
            name = f"{part}.{leaf}"
            if state[name].shape != array.shape:
                raise ValueError(
                    f"Got Keras weights of shape {array.shape} for {name}, expected "
                    f"{tuple(state[name].shape)}: this is another architecture."
                )
            state[name] = torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32))
    return state


def _convolution(kernel, bias):
    yield "weight", kernel.transpose(3, 2, 0, 1)
    yield "bias", bias


def _norm(gamma, beta, mean, variance):
    yield "weight", gamma
    yield "bias", beta
    yield "running_mean", mean
    yield "running_var", variance


def _linear(kernel, bias):
    yield "weight", kernel.T
    yield "bias", bias


def _bidirectional(*arrays):
    # Both name the gates input, forget, cell, output; Keras has one bias where torch has two.
    for direction, (kernel, recurrent, bias) in zip(
        _DIRECTIONS, (arrays[:3], arrays[3:]), strict=True
    ):
        yield f"weight_ih_{direction}", kernel.T
        yield f"weight_hh_{direction}", recurrent.T
        yield f"bias_ih_{direction}", bias
        yield f"bias_hh_{direction}", np.zeros_like(bias)


def _text(name):
    return name.decode() if isinstance(name, bytes) else name
