"""What every test shares."""

import pytest


@pytest.fixture(scope="session", autouse=True)
def cache_home(tmp_path_factory):
    """An empty cache folder, so that no test reads or fills the one of the user."""
    with pytest.MonkeyPatch.context() as patch:
        home = tmp_path_factory.mktemp("home")
        patch.setenv("SKREPROGRAM_HOME", str(home))
        yield home
