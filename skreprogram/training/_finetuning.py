"""What a program changes of its source: tensors of its own, in the place of shared ones."""

import torch
from torch.utils._pytree import tree_leaves

from skreprogram.sources._several_networks import SeveralNetworks

# rows that show which tensors have a part in what the source gives
N_SHOWN = 2


def source_side(task, theta, composition, choice):
    """The source's tensors that train with a program, before training.

    Parameters
    ----------
    task : Task
        What to fit.
    theta : dict of str to torch.Tensor
        Input side of the program.
    composition : Composition
        The loaded source, not folded, with transformation and mapping.
    choice : str, sequence of str or None
        What trains; see `finetune` of the estimators.

    Returns
    -------
    tensors : dict of str to torch.Tensor
        Those of the source, or of the program to go on with. What an earlier fit has tuned goes
        on training.

    Raises
    ------
    ValueError
        Where nothing that is meant has a part in what the mapping reads.
    """
    tuned = {} if task.start is None else task.start.source_tensors()
    if choice is None:
        _check_nothing_tuned(tuned)
        return {}
    names = [
        name
        for choices in _meant(choice, composition.network)
        for name in _with_a_part(choices, task, theta, composition)
    ]
    if not names:
        raise ValueError(
            f"Got finetune={choice!r}, but what the output mapping "
            f"{type(composition.mapping).__name__} reads, the source's {composition.mapping.reads},"
            " does not depend on such tensors: they lie behind it, or the source does not use "
            "them. Use another mapping, or finetune='norm', 'last' or 'all'."
        )
    return {**composition.network.tensors(names), **tuned}


def _meant(choice, network):
    """For each network, ways to understand what is to train, the best one first."""
    choices = network.parameter_choices(choice)
    return choices if isinstance(network, SeveralNetworks) else [choices]


def _with_a_part(choices, task, theta, composition):
    """Of the first choice of which any are, the names on which what the source gives depends."""
    for names in choices:
        tensors = composition.network.tensors(names)
        model = composition.model([(theta, {}, tensors)])
        given = model.given(task.train.X[None, :N_SHOWN].to(composition.device))
        total = sum(leaf.sum() for leaf in tree_leaves(given))
        if not total.requires_grad:
            continue
        # a change of the others could not even be learned: they are neither copied nor saved
        moved = torch.autograd.grad(total, list(model.tuned), allow_unused=True)
        parts = [name for name, slope in zip(names, moved, strict=True) if slope is not None]
        if parts:
            return parts
    return []


def _check_nothing_tuned(tuned):
    if tuned:
        raise ValueError(
            f"Got finetune=None to go on with a program that has {len(tuned)} fine-tuned tensors "
            "of the source, expected what tuned them. Set finetune as it was, or begin with a "
            "clone."
        )


def begun_solved(omega, solved):
    """A head that trains, at the solution of the frozen source.

    From zero weights the first steps would bend the source to a head that knows nothing [1]_.

    Parameters
    ----------
    omega : dict of str to torch.Tensor
        The head as the mapping draws it. With a ``factor``, its weights are those of features that
        are multiplied by it.
    solved : dict of str to torch.Tensor
        The head that the mapping solved. Without ``factor``, its weights are those of the features
        as they are; a mapping that draws none solves in the scales that it draws.

    Returns
    -------
    omega : dict of str to torch.Tensor
        A head with the answers of the solved one and the scales of the drawn one.

    References
    ----------
    .. [1] A. Kumar et al., "Fine-Tuning can Distort Pretrained Features and Underperform
       Out-of-Distribution", ICLR 2022.
    """
    if "factor" not in omega:
        return {**omega, **solved}
    factor = omega["factor"].unsqueeze(1)
    weight = torch.where(factor > 0, solved["weight"] / factor, 0.0)
    return {**omega, **solved, "weight": weight}
