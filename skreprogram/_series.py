"""What the doors for time series share."""

from skreprogram._validation import add_channel_axis, check_samples, panel_to_array


class Series:
    """Mixin: X holds time series."""

    _takes_several_sources = True

    def _check_samples(self, X, reset):
        X = check_samples(self, panel_to_array(X), self.dtype, reset)
        return add_channel_axis(X)

    def _automatic(self, name, source):
        if name != "input_transformation":
            return super()._automatic(name, source)
        if source.sampling_rate is not None:
            return "modulations"
        takes_colours = len(source.input_shape) == 3 and source.input_shape[0] == 3
        return "pictures" if takes_colours else "padding"

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags
