"""Where to run."""

import torch


def resolve_device(device):
    """Turn ``"auto"`` into the best device at hand, and check any other choice.

    Parameters
    ----------
    device : str or torch.device
        ``"auto"`` takes a CUDA GPU where there is one, otherwise the CPU.

    Returns
    -------
    device : torch.device
    """
    if isinstance(device, str) and device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        resolved = torch.device(device)
    except (RuntimeError, TypeError) as error:
        raise ValueError(
            f"Got device={device!r}, expected 'auto', 'cpu', 'cuda' or 'cuda:N'."
        ) from error
    if resolved.type == "meta":
        raise ValueError("Got device='meta', which holds no numbers. Use device='auto' or 'cpu'.")
    if resolved.type == "cuda" and not torch.cuda.is_available():
        raise ValueError(
            f"Got device={device!r}, but torch sees no CUDA GPU here. Use device='auto' or 'cpu'."
        )
    return resolved


def load_network(source, device, dtype, precision="full", folded=True):
    """Load a source on a device.

    Parameters
    ----------
    source : SourceModel, BlackBoxSource or SeveralSources
        The handle.
    device : str or torch.device
        Where to run; see :func:`resolve_device`.
    dtype : {"float32", "float64"}
        Type of inputs, weights and outputs.
    precision : {"full", "bf16"}, default="full"
        How the network multiplies.
    folded : bool, default=True
        Whether batch normalisation may be folded away; False only for a source that is a network.

    Returns
    -------
    network : FrozenNetwork, BlackBoxNetwork or SeveralNetworks
    device : torch.device
    """
    place = resolve_device(device)
    whole = {} if folded else {"folded": False}
    return source.load(place, getattr(torch, dtype), **whole).with_precision(precision), place
