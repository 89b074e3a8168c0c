"""Other tasks for the automaton that classifies digits, all on images of 8 x 8 pixels."""

from pathlib import Path
from typing import NamedTuple

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont
from sklearn.datasets import load_digits

N_SEEN = 1297  # images that the automaton was trained on; the others are by other writers
LETTERS = "ABCDEFGHIJ"
TEST_FONTS = ("DejaVuSerif", "STIXGeneral")  # every style of them


class Parts(NamedTuple):
    """Rows to fit, and rows to score."""

    X_train: np.ndarray
    y_train: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray


def digits():
    """The source's own task, whose test part it has not seen."""
    X, y = load_digits(return_X_y=True)
    X = X.reshape(-1, 8, 8) / 16
    return Parts(X[:N_SEEN], y[:N_SEEN], X[N_SEEN:], y[N_SEEN:])


def relabelled(names):
    """The digits under other labels."""
    own, names = digits(), np.array(names)
    return own._replace(y_train=names[own.y_train], y_test=names[own.y_test])


def turned():
    """The digits, lying on their left side."""
    own = digits()
    sideways = {name: np.rot90(getattr(own, name), axes=(1, 2)) for name in ("X_train", "X_test")}
    return own._replace(**{name: X.copy() for name, X in sideways.items()})


def letters():
    """Ten capital letters in the fonts that come with matplotlib; other fonts for the test."""
    rng = np.random.default_rng(0)
    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    fonts = [path for path in sorted(folder.glob("*.ttf")) if _has_letters(path)]
    for_test = [path for path in fonts if path.stem.startswith(TEST_FONTS)]
    for_training = [path for path in fonts if path not in for_test]
    train, test = (_drawn(paths, n, rng) for paths, n in ((for_training, 700), (for_test, 500)))
    return Parts(*train, *test)


def _has_letters(path):
    # the others hold mathematical symbols
    return path.stem.startswith(("DejaVu", "STIXGeneral")) and "Display" not in path.stem


def _drawn(paths, n, rng):
    y = np.arange(n) % len(LETTERS)
    X = [_letter(LETTERS[number], paths[rng.integers(len(paths))], rng) for number in y]
    return np.stack(X), y


def _letter(letter, path, rng):
    """One letter, a little turned and shifted, between 0 and 1."""
    sheet = Image.new("L", (64, 64))
    font = ImageFont.truetype(str(path), 60)
    middle = tuple(32 + rng.integers(-4, 5, 2))
    ImageDraw.Draw(sheet).text(middle, letter, fill=255, font=font, anchor="mm")
    sheet = sheet.rotate(rng.uniform(-12, 12), Image.BILINEAR)
    return np.asarray(sheet.resize((8, 8), Image.BOX), dtype=float) / 255


TARGETS = {
    "digits": digits,
    "other labels": lambda: relabelled([3, 8, 1, 9, 0, 6, 2, 5, 7, 4]),
    "odd or even": lambda: relabelled([0, 1] * 5),
    "turned digits": turned,
    "letters": letters,
}
