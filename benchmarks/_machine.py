"""What a row of results says of where it was measured."""

import importlib.util
import os
import platform
from importlib.metadata import PackageNotFoundError, version

import torch


def machine():
    """Kind of the machine, without anything that names it."""
    usable = getattr(os, "sched_getaffinity", None)
    n_cores = len(usable(0)) if usable else os.cpu_count()
    processor = platform.machine().lower().replace("_", "-")
    gpu = f" and {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ""
    return f"{n_cores} cores {processor}{gpu}, {torch.get_num_threads()} thread"


def version_of(package):
    """Name and version of a package, installed or on the path of a checkout; None if absent."""
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        if importlib.util.find_spec(package) is None:
            return None
        return f"{package} {getattr(importlib.import_module(package), '__version__', 'unreleased')}"
