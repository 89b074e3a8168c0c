"""Generators by name that come with this package."""

import math
from dataclasses import dataclass

from skreprogram.sources._generator_source import GeneratorSource


@dataclass(frozen=True)
class PackagedGenerator:
    """One pretrained generator.

    Parameters
    ----------
    name, summary, licence : str
        What to call it, what it is, and under which terms its weights may be used.
    factory : str
        ``"package.module:function"`` that builds the network.
    file : str
        Name of its file of weights in this package.
    sha256 : str
        Hash of that file.
    input_shape, output_shape : tuple of int
        Shapes of one latent, which is standard normal, and of one sample.
    output_range : tuple of float
        Lowest and highest value of a sample.
    flexible : bool, default=False
        Whether latents may have another shape.
    """

    name: str
    summary: str
    licence: str
    factory: str
    file: str
    sha256: str
    input_shape: tuple
    output_shape: tuple
    output_range: tuple
    flexible: bool = False

    def source(self):
        """Return the handle; the weights are read when they are first needed.

        Returns
        -------
        source : GeneratorSource
        """
        return GeneratorSource(
            weights=f"bundled:{self.file}",
            digest=self.sha256,
            input_shape=self.input_shape,
            n_outputs=math.prod(self.output_shape),
            factory=self.factory,
            name=self.name,
            output_shape=self.output_shape,
            output_range=self.output_range,
        )


PACKAGED_GENERATORS = {
    entry.name: entry
    for entry in (
        PackagedGenerator(
            name="digits-generator",
            summary="handwritten digits of 8 x 8 pixels without labels; comes with this package",
            licence="BSD-3-Clause; trained on the digits of scikit-learn (UCI, CC BY 4.0)",
            factory="skreprogram.sources._digits_generator:DigitsGenerator",
            file="digits_generator.safetensors",
            sha256="f0fdee328aa3829e519100a168f64e359dee54d5965a5545c50df64b91efcbef",
            input_shape=(32,),
            output_shape=(8, 8),
            output_range=(0.0, 16.0),
        ),
    )
}


def as_generator(choice):
    """Return the generator that a name or a handle stands for.

    Parameters
    ----------
    choice : str or GeneratorSource
        What the user passed.

    Returns
    -------
    source : GeneratorSource
        The handle.

    Raises
    ------
    ValueError
        For a name that is no generator's.
    TypeError
        For anything else, torch modules too: nobody knows their latents.
    """
    if isinstance(choice, GeneratorSource):
        return choice
    if isinstance(choice, str):
        if choice in PACKAGED_GENERATORS:
            return PACKAGED_GENERATORS[choice].source()
        raise ValueError(
            f"Got source {choice!r}, expected one of {sorted(PACKAGED_GENERATORS)}, or a "
            "GeneratorSource."
        )
    raise TypeError(
        f"Got a {type(choice).__name__} as source, expected a GeneratorSource or one of "
        f"{sorted(PACKAGED_GENERATORS)}. Declare the latents of a torch module: "
        "GeneratorSource.from_module(module, latent_shape), with value_range where they are "
        "uniform."
    )
