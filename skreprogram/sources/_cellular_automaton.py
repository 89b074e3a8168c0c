"""A neural cellular automaton: cells that agree on a class by talking to their neighbours."""

import torch
from torch import nn
from torch.nn.functional import pad

# states beyond are cut off, so that no matrix lets a roll-out explode
LARGEST_STATE = 3.0
# a pixel darker than this holds no cell
LEAST_INK = 0.1
# outputs are means of numbers that were trained to be 0 or 1
SHARPNESS = 10.0


class CellularAutomaton(nn.Module):
    """Automaton whose cells classify the image that they form [1]_.

    Every pixel with ink is a cell. In each step it reads its own states and their slopes over its
    eight neighbours (Sobel filters), and half of the cells change theirs, all by the same rule.
    The last `n_outputs` states are what a cell believes; the outputs are their means over the
    cells.

    Parameters
    ----------
    n_outputs : int, default=10
        Number of classes.
    n_states : int, default=20
        Numbers in a cell: ink, messages and beliefs.
    n_hidden : int, default=48
        Numbers between what a cell reads and how it changes.
    size : (int, int), default=(8, 8)
        Height and width of an image.
    n_steps : int, default=16
        Length of a roll-out.
    n_fixed : int, default=1
        First states that the rule never changes: the ink.

    Notes
    -----
    A state program [2]_ is a symmetric matrix A that acts on all states before each step,
    ``h <- F(clip(h A))``. It comes with the image: rows below it hold the upper triangle of
    ``(A - I + 1) / 2``, line by line, so that numbers from 0 to 1 bring each entry of A within 1
    of the identity's; what is left of the last row is not read. An image without such rows rolls
    out as it is, and with A = I in them it rolls out to the same bits.

    Which cells change in which step was drawn once and is kept with the weights, so that answers
    are repeatable; in training mode it is drawn anew.

    References
    ----------
    .. [1] E. Randazzo, A. Mordvintsev, E. Niklasson, M. Levin, S. Greydanus, "Self-classifying
       MNIST Digits", Distill 2020.
    .. [2] E. Randazzo, A. Mordvintsev, E. Niklasson, M. Levin, "Adversarial Reprogramming of
       Neural Cellular Automata", Distill 2021.

    Examples
    --------
    >>> import torch
    >>> from skreprogram.sources import CellularAutomaton
    >>> automaton = CellularAutomaton()
    >>> automaton(torch.rand(5, 1, 8, 8)).shape
    torch.Size([5, 10])
    >>> automaton.roll_out(torch.rand(5, 1, 8, 8)).shape
    torch.Size([17, 5, 8, 8, 20])
    """

    def __init__(self, n_outputs=10, n_states=20, n_hidden=48, size=(8, 8), n_steps=16, n_fixed=1):
        super().__init__()
        self.n_outputs, self.n_states, self.n_fixed = n_outputs, n_states, n_fixed
        self.size, self.n_steps = tuple(size), n_steps
        self.read = nn.Linear(3 * n_states, n_hidden)
        self.change = nn.Linear(n_hidden, n_states - n_fixed)
        # device: a network is first built without memory, where numbers cannot be drawn
        generator = torch.Generator().manual_seed(0)
        awake = torch.rand(n_steps, *self.size, 1, generator=generator, device="cpu") < 0.5
        self.register_buffer("awake", awake)
        self.register_buffer("slopes", _slopes(*self.size), persistent=False)

    def forward(self, inputs):
        """Scores of the classes.

        Parameters
        ----------
        inputs : torch.Tensor of shape (n, 1, height, width)
            Ink from 0 to 1, and perhaps a state program in further rows.

        Returns
        -------
        logits : torch.Tensor of shape (n, n_outputs)
            Ten times the mean belief of the cells.
        """
        return SHARPNESS * self.stages(inputs)[-1][:, -self.n_outputs :]

    def stages(self, inputs):
        """Mean states of the cells, halfway and at the end.

        Parameters
        ----------
        inputs : torch.Tensor of shape (n, 1, height, width)
            As in `forward`.

        Returns
        -------
        stages : tuple of two torch.Tensor of shape (n, n_states)
            The last one is what the outputs are made of.
        """
        states, living = self.roll_out(inputs), self.living(inputs)
        n_cells = living.sum((1, 2)).clamp_min(1)
        halfway, last = states[self.n_steps // 2], states[-1]
        return tuple((state * living).sum((1, 2)) / n_cells for state in (halfway, last))

    def living(self, inputs):
        """Which pixels hold a cell.

        Parameters
        ----------
        inputs : torch.Tensor of shape (n, 1, height, width)
            As in `forward`.

        Returns
        -------
        living : torch.Tensor of shape (n, *size, 1)
            1 where there is ink, 0 elsewhere.
        """
        return (self._ink(inputs) > LEAST_INK).to(inputs.dtype)

    def roll_out(self, inputs):
        """States of all cells at the start and after each step.

        Parameters
        ----------
        inputs : torch.Tensor of shape (n, 1, height, width)
            As in `forward`.

        Returns
        -------
        states : torch.Tensor of shape (n_steps + 1, n, *size, n_states)
            Pixels without ink hold zeros.
        """
        self._check(inputs)
        living, matrices = self.living(inputs), self.matrices(inputs)
        states = [pad(self._ink(inputs) * living, (0, self.n_states - 1))]
        for awake in self._awake(inputs):
            states.append(self.step(states[-1], living, awake, matrices))
        return torch.stack(states)

    def step(self, state, living, awake, matrices=None):
        """One step of the recurrent map.

        Parameters
        ----------
        state : torch.Tensor of shape (n, *size, n_states)
            Where it is.
        living : torch.Tensor of shape (n, *size, 1)
            1 where a cell lives, 0 elsewhere, seen before any matrix acts.
        awake : torch.Tensor broadcastable to the shape of `living`
            1 where a cell changes in this step.
        matrices : torch.Tensor of shape (n, n_states, n_states) or None, default=None
            State program of each row; None is the automaton's own course.

        Returns
        -------
        state : torch.Tensor of shape (n, *size, n_states)
            Where it goes.
        """
        cells = state.flatten(1, 2)
        if matrices is not None:
            cells = cells @ matrices
        cells = cells.clamp(-LARGEST_STATE, LARGEST_STATE) * living.flatten(1, 2)
        seen = (self.slopes @ cells).unflatten(1, (2, -1))
        hidden = self.read(torch.cat([cells, seen[:, 0], seen[:, 1]], 2)).relu()
        change = self.change(hidden).reshape(*state.shape[:3], -1) * (awake * living)
        return cells.reshape(state.shape) + pad(change, (self.n_fixed, 0))

    def matrices(self, inputs):
        """State programs that come with the inputs.

        Parameters
        ----------
        inputs : torch.Tensor of shape (n, 1, height, width)
            As in `forward`.

        Returns
        -------
        matrices : torch.Tensor of shape (n, n_states, n_states) or None
            Symmetric; None where the inputs are images and nothing else.
        """
        if inputs.shape[2] == self.size[0]:
            return None
        numbers = 2 * inputs[:, 0, self.size[0] :].flatten(1) - 1
        index = torch.arange(self.n_states, device=inputs.device)
        row, column = torch.minimum(index[:, None], index), torch.maximum(index[:, None], index)
        # in the upper triangle, line i ends in front of (i + 1) n - i (i + 1) / 2
        place = row * self.n_states - row * (row + 1) // 2 + column
        return (
            torch.eye(self.n_states, dtype=inputs.dtype, device=inputs.device) + numbers[:, place]
        )

    def _ink(self, inputs):
        """Ink of shape (n, *size, 1)."""
        return inputs[:, 0, : self.size[0]].unsqueeze(3)

    def _awake(self, inputs):
        """Which cells change, step by step."""
        if self.training:
            shape = (self.n_steps, len(inputs), *self.size, 1)
            return (torch.rand(shape, device=inputs.device) < 0.5).to(inputs.dtype)
        return self.awake.to(inputs.dtype)

    def _check(self, inputs):
        height, width = self.size
        n_rows = -(-self.n_states * (self.n_states + 1) // (2 * width))
        image, reprogrammed = (1, height, width), (1, height + n_rows, width)
        if tuple(inputs.shape[1:]) not in (image, reprogrammed):
            raise ValueError(
                f"Got inputs of shape {tuple(inputs.shape[1:])} in CellularAutomaton, expected "
                f"{image}, or {reprogrammed} with a state program below the image. Resize the "
                f"images, and use StateMatrixTransformation(n_states={self.n_states})."
            )


def _slopes(height, width):
    """Sobel filters over a grid as one matrix, of shape (2 height width, height width)."""

    def along(length, before, here, behind):
        taps = ((before, -1), (here, 0), (behind, 1))
        return sum(tap * torch.diag(torch.ones(length - abs(k)), k) for tap, k in taps)

    across = torch.kron(along(height, 1, 2, 1), along(width, -1, 0, 1))
    down = torch.kron(along(height, -1, 0, 1), along(width, 1, 2, 1))
    return torch.cat([across, down]) / 8
