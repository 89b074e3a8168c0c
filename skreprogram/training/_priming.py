"""Priming: a local network that learns to answer as a black box did, from answers once bought."""

from dataclasses import replace
from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional

from skreprogram.mappings._pooling import pool
from skreprogram.sources import SourceModel
from skreprogram.training._softmax_head import PENALTIES, fit_head

MIN_ROWS = 5
ROWS_AT_ONCE = 64


class Primed(NamedTuple):
    """A local source that answers as a black box does, and how well it does.

    Parameters
    ----------
    source : SourceModel
        The local network with a new head; its outputs are those of the black box.
    agreement : float
        Share of held-out inputs for which both name the same output first.
    divergence : float
        Mean Kullback-Leibler divergence of the local answers from those of the black box on the
        held-out inputs, in nats.
    penalty : float
        The penalty of the head that was chosen on them.
    """

    source: SourceModel
    agreement: float
    divergence: float
    penalty: float


def prime(
    local,
    inputs,
    answers,
    space,
    generator,
    output_names=None,
    name="API",
    penalties=PENALTIES,
    device="cpu",
):
    """Fit a linear head behind a frozen local network to the answers of a black box.

    The head minimises ``-sum_s p_s log q_s`` between the answers p of the black box and the
    softmax q of the head, the priming of AReS [1]_. The problem is convex and solved to its
    minimum; the penalty on its squares is the one of the least divergence on inputs that are
    held out for this, and the head is then fitted to all of them. No label of the target enters.

    Parameters
    ----------
    local : SourceModel
        A network with gradients. Its features are the means over all positions of its stages, or
        what comes into its last linear layer where it has no ``stages``.
    inputs : ndarray or torch.Tensor of shape (n, *space.shape)
        What the black box was shown.
    answers : ndarray or torch.Tensor of shape (n, n_outputs)
        Logarithms of the probabilities that it gave, or logits.
    space : InputSpace
        What the black box takes. Inputs are mapped from its value range to that of `local`, and
        images resized (bilinear, without aliasing).
    generator : torch.Generator
        Draws the parts that are held out.
    output_names : sequence of str or None, default=None
        Names of the outputs of the black box.
    name : str, default="API"
        Name of the black box.
    penalties : sequence of float, default=(10, 1, ..., 1e-7)
        Weights of the squared head to choose from, for features that are standardised and have
        about unit norm.
    device : str or torch.device, default="cpu"
        Where the local network computes the features.

    Returns
    -------
    primed : Primed
        The new source has the input shape and value range of `local`.

    Raises
    ------
    ValueError
        If there are fewer than five inputs, if shapes do not fit, or if `local` has neither
        ``stages`` nor a linear layer at its end.

    References
    ----------
    .. [1] "Adapt Remotely, Serve Locally" (AReS), CVPR 2026: priming once with the answers of the
       service, then reprogramming of the local network.

    Examples
    --------
    >>> import torch
    >>> from skreprogram.sources import SourceModel
    >>> from skreprogram.training._priming import prime
    >>> generator = torch.Generator().manual_seed(0)
    >>> local = SourceModel.from_module(torch.nn.Linear(4, 6), input_shape=(4,))
    >>> inputs = torch.randn(60, 4, generator=generator)
    >>> answers = (inputs[:, :2] * 3).log_softmax(1)  # a service that we know
    >>> primed = prime(local, inputs, answers, local.input_space, generator, name="service")
    >>> primed.source
    SourceModel('Linear primed by service', (4,) -> 2)
    >>> primed.agreement, primed.divergence < 0.01
    (1.0, True)
    """
    inputs, answers = _checked(inputs, answers, space)
    shown = fit_to(inputs, space, local.input_space)
    features = pooled_features(local, shown, device)
    head, facts = fit_head(features, answers.double().softmax(1), generator, penalties)
    source = SourceModel.from_module(
        PrimedNetwork(_without_last_layer(local), head),
        local.input_shape,
        value_range=local.value_range,
        mean=local.mean,
        std=local.std,
        flexible=local.flexible,
        sampling_rate=local.sampling_rate,
        output_names=output_names,
        name=f"{local.name} primed by {name}",
    )
    _check_alike(source, shown[:ROWS_AT_ONCE], features[:ROWS_AT_ONCE], device)
    return Primed(source, *facts)


class PrimedNetwork(nn.Module):
    """A frozen encoder with a linear head on its pooled features.

    Parameters
    ----------
    encoder : torch.nn.Module
        Has a method ``stages``, or gives one vector of features a row.
    head : torch.nn.Linear
        From the features to the outputs of the black box.
    """

    def __init__(self, encoder, head):
        super().__init__()
        self.encoder = encoder
        self.head = head

    def stages(self, inputs):
        """Activations of the encoder, a tuple of tensors of shape (n, channels, *positions)."""
        return _stages(self.encoder, inputs)

    def forward(self, inputs):
        """Logits of the outputs of the black box, shape (n, n_outputs)."""
        return self.head(_pooled(self.stages(inputs)))


