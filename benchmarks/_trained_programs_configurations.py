"""What trains in the benchmark of trained programs, and around which source."""

import numpy as np

from _controls import CONTROL

# what trains of the input side, and whether weights of stages do
PARTS = {
    "frozen": ((), False),
    "stage weights": ((), True),
    "carrier and gain": (("band", "gain"), False),
    "additive program": (("program",), False),
    "all": (("band", "gain", "program"), True),
}
CONFIGURATIONS = tuple(name + ending for ending in ("", CONTROL) for name in PARTS)
# rows that a training sees in all, within limits of its epochs
N_ROWS = 1_000
EPOCHS = 4, 15


def make(name, seed, n_train):
    """An estimator that has not been fitted.

    Parameters
    ----------
    name : str
        Of `CONFIGURATIONS`.
    seed : int
        Of everything that is drawn, the control's weights too.
    n_train : int
        Training rows, which set the number of epochs.

    Returns
    -------
    estimator : TimeSeriesReprogrammer
    """
    from skreprogram import TimeSeriesReprogrammer
    from skreprogram.mappings import ThroughSolution
    from skreprogram.sources import load_source

    trains, stage_weights = PARTS[name.removesuffix(CONTROL)]
    source = load_source("speech-commands")
    if name.endswith(CONTROL):
        source = source.with_random_weights(seed)
    return TimeSeriesReprogrammer(
        source,
        input_transformation=two_tones(trains),
        # whatever is better by the held-out rows; the table applies the test afterwards
        output_mapping=ThroughSolution("heads", stage_weights, margin=0.0),
        max_epochs=int(np.clip(N_ROWS // n_train, *EPOCHS)),
        lr=0.01,
        output_lr=0.03,
        batch_size=32,
        early_stopping=True,
        validation_fraction=0.3,
        n_iter_no_change=5,
        random_state=seed,
    )


def two_tones(trains):
    """A second of the values, and a second of value and slope together."""
    from skreprogram.transformations import (
        DifferencesTransformation,
        FrequencyModulation,
        SideBySide,
    )

    def second():
        return FrequencyModulation(shortest=1.0, longest=1.0, trains=trains)

    return SideBySide([second(), DifferencesTransformation(second(), keep=True)])
