import json
import re
import socket
import threading
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from io import BytesIO

import pytest
from PIL import Image

from pipeline.core.location import locate
from pipeline.explore.server import make_app

WAIT = 20


@contextmanager
def served(app):
    """Where a server in a thread can be asked."""
    import uvicorn

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + WAIT
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.05)
    assert server.started
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(WAIT)


@pytest.fixture(scope="module")
def address(huse, picture_folder):
    """The page, served from a thread."""
    with served(make_app(huse, picture_folder, "127.0.0.1")) as address:
        yield address


def get(url, host=None):
    request = urllib.request.Request(url, headers={} if host is None else {"Host": host})
    try:
        with urllib.request.urlopen(request) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_a_picture_of_the_catalogue_is_served_small(address, huse, picture_folder):
    status, content = get(f"{address}/picture/3")
    assert status == 200
    with Image.open(BytesIO(content)) as served:
        assert served.format == "JPEG"
        assert max(served.size) == 240


@pytest.mark.parametrize(
    "path",
    [
        "picture/-1",
        "picture/1000000",
        "picture/..%2f..%2fparams.yaml",
        "picture/../../../params.yaml",
        "gradio_api/file=/etc/passwd",
        "gradio_api/file={root}/params.yaml",
        "gradio_api/file={root}/data/model/model.json",
        "gradio_api/file={pictures}/{picture}",
        "gradio_api/file={pictures}/../../../../params.yaml",
        "gradio_api/file=%2e%2e/%2e%2e/etc/passwd",
        "static/../../../../../../etc/passwd",
        "assets/..%2f..%2f..%2f..%2fetc%2fpasswd",
    ],
)
def test_nothing_but_pictures_of_the_catalogue_is_served(
    address, finished_project, picture_folder, path
):
    name = next(picture_folder.iterdir()).name
    root = finished_project.root
    status, content = get(
        f"{address}/{path.format(root=root, pictures=picture_folder, picture=name)}"
    )
    assert status in (400, 403, 404, 422)
    assert b"root:" not in content
    assert b"catalog:" not in content


def test_only_requests_for_this_machine_are_answered(address):
    port = address.rpartition(":")[2]
    for path in ("", "picture/3", "config"):
        url = f"{address}/{path}"
        for host in ("127.0.0.1", f"127.0.0.1:{port}", f"localhost:{port}", f"[::1]:{port}"):
            assert get(url, host)[0] == 200, host
        for host in ("rebound.example", f"rebound.example:{port}", "127.0.0.1.rebound.example"):
            assert get(url, host)[0] == 400, host


def test_pictures_may_be_on_another_filesystem(huse, picture_folder, bucket, s3):
    from fastapi.testclient import TestClient

    name = huse.index.items["image"].iloc[3]
    (bucket / name).write_bytes((picture_folder / name).read_bytes())
    here, there = (
        TestClient(make_app(huse, images, "127.0.0.1"), base_url="http://127.0.0.1")
        for images in (picture_folder, bucket)
    )
    assert there.get("/picture/3").content == here.get("/picture/3").content
    silent = locate("s3://a?endpoint_override=127.0.0.1:1&scheme=http", "catalog.images")
    client = TestClient(make_app(huse, silent, "127.0.0.1"), base_url="http://127.0.0.1")
    assert client.get("/picture/3").status_code == 503


