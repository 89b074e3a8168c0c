"""Texts with a known rule, and a reprogrammer for them. Tests import this module."""

import numpy as np
from toys import image_source

from skreprogram import SequenceReprogrammer
from skreprogram.transformations import TokenPatchesTransformation

PATCHES = TokenPatchesTransformation(patch_size=2, positions=False)


def texts(n_samples=36, random_state=0):
    """Texts of 8 to 12 letters whose class is their most frequent letter."""
    rng = np.random.RandomState(random_state)
    y = np.arange(n_samples) % 3
    rows = [rng.choice(list("ABCDE"), rng.randint(8, 13), p=_shares(code)) for code in y]
    return ["".join(row) for row in rows], np.array(["few", "many", "some"])[y]


def _shares(code):
    shares = np.full(5, 0.05)
    shares[code] = 0.8
    return shares


def reprogrammer(source=None, **params):
    """An estimator around a small network of images of 8 x 8 pixels."""
    settings = {
        "input_transformation": PATCHES,
        "max_epochs": 20,
        "output_lr": None,
        "lr_scheduler": None,
        "random_state": 0,
    }
    return SequenceReprogrammer(source or image_source(), **{**settings, **params})


X, Y = texts()
X_TEST, Y_TEST = texts(random_state=1)
