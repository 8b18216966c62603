import pytest

pytest.importorskip("gradio", reason="extra explore is not installed")

from pipeline.explore.explorer import Explorer


@pytest.fixture(scope="session")
def explorer(huse):
    return Explorer(huse)
