"""The loss of what a program draws, where it chooses among source tokens."""

import torch

from skreprogram.gradients import Draws
from skreprogram.training._objective import BatchObjective


class DrawingObjective(BatchObjective):
    """Losses of programs on one batch, and of what one program draws for it.

    Parameters are those of :class:`BatchObjective`.
    """

    def draws(self, program, n_draws, generator):
        """Draw choices for every row, and ask what they cost.

        Parameters
        ----------
        program : torch.Tensor of shape (n_numbers,)
            The program, flat.
        n_draws : int
            Draws for each row.
        generator : torch.Generator
            The only source of randomness.

        Returns
        -------
        draws : Draws
        """
        model, constants = self.model, self._constants()
        own = self._laid_out(program[None])
        params = {**constants, **{name: tensor[0] for name, tensor in own.items()}}
        inputs, log_probs = model.transformation.draw(
            params, self.X, model.space, n_draws, generator
        )
        with torch.no_grad():
            given = model.read((inputs.detach(),))
        rows = self._row_losses(given)
        return Draws(rows.detach(), log_probs, self.weight / self.weight.sum().clamp_min(1e-12))