def call(address, data):
    """Ask as the page does, but with whatever data."""
    request = urllib.request.Request(
        f"{address}/gradio_api/queue/join",
        json.dumps({"data": data, "fn_index": 0, "session_hash": "test"}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request):
        pass
    with urllib.request.urlopen(f"{address}/gradio_api/queue/data?session_hash=test") as events:
        for line in events:
            event = json.loads(line.removeprefix(b"data: ")) if line.strip() else {}
            if event.get("msg") == "process_completed":
                return event
    return {}


def test_a_file_that_was_not_uploaded_is_not_read(address, finished_project, picture_folder):
    everything = ["", None, "all classes", 8]
    assert call(address, everything)["success"]
    picture = next(picture_folder.iterdir())
    for path in (
        str(picture),
        str(finished_project.root / "params.yaml"),
        "/etc/passwd",
        f"{address}/picture/3",
    ):
        file = {"path": path, "meta": {"_type": "gradio.FileData"}}
        assert not call(address, ["", file, "all classes", 8])["success"]


@pytest.fixture
def page(address, browser):
    """The page, freshly opened."""
    browser.get(address)
    wait(lambda: find(browser, "#text input, #text textarea"))
    browser.get_log("performance")
    return browser


def find(browser, selector):
    return browser.find_elements("css selector", selector)


def wait(condition):
    deadline = time.monotonic() + WAIT
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError("the page did not answer")


def said(browser):
    """What stands above the results."""
    return browser.execute_script(
        "return [...document.querySelectorAll('#results .note')].map(n => n.textContent).join(' ')"
    )


def pictures_shown(browser):
    images = find(browser, "#results img")
    return sum(int(image.get_property("naturalWidth")) > 0 for image in images)


def type_and_enter(browser, text):
    from selenium.webdriver.common.keys import Keys

    (box,) = find(browser, "#text input, #text textarea")
    box.send_keys(text, Keys.ENTER)


def drop(browser, path):
    (chooser,) = find(browser, "#picture input[type=file]")
    chooser.send_keys(str(path))
    wait(lambda: path.stem in find(browser, "#picture")[0].text)
    find(browser, "#go")[0].click()


def test_type_then_more_like_this(page, huse):
    text = huse.index.items["text"].iloc[5]
    type_and_enter(page, text)
    wait(lambda: text in said(page))
    wait(lambda: pictures_shown(page) == 12)
    card = find(page, "#results .card")[2]
    title = card.find_element("css selector", "b").text
    card.find_element("css selector", "button").click()
    wait(lambda: f"More like \u201c{title}\u201d" in said(page))
    assert len(find(page, "#results .card")) == 12
    elsewhere = [
        url
        for entry in page.get_log("performance")
        if (event := json.loads(entry["message"])["message"])["method"]
        == "Network.requestWillBeSent"
        and not (url := event["params"]["request"]["url"]).startswith(
            ("http://127.0.0.1", "data:", "blob:")
        )
    ]
    assert elsewhere == []


def test_drop_a_picture(page, huse, picture_folder):
    item = huse.index.items.iloc[8]
    drop(page, picture_folder / item["image"])
    wait(lambda: "your picture" in said(page))
    wanted = huse.search(huse.embed([picture_folder / item["image"]]), k=12)[0]
    rows = [button.get_attribute("data-row") for button in find(page, "#results button")]
    assert rows == [str(hit.row) for hit in wanted]


def test_a_text_that_nothing_is_near_is_told_above_the_results(page):
    type_and_enter(page, "xyzzyx")
    wait(lambda: "no word of it is known" in said(page))
    assert find(page, "#results .card")


def test_a_broken_upload_says_so(page, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    drop(page, tmp_path / "broken.png")
    wait(lambda: "not a picture that can be read" in said(page))


def test_fifty_megapixels_are_answered(page, tmp_path):
    Image.new("1", (10_000, 5_000)).save(tmp_path / "large.png")
    drop(page, tmp_path / "large.png")
    wait(lambda: "50 megapixels; 40 are the limit" in said(page))


def test_nothing_that_is_typed_runs(page):
    from selenium.common.exceptions import NoAlertPresentException

    type_and_enter(page, "<img src=x onerror=alert(1)>${alert(2)}{{alert(3)}}")
    wait(lambda: "onerror" in said(page))
    with pytest.raises(NoAlertPresentException):
        _ = page.switch_to.alert


def test_a_class_can_be_chosen(page, huse):
    from selenium.webdriver.common.keys import Keys

    node = huse.index.items["class_path"].iloc[0]
    (box,) = find(page, "#class input")
    box.click()
    box.send_keys(Keys.CONTROL, "a")
    box.send_keys(node, Keys.ENTER)
    type_and_enter(page, huse.index.items["text"].iloc[5])
    shown = wait(lambda: [span.text for span in find(page, "#results .path")])
    assert set(shown) == {" \u203a ".join(node.split("<"))}


def test_the_map_shows_the_space(page):
    (tab,) = [tab for tab in find(page, "button[role=tab]") if tab.text == "Map"]
    tab.click()
    wait(lambda: find(page, "#map canvas, #map svg.marks"))


def test_facets_can_be_chosen(browser, kept_explorer, picture_folder):
    from selenium.webdriver.common.keys import Keys

    with served(make_app(kept_explorer.model, picture_folder, "127.0.0.1")) as address:
        browser.get(address)
        wait(lambda: find(browser, "#text input, #text textarea"))
        find(browser, "#filters button")[0].click()
        boxes = wait(lambda: find(browser, "#facet-1 label"))
        (nike,) = [box for box in boxes if re.match(r"Nike \(\d+\)", box.text)]
        nike.click()
        (least,) = find(browser, "#facet-0-to input, #facet-0-to textarea")
        least.send_keys("60")
        type_and_enter(browser, "heart")
        wait(lambda: "where price <= 60 and brand == 'Nike'" in said(browser))
        wait(lambda: pictures_shown(browser) == 12)
        brands = {
            one.text for one in find(browser, "#results dd") if one.text in ("Nike", "Puma & Co")
        }
        assert brands == {"Nike"}
        find(browser, "#results .card button")[0].click()
        wait(lambda: "More like" in said(browser) and "brand == 'Nike'" in said(browser))
        (where,) = find(browser, "#where input, #where textarea")
        where.send_keys("sale", Keys.ENTER)
        wait(lambda: "where (sale) and price <= 60 and brand == 'Nike'" in said(browser))
