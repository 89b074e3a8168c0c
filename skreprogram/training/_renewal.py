"""What an input transformation does to its programs when an epoch begins."""

import torch
from skorch.callbacks import Callback


class RenewPrograms(Callback):
    """Let the input transformation renew every program at the beginning of an epoch.

    At the end nothing would be trained with what is new, and a program that was kept for its loss
    would not be the one that had it.
    """

    def on_epoch_begin(self, net, **kwargs):
        """Put the new tensors in the place of the old ones, where there are new ones."""
        model = net.module_
        sides = [model.rows(k)[0] for k in range(model.n_programs)]
        with torch.no_grad():
            renewed = [model.transformation.renew(side, model.space) for side in sides]
        for name in sides[0]:
            if all(new[name] is old[name] for new, old in zip(renewed, sides, strict=True)):
                continue
            stacked = torch.stack([side[name] for side in renewed])
            if name in model.theta:
                # in place, because the optimiser holds the tensor
                model.theta[name].data.copy_(stacked)
            else:
                model.input_constants[name] = stacked
