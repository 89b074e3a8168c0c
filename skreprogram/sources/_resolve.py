"""From what a user passes as `source` to a handle."""

from sklearn.frozen import FrozenEstimator
from torch import nn

from skreprogram.sources._black_box import BlackBoxSource
from skreprogram.sources._catalogue import list_sources, load_source
from skreprogram.sources._generator_source import GeneratorSource
from skreprogram.sources._several_sources import SeveralSources
from skreprogram.sources._source_model import SourceModel


def as_source(choice, data_shape):
    """Return the handle that a name, a handle or a torch module stands for.

    Parameters
    ----------
    choice : str, SourceModel, BlackBoxSource, FrozenEstimator, torch.nn.Module, or list of them
        What the user passed. A module is frozen as a private copy and never changed; a fitted
        classifier in a ``FrozenEstimator`` becomes a black box. A list of one means that one.
    data_shape : tuple of int
        Shape of one sample: the input shape of a module that does not say its own by an
        ``input_shape`` attribute or a linear layer at its start.

    Returns
    -------
    source : SourceModel, BlackBoxSource or SeveralSources
        The handle.
    """
    if isinstance(choice, (list, tuple)):
        return _listed(choice, data_shape)
    if isinstance(choice, str):
        choice = load_source(choice)
    if isinstance(choice, GeneratorSource):
        raise TypeError(
            f"Got the generator {choice.name!r} as source, expected a model that classifies. Use "
            "GeneratorReprogrammer."
        )
    if isinstance(choice, (SourceModel, BlackBoxSource, SeveralSources)):
        return choice
    if isinstance(choice, FrozenEstimator):
        return BlackBoxSource.from_estimator(choice)
    if not isinstance(choice, nn.Module):
        raise TypeError(
            f"Got source={choice!r}, expected a torch.nn.Module, a SourceModel, a BlackBoxSource "
            f"or a name among {list_sources()}.{_advice(choice)}"
        )
    return SourceModel.from_module(choice, _input_shape(choice, data_shape))


def _listed(choices, data_shape):
    """The handle of a list."""
    nested = [c for c in choices if isinstance(c, (list, tuple, SeveralSources))]
    if nested or not choices:
        raise ValueError(
            f"Got source={choices!r}, expected a flat list of at least one source. List names, "
            "handles or torch modules."
        )
    sources = [as_source(choice, data_shape) for choice in choices]
    return sources[0] if len(sources) == 1 else SeveralSources(sources)


def _advice(choice):
    """What to write around an estimator or a function, which alone do not say enough."""
    if hasattr(choice, "get_params") and hasattr(choice, "fit"):
        # clone, which every search calls, would return it without its fit
        return " Write BlackBoxSource.from_estimator(...) around the fitted estimator."
    if callable(choice):
        return " Write BlackBoxSource(function, input_shape=..., n_outputs=...) around a function."
    return ""


def _input_shape(module, data_shape):
    declared = getattr(module, "input_shape", None)
    if isinstance(declared, (tuple, list)):
        return declared
    first = next((part for part in module.modules() if not list(part.children())), None)
    if isinstance(first, nn.Linear):
        return (first.in_features,)
    return data_shape
