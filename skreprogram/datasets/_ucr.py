"""The UCR/UEA archive: find a data set on disk, in sktime or on the network, and read it."""

import difflib
import tempfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from skreprogram._panels import without_padding


def load_ucr(name, split=None, path=None, download=True):
    """Load a data set of the UCR/UEA archive of time series classification, official split.

    Without `path`, the data sets inside the installed sktime are read first (ACSF1, ArrowHead,
    BasicMotions, GunPoint, ItalyPowerDemand, JapaneseVowels, OSULeaf, PLAID and UnitTest: no
    network needed), then those downloaded before, and only then the network is asked, through
    sktime.

    Parameters
    ----------
    name : str
        Name of the data set as the archive spells it, for example ``"GunPoint"``.
    split : {None, "train", "test"}, default=None
        The part to load. `None` loads both.
    path : str or path-like, default=None
        Folder of an unpacked archive, with files such as ``path/GunPoint/GunPoint_TRAIN.tsv`` or
        ``path/GunPoint/GunPoint_TRAIN.ts``. If given, nothing else is looked at.
    download : bool, default=True
        Whether a data set that is not on this machine may be downloaded. It is kept in
        ``$SKREPROGRAM_HOME/datasets``, or in ``~/.cache/skreprogram/datasets``.

    Returns
    -------
    X_train : ndarray of shape (n_samples, length) or (n_samples, n_channels, length), or list
        Training series in float64, two-dimensional if they have one channel. Series of unequal
        lengths are a list of arrays of shape (length,) or (n_channels, length).
    y_train : ndarray of shape (n_samples,)
        Their labels as the archive writes them: integers from ``.tsv``, strings from ``.ts``.
    X_test : ndarray of shape (n_samples, length) or (n_samples, n_channels, length), or list
        Test series. `X_test` and `y_test` are returned only if `split` is None; for ``"train"`` or
        ``"test"`` the result is that part's ``X, y``.
    y_test : ndarray of shape (n_samples,)
        Their labels.

    Raises
    ------
    ValueError
        If the name is not in the folder, or a file is damaged, or values are missing elsewhere than
        at the end of series.
    OSError
        If the folder or the files are not there, or the download fails.

    See Also
    --------
    make_tones : Small time series without any file.

    References
    ----------
    .. [1] Dau et al., "The UCR time series archive", IEEE/CAA Journal of Automatica Sinica 6(6),
       2019. https://doi.org/10.1109/JAS.2019.1911747

    Examples
    --------
    >>> from skreprogram.datasets import load_ucr
    >>> X_train, y_train, X_test, y_test = load_ucr("GunPoint")
    >>> X_train.shape, X_test.shape
    ((50, 150), (150, 150))
    >>> X, y = load_ucr("BasicMotions", split="train")
    >>> X.shape
    (40, 6, 100)
    >>> X, y = load_ucr("JapaneseVowels", split="train")
    >>> [series.shape for series in X[:3]]
    [(12, 20), (12, 26), (12, 22)]
    """
    if split not in (None, "train", "test"):
        raise ValueError(f'Got split={split!r}, but expected None, "train" or "test".')
    if Path(name).name != name:
        raise ValueError(f"Got name={name!r}, but expected a plain name. Give the folder as path=.")
    folder = _find_without_path(name, download) if path is None else _find_in(path, name)
    if split is not None:
        return _read(folder, split)
    X_train, y_train = _read(folder, "train")
    X_test, y_test = _read(folder, "test")
    arrays = isinstance(X_train, np.ndarray) and isinstance(X_test, np.ndarray)
    if arrays and X_train.shape[1:] != X_test.shape[1:]:
        raise ValueError(
            f"Got {folder.name} with training series of shape {X_train.shape[1:]} and test series "
            f"of shape {X_test.shape[1:]}, but expected equal shapes. Resample them to a common "
            "length."
        )
    return X_train, y_train, X_test, y_test


def _find_in(path, name):
    path = Path(path).expanduser()
    if not path.is_dir():
        raise FileNotFoundError(f"Got path='{path}', but expected the folder of an archive.")
    # The archive's zip unpacks into a folder of its own.
    for parent in (path, path / "UCRArchive_2018"):
        if (parent / name).is_dir():
            return parent / name
    raise ValueError(
        f"Got name={name!r}, but '{path}' has no such folder. {_near(name, path)} "
        f"Expected files such as '{path / name / name}_TRAIN.tsv'."
    )


def _find_without_path(name, download):
    bundled = _bundled_folder()
    if _is_complete(bundled / name):
        return bundled / name
    # Imported here because the package of sources brings torch along.
    from skreprogram.sources._download import cache_folder

    cached = cache_folder() / "datasets"
    if _is_complete(cached / name):
        return cached / name
    if download:
        return _download(name, cached)
    raise FileNotFoundError(
        f"Got name={name!r} with download=False, but it is neither in the installed sktime nor in "
        f"'{cached}'. {_near(name, bundled)} Use download=True, or give the folder of an unpacked "
        "archive as path=."
    )


def _bundled_folder():
    # find_spec imports nothing: importing sktime takes seconds.
    return Path(find_spec("sktime").submodule_search_locations[0], "datasets", "data")


def _is_complete(folder, suffix=".ts"):
    return all((folder / f"{folder.name}_{part}{suffix}").is_file() for part in ("TRAIN", "TEST"))


def _near(name, folder):
    lower = {entry.name.lower(): entry.name for entry in sorted(folder.iterdir())}
    near = [lower[match] for match in difflib.get_close_matches(name.lower(), lower, cutoff=0.5)]
    return f"Near names: {', '.join(near)}." if near else "No name there is near."


def _download(name, cached):
    from sktime.datasets import load_UCR_UEA_dataset

    cached.mkdir(parents=True, exist_ok=True)
    # A folder appears under its name only when it is complete.
    with tempfile.TemporaryDirectory(dir=cached) as unfinished:
        try:
            load_UCR_UEA_dataset(name, extract_path=unfinished)
        except Exception as error:
            raise ConnectionError(
                f"Got name={name!r}, which is neither in the installed sktime nor in '{cached}', "
                f"and could not be downloaded through sktime ({error}). Check the name and the "
                "network, or give the folder of an unpacked archive as path=."
            ) from error
        return Path(unfinished, name).rename(cached / name)


def _read(folder, part):
    stem = f"{folder.name}_{part.upper()}"
    readers = [(".tsv", _read_tsv), (".ts", _read_ts)]
    # sktime has one part of ArrowHead in both formats, whose labels differ in type
    for suffix, reader in sorted(readers, key=lambda pair: not _is_complete(folder, pair[0])):
        file = folder / f"{stem}{suffix}"
        if file.is_file():
            return _checked(*reader(file), file)
    raise FileNotFoundError(
        f"Got '{folder}', but expected the file {stem}.tsv or {stem}.ts in it. Unpack the archive "
        "again."
    )


def _read_tsv(file):
    if not file.read_bytes().strip():
        raise ValueError(f"Got '{file}', which is empty. Unpack the archive again.")
    try:
        table = np.loadtxt(file, delimiter="\t", comments=None, ndmin=2)
    except ValueError as error:
        raise ValueError(
            f"Got '{file}', which cannot be read ({error}). Expected a label and then numbers in "
            "every row, separated by tabs, all rows with as many fields. The file may be cut "
            "short: unpack the archive again."
        ) from error
    labels = table[:, 0]
    if not np.array_equal(labels, np.round(labels)):
        wrong = labels[labels != np.round(labels)][0]
        raise ValueError(
            f"Got '{file}' with the label {wrong}, but expected whole numbers in the first column. "
            "Regression sets are not supported."
        )
    return table[:, 1:], labels.astype(np.int64)


def _read_ts(file):
    from sktime.datasets import load_from_tsfile

    try:
        frame, y = load_from_tsfile(str(file))
    except Exception as error:
        raise ValueError(
            f"Got '{file}', which sktime cannot read ({error}). Expected a .ts file with class "
            "labels. The file may be cut short: unpack the archive again."
        ) from error
    series = [[np.asarray(cell, dtype=float) for cell in row] for row in frame.itertuples(False)]
    longest = max(len(channel) for row in series for channel in row)
    # as the archive's .tsv files have it: NaN up to one length
    X = np.full((len(series), len(series[0]), longest), np.nan)
    for row, channels in zip(X, series, strict=True):
        for values, channel in zip(row, channels, strict=True):
            values[: len(channel)] = channel
    return (X[:, 0] if X.shape[1] == 1 else X), y


def _checked(X, y, file):
    if len(X) != len(y):
        raise ValueError(f"Got '{file}' with {len(X)} series and {len(y)} labels. Expected a pair.")
    if X.shape[-1] == 0:
        raise ValueError(f"Got '{file}' with labels only, but expected series. Unpack it again.")
    series = without_padding(X)
    n_missing = sum(bool(np.isnan(each).any()) or not each.size for each in series)
    if n_missing:
        raise ValueError(
            f"Got '{file}' with missing values (NaN) in {n_missing} of {len(X)} series, expected "
            "them at the end of series only, where they are padding. Fill them, for example with "
            "np.interp; the 2018 archive has such copies in its folder "
            "Missing_value_and_variable_length_datasets_adjusted, which can be given as path=."
        )
    return (X if len({each.shape for each in series}) == 1 else series), y
