"""The loss of one batch as a function of the program's numbers."""

from functools import partial

import torch
from torch.utils._pytree import tree_leaves

from skreprogram.mappings import LabelMapping
from skreprogram.transformations import AdditiveTransformation

# what the inputs of candidates may take in memory at once
BYTES_AT_ONCE = 2**26
# what is made of them at a time where a black box collects them: it stays in the processor's cache
BYTES_MADE = 2**20
# rows on which the movement of the source's inputs is measured
ROWS_COMPARED = 8


class BatchObjective:
    """Losses of candidate programs on one batch: what a query gradient asks.

    Parameters
    ----------
    model : Reprogrammed
        One program; its input side is what the candidates replace.
    loss : Loss
        The loss of a sample.
    batch : tuple of torch.Tensor
        Data, classes and weights of the batch.
    levels : int or None
        Levels to which the source's inputs are rounded.
    seed : int
        Seed of what is drawn for this batch, for example dropout: every candidate gets the same.
    """

    def __init__(self, model, loss, batch, levels=None, seed=0):
        self.model = model
        self.loss = loss
        self.X, self.y, self.weight = batch
        self.levels = levels
        self.seed = seed
        self.n_rows = len(self.X)
        self._bytes_each = model.space.size * self.weight.element_size() * self.n_rows
        self._filled = None
        self._given, self._mean_loss, self._n_candidates = [], 0.0, 0

    def losses(self, candidates):
        """Losses of flat programs of shape (n_candidates, n_numbers); shape (n_candidates,)."""
        parts = candidates.split(max(1, BYTES_AT_ONCE // self._bytes_each))
        losses = [self._losses(part) for part in parts]
        return torch.cat(losses)

    def levels_moved(self, start, candidates):
        """Mean distance of the inputs that move, in levels; None where none are rounded."""
        if self.levels is None:
            return None
        model, X = self.model, self.X[:ROWS_COMPARED]
        lowest, highest = model.space.value_range
        with torch.no_grad():
            here = model.candidate_inputs(self._sides(start[None]), X)
            there = model.candidate_inputs(self._sides(candidates), X)
        pairs = zip(here, there, strict=True)
        moves = torch.cat([(after - before).abs().flatten(1) for before, after in pairs], dim=1)
        n_moved = (moves > 0).sum(1).clamp_min(1)
        return moves.sum(1) / n_moved * (self.levels - 1) / (highest - lowest)

    def mean_loss(self):
        """Mean loss of all candidates so far, with the graph of the output side alone."""
        return self._mean_loss / self._n_candidates

    def loss_of_knowing_nothing(self):
        """Loss of scores that are all alike, once losses were asked for."""
        alike = self.weight.new_zeros(self.n_rows, self._n_classes)
        return (self.loss.rows(alike, self.y) * self.weight).sum().item() / self.weight.sum().item()

    def given(self):
        """What the source gave, of shape (1, n_candidates * n_rows, ...), and classes, weights."""
        given = torch.cat(self._given).flatten(0, 1)[None]
        n = self._n_candidates
        # all candidates together weigh as much as the batch once
        return given, self.y.repeat(n)[None], self.weight.repeat(n)[None] / n

    def _losses(self, candidates):
        sides = self._sides(candidates)
        with torch.no_grad():
            given = self._read(sides, len(candidates))
        losses = self._mean(self._row_losses(given))
        return losses.detach() + self._penalties(sides)

    def _row_losses(self, given):
        """Losses of the batch's rows, (n, n_rows), from what the source gave for n programs."""
        model, n = self.model, len(tree_leaves(given)[0])
        scores = model.candidate_scores(given)
        self._n_classes = scores.shape[-1]
        rows = self.loss.rows(scores, self.y.expand(n, *self.y.shape))
        self._mean_loss = self._mean_loss + self._mean(rows).sum()
        self._n_candidates += n
        if isinstance(model.mapping, LabelMapping):
            self._given.append(given)
        return rows

    def _mean(self, rows):
        """Weighted means over the batch: (n,)."""
        return (rows * self.weight).sum(1) / self.weight.sum().clamp_min(1e-12)

    def _read(self, sides, n):
        """What the source gives for the batch under n programs: (n, n_rows, ...)."""
        model = self.model
        collects = getattr(model.network, "collects", False)
        if not collects or not isinstance(model.transformation, AdditiveTransformation):
            return model.read(model.candidate_inputs(sides, self.X))
        outputs = model.network.collected_outputs(self._sums(sides), n * self.n_rows)
        return outputs.to(self.weight).unflatten(0, (n, self.n_rows))

    def _sums(self, sides):
        """Inputs of additive programs, few at a time: their shape, and what writes them."""
        constants, space = self._constants(), self.model.space
        transformation = self.model.transformation
        if self._filled is None:  # once for all candidates
            self._filled = transformation.filled(constants, self.X, space)
        additions = torch.func.vmap(
            lambda side: transformation.addition({**constants, **side}, space)
        )(sides)
        n_made = max(1, BYTES_MADE * self.n_rows // self._bytes_each)
        for addition in additions:
            for images in self._filled.split(n_made):
                write = partial(write_sum, images, addition, space.value_range)
                yield (len(images), *space.shape), write

    def _constants(self):
        return {name: tensor[0] for name, tensor in self.model.input_constants.items()}

    def _sides(self, candidates):
        """Tensors of the input side, each with the leading axis of the candidates."""
        sides, constants = self._laid_out(candidates), self._constants()
        disturbed = [
            self.model.transformation.disturb(
                {**constants, **{name: tensor[k] for name, tensor in sides.items()}},
                torch.Generator().manual_seed(self.seed),
            )
            for k in range(len(candidates))
        ]
        return {name: torch.stack([side[name] for side in disturbed]) for name in sides}

    def _laid_out(self, candidates):
        """Numbers of the candidates in tensors of the input side's shapes."""
        sides, first = {}, 0
        for name, tensor in self.model.theta.items():
            numbers = candidates[:, first : first + tensor[0].numel()]
            sides[name] = numbers.reshape(len(candidates), *tensor.shape[1:])
            first += tensor[0].numel()
        return sides

    def _penalties(self, sides):
        constants = self._constants()
        penalty = self.model.transformation.penalty
        return torch.stack(
            [
                torch.as_tensor(
                    penalty({**constants, **{name: tensor[k] for name, tensor in sides.items()}}),
                    dtype=self.weight.dtype,
                    device=self.X.device,
                )
                for k in range(len(next(iter(sides.values()))))
            ]
        )


def flat(theta):
    """The numbers of a program's input side as one vector.

    Parameters
    ----------
    theta : mapping of str to torch.Tensor
        Tensors with a leading program axis of length one.

    Returns
    -------
    numbers : torch.Tensor of shape (n_numbers,)
    """
    return torch.cat([tensor.detach()[0].flatten() for tensor in theta.values()])


def lay_out(numbers, theta):
    """Cut a flat vector into tensors of the shapes of `theta`, with the leading program axis."""
    parts = numbers.split([tensor[0].numel() for tensor in theta.values()])
    return {
        name: part.reshape(tensor.shape)
        for (name, tensor), part in zip(theta.items(), parts, strict=True)
    }


def write_sum(images, addition, value_range, out):
    """Write images and what is added to them, cut off at the ends of the range, into a tensor."""
    total = torch.add(images, addition, out=out if out.device == images.device else None)
    if value_range is not None:
        total.clamp_(*value_range)
    if total is not out:
        out.copy_(total)
