"""Run rows through a fitted program, without any training machinery."""

import torch
from torch.utils._pytree import tree_leaves, tree_map
from tqdm.auto import tqdm

from skreprogram.training._threads import in_threads

# rows that are worth a thread
LEAST_ROWS = 4


def class_scores(program, composition, X, verbose=0):
    """Scores of the target classes, or values, without any training machinery.

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
    model = composition.model([(*program.tensors(), program.source_tensors())])
    rows = torch.from_numpy(X)
    parts = list(passes(rows, lambda batch: model(batch)[0], composition, verbose))
    return torch.cat(parts).double().numpy()


def source_inputs(program, transformation, space, X):
    """What the source is shown of samples.

    Parameters
    ----------
    program : Program
        A fitted program.
    transformation : InputTransformation
        Its input side.
    space : InputSpace, or tuple of them
        What the source takes, or each of several.
    X : ndarray of shape (n_samples, *data_shape)
        Target data.

    Returns
    -------
    inputs : ndarray of shape (n_samples, *source_shape), or tuple of them, one a view
        Of several sources, the views of the first one come first.
    """
    theta, _ = program.tensors()
    inputs = transformation.apply(theta, torch.from_numpy(X), space)
    arrays = tree_map(lambda tensor: tensor.numpy(), inputs)
    return tuple(tree_leaves(arrays)) if isinstance(arrays, list) else arrays


def passes(X, function, composition, verbose=0):
    """Call a function of one stacked batch on all rows; results come back to the CPU."""
    size, device, n_threads = composition.rows_at_once, composition.device, 1
    if composition.runs_in_threads:
        n_threads = max(1, min(torch.get_num_threads(), len(X) // LEAST_ROWS))
        size = min(size, -(-len(X) // n_threads)) or 1
    starts = range(0, len(X), size)

    @torch.no_grad()
    def answer(start):
        batch = X[start : start + size].to(device).unsqueeze(0)
        return tree_map(lambda tensor: tensor.cpu(), function(batch))

    answers = in_threads(answer, starts, n_threads)
    shown = {"desc": "running the source", "unit": "batch", "disable": not verbose}
    yield from tqdm(answers, total=len(starts), **shown)
