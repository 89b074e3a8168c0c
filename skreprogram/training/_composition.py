"""The source between the two specifications of a program."""

from dataclasses import dataclass

from skreprogram._input_space import InputSpace
from skreprogram.mappings import OutputMapping
from skreprogram.training._model import Reprogrammed
from skreprogram.transformations import InputTransformation


@dataclass(frozen=True)
class Composition:
    """What all programs of one call share: the source and the two specifications.

    Parameters
    ----------
    network : FrozenNetwork, SeveralNetworks or None
        The loaded source; None where the data already went through it.
    space : InputSpace, or tuple of them
        What it takes, or each of several.
    transformation : InputTransformation
        Input side.
    mapping : OutputMapping
        Output side.
    device : torch.device or str, default="cpu"
        Where the network is.
    """

    network: object
    space: InputSpace | tuple
    transformation: InputTransformation
    mapping: OutputMapping
    device: object = "cpu"

    @property
    def rows_at_once(self):
        """Rows of data for one pass, with what comes before and after the network."""
        return 64 if self.network is None else self.network.rows_at_once

    @property
    def runs_in_threads(self):
        """Whether several threads may have a batch each."""
        return self.network is not None and self.network.runs_in_threads

    def model(self, sides, cached=False):
        """Compose the programs.

        Parameters
        ----------
        sides : list of (dict, dict) or (dict, dict, dict)
            Tensors of each program: input side, output side, and the source's own that it has.
        cached : bool, default=False
            Whether the data already went through the source.

        Returns
        -------
        model : Reprogrammed
            On the device.
        """
        network = None if cached else self.network
        model = Reprogrammed(network, self.space, self.transformation, self.mapping, sides)
        return model.to_device(self.device)
