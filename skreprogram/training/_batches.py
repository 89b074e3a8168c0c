"""Batches of row numbers for K tasks at once; the data stay whole on the device."""

import torch
from torch.utils.data import Dataset


class StackedBatches(Dataset):
    """Iterate K tasks in step.

    Each task is shuffled by its own generator, so that a task sees the same batches alone or in
    company. All tasks must need the same number of batches.

    Parameters
    ----------
    tasks : list of Rows
        Samples of each task.
    batch_size : int
        Rows a batch.
    generators : list of torch.Generator or None, default=None
        One a task; None keeps the order.

    Yields
    ------
    rows : torch.Tensor of int of shape (n, K)
        Row numbers of each task.
    kept : torch.Tensor of shape (n, K)
        0 where a shorter task is filled up, 1 elsewhere.
    """

    def __init__(self, tasks, batch_size, generators=None):
        self.tasks = tasks
        self.batch_size = batch_size
        self.generators = generators

    def __len__(self):
        return n_batches(self.tasks[0], self.batch_size)

    def __iter__(self):
        orders = [self._order(k) for k in range(len(self.tasks))]
        for start in range(0, len(self) * self.batch_size, self.batch_size):
            parts = [order[start : start + self.batch_size] for order in orders]
            longest = max(map(len, parts))
            rows = torch.zeros(longest, len(parts), dtype=torch.long)
            kept = torch.zeros(longest, len(parts))
            for k, part in enumerate(parts):
                rows[: len(part), k] = part
                kept[: len(part), k] = 1
            yield rows, kept

    def gather(self, batch):
        """Data, classes and weights of a batch, each with the leading program axis."""
        rows, kept = batch
        picked = [
            [getattr(task, name)[rows[:, k].to(task.X.device)] for k, task in enumerate(self.tasks)]
            for name in ("X", "y", "weight")
        ]
        X, y, weight = (torch.stack(column) for column in picked)
        return X, y, weight * kept.T.to(weight)

    def _order(self, k):
        n_rows = len(self.tasks[k])
        if self.generators is None:
            return torch.arange(n_rows)
        return torch.randperm(n_rows, generator=self.generators[k])


def n_batches(rows, batch_size):
    """Batches that a task needs for one epoch."""
    return -(-len(rows) // batch_size)
