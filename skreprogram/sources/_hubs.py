"""Source models by the names of other packages: ``"timm:NAME"`` and ``"torchvision:NAME"``."""

import importlib
from pathlib import Path

import torch

from skreprogram.sources._download import DownloadError, cache_folder
from skreprogram.sources._facts import tidy_shape
from skreprogram.sources._source_model import SourceModel
from skreprogram.sources._weights import locate

_MADE = {}


def load_from_hub(name, download=True, input_shape=None, pretrained=True):
    """Return a source model by its name in timm or torchvision, with the facts declared there.

    Parameters
    ----------
    name : str
        ``"timm:NAME"``, where NAME may end in a tag of weights (``resnet18.a1_in1k``), or
        ``"torchvision:NAME"``.
    download : bool, default=True
        Must be True: these packages download by themselves.
    input_shape : tuple of int or None, default=None
        Shape of one image; None takes the one the weights were trained with.
    pretrained : bool, default=True
        False leaves the weights as the package draws them, which needs no download.

    Returns
    -------
    source : SourceModel
        The handle; its weights are a copy in the cache folder. Made once in a process.
    """
    if not download:
        raise DownloadError(
            f"Got download=False for {name!r}, but timm and torchvision download by themselves. "
            "Expected True; or build the network and pass SourceModel.from_module(network, ...)."
        )
    shape = None if input_shape is None else tidy_shape(input_shape)
    key = (name, shape, pretrained, cache_folder())
    if key not in _MADE or not Path(locate(_MADE[key].weights)).is_file():
        _MADE[key] = _made(name, shape, pretrained)
    return _MADE[key]


def _made(name, shape, pretrained):
    hub, _, model = name.partition(":")
    package = _imported(hub)
    try:
        with torch.random.fork_rng(devices=[]):
            module, facts = HUBS[hub](package, model, pretrained)
    except OSError as error:
        raise DownloadError(
            f"Got {error!r} from {hub} for {name!r}, expected its weights. Allow the download."
        ) from error
    except (RuntimeError, ValueError, KeyError) as error:
        raise ValueError(
            f"Got {error!r} from {hub} for {name!r}, expected the name of an image classifier "
            f"with pretrained weights. {_LISTS[hub]} lists them."
        ) from error
    published = facts.pop("input_shape")
    title = name if shape in (None, published) else f"{name} {shape}"
    return SourceModel.from_module(
        module, shape or published, value_range=(0.0, 1.0), name=title, **facts
    )


def _imported(hub):
    try:
        return importlib.import_module(hub)
    except (ImportError, RuntimeError) as error:  # torchvision for another torch: a RuntimeError
        raise ImportError(
            f"Got {error!r} when {hub} was imported, expected it to be installed in a version for "
            f"torch {torch.__version__}. Run `pip install {hub}`."
        ) from error


def _from_timm(timm, model, pretrained):
    module = timm.create_model(model, pretrained=pretrained)
    config = timm.data.resolve_model_data_config(module)
    facts = {
        "input_shape": tuple(config["input_size"]),
        "mean": config["mean"],
        "std": config["std"],
        "flexible": not module.pretrained_cfg.get("fixed_input_size", False),
    }
    names = module.pretrained_cfg.get("label_names")
    subset = timm.data.infer_imagenet_subset(module)
    if names is None and subset is not None:
        names = timm.data.ImageNetInfo(subset).label_descriptions()
    return module, {**facts, "output_names": names}


def _from_torchvision(torchvision, model, pretrained):
    weights = torchvision.models.get_model_weights(model).DEFAULT
    module = torchvision.models.get_model(model, weights=weights if pretrained else None)
    preset = weights.transforms()
    return module, {
        # torchvision does not say which networks take other sizes, so none is called flexible
        "input_shape": (len(preset.mean), *2 * preset.crop_size),
        "mean": preset.mean,
        "std": preset.std,
        "output_names": weights.meta["categories"],
    }


HUBS = {"timm": _from_timm, "torchvision": _from_torchvision}
_LISTS = {
    "timm": "timm.list_models(pretrained=True)",
    "torchvision": "torchvision.models.list_models(module=torchvision.models)",
}
