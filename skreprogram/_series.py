"""What the doors for time series share."""

from skreprogram._validation import add_channel_axis, check_samples, panel_to_array


class Series:
    """Mixin: X holds time series."""

    def _check_samples(self, X, reset):
        X = check_samples(self, panel_to_array(X), self.dtype, reset)
        return add_channel_axis(X)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags
