"""The contract of a noise transformation: from noise and a class to latents of a generator."""

import math
from abc import abstractmethod

import torch

from skreprogram._strategy import Strategy


class NoiseTransformation(Strategy, family="noise transformation"):
    """Turns noise and class codes into latents of a frozen generator.

    A specification with two pure functions, as
    :class:`~skreprogram.transformations.InputTransformation` is: `init` draws the tensors of one
    program, `apply` uses them. All of them train.
    """

    @abstractmethod
    def n_noise(self, space):
        """Count the numbers of noise that one latent is made of.

        Parameters
        ----------
        space : InputSpace
            What the generator takes.

        Returns
        -------
        n_noise : int
            At least 1.
        """

    @abstractmethod
    def init(self, n_classes, space, generator):
        """Draw one program's tensors.

        Parameters
        ----------
        n_classes : int
            Number of classes.
        space : InputSpace
            What the generator takes.
        generator : torch.Generator
            The only source of randomness.

        Returns
        -------
        params : dict of str to torch.Tensor
            The program; float32.
        """

    @abstractmethod
    def apply(self, params, noise, codes, space):
        """Turn noise into latents.

        Parameters
        ----------
        params : dict of str to torch.Tensor
            What `init` drew, perhaps trained since.
        noise : torch.Tensor of shape (n_samples, n_noise)
            Standard normal numbers.
        codes : torch.Tensor of int of shape (n_samples,)
            Class codes.
        space : InputSpace
            What the generator takes.

        Returns
        -------
        latents : torch.Tensor of shape (n_samples, *space.shape)
            Inside the value range of the generator's latents.
        """


def as_latents(values, space):
    """Shape numbers as latents; standard normal ones get the distribution that latents have.

    Parameters
    ----------
    values : torch.Tensor of shape (n_samples, space.size)
        Any numbers.
    space : InputSpace
        What the generator takes: normal latents where it has no value range, uniform ones in it.

    Returns
    -------
    latents : torch.Tensor of shape (n_samples, *space.shape)
    """
    if space.value_range is not None:
        # twice the distribution function of the normal law, less one: uniform from -1 to 1
        values = space.centre + space.half_range * torch.erf(values / math.sqrt(2))
    return values.reshape(len(values), *space.shape)
