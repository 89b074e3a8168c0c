"""Cellular automata by name that come with this package."""

from dataclasses import dataclass

from skreprogram.sources._source_model import SourceModel


@dataclass(frozen=True)
class PackagedAutomaton:
    """One pretrained automaton.

    Parameters
    ----------
    name, summary, licence : str
        What to call it, what it is, and under which terms its weights may be used.
    file : str
        Name of its file of weights in this package.
    sha256 : str
        Hash of that file.
    input_shape : tuple of int
        Shape of one image.
    output_names : tuple of str
        Names of the source classes.
    """

    name: str
    summary: str
    licence: str
    file: str
    sha256: str
    input_shape: tuple
    output_names: tuple

    # no other size of images; the handle is flexible, as a state program adds rows
    flexible = False

    def source(self):
        """Return the handle; the weights are read when they are first needed.

        Returns
        -------
        source : SourceModel
        """
        return SourceModel(
            weights=f"bundled:{self.file}",
            digest=self.sha256,
            input_shape=self.input_shape,
            n_outputs=len(self.output_names),
            factory="skreprogram.sources._cellular_automaton:CellularAutomaton",
            value_range=(0.0, 1.0),
            output_names=self.output_names,
            flexible=True,
            name=self.name,
        )


PACKAGED_AUTOMATA = {
    entry.name: entry
    for entry in (
        PackagedAutomaton(
            name="digit-automaton",
            summary="ten handwritten digits of 8 x 8 pixels; comes with this package",
            licence="BSD-3-Clause; trained on the digits of scikit-learn (UCI, CC BY 4.0)",
            file="digit_automaton.safetensors",
            sha256="576b3733e021d2891e9f34b9fdb213333d22e632d36b8c7e7ed2e16a40af21eb",
            input_shape=(1, 8, 8),
            output_names=tuple("0123456789"),
        ),
    )
}
