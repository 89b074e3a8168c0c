"""What the doors for feature tables and images share."""

import numpy as np

from skreprogram._validation import check_samples

# what "auto" stands for, by what the source takes and whether one can look inside
_IMAGES = {"input_transformation": "resizing", "output_mapping": "features"}
_ASKED_IMAGES = {"input_transformation": "coarse-grid", "output_mapping": "linear"}
_OTHERS = {"input_transformation": "padding", "output_mapping": "linear"}


class TablesAndImages:
    """Mixin: X holds rows of features, or images."""

    _takes_several_sources = True

    def _check_samples(self, X, reset):
        bytes_ = getattr(X, "dtype", None) == np.uint8 and np.ndim(X) > 2
        X = check_samples(self, X, self.dtype, reset)
        return X / np.asarray(255, X.dtype) if bytes_ else X

    def _automatic(self, name, source):
        if len(source.input_shape) != 3:
            return _OTHERS[name]
        return (_IMAGES if source.differentiable else _ASKED_IMAGES)[name]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags
