import pytest

pytest.importorskip("fastapi", reason="extra explore is not installed")

from fastapi.testclient import TestClient

from huse import Huse
from pipeline.explore.explorer import Explorer
from pipeline.explore.server import make_app
from pipeline.use.current import Stored

OWN = {"Origin": "http://127.0.0.1"}


def stored(*models):
    """Where models were read from, by names for the page."""
    return {
        f"model {number}": Stored(model.folder, model.index_folder)
        for number, model in enumerate(models, start=1)
    }


@pytest.fixture(scope="session")
def explorer(huse):
    return Explorer(huse)


@pytest.fixture(scope="session")
def kept_explorer(kept_project):
    """The same of a catalogue with attributes."""
    return Explorer(Huse.load(kept_project.root / "data" / "model"))


@pytest.fixture(scope="session")
def other(shipped_project):
    """Another model, of a catalogue that has the items of the first and more."""
    return Huse.load(shipped_project.root / "data" / "model")


@pytest.fixture(scope="session")
def visit():
    """Make a visitor of the page of some models; his pictures come from a folder."""

    def begin(folder, *models, **more):
        app = make_app(stored(*models), folder, "127.0.0.1", **more)
        return TestClient(app, base_url="http://127.0.0.1", headers=OWN)

    return begin
