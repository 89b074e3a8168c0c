"""From what a user passes as `source` to a handle."""

from torch import nn

from skreprogram.sources._catalogue import list_sources, load_source
from skreprogram.sources._source_model import SourceModel


def as_source(choice, data_shape):
    """Return the handle that a name, a handle or a torch module stands for.

    Parameters
    ----------
    choice : str, SourceModel or torch.nn.Module
        What the user passed. A module is frozen as a private copy and never changed.
    data_shape : tuple of int
        Shape of one sample: the input shape of a module that does not say its own by an
        ``input_shape`` attribute or a linear layer at its start.

    Returns
    -------
    source : SourceModel
        The handle.
    """
    if isinstance(choice, SourceModel):
        return choice
    if isinstance(choice, str):
        return load_source(choice)
    if not isinstance(choice, nn.Module):
        raise TypeError(
            f"Got source={choice!r}, expected a torch.nn.Module, a SourceModel or a name among "
            f"{list_sources()}."
        )
    return SourceModel.from_module(choice, _input_shape(choice, data_shape))


def _input_shape(module, data_shape):
    declared = getattr(module, "input_shape", None)
    if isinstance(declared, (tuple, list)):
        return declared
    first = next((part for part in module.modules() if not list(part.children())), None)
    if isinstance(first, nn.Linear):
        return (first.in_features,)
    return data_shape
