"""Fit K programs: by gradient, or behind the source where nothing before it trains."""

from collections import defaultdict
from dataclasses import dataclass, replace
from hashlib import blake2b

import torch
from torch.utils._pytree import tree_map
from tqdm.auto import tqdm

from skreprogram._input_space import InputSpace
from skreprogram.mappings import LabelMapping, OutputMapping
from skreprogram.training._batches import StackedBatches, n_batches
from skreprogram.training._model import Reprogrammed
from skreprogram.training._net import count_labels, make_net
from skreprogram.training._optimizers import stacks_exactly
from skreprogram.training._task import Program, Rows
from skreprogram.transformations import InputTransformation

# rows shown to the source before training, for the constants of the mapping
N_PROBED = 256
ROWS_AT_ONCE = 64


@dataclass(frozen=True)
class Composition:
    """What all programs of one call share: the source and the two specifications.

    Parameters
    ----------
    network : FrozenNetwork
        The loaded source.
    space : InputSpace
        What it takes.
    transformation : InputTransformation
        Input side.
    mapping : OutputMapping
        Output side.
    device : torch.device or str, default="cpu"
        Where the network is.
    """

    network: object
    space: InputSpace
    transformation: InputTransformation
    mapping: OutputMapping
    device: object = "cpu"

    def model(self, sides, cached=False):
        """Compose the programs.

        Parameters
        ----------
        sides : list of (dict, dict)
            Tensors of each program, input and output side.
        cached : bool, default=False
            Whether the data already went through the source.

        Returns
        -------
        model : Reprogrammed
            On the device.
        """
        network = None if cached else self.network
        model = Reprogrammed(network, self.space, self.transformation, self.mapping, sides)
        return model.to_device(self.device)


def fit_programs(tasks, composition, options):
    """Fit one program a task; tasks that step alike are trained in one stack.

    Parameters
    ----------
    tasks : list of Task
        What to fit.
    composition : Composition
        The loaded source with transformation and mapping.
    options : TrainingOptions
        How to train.

    Returns
    -------
    programs : list of Program
        In the order of the tasks. A program fitted in company equals the one fitted alone.
    """
    if not composition.transformation.trainable:
        return [_fit_behind(task, composition, options) for task in tasks]
    groups = defaultdict(list)
    for i, task in enumerate(tasks):
        apart = None if stacks_exactly(options) else i
        groups[apart, _steps(task, options.batch_size)].append(i)
    programs = [None] * len(tasks)
    for members in groups.values():
        fitted = _fit_stack([tasks[i] for i in members], composition, options)
        for i, program in zip(members, fitted, strict=True):
            programs[i] = program
    return programs


def class_scores(program, composition, X, verbose=0):
    """Scores of the target classes, without any training machinery.

    Parameters
    ----------
    program : Program
        A fitted program.
    composition : Composition
        The loaded source with transformation and mapping.
    X : ndarray of shape (n_samples, *data_shape)
        Target data.
    verbose : int, default=0
        Whether to show a progress bar.

    Returns
    -------
    scores : ndarray of float64 of shape (n_samples, n_classes)
    """
    model = composition.model([program.tensors()])
    rows = torch.from_numpy(X)
    parts = list(_passes(rows, lambda batch: model(batch)[0], composition.device, verbose))
    return torch.cat(parts).double().numpy()


def source_inputs(program, transformation, space, X):
    """What the source is shown of samples.

    Parameters
    ----------
    program : Program
        A fitted program.
    transformation : InputTransformation
        Its input side.
    space : InputSpace
        What the source takes.
    X : ndarray of shape (n_samples, *data_shape)
        Target data.

    Returns
    -------
    inputs : ndarray of shape (n_samples, *source_shape), or tuple of them, one a view
    """
    theta, _ = program.tensors()
    inputs = transformation.apply(theta, torch.from_numpy(X), space)
    return tree_map(lambda tensor: tensor.numpy(), inputs)


def _fit_stack(tasks, composition, options):
    """Train input and output side of several tasks by gradient, at once."""
    generators, sides = [], []
    for task in tasks:
        generator = torch.Generator().manual_seed(task.seed)
        theta = _input_side(task, composition, generator)
        probe = composition.model([(theta, {})])
        sides.append((theta, _output_side(task, probe, composition, generator)))
        generators.append(generator)
    return _train(tasks, composition.model(sides), generators, options)


def _fit_behind(task, composition, options):
    """Fit the mapping only: the source runs once over the data."""
    generator = torch.Generator().manual_seed(task.seed)
    theta = _input_side(task, composition, generator)
    probe = composition.model([(theta, {})])
    if hasattr(composition.mapping, "solve"):
        return _solve(task, probe, composition, generator, options.verbose)
    behind = task._replace(
        train=_through(task.train, probe, composition, options.verbose),
        valid=task.valid and _through(task.valid, probe, composition, options.verbose),
    )
    cached = composition.model([(theta, {})], cached=True)
    omega = _output_side(behind, cached, composition, generator)
    if not composition.mapping.trainable:
        return _program((theta, omega))
    model = composition.model([(theta, omega)], cached=True)
    return _train([behind], model, [generator], options)[0]


