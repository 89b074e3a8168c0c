"""What the doors for time series share."""

from skreprogram._panels import common_length, panel_to_array, resample
from skreprogram._validation import add_channel_axis, check_samples

# the sources of each effort, and the tones that a source of sound hears
_SOURCES = {
    "fast": "speech-commands",
    "default": "speech-commands",
    "best": ["speech-commands", "imagenet-efficientnet-lite0"],
}
_TONES = {"fast": "one-modulation", "default": "modulations", "best": "modulations"}


def _is_auto(choice):
    return isinstance(choice, str) and choice == "auto"


class Series:
    """Mixin: X holds time series."""

    _takes_several_sources = True
    _kept_facts = ("common_length_",)

    def _check_fit_data(self, X, y, sample_weight, reset=True, **kinds):
        X = panel_to_array(X)
        if reset:
            self.common_length_ = common_length(X, sample_weight)
        return super()._check_fit_data(X, y, sample_weight, reset=reset, **kinds)

    def _check_samples(self, X, reset):
        X = panel_to_array(X)
        if self.common_length_ is not None:
            X = resample(X, self.common_length_)
        return add_channel_axis(check_samples(self, X, self.dtype, reset))

    def _chosen_source(self):
        if self.effort not in _SOURCES:
            raise ValueError(
                f"Got effort={self.effort!r}, expected one of {list(_SOURCES)}. Choose source and "
                "input_transformation yourself for anything else."
            )
        if not _is_auto(self.source):
            return self.source
        # one transformation of the user's own is for sound: pictures would name their source
        own = not _is_auto(self.input_transformation)
        alone = own and not isinstance(self.input_transformation, (list, tuple))
        return _SOURCES["default" if alone else self.effort]

    def _automatic(self, name, source):
        if name != "input_transformation":
            return super()._automatic(name, source)
        if source.sampling_rate is not None:
            return _TONES[self.effort]
        takes_colours = len(source.input_shape) == 3 and source.input_shape[0] == 3
        return "pictures" if takes_colours else "padding"

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags
