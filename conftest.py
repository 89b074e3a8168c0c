"""What tests and doctests share: a cache folder of their own."""

import os
import shutil
import tempfile


def pytest_configure(config):
    """Point to an empty cache folder, before any test is collected, so that the user's is left."""
    config.cache_home = tempfile.mkdtemp(prefix="skreprogram-tests-")
    os.environ["SKREPROGRAM_HOME"] = config.cache_home


def pytest_unconfigure(config):
    """Remove that folder."""
    shutil.rmtree(config.cache_home, ignore_errors=True)
