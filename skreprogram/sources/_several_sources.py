"""Several source models that one estimator reads side by side."""

import hashlib
from dataclasses import dataclass
from typing import ClassVar

import torch

from skreprogram.sources._several_networks import SeveralNetworks
from skreprogram.sources._source_model import SourceModel


@dataclass(frozen=True, repr=False)
class SeveralSources:
    """Frozen networks side by side, held by reference.

    Estimators make it of a list: ``source=["speech-commands", "imagenet-efficientnet-lite0"]``.
    Each network is shown its own views of a sample, and one output mapping reads all of them. Like
    :class:`SourceModel` the object never changes: cloning or copying it returns itself, and its
    pickle holds no weights.

    Parameters
    ----------
    sources : sequence of SourceModel
        At least two, all different.

    Attributes
    ----------
    name : str
        Their names, joined by " + ".
    digest : str
        The sha256 of their digests.
    n_outputs : int
        Number of the source labels of all.
    input_space : tuple of InputSpace
        What each of them takes.

    Raises
    ------
    TypeError, ValueError
        For what is no network, such as a black box, and for a source that comes twice.

    Examples
    --------
    >>> import torch
    >>> from skreprogram.sources import SeveralSources, SourceModel
    >>> one, other = torch.nn.Linear(4, 3), torch.nn.Linear(8, 2)
    >>> SeveralSources([SourceModel.from_module(one, (4,)), SourceModel.from_module(other, (8,))])
    SeveralSources('Linear + Linear', (4,) -> 3, (8,) -> 2)
    """

    sources: tuple

    # what black boxes have and networks do not; see BlackBoxSource
    differentiable: ClassVar[bool] = True
    cost_per_query: ClassVar[float] = 0.0
    levels: ClassVar[int | None] = None

    def __post_init__(self):
        object.__setattr__(self, "sources", tuple(self.sources))
        for source in self.sources:
            if not isinstance(source, SourceModel):
                raise TypeError(
                    f"Got {source!r} among several sources, expected networks alone: of a black "
                    "box nobody sees the features. Use it as the only source."
                )
        if len(self.sources) < 2:
            raise ValueError(
                f"Got {len(self.sources)} source(s) in SeveralSources, expected at least two. Pass "
                "a single one as it is."
            )
        twice = sorted({source.name for source in self.sources if self.sources.count(source) > 1})
        if twice:
            raise ValueError(
                f"Got the sources {twice} twice in a list, expected each one once. For several "
                "views of a sample use SideBySide as its input transformation."
            )

    @property
    def name(self):
        """Their names, joined by " + "."""
        return " + ".join(source.name for source in self.sources)

    @property
    def digest(self):
        """The sha256 of their digests."""
        return hashlib.sha256(" ".join(s.digest for s in self.sources).encode()).hexdigest()

    @property
    def n_outputs(self):
        """Number of the source labels of all."""
        return sum(source.n_outputs for source in self.sources)

    @property
    def output_names(self):
        """Names of all source labels, after the number of their source: ``"0/yes"``."""
        return tuple(
            f"{i}/{name}"
            for i, source in enumerate(self.sources)
            for name in source.output_names or range(source.n_outputs)
        )

    @property
    def input_space(self):
        """What each of them takes: a tuple of :class:`InputSpace`."""
        return tuple(source.input_space for source in self.sources)

    def load(self, device="cpu", dtype=torch.float32, folded=True):
        """Return the frozen networks on a device; each process reads the weights once.

        Parameters
        ----------
        device : str or torch.device, default="cpu"
            Where the networks run.
        dtype : torch.dtype, default=torch.float32
            Precision of their weights and inputs.
        folded : bool, default=True
            Whether batch normalisation may be folded into the layers before it.

        Returns
        -------
        network : SeveralNetworks
            The networks are those of everyone who loads the same sources in this process.
        """
        return SeveralNetworks(source.load(device, dtype, folded) for source in self.sources)

    def with_random_weights(self, random_state=0):
        """Return the same architectures with untrained weights: the control of every claim.

        Parameters
        ----------
        random_state : int, default=0
            Seed of torch's default initialisation, for each of them.

        Returns
        -------
        sources : SeveralSources
            Same facts, other weights.
        """
        return SeveralSources(source.with_random_weights(random_state) for source in self.sources)

    def __sklearn_clone__(self):
        return self

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self

    def __repr__(self):
        facts = ", ".join(f"{source.input_shape} -> {source.n_outputs}" for source in self.sources)
        return f"SeveralSources({self.name!r}, {facts})"


def sources_of(source):
    """The handles that one stands for.

    Parameters
    ----------
    source : SourceModel, BlackBoxSource or SeveralSources
        The handle of an estimator.

    Returns
    -------
    sources : tuple of SourceModel or BlackBoxSource
        Itself alone, or each of several.
    """
    return source.sources if isinstance(source, SeveralSources) else (source,)
