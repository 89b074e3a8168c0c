"""The loaded source model: normalises, runs, and gives outputs or features."""

import copy
import hashlib
import threading
from contextlib import nullcontext
from itertools import chain

import torch
from torch import nn
from torch.utils._pytree import tree_map

from skreprogram.sources._cache_sizes import by_parts
from skreprogram.sources._own_structure import OwnStructure
from skreprogram.sources._parameter_choice import parameter_choices
from skreprogram.sources._shared_frames import shared_frames


class FrozenNetwork:
    """A source model in memory, on one device and in one precision.

    It is no ``nn.Module``: whatever trains cannot register it, so it is in nobody's
    ``parameters()``, ``state_dict()`` or ``train()``.

    Parameters
    ----------
    source : SourceModel
        The facts: shape, normalisation, kind of outputs, feature layers.
    module : torch.nn.Module
        The network with its weights.
    """

    def __init__(self, source, module):
        self._module = self._exact = module.eval().requires_grad_(False)
        self._name = source.name
        self._output_kind = source.output_kind
        self._n_outputs = source.n_outputs
        self._layers = _feature_layers(module, source.feature_layers)
        self._scale = channel_constants(source, module)
        self._is_recurrent = any(isinstance(part, nn.RNNBase) for part in module.modules())
        self._mixed, self._rounded = False, None
        like = next(chain(module.parameters(), module.buffers()), torch.empty(0))
        # steps of a recurrence are short, and better long in rows
        self._splits = like.device.type == "cpu" and not self._is_recurrent
        # rows of data for one pass, with what comes before and after the network
        self.rows_at_once = 32 if self._splits else 64
        # several may pass at once; a stranger's module might keep something between its layers
        self.runs_in_threads = self._splits and self._layers is None
        # vectors of the vocabulary where the source reads text; always the same object
        with torch.no_grad():
            vectors = getattr(module, "embeddings", None)
        self.embeddings = vectors.detach() if isinstance(vectors, torch.Tensor) else None
        # per thread, because threads share this network
        self._caught = threading.local()
        for name, side in self._layers or ():
            module.get_submodule(name).register_forward_hook(self._catcher(name, side))

    @property
    def shares_frames(self):
        """Whether frames that rows share are computed once, which needs a front end of its own."""
        return hasattr(self._module, "outputs_of_frames") and self._scale is None

    def with_precision(self, precision):
        """The same network, run in full or in mixed precision.

        Parameters
        ----------
        precision : {"full", "bf16"}
            "bf16" multiplies and convolves in bfloat16; what comes in and out keeps its precision.

        Returns
        -------
        network : FrozenNetwork
            Made once; its matrices and kernels are bfloat16 copies.
        """
        if precision == "full":
            return self
        if self._rounded is None:
            view = copy.copy(self)
            view._module, view._mixed = copy.deepcopy(self._module), True
            for part in view._module.modules():
                # autocast would cast frozen weights again in every call
                if isinstance(part, (nn.Conv1d, nn.Conv2d, nn.Linear)):
                    part.to(torch.bfloat16)
            self._rounded = view
        return self._rounded

    def parameter_choices(self, choice):
        """Names of the parameters that a word or patterns mean; see `finetune` of the estimators.

        Parameters
        ----------
        choice : str or sequence of str
            "norm", "head", "last", "all", or patterns.

        Returns
        -------
        choices : list of tuple of str
            Ways to understand it, the best one first.
        """
        return parameter_choices(self._exact, choice, self._name)

    def tensors(self, names):
        """Parameters by name, in full precision; they are shared and must not be written.

        Parameters
        ----------
        names : sequence of str
            Names of parameters of the network.

        Returns
        -------
        tensors : dict of str to torch.Tensor
        """
        return {name: self._exact.get_parameter(name).detach() for name in names}

    def in_own_structure(self):
        """The same network, in which :meth:`exchange` changes what only the caller sees.

        Returns
        -------
        network : FrozenNetwork
            It shares all tensors with this one.
        """
        view = copy.copy(self)
        view._structure = OwnStructure(self._module)
        view._module = view._structure.module
        return view

    def exchange(self, tensors):
        """Let tensors by name stand in the place of parameters; gradients flow into them."""
        self._structure.exchange(tensors)
        return self

    def state_digest(self):
        """The sha256 of every parameter and buffer, to show that nothing moved."""
        digest = hashlib.sha256()
        for name, tensor in [*self._module.named_parameters(), *self._module.named_buffers()]:
            digest.update(name.encode())
            digest.update(tensor.cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
        return digest.hexdigest()

    @property
    def is_training(self):
        """Whether any part is in training mode; it never should be."""
        return any(part.training for part in self._module.modules())

    def raw_outputs(self, inputs, alike=None):
        """What the network returns, checked for its shape.

        Parameters
        ----------
        inputs : torch.Tensor of shape (n, *input_shape)
            Inputs in the declared value range, before normalisation.
        alike : (torch.Tensor, list of (int, int)) or None, default=None
            One row of each group of inputs, and the spans of the last axis outside of which a
            group's rows are equal to it; see `shares_frames`.

        Returns
        -------
        outputs : torch.Tensor of shape (n, n_outputs)
            Logits or probabilities, as declared.
        """
        function = self._part("outputs_of_frames", self._module, alike)
        outputs = self._run(function, inputs, in_parts=alike is None)
        expected = (len(inputs), "n_outputs" if self._n_outputs == -1 else self._n_outputs)
        if (
            not isinstance(outputs, torch.Tensor)
            or outputs.ndim != 2
            or outputs.shape[0] != expected[0]
            or self._n_outputs not in (-1, outputs.shape[1])
        ):
            got = getattr(outputs, "shape", type(outputs).__name__)
            raise ValueError(
                f"Got outputs {_words(got)} from the source {self._name!r} for inputs of shape "
                f"{tuple(inputs.shape)}, expected a tensor of shape ({expected[0]}, {expected[1]})."
                " Give a network that ends in one score per class."
            )
        return outputs

    def outputs(self, inputs, alike=None):
        """Logits, or the logarithms of the probabilities; shape ``(n, n_outputs)``."""
        outputs = self.raw_outputs(inputs, alike)
        if self._output_kind == "probabilities":
            outputs = outputs.clamp_min(torch.finfo(outputs.dtype).tiny).log()
        return self._finite(outputs)

    def features(self, inputs, alike=None):
        """Activations inside the network.

        Parameters
        ----------
        inputs : torch.Tensor of shape (n, *input_shape)
            Inputs in the declared value range, before normalisation.
        alike : (int, list of (int, int)) or None, default=None
            As in `raw_outputs`.

        Returns
        -------
        stages : tuple of torch.Tensor, each of shape (n, channels, *positions)
            One tensor a stage; vectors have no positions.
        """
        if self._layers is None:
            function = self._part("stages_of_frames", self._module.stages, alike)
        else:
            function = self._capture
        stages = self._run(function, inputs, in_parts=alike is None)
        return tuple(self._finite(stage) for stage in stages)

    def _part(self, behind, whole, alike):
        """The function of a whole input, or the one that shares frames between rows."""
        if alike is None:
            return whole
        part, front_end = getattr(self._module, behind), self._module.front_end
        return lambda inputs: part(shared_frames(front_end, inputs, *alike))

    def _catcher(self, name, side):
        def catch(_, received, returned):
            stages = getattr(self._caught, "stages", None)
            if stages is not None:
                stage = received[0] if side == "input" else returned
                # a recurrent layer returns its states first
                stages[name] = stage[0] if isinstance(stage, tuple) else stage

        return catch

    def _capture(self, inputs):
        self._caught.stages = {}
        try:
            self._module(inputs)
            caught = self._caught.stages
        finally:
            self._caught.stages = None
        silent = [name for name, _ in self._layers if name not in caught]
        if silent:
            raise ValueError(
                f"Got feature_layers {silent} that the source {self._name!r} never calls, expected "
                "layers on the way to its outputs. Name others."
            )
        return tuple(caught[name] for name, _ in self._layers)

    def _run(self, function, inputs, in_parts=True):
        # in eval mode cuDNN's recurrent layers give no gradients
        without_cudnn = self._is_recurrent and inputs.is_cuda and torch.is_grad_enabled()
        function = by_parts(function) if in_parts and self._splits else function
        cudnn = torch.backends.cudnn.flags(enabled=False) if without_cudnn else nullcontext()
        try:
            with (
                cudnn,
                torch.autocast(inputs.device.type, torch.bfloat16, enabled=self._mixed),
            ):
                answer = function(self._normalise(inputs))
            return tree_map(lambda t: t.to(inputs.dtype), answer) if self._mixed else answer
        except torch.cuda.OutOfMemoryError:
            raise
        except (RuntimeError, IndexError, TypeError, AssertionError) as error:
            raise ValueError(
                f"Got an error from the source {self._name!r} for inputs of shape "
                f"{tuple(inputs.shape)}: {error}. Expected it to take (n, *input_shape); check the "
                "declared input_shape, and that the network accepts one floating point tensor."
            ) from error

    def _normalise(self, inputs):
        if self._scale is None:
            return inputs
        mean, std = self._scale
        return (inputs - mean) / std

    def _finite(self, tensor):
        # the sum is one cheap pass; only when it overflows or is NaN every number is looked at
        if not torch.isfinite(tensor.sum()) and not torch.isfinite(tensor).all():
            raise ValueError(
                f"Got NaN or infinite numbers from the source {self._name!r}, expected finite "
                "outputs. Check its weights and that the inputs lie in its value range; where a "
                "program trains, use a smaller learning rate."
            )
        return tensor


def _feature_layers(module, named):
    """Pairs (submodule, side) to catch, or None when the network has its own stages."""
    if named is not None:
        known = dict(module.named_modules())
        unknown = [name for name in named if name not in known]
        if unknown:
            raise ValueError(
                f"Got feature_layers {unknown}, expected names of submodules: "
                f"{[name for name in known if name][:20]}."
            )
        return [(name, "output") for name in named]
    stages = getattr(module, "stages", None)
    # some networks keep a list of layers under this name
    if callable(stages) and not isinstance(stages, nn.Module):
        return None
    linear = [name for name, part in module.named_modules() if isinstance(part, nn.Linear)]
    # without a linear layer the outputs themselves are the features
    return [(linear[-1], "input")] if linear else [("", "output")]


def channel_constants(source, module):
    """Mean and spread per channel as tensors like the weights, or None when nothing is declared."""
    if source.mean is None and source.std is None:
        return None
    like = next(chain(module.parameters(), module.buffers()), torch.empty(0))
    trailing = (1,) * (len(source.input_shape) - 1)
    mean, std = (
        like.new_tensor(default if given is None else given).reshape(-1, *trailing)
        for given, default in ((source.mean, 0.0), (source.std, 1.0))
    )
    return mean, std


def _words(got):
    return f"of shape {tuple(got)}" if isinstance(got, torch.Size) else f"of type {got}"