def fit_to(inputs, space, local_space):
    """Turn inputs of one source into inputs of another.

    Parameters
    ----------
    inputs : torch.Tensor of shape (n, *space.shape)
        Inputs of the black box.
    space : InputSpace
        What the black box takes.
    local_space : InputSpace
        What the local source takes.

    Returns
    -------
    shown : torch.Tensor of shape (n, *local_space.shape)
        Images are resized bilinearly, smoothed where they shrink; value ranges are mapped onto
        one another where both are bounded. A single channel is repeated.
    """
    shape, expected = tuple(inputs.shape[1:]), tuple(local_space.shape)
    if shape != expected:
        can_resize = len(shape) == len(expected) == 3 and shape[0] in (1, expected[0])
        if not can_resize:
            raise ValueError(
                f"Got a local source with inputs of shape {expected}, but the black box takes "
                f"{shape}: only images can be resized, with as many channels or one. Choose a "
                "local source with the input shape of the black box."
            )
        inputs = functional.interpolate(
            inputs, expected[1:], mode="bilinear", align_corners=False, antialias=True
        ).expand(-1, expected[0], -1, -1)
    if space.value_range is None or local_space.value_range is None:
        return inputs
    unit = (inputs - space.centre) / space.half_range
    # interpolated values may leave the range by a rounding error
    return local_space.centre + local_space.half_range * unit.clamp(-1, 1)


def pooled_features(local, inputs, device="cpu"):
    """Features of a local source, means over positions; each row is run once.

    Parameters
    ----------
    local : SourceModel
        The local source.
    inputs : torch.Tensor of shape (n, *local.input_shape)
        In its value range.
    device : str or torch.device, default="cpu"
        Where it runs.

    Returns
    -------
    features : torch.Tensor of shape (n, n_features)
        On the CPU.
    """
    # declared layers would need to be caught in every pass; its own stages are at hand
    network = replace(local, feature_layers=None).load(device)
    with torch.inference_mode():
        parts = [
            _pooled(network.features(part.to(device))).cpu() for part in inputs.split(ROWS_AT_ONCE)
        ]
    return torch.cat(parts).clone()


def _stages(encoder, inputs):
    return (
        encoder.stages(inputs) if callable(getattr(encoder, "stages", None)) else (encoder(inputs),)
    )


def _pooled(stages):
    return torch.cat([pool(stage, ("mean",)) for stage in stages], 1)


def _without_last_layer(local):
    """The local network in full precision; without stages, its last linear layer is left out."""
    encoder = local._build().float()
    if callable(getattr(encoder, "stages", None)):
        return encoder
    linear = [name for name, part in encoder.named_modules() if isinstance(part, nn.Linear)]
    if not linear:
        raise ValueError(
            f"Got the local source {local.name!r}, which has neither stages nor a linear layer, "
            "expected features behind which a head can be put. Give its network a method stages."
        )
    if linear[-1] == "":
        return nn.Identity()
    owner, _, name = linear[-1].rpartition(".")
    setattr(encoder.get_submodule(owner), name, nn.Identity())
    return encoder


def _check_alike(source, shown, expected, device):
    """The assembled network must have the features that its head was fitted to."""
    # outside of inference mode: weights that are made inside would let no gradient pass
    network = source.load(device)
    with torch.inference_mode():
        found = _pooled(network.features(shown.to(device))).cpu()
    size = expected.abs().max().item()
    if found.shape != expected.shape or (found - expected).abs().max() > 1e-3 * size:
        raise ValueError(
            f"Got the local source {source.name!r}, whose last linear layer is not its end, "
            "expected a network that ends in it. Give its network a method stages."
        )


def _checked(inputs, answers, space):
    inputs, answers = (torch.as_tensor(given).float() for given in (inputs, answers))
    if tuple(inputs.shape[1:]) != tuple(space.shape) or len(inputs) != len(answers):
        raise ValueError(
            f"Got inputs of shape {tuple(inputs.shape)} with answers of shape "
            f"{tuple(answers.shape)}, expected (n, {', '.join(map(str, space.shape))}) and "
            "(n, n_outputs). Give the inputs as the black box was shown them."
        )
    if len(inputs) < MIN_ROWS:
        raise ValueError(
            f"Got {len(inputs)} answers to learn from, expected {MIN_ROWS} or more. Ask about more "
            "training data."
        )
    return inputs, answers
