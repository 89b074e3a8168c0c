"""The source model: a frozen network that estimators hold by reference."""

import copy
import importlib
import threading
from collections import OrderedDict
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import ClassVar

import torch
from torch import nn

from skreprogram._input_space import InputSpace
from skreprogram.sources._facts import tidy_facts
from skreprogram.sources._folding import has_batch_norms, quicken
from skreprogram.sources._network import FrozenNetwork, channel_constants
from skreprogram.sources._weights import (
    draw_again,
    fill,
    join,
    locate,
    mark_of,
    read_weights,
    settle_norms,
    sha256_of,
    split,
    write_to_cache,
)

_LOADED = OrderedDict()
_LOADED_AT_MOST = 8
_LOCK = threading.RLock()


@dataclass(frozen=True, repr=False, eq=False)
class SourceModel:
    """A frozen pretrained network, held by reference.

    The object is a handle: it says where the weights lie (with their sha256), how to build the
    network, and what the network takes and gives. It never changes, cloning or copying it
    returns itself, and its pickle holds no weights; every process loads the network once.

    Make one with :meth:`from_module`, :meth:`from_factory` or
    :func:`skreprogram.sources.load_source`.

    Parameters
    ----------
    weights : str
        Path of a ``.safetensors`` file or of a state dict saved by torch. ``"bundled:NAME"``
        lies in this package, ``"cache:NAME"`` in the cache folder, ``"package:NAME/PATH"`` in an
        installed package.
    digest : str
        The sha256 of that file, checked whenever a process loads it.
    input_shape : tuple of int
        Shape of one input, without the batch axis.
    n_outputs : int
        Number of source classes.
    factory : str or None, default=None
        ``"package.module:function"`` that builds the network.
    factory_options : dict or None, default=None
        Keyword arguments of the factory.
    structure : torch.nn.Module or None, default=None
        The network without its weights (on torch's meta device), instead of a factory.
    value_range : tuple of float or None, default=None
        Lowest and highest value of an input; input transformations stay inside.
    mean, std : tuple of float or None, default=None
        Normalisation per channel (first axis of an input), applied after the program.
    output_kind : {"logits", "probabilities"}, default="logits"
        What the network returns; probabilities are turned into logarithms.
    output_names : tuple of str or None, default=None
        Names of the source classes.
    feature_layers : tuple of str or None, default=None
        Names of the submodules whose outputs are the features. None takes the network's own
        ``stages`` method where it has one, otherwise the input of its last linear layer. On a CPU
        several threads call a network with such a method: it must keep nothing between calls.
    flexible : bool, default=False
        Whether the last axes of an input may be longer or shorter than `input_shape` says.
    sampling_rate : float or None, default=None
        Samples per second of an audio source, in hertz.
    name : str or None, default=None
        Name to print.

    Examples
    --------
    >>> import torch
    >>> from skreprogram.sources import SourceModel
    >>> source = SourceModel.from_module(torch.nn.Linear(4, 3), input_shape=(4,))
    >>> source
    SourceModel('Linear', (4,) -> 3)
    """

    weights: str
    digest: str
    input_shape: tuple
    n_outputs: int
    factory: str | None = None
    factory_options: dict | None = None
    structure: nn.Module | None = None
    value_range: tuple | None = None
    mean: tuple | None = None
    std: tuple | None = None
    output_kind: str = "logits"
    output_names: tuple | None = None
    feature_layers: tuple | None = None
    flexible: bool = False
    sampling_rate: float | None = None
    name: str | None = None

    # what black boxes have and networks do not; see BlackBoxSource
    differentiable: ClassVar[bool] = True
    cost_per_query: ClassVar[float] = 0.0
    levels: ClassVar[int | None] = None

    def __post_init__(self):
        for name, fact in tidy_facts(self).items():
            object.__setattr__(self, name, fact)
        mark = None if self.structure is None else mark_of(self.structure)
        object.__setattr__(self, "_mark", mark)

    @classmethod
    def from_module(cls, module, input_shape, **facts):
        """Freeze a copy of a torch module; the module itself is not touched.

        The weights are written once to the cache folder, under their sha256.

        Parameters
        ----------
        module : torch.nn.Module
            Network from ``(n, *input_shape)`` to ``(n, n_outputs)``.
        input_shape : tuple of int
            Shape of one input, without the batch axis.
        **facts
            Further parameters of this class, for example ``value_range=(0, 1)``.

        Returns
        -------
        source : SourceModel
            The handle.
        """
        if not isinstance(module, nn.Module):
            raise TypeError(
                f"Got a {type(module).__name__} as source, expected a torch.nn.Module, a "
                "SourceModel or a name of list_sources()."
            )
        structure, tensors = split(module)
        path, digest = write_to_cache(tensors)
        facts.setdefault("name", type(module).__name__)
        source = cls(path, digest, input_shape, -1, structure=structure, **facts)
        return source._with_counted_outputs()

    @classmethod
    def from_factory(cls, factory, weights, input_shape, **facts):
        """Describe a network by an importable function and a file of weights.

        Parameters
        ----------
        factory : str
            ``"package.module:function"``; the function returns a torch module.
        weights : path-like
            A ``.safetensors`` file, or a state dict that ``torch.load(weights_only=True)`` reads.
        input_shape : tuple of int
            Shape of one input, without the batch axis.
        **facts
            Further parameters of this class.

        Returns
        -------
        source : SourceModel
            The handle.
        """
        path = Path(weights).expanduser().resolve()
        facts.setdefault("name", factory.partition(":")[2])
        source = cls(str(path), sha256_of(path), input_shape, -1, factory=factory, **facts)
        return source._with_counted_outputs()

    @property
    def input_space(self):
        """What the network takes, as numbers: an :class:`InputSpace`."""
        return InputSpace(self.input_shape, self.value_range, self.flexible, self.sampling_rate)

    def load(self, device="cpu", dtype=torch.float32, folded=True):
        """Return the frozen network on a device; each process reads the weights once.

        Parameters
        ----------
        device : str or torch.device, default="cpu"
            Where the network runs.
        dtype : torch.dtype, default=torch.float32
            Precision of its weights and inputs.
        folded : bool, default=True
            Whether batch normalisation may be folded into the layers before it.

        Returns
        -------
        network : FrozenNetwork
            Shared by all that load the same source in this process.
        """
        key = (self._identity(), str(device), dtype, folded)
        with _LOCK:
            if key not in _LOADED:
                # whoever loads it first, gradients must be able to pass through it later
                with torch.inference_mode(False):
                    _LOADED[key] = self._loaded(device, dtype, folded)
            _LOADED.move_to_end(key)
            while len(_LOADED) > _LOADED_AT_MOST:
                _LOADED.popitem(last=False)
            return _LOADED[key]

    def with_random_weights(self, random_state=0):
        """Return the same architecture with untrained weights: the control of every claim.

        Parameters
        ----------
        random_state : int, default=0
            Seed of torch's default initialisation. Batch normalisation gets the statistics of a
            batch of noise.

        Returns
        -------
        source : SourceModel
            Same facts, other weights.
        """
        module = copy.deepcopy(self._build()).float()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(random_state)
            draw_again(module)
            settle_norms(module, self._probe(module, 32))
        structure, tensors = split(module)
        path, digest = write_to_cache(tensors)
        return replace(
            self,
            weights=path,
            digest=digest,
            structure=structure,
            factory=None,
            factory_options=None,
            name=f"{self.name}, random weights {random_state}",
        )

    def _build(self):
        path = locate(self.weights)
        if not path.exists():
            raise FileNotFoundError(
                f"Got the source {self.name!r}, whose weights were expected at {path}, but there "
                "is no such file. Make the source again here, or share the cache folder "
                "(SKREPROGRAM_HOME) between the machines."
            )
        found = sha256_of(path)
        if found != self.digest:
            raise ValueError(
                f"Got weights with sha256 {found} at {path}, expected {self.digest}: the file "
                "was changed or cut. Delete it and make or download the source again."
            )
        state = read_weights(path)
        if self.structure is not None:
            return join(copy.deepcopy(self.structure), state)
        return fill(self._make, state)

    def _loaded(self, device, dtype, folded):
        exact = torch.promote_types(dtype, torch.float32)
        module = self._build().to(exact)
        if not folded and not has_batch_norms(module):
            return self.load(device, dtype)
        probe = self._probe(module, 2).to(exact)
        module = quicken(module, probe, self.feature_layers or (), folded)
        return FrozenNetwork(self, module.to(device, dtype))

    def _probe(self, module, n_inputs):
        """Noise in the value range, normalised as the network gets it."""
        generator = torch.Generator().manual_seed(0)
        noise = 2 * torch.rand((n_inputs, *self.input_shape), generator=generator) - 1
        noise = self.input_space.centre + self.input_space.half_range * noise
        constants = channel_constants(self, module)
        return (
            noise if constants is None else (noise.to(constants[0]) - constants[0]) / constants[1]
        )

    def _make(self):
        module_name, _, function = self.factory.partition(":")
        maker = getattr(importlib.import_module(module_name), function)
        return maker(**(self.factory_options or {}))

    def _with_counted_outputs(self):
        shape = self.input_shape
        network = FrozenNetwork(self, self._build().to(torch.float32))
        with torch.inference_mode():
            outputs = network.raw_outputs(torch.full((2, *shape), self.input_space.centre))
        return replace(self, n_outputs=outputs.shape[1])

    def _identity(self):
        options = repr(sorted((self.factory_options or {}).items()))
        facts = tuple(
            getattr(self, field.name)
            for field in fields(self)
            if field.name not in ("structure", "factory_options", "weights", "name")
        )
        return (*facts, options, self._mark)

    def __eq__(self, other):
        return isinstance(other, SourceModel) and self._identity() == other._identity()

    def __hash__(self):
        return hash(self._identity())

    def __sklearn_clone__(self):
        return self

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self

    def __repr__(self):
        return f"SourceModel({self.name!r}, {self.input_shape} -> {self.n_outputs})"
