"""Every output mapping, also those that need arguments. Tests import this module."""

import numpy as np

from skreprogram.mappings import GivenMapping, LabelMapping, OutputMapping, SemanticMapping

# names whose mapping a name alone cannot make
WITH_ARGUMENTS = ("given", "semantic")


def mapping_of(name, n_outputs=6, n_classes=2):
    """The mapping of a name, for a source of so many outputs and so many classes."""
    if name == "semantic":
        rng = np.random.RandomState(0)
        return SemanticMapping(rng.normal(size=(n_outputs, 4)), rng.normal(size=(n_classes, 4)))
    if name == "given":
        return GivenMapping([[n_outputs - 1, 0], *(None for _ in range(n_classes - 1))])
    return OutputMapping.resolve(name)


WITHOUT_ARGUMENTS = [name for name in OutputMapping.names() if name not in WITH_ARGUMENTS]
EVERY_NAME = [*WITHOUT_ARGUMENTS, *WITH_ARGUMENTS]
LABEL_MAPPINGS = [name for name in EVERY_NAME if isinstance(mapping_of(name), LabelMapping)]
