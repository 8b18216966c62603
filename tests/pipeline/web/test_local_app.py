from io import BytesIO

import pytest

pytest.importorskip("fastapi", reason="extra explore is not installed")

from fastapi import Depends
from fastapi.testclient import TestClient
from PIL import Image

from pipeline.core.location import locate
from pipeline.web.local_app import is_loopback, local_app, require_own_page
from pipeline.web.pictures import Pictures, picture_name

FILES = ["11.png", "3.png"]
FIRST = f"/picture/{picture_name(0, FILES[0])}"


def client(images, host="127.0.0.1", name="127.0.0.1"):
    pictures = Pictures(images, FILES, side=64, background="#ffffff")
    app = local_app(host, lambda: [pictures])

    @app.post("/change", dependencies=[Depends(require_own_page)])
    def change() -> str:
        return "changed"

    return TestClient(app, base_url=f"http://{name}")


def test_a_picture_is_served_by_its_name_alone_and_small(numbered_pictures):
    page = client(numbered_pictures)
    answer = page.get(FIRST)
    with Image.open(BytesIO(answer.content)) as served:
        assert (served.format, max(served.size)) == ("JPEG", 64)
    assert page.get(f"/picture/{picture_name(1, '3.png')}").content != answer.content
    for name in ("-1", "0", "x", "..%2f..%2fparams.yaml", "11.png", picture_name(0, "3.png")):
        assert page.get(f"/picture/{name}").status_code == 404


def test_the_pictures_are_those_of_the_moment(numbered_pictures):
    now = [Pictures(numbered_pictures, ["3.png"], side=64, background="#ffffff")]
    page = TestClient(local_app("127.0.0.1", lambda: now), base_url="http://127.0.0.1")
    assert page.get(FIRST).status_code == 404
    now.append(Pictures(numbered_pictures, FILES, side=64, background="#ffffff"))
    assert page.get(FIRST).status_code == 200


def test_a_folder_that_does_not_answer_is_no_missing_picture(s3):
    silent = locate("s3://a?endpoint_override=127.0.0.1:1&scheme=http", "catalog.images")
    assert client(silent).get(FIRST).status_code == 503


@pytest.mark.parametrize(
    ("bound", "status"),
    [("localhost", 400), ("127.0.0.2", 400), ("::1", 400), ("0.0.0.0", 200), ("192.0.2.7", 200)],
)
def test_a_server_for_this_machine_answers_to_its_names_alone(numbered_pictures, bound, status):
    page = client(numbered_pictures, bound, "shop.example")
    assert page.get(FIRST).status_code == status
    for name in (
        "127.0.0.1:7861",
        "localhost:80",
        "[::1]:7861",
        f"{bound}".replace("::1", "[::1]"),
    ):
        assert client(numbered_pictures, bound, name).get(FIRST).status_code == 200


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://127.0.0.1:7861", 200),
        ("http://127.0.0.1:7860", 403),
        ("https://127.0.0.1:7861", 403),
        ("http://localhost:7861", 403),
        ("http://shop.example", 403),
        ("null", 403),
        (None, 403),
    ],
)
def test_only_the_page_itself_may_change_anything(numbered_pictures, origin, status):
    headers = {} if origin is None else {"Origin": origin}
    page = client(numbered_pictures, name="127.0.0.1:7861")
    assert page.post("/change", headers=headers).status_code == status


def test_every_answer_forbids_what_comes_from_elsewhere(numbered_pictures):
    page = client(numbered_pictures)
    for path in (FIRST, "/picture/99", "/nothing"):
        headers = page.get(path).headers
        assert headers["cache-control"] == "no-store"
        assert headers["content-security-policy"].startswith("default-src 'self'; ")
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("host", "wanted"),
    [("127.0.0.2", True), ("::1", True), ("LOCALHOST", True), ("0.0.0.0", False), ("shop", False)],
)
def test_an_address_of_this_machine_is_known(host, wanted):
    assert is_loopback(host) is wanted
