import pytest

pytest.importorskip("gradio", reason="extra explore is not installed")

from huse import Huse
from pipeline.explore.explorer import Explorer


@pytest.fixture(scope="session")
def explorer(huse):
    return Explorer(huse)


@pytest.fixture(scope="session")
def kept_explorer(kept_project):
    """The same of a catalogue with attributes."""
    return Explorer(Huse.load(kept_project.root / "data" / "model"))
