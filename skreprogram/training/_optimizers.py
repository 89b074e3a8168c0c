"""Optimisers and schedules of the learning rate, from the words of the estimators."""

from inspect import signature

import torch
from skorch.callbacks import LRScheduler
from torch.optim import lr_scheduler

OPTIMIZERS = {
    name.lower(): getattr(torch.optim, name)
    for name in ("Adam", "AdamW", "NAdam", "RAdam", "RMSprop", "SGD")
}
SCHEDULERS = {
    "cosine": (lr_scheduler.CosineAnnealingLR, lambda epochs: {"T_max": epochs}),
    "plateau": (lr_scheduler.ReduceLROnPlateau, lambda epochs: {"patience": 3, "factor": 0.5}),
    "linear": (
        lr_scheduler.LinearLR,
        lambda epochs: {"start_factor": 1.0, "end_factor": 0.01, "total_iters": epochs},
    ),
}


def optimizer_settings(options, model):
    """Arguments of skorch's net for the optimiser; parts of the program may have their own rate."""
    choice = options.optimizer
    if isinstance(choice, str) and choice.lower() in OPTIMIZERS:
        choice = OPTIMIZERS[choice.lower()]
    if not (isinstance(choice, type) and issubclass(choice, torch.optim.Optimizer)):
        raise ValueError(
            f"Got optimizer={choice!r}, expected one of {sorted(OPTIMIZERS)} or a class of "
            "torch.optim."
        )
    settings = {"optimizer": choice}
    rates = []
    if options.output_lr is not None and len(model.omega):
        rates.append(("omega.*", {"lr": options.output_lr}))
    if len(model.tuned):
        rates.append(("tuned.*", {"lr": options.finetune_lr}))
    if rates:
        settings["optimizer__param_groups"] = rates
    if "weight_decay" in signature(choice).parameters:
        return {**settings, "optimizer__weight_decay": options.weight_decay}
    if options.weight_decay:
        raise ValueError(
            f"Got weight_decay={options.weight_decay} with the optimizer {choice.__name__}, which "
            "has none, expected 0. Set weight_decay=0, or choose another optimizer."
        )
    return settings


def schedule(options):
    """The callback that changes the learning rate."""
    choice = options.lr_scheduler
    if isinstance(choice, str) and choice in SCHEDULERS:
        policy, arguments = SCHEDULERS[choice]
        monitor = "valid_loss" if options.patience is not None else "train_loss"
        return LRScheduler(policy, monitor=monitor, **arguments(options.max_epochs))
    if callable(choice) and not isinstance(choice, type):
        return LRScheduler("LambdaLR", lr_lambda=choice)
    raise ValueError(
        f"Got lr_scheduler={choice!r}, expected None, one of {sorted(SCHEDULERS)} or a function "
        "from the epoch to a factor."
    )


def stacks_exactly(options):
    """Whether training a stack of programs does to each what training it alone would do.

    A plateau is one of the summed loss, callbacks see one net, and optimisers that are not in
    the table may mix the numbers of a tensor: then programs are trained one after the other.
    """
    return (
        isinstance(options.optimizer, str)
        and options.lr_scheduler != "plateau"
        and not options.callbacks
    )
