"""The black box: a source model that only answers queries."""

from dataclasses import KW_ONLY, dataclass, fields
from pathlib import Path
from typing import ClassVar

import torch

from skreprogram._input_space import InputSpace
from skreprogram.sources._black_box_facts import digest_of, tidy_black_box
from skreprogram.sources._black_box_network import BlackBoxNetwork
from skreprogram.sources._download import cache_folder
from skreprogram.sources._fitted_estimator import FittedEstimator
from skreprogram.sources._onnx import OnnxModel
from skreprogram.sources._remote import black_box_from_server


@dataclass(frozen=True, repr=False, eq=False)
class BlackBoxSource:
    """A source model that shows nothing but its answers: a function of an array.

    Like :class:`SourceModel` the object is a handle that never changes: cloning or copying it
    returns itself. No gradient passes through it, so programs for it are trained by queries.

    Parameters
    ----------
    predict : callable
        Function of an array of shape ``(n, *input_shape)``, float32 or float64 as the estimator
        computes, that returns what `output_kind` says.
    input_shape : tuple of int
        Shape of one input, without the batch axis.
    n_outputs : int
        Number of source classes.
    value_range : tuple of float or None, default=None
        Lowest and highest value of an input; input transformations stay inside.
    levels : int or None, default=None
        How many equally spaced values of `value_range` an input number can have, 256 for 8-bit
        pixels. Inputs are rounded to them before every query, in training as in prediction. None
        rounds nothing.
    output_kind : {"probabilities", "logits", "labels", "top-k"}, default="probabilities"
        What is answered. "probabilities", "logits": an array ``(n, n_outputs)``. "labels": one
        label a row, which counts as probability 0.9, with the rest spread evenly. "top-k": for
        each row a dict from labels to probabilities, or pairs of both; what they leave of 1 is
        spread evenly over the other labels, and none is below 1e-6. A label is a number from 0
        on, or one of `output_names`.
    output_names : tuple of str or None, default=None
        Names of the source classes.
    cost_per_query : float, default=0.0
        Money for one row, in any currency.
    max_batch : int, default=256
        Most rows in one call of `predict`.
    cache : bool, path-like or None, default=None
        Whether answers are kept on disk, so that no row is asked twice, also by other processes
        and after a crash: True, in the folder ``answers`` of the cache folder; a path, in that
        folder. Without a cache every row is asked. Answers of a model that draws at random
        become fixed by it.
    flexible : bool, default=False
        Whether the last axes of an input may be longer or shorter than `input_shape` says.
    sampling_rate : float or None, default=None
        Samples per second of an audio source, in hertz.
    identity : str or None, default=None
        Text that names the model behind `predict` with its version. Kept answers and saved
        programs belong to it. None takes a hash of the function's pickle and text; of an object,
        of its content. A function that cannot be pickled (a lambda, a local one) gets a random
        identity: what was kept or saved is then not known again by another process.
    name : str or None, default=None
        Name to print.

    Attributes
    ----------
    digest : str
        The sha256 of the identity and of what else decides the answers.

    See Also
    --------
    SourceModel : A network whose weights are at hand.

    References
    ----------
    .. [1] Tsai, Y.-Y., Chen, P.-Y., Ho, T.-Y. "Transfer Learning without Knowing: Reprogramming
       Black-box Machine Learning Models with Scarce Data and Limited Resources." ICML 2020.

    Examples
    --------
    >>> import numpy as np
    >>> import torch
    >>> from skreprogram.sources import BlackBoxSource
    >>> def warm(images):
    ...     share = images.mean((1, 2, 3))
    ...     return np.stack([1 - share, share], 1)
    >>> source = BlackBoxSource(warm, (1, 4, 4), 2, value_range=(0, 1), levels=256)
    >>> source
    BlackBoxSource('warm', (1, 4, 4) -> 2)
    >>> source.load().outputs(torch.full((1, 1, 4, 4), 0.2)).exp()
    tensor([[0.8000, 0.2000]])
    """

    predict: object
    input_shape: tuple
    n_outputs: int
    _: KW_ONLY
    value_range: tuple | None = None
    levels: int | None = None
    output_kind: str = "probabilities"
    output_names: tuple | None = None
    cost_per_query: float = 0.0
    max_batch: int = 256
    cache: object = None
    flexible: bool = False
    sampling_rate: float | None = None
    identity: str | None = None
    name: str | None = None

    differentiable: ClassVar[bool] = False

    def __post_init__(self):
        for name, fact in tidy_black_box(self).items():
            object.__setattr__(self, name, fact)
        object.__setattr__(self, "digest", digest_of(self))

    @classmethod
    def from_estimator(cls, estimator, **facts):
        """Take a fitted scikit-learn classifier or pipeline as a black box.

        It answers by ``predict_proba``, else by ``decision_function``, else by ``predict``.

        Parameters
        ----------
        estimator : estimator
            Fitted classifier; a private copy is kept, and a later fit changes nothing.
        **facts
            Further parameters of this class; `input_shape` other than ``(n_features,)`` is
            flattened for the estimator.

        Returns
        -------
        source : BlackBoxSource
            The handle.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.linear_model import LogisticRegression
        >>> from skreprogram.sources import BlackBoxSource
        >>> X, y = load_iris(return_X_y=True)
        >>> BlackBoxSource.from_estimator(LogisticRegression(max_iter=1000).fit(X, y))
        BlackBoxSource('LogisticRegression', (4,) -> 3)
        """
        model = FittedEstimator(estimator)
        return cls(model, **{**model.facts(), **facts})

    @classmethod
    def from_onnx(
        cls, path, *, prepare=None, output=None, input_shape=None, n_threads=None, **facts
    ):
        """Take an ONNX file as a black box, run by ONNX Runtime (extra ``onnx``).

        Parameters
        ----------
        path : path-like
            The file. The handle keeps its path and sha256.
        prepare : callable or None, default=None
            Importable function from an array ``(n, *input_shape)`` in `value_range` to what the
            file's input takes, for example with the channels last.
        output : str or None, default=None
            Name of the output that is read; None takes the first one that holds floating point
            numbers.
        input_shape : tuple of int or None, default=None
            Shape of one input, before `prepare`; None reads it from the file.
        n_threads : int or None, default=None
            Processor threads; None takes as many as torch.
        **facts
            Further parameters of this class.

        Returns
        -------
        source : BlackBoxSource
            The handle; one row was asked to count the outputs.

        Raises
        ------
        ImportError
            When onnxruntime is not installed.
        """
        model = OnnxModel.from_file(path, prepare, output, n_threads)
        centre = InputSpace((1,), facts.get("value_range")).centre
        found = model.facts(input_shape, centre, facts.get("max_batch"))
        return cls(model, **{**found, **facts})

    @classmethod
    def from_server(cls, url, model, *, input_shape=None, **options):
        """Take a model on a server as a black box, over HTTP (extra ``remote``).

        Parameters
        ----------
        url : str
            Address of a server that speaks the Open Inference Protocol, version 2 (Triton,
            KServe, MLServer, OpenVINO Model Server): ``"https://host:port"``, without ``/v2``.
        model : str
            Name of the model there.
        input_shape : tuple of int or None, default=None
            Shape of one input, before `prepare`; None takes the one that the server declares.
        **options
            Parameters of :class:`RemoteModel`, such as ``headers`` and ``timeout``, and further
            ones of this class. `max_batch` is that of a request. Answers are kept on disk unless
            ``cache=None``.

        Returns
        -------
        source : BlackBoxSource
            The handle. The server was asked for its description, and one row where it does not
            declare the number of outputs.

        Raises
        ------
        ImportError
            When httpx or tenacity is not installed.
        RemoteError
            When the server does not answer.
        """
        options.setdefault("cache", True)
        return black_box_from_server(cls, url, model, input_shape=input_shape, **options)

    @property
    def input_space(self):
        """What the black box takes, as numbers: an :class:`InputSpace`."""
        return InputSpace(self.input_shape, self.value_range, self.flexible, self.sampling_rate)

    @property
    def answers_file(self):
        """Path of the file where answers are kept; None without a cache."""
        if self.cache is None:
            return None
        folder = cache_folder() / "answers" if self.cache is True else Path(self.cache)
        return folder / f"{self.digest}.sqlite3"

    def load(self, device="cpu", dtype=torch.float32):
        """Return what answers queries.

        Parameters
        ----------
        device : str or torch.device, default="cpu"
            Not used: inputs may lie anywhere, and their answers lie there too.
        dtype : torch.dtype, default=torch.float32
            Type of the arrays that `predict` gets, float32 or float64.

        Returns
        -------
        network : BlackBoxNetwork
            With the interface of a loaded :class:`SourceModel`.
        """
        return BlackBoxNetwork(self, dtype)

    def _identity(self):
        left_out = ("predict", "name", "identity")
        facts = (getattr(self, part.name) for part in fields(self) if part.name not in left_out)
        return (self.digest, *facts)

    def __eq__(self, other):
        return isinstance(other, BlackBoxSource) and self._identity() == other._identity()

    def __hash__(self):
        return hash(self._identity())

    def __sklearn_clone__(self):
        return self

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self

    def __repr__(self):
        return f"BlackBoxSource({self.name!r}, {self.input_shape} -> {self.n_outputs})"
