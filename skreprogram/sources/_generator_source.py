"""Generators as sources: frozen maps from latents to data, held by reference."""

import math
from dataclasses import dataclass, replace

import torch
from torch import nn

from skreprogram.sources._facts import check_range, tidy_shape, tidy_tuple
from skreprogram.sources._source_model import SourceModel


@dataclass(frozen=True, repr=False, eq=False)
class GeneratorSource(SourceModel):
    """A frozen generator: it turns latents, drawn from a law it was trained with, into data.

    Make one with :meth:`from_module` or :meth:`from_factory`, whose `input_shape` is the shape of
    one latent, or ``load_source("digits-generator")``.

    Parameters
    ----------
    weights, digest : str
        The file of weights and its sha256, as in :class:`SourceModel`.
    input_shape : tuple of int
        Shape of one latent, without the batch axis.
    n_outputs : int
        Numbers in one generated sample.
    factory, factory_options, structure : object, default=None
        As in :class:`SourceModel`.
    value_range : tuple of float or None, default=None
        None where the latents are standard normal; lowest and highest number where they are
        uniform.
    mean, std : tuple of float or None, default=None
        As in :class:`SourceModel`; generators rarely have them.
    output_kind : str, default="logits"
        Without a meaning here.
    output_names, feature_layers : tuple or None, default=None
        Without a meaning here.
    flexible : bool, default=False
        Without a meaning here.
    sampling_rate : float or None, default=None
        Without a meaning here.
    name : str or None, default=None
        Name to print.
    output_shape : tuple of int, default=()
        Shape of one generated sample; counted by :meth:`from_module` and :meth:`from_factory`.
    output_range : tuple of float or None, default=None
        Lowest and highest value of the data it was trained on.

    See Also
    --------
    SourceModel : Frozen classifiers.

    Examples
    --------
    >>> import torch
    >>> from skreprogram.sources import GeneratorSource
    >>> module = torch.nn.Sequential(torch.nn.Linear(4, 6), torch.nn.Unflatten(1, (2, 3)))
    >>> source = GeneratorSource.from_module(module, (4,), value_range=(-1, 1))
    >>> source
    GeneratorSource('Sequential', uniform (4,) -> (2, 3))
    >>> source.generate(torch.zeros(5, 4)).shape
    torch.Size([5, 2, 3])
    """

    output_shape: tuple = ()
    output_range: tuple | None = None

    def __post_init__(self):
        super().__post_init__()
        shape = tidy_shape(self.output_shape) if self.output_shape else ()
        object.__setattr__(self, "output_shape", shape)
        object.__setattr__(self, "output_range", tidy_tuple(self.output_range))
        check_range(self.output_range)

    @property
    def latent(self):
        """Law of the latents: "normal" or "uniform"."""
        return "normal" if self.value_range is None else "uniform"

    def draw(self, n_samples, generator):
        """Draw latents from the law that the generator was trained with.

        Parameters
        ----------
        n_samples : int
            How many.
        generator : torch.Generator
            The only source of randomness.

        Returns
        -------
        latents : torch.Tensor of shape (n_samples, *input_shape)
            On the CPU.
        """
        shape = (n_samples, *self.input_shape)
        if self.value_range is None:
            return torch.randn(shape, generator=generator)
        unit = 2 * torch.rand(shape, generator=generator) - 1
        return self.input_space.centre + self.input_space.half_range * unit

    def generate(self, latents):
        """Turn latents into data.

        Parameters
        ----------
        latents : torch.Tensor of shape (n_samples, *input_shape)
            Numbers in the value range; gradients pass to them.

        Returns
        -------
        samples : torch.Tensor of shape (n_samples, *output_shape)
            Where the latents are.
        """
        network = self.load(latents.device, latents.dtype)
        return network.outputs(latents).reshape(len(latents), *self.output_shape)

    def _build(self):
        # the frozen network, which this class shares with classifiers, gives rows of numbers
        return nn.Sequential(super()._build(), nn.Flatten(1))

    def _probe(self, module, n_inputs):
        return self.draw(n_inputs, torch.Generator().manual_seed(0))

    def _with_counted_outputs(self):
        (module, _), probe = self._build().float().eval(), self._probe(None, 2)
        try:
            with torch.inference_mode():
                shape = tuple(module(probe).shape)
        except (RuntimeError, IndexError, TypeError) as error:
            raise ValueError(
                f"Got an error from the generator {self.name!r} for latents of shape "
                f"{tuple(probe.shape)}: {error}. Check the declared input_shape."
            ) from error
        if len(shape) < 2 or shape[0] != 2:
            raise ValueError(
                f"Got an output of shape {shape} from the generator {self.name!r} for two latents, "
                "expected (2, ...): one sample for each."
            )
        return replace(self, output_shape=shape[1:], n_outputs=math.prod(shape[1:]))

    def __repr__(self):
        law = f"{self.latent} {self.input_shape}"
        return f"GeneratorSource({self.name!r}, {law} -> {self.output_shape})"
