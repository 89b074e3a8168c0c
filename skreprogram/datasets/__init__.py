"""Data sets: the UCR/UEA archive of time series, and small generators of known structure."""

from skreprogram.datasets._make import make_echoes, make_squares, make_tones
from skreprogram.datasets._ucr import load_ucr

__all__ = ["load_ucr", "make_echoes", "make_squares", "make_tones"]
