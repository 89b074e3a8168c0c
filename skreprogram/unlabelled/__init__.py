"""What rows without a label teach: pseudo-labels, consistency, entropy."""

from skreprogram.unlabelled._base import Unlabelled
from skreprogram.unlabelled._consistency import Consistency
from skreprogram.unlabelled._entropy import EntropyMinimisation
from skreprogram.unlabelled._pseudo_labels import PseudoLabels

__all__ = ["Consistency", "EntropyMinimisation", "PseudoLabels", "Unlabelled"]
