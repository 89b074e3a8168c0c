"""Train a program through the solution of its mapping."""

from dataclasses import replace

import torch

from skreprogram.training._batches import StackedBatches, n_batches
from skreprogram.training._closed_form import input_side, merge_copies, probed, solve_closed_form
from skreprogram.training._holdout import hold_out
from skreprogram.training._net import net_settings
from skreprogram.training._predict import passes
from skreprogram.training._solution_batches import PairedBatches
from skreprogram.training._solution_net import BestBySolution, SolutionNet, pooled_features


def trains_through_solution(composition):
    """Whether anything trains, and does so through the solution of the mapping.

    Parameters
    ----------
    composition : Composition
        The source with transformation and mapping.

    Returns
    -------
    trains : bool
    """
    transformation, mapping = composition.transformation, composition.mapping
    return mapping.trains_through_solution and bool(transformation.trainable or mapping.trainable)


def fit_through_solution(task, composition, options):
    """Fit one program: train it through solutions of batches, then solve all rows.

    Parameters
    ----------
    task : Task
        What to fit. Where early stopping asks for a validation part, and the task has none, it is
        cut from the training rows.
    composition : Composition
        The loaded source with transformation and mapping.
    options : TrainingOptions
        How to train.

    Returns
    -------
    program : Program
    """
    generator = torch.Generator().manual_seed(task.seed)
    theta = input_side(task, composition, generator)
    # a copy in both parts would tell its label
    rows = merge_copies(task.train)
    probe = composition.model([(theta, {})])
    _, given = probed(rows, probe, composition, options.verbose)
    omega = composition.mapping.init(given, task.n_classes, generator)
    trained = composition.mapping.trainable
    if task.start is not None:
        before = task.start.tensors()[1]
        omega.update({name: before[name] for name in trained if name in before})
    train, valid = _parted(task, rows, options)
    model = composition.model([(theta, omega)])
    if not composition.transformation.trainable and options.augmentation is None:
        train, valid = (_pooled_rows(part, model, composition) for part in (train, valid))
        model = composition.model([(theta, omega)], cached=True)
    (theta, omega, *_), history = _train(task, train, valid, model, composition, options, generator)
    kept = {name: omega[name].cpu() for name in trained}
    probe = composition.model([({name: t.cpu() for name, t in theta.items()}, {})])
    program = solve_closed_form(task, probe, composition, generator, options, kept)
    program.history = history
    return program


def _parted(task, rows, options):
    """Rows that train, and those that decide; None where nothing is held out."""
    if options.patience is None:
        return rows, None
    if task.valid is not None:
        return rows, task.valid
    arrays = (tensor.numpy() for tensor in (rows.X, rows.y, rows.weight))
    return hold_out(*arrays, options.validation_fraction, task.seed)


def _pooled_rows(rows, model, composition):
    """The rows with pooled features in the place of data: nothing before them trains."""
    if rows is None:
        return None
    parts = passes(rows.X, lambda batch: pooled_features(model, batch), composition)
    return replace(rows, X=torch.cat(list(parts)))


def _train(task, train, valid, model, composition, options, generator):
    """Run skorch; return the kept tensors and a row an epoch."""
    device = next(model.parameters()).device
    # a rest of few rows would make a noisy step, and a single row can predict no other
    size = max(2, -(-len(train) // n_batches(train, options.batch_size)))
    batches = PairedBatches([train.to(device)], size, [generator])
    held_out = None
    if valid is not None:
        held_out = StackedBatches([valid.to(device)], composition.rows_at_once)
    best = BestBySolution(options.patience, composition.mapping.margin)
    settings = net_settings(model, batches, held_out, options, device, best)
    net = SolutionNet(model, generators=[generator], **settings)
    net.train_rows, net.valid_rows = batches, held_out
    net.task_, net.composition_ = task._replace(train=train), composition
    net.fit(batches, None)
    return best.programs(net)[0], best.histories_[0]
