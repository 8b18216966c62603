import base64
from io import BytesIO

import pytest

pytest.importorskip("fastapi_offline", reason="extra serve is not installed")
pytest.importorskip("prometheus_client", reason="extra serve is not installed")

from fastapi.testclient import TestClient
from PIL import Image

from pipeline.decide.settings import ClassifySettings
from pipeline.serve.app import Service
from pipeline.serve.limits import Limits
from pipeline.serve.loaded import load_checked
from pipeline.serve.recorder import Recorder
from pipeline.use.current import Current, Stored

SETTINGS = ClassifySettings(precision=0.95, confidence=0.95, decide="probable", beta=1.0)


def encoded(picture: bytes) -> str:
    return base64.b64encode(picture).decode()


@pytest.fixture(scope="session")
def settings():
    return SETTINGS


@pytest.fixture(scope="session")
def loaded(finished_project):
    data = finished_project.root / "data"
    return load_checked(Stored(data / "model", data / "index"), pytest.fail)


@pytest.fixture(scope="session")
def picture(picture_folder):
    """A file of a picture of the catalogue."""
    return min(picture_folder.iterdir()).read_bytes()


@pytest.fixture
def large_picture():
    """A small file of 64 megapixels."""
    buffer = BytesIO()
    Image.new("1", (8000, 8000)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def make_service(loaded):
    """Put a service together, with other limits perhaps; warnings are collected in `warned`."""

    def make(load=lambda: loaded, *, limits=None, host="127.0.0.1", token=None, log=None):
        warned: list[str] = []
        service = Service(
            Current(load),
            limits or Limits(),
            SETTINGS,
            host=host,
            token=token,
            warn=warned.append,
            recorder=None if log is None else Recorder(log, warned.append),
        )
        service.warned = warned
        return service

    return make


@pytest.fixture
def make_client(make_service):
    """A client of such a service, which has started."""
    clients = []

    def make(**options):
        client = TestClient(
            make_service(**options).app,
            base_url="http://127.0.0.1",
            client=("127.0.0.1", 1),
            raise_server_exceptions=False,
        )
        clients.append(client)
        return client.__enter__()

    yield make
    for client in clients:
        client.__exit__(None, None, None)


@pytest.fixture
def client(make_client):
    return make_client()
