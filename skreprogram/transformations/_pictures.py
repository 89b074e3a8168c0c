"""The default for time series before a source of images: several pictures side by side."""

from skreprogram.transformations._base import InputTransformation
from skreprogram.transformations._differences import DifferencesTransformation
from skreprogram.transformations._line_drawing import LineDrawing
from skreprogram.transformations._recurrence import RecurrencePlot
from skreprogram.transformations._segments import StackedSegments
from skreprogram.transformations._side_by_side import SideBySide


def pictures():
    """Make the default input transformation from series to images; nothing of it trains.

    Stacked segments, a line drawing, a recurrence plot, and the stacked segments of the
    differences: one frozen network sees them one after the other.

    Returns
    -------
    transformation : SideBySide
        Four views.

    Examples
    --------
    >>> from skreprogram.transformations import pictures
    >>> len(pictures().transformations)
    4
    """
    return SideBySide(
        [
            StackedSegments(),
            LineDrawing(),
            RecurrencePlot(),
            DifferencesTransformation(StackedSegments()),
        ]
    )


InputTransformation.register("pictures", pictures)
