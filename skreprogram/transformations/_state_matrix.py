"""A symmetric matrix on the states of a recurrent source, handed over with the input."""

import torch
from torch.nn.functional import pad

from skreprogram.transformations._base import InputTransformation
from skreprogram.transformations._parameters import check_takes_images, check_whole
from skreprogram.transformations._range import bounded


class StateMatrixTransformation(InputTransformation):
    """Let a matrix act on all states of a cellular automaton before each of its steps.

    The frozen recurrent map ``h <- F(h)`` becomes ``h <- F(h A)`` with a symmetric A [1]_. A is
    shared by all cells, steps and samples, and starts as the identity, under which the source
    rolls out as it is, bit for bit. The matrix is written below the image, in rows that the source
    reads as its program: see :class:`~skreprogram.sources.CellularAutomaton`.

    Parameters
    ----------
    n_states : int, default=20
        Numbers in a cell of the source. A has ``n_states * (n_states + 1) / 2`` free entries.
    transformation : InputTransformation or str, default="resizing"
        What makes the image; it may train as well.
    l2 : float, default=0.0
        Weight of the squared program in the training loss, which draws A to the identity.

    Notes
    -----
    ``A = I + D`` with ``D = tanh`` of the program in the upper triangle and its mirror image below,
    so that each entry is within 1 of the identity's. The authors' entries have no bounds, but their
    states are cut off at 3 as well.

    Among symmetric matrices one can go from one program to another, and add them up:
    ``k A + (1 - k) B`` is a program too.

    References
    ----------
    .. [1] E. Randazzo, A. Mordvintsev, E. Niklasson, M. Levin, "Adversarial Reprogramming of
       Neural Cellular Automata", Distill 2021: perturbing the states of the system.

    Examples
    --------
    >>> import torch
    >>> from skreprogram._input_space import InputSpace
    >>> from skreprogram.transformations import StateMatrixTransformation
    >>> below = StateMatrixTransformation(n_states=3)
    >>> X, space = torch.rand(5, 1, 4, 4), InputSpace((1, 4, 4), (0.0, 1.0), flexible=True)
    >>> params = below.init(X, space, torch.Generator())
    >>> below.apply(params, X, space).shape  # two rows of four hold six numbers
    torch.Size([5, 1, 6, 4])
    >>> below.matrix(params)
    tensor([[1., 0., 0.],
            [0., 1., 0.],
            [0., 0., 1.]])
    """

    def __init__(self, n_states=20, transformation="resizing", l2=0.0):
        self.n_states = n_states
        self.transformation = transformation
        self.l2 = l2

    @property
    def trainable(self):
        return ("state_matrix", *self._image().trainable)

    def init(self, X, space, generator):
        check_whole(self, "n_states")
        self._check_takes_rows(space)
        params = self._image().init(X, space, generator)
        n_entries = self.n_states * (self.n_states + 1) // 2
        return {**params, "state_matrix": X.new_zeros(n_entries)}

    def apply(self, params, X, space):
        images = self._image().apply(params, X, space)
        width = space.shape[2]
        entries = bounded(params["state_matrix"], space)
        rows = pad(entries, (0, -len(entries) % width), value=space.centre).reshape(-1, width)
        return torch.cat([images, rows.expand(*images.shape[:2], -1, -1)], 2)

    def matrix(self, params):
        """Return the matrix A of a program.

        Parameters
        ----------
        params : dict of str to torch.Tensor
            What `init` drew, perhaps trained since.

        Returns
        -------
        matrix : torch.Tensor of shape (n_states, n_states)
            Symmetric; ``state @ matrix`` is what the source's step gets.
        """
        entries = torch.as_tensor(params["state_matrix"]).tanh()
        row, column = torch.triu_indices(self.n_states, self.n_states, device=entries.device)
        deviation = entries.new_zeros(self.n_states, self.n_states)
        deviation[row, column] = entries
        deviation[column, row] = entries
        return torch.eye(self.n_states).to(entries) + deviation

    def disturb(self, params, generator):
        return self._image().disturb(params, generator)

    def renew(self, params, space):
        return self._image().renew(params, space)

    def penalty(self, params):
        squares = self.l2 * params["state_matrix"].square().sum() if self.l2 else 0.0
        return squares + self._image().penalty(params)

    def _image(self):
        choice = InputTransformation.resolve(self.transformation)
        if isinstance(choice, StateMatrixTransformation):
            raise ValueError(
                "Got a StateMatrixTransformation inside another one, expected what makes an image. "
                "Use transformation='resizing'."
            )
        return choice

    def _check_takes_rows(self, space):
        check_takes_images(self, space)
        if not space.flexible or space.shape[0] != 1 or space.value_range is None:
            raise ValueError(
                f"Got a source that takes {tuple(space.shape)} for StateMatrixTransformation, "
                "expected one that reads a state program in rows below a grey image, with "
                "value_range=(0, 1) and flexible=True. Use source='digit-automaton', or make one "
                "of a CellularAutomaton."
            )