def _solve(task, probe, composition, generator, verbose):
    """Solve the mapping in closed form on features that the source computes once."""
    mapping, rows = composition.mapping, merge_copies(task.train)
    picked, given = _probed(rows, probe, composition, generator, verbose)
    omega = mapping.init(given, task.n_classes, generator)
    constants = {name: tensor.to(composition.device) for name, tensor in omega.items()}

    def pooled(batch):
        return mapping.pool(constants, tree_map(lambda stage: stage[0], probe.given(batch)))

    others = torch.ones(len(rows), dtype=torch.bool).index_fill(0, picked, False).nonzero()[:, 0]
    passes = _passes(rows.X[others], pooled, composition.device, verbose)
    features = torch.cat([mapping.pool(omega, given), *passes])
    features = features[torch.cat([picked, others]).argsort()]
    omega = mapping.solve(omega, features, rows.y, rows.weight, task.n_classes)
    return _program((probe.rows(0)[0], omega))


def _train(tasks, model, generators, options):
    """Run skorch over the stack; return the programs at their best epochs."""
    device = next(model.parameters()).device
    train = StackedBatches(
        [task.train.to(device) for task in tasks], options.batch_size, generators
    )
    valid = None
    if options.patience is not None:
        valid = StackedBatches([task.valid.to(device) for task in tasks], options.batch_size)
    net = make_net(model, train, valid, generators, options, device)
    net.fit(train, None)
    best = dict(net.callbacks_)["best"]
    return [
        _program(sides, history)
        for sides, history in zip(best.programs(net), best.histories_, strict=True)
    ]


def _input_side(task, composition, generator):
    if task.start is not None:
        return task.start.tensors()[0]
    # copies merged: constants of the data are the same whether rows are weighted or repeated
    X = merge_copies(task.train).X
    return composition.transformation.init(X, composition.space, generator)


def _output_side(task, probe, composition, generator):
    """The mapping's tensors before training."""
    mapping = composition.mapping
    if isinstance(mapping, LabelMapping) and mapping.uses_counts:
        counts = _counts(task.train, task.n_classes, probe, composition.device)
        if task.start is not None:
            counts = counts + task.start.tensors()[1]["counts"]
        return {"matrix": mapping.estimate(counts, generator), "counts": counts}
    if task.start is not None:
        return task.start.tensors()[1]
    return _fresh_output_side(task.train, task.n_classes, probe, composition, generator)


def _fresh_output_side(rows, n_classes, probe, composition, generator):
    """The mapping's first tensors, from what the source gives for some rows."""
    if isinstance(composition.mapping, LabelMapping):
        # of the outputs only their number matters
        rows = rows.split(1)[0]
    _, given = _probed(merge_copies(rows), probe, composition, generator)
    return composition.mapping.init(given, n_classes, generator)


def _probed(rows, probe, composition, generator, verbose=0):
    """Numbers of some rows drawn at random, and what the source gives for them."""
    picked = torch.randperm(len(rows), generator=generator)[:N_PROBED].sort().values
    parts = list(_passes(rows.X[picked], probe.given, composition.device, verbose))
    return picked, tree_map(lambda *tensors: torch.cat(tensors, 1)[0], *parts)


def _counts(rows, n_classes, probe, device):
    """Label counts of one program over all its rows; shape (n_outputs, n_classes)."""
    total = 0
    with torch.no_grad():
        for part in rows.to(device).split(ROWS_AT_ONCE):
            given = probe.given(part.X[None])
            votes = probe.mapping.votes(given, n_classes)
            total += count_labels(given, part.y[None], part.weight[None], n_classes, votes)
    return total[0].cpu()


def _through(rows, probe, composition, verbose):
    """The rows with what the source gives in the place of the data."""
    if rows is None:
        return None
    parts = list(_passes(rows.X, probe.given, composition.device, verbose))
    return replace(rows, X=torch.cat(parts, 1)[0])


def _passes(X, function, device, verbose=0):
    """Call a function of one stacked batch on all rows; results come back to the CPU."""
    starts = range(0, len(X), ROWS_AT_ONCE)
    with torch.no_grad():
        for start in tqdm(starts, desc="running the source", unit="batch", disable=not verbose):
            batch = X[start : start + ROWS_AT_ONCE].to(device).unsqueeze(0)
            yield tree_map(lambda tensor: tensor.cpu(), function(batch))


def merge_copies(rows):
    """Make one row of identical ones, with their summed weight.

    Leave-one-out would be fooled by a copy that stays in.
    """
    places = {}
    for i, (x, y) in enumerate(zip(rows.X.contiguous().numpy(), rows.y.tolist(), strict=True)):
        places.setdefault((blake2b(x, digest_size=16).digest(), y), []).append(i)
    if len(places) == len(rows):
        return rows
    first = torch.tensor([members[0] for members in places.values()])
    weight = torch.stack([rows.weight[members].sum() for members in places.values()])
    return Rows(rows.X[first], rows.y[first], weight)


def _steps(task, batch_size):
    """What two tasks must share to be trained in one stack."""
    valid = None if task.valid is None else n_batches(task.valid, batch_size)
    return n_batches(task.train, batch_size), valid, task.train.X.shape[1:], task.n_classes


def _program(sides, history=()):
    """Turn tensors into the arrays that estimators keep."""
    inputs, outputs = (
        {name: tensor.detach().cpu().numpy() for name, tensor in side.items()} for side in sides
    )
    return Program(inputs, outputs, list(history))
