"""A network in a structure of its own, around the tensors of another."""

import copy
from itertools import chain

import torch


class OwnStructure:
    """A copy of a network's structure that shares every parameter and buffer with it.

    What is put in the place of a parameter here is seen by nobody else.

    Parameters
    ----------
    module : torch.nn.Module
        Read, never changed.
    """

    def __init__(self, module):
        shared = {id(tensor): tensor for tensor in chain(module.parameters(), module.buffers())}
        # deepcopy takes what the memo holds, so no weight is ever copied
        self.module = copy.deepcopy(module, shared)
        self._shared = dict(module.named_parameters())
        names = {id(tensor): name for name, tensor in self._shared.items()}
        # those that are tied lie in several places
        self._places = {name: [] for name in self._shared}
        for part in self.module.modules():
            for leaf, tensor in part._parameters.items():
                if tensor is not None:
                    self._places[names[id(tensor)]].append((part, leaf))

    def exchange(self, tensors):
        """Let other tensors stand in the place of parameters.

        Parameters
        ----------
        tensors : dict of str to torch.Tensor
            By the names of the parameters; gradients flow into them.
        """
        for name, tensor in tensors.items():
            tensor = _laid_out_like(tensor, self._shared[name])
            for owner, leaf in self._places[name]:
                owner._parameters[leaf] = tensor


def _laid_out_like(tensor, shared):
    """Kernels with the channels last where those of the network have them so, for its speed."""
    if shared.ndim != 4 or shared.is_contiguous():
        return tensor
    return tensor.contiguous(memory_format=torch.channels_last)
