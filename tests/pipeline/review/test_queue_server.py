import re
from html import unescape

import pytest

pytest.importorskip("fastapi", reason="extra explore is not installed")

from fastapi.testclient import TestClient

from pipeline.drift.queue_file import QueueFile, Said
from pipeline.review.queue_server import make_queue_app
from pipeline.review.queue_session import QueueSession
from pipeline.web.pictures import picture_name
from tests.local_page import barriers, emulate, served
from tests.pipeline.review.test_server import ATTACK, OWN, keyboard

CLASSES = [f"bags|{ATTACK} {n}" for n in range(2)]


def row(text, image, *suggested, **more):
    names = (("suggested", "probability"), ("suggested_2", "probability_2"))
    found = {"image": image, "text": text, **more}
    for (path, share), guess in zip(names, suggested, strict=False):
        found |= {path: guess, share: "0.4000"}
    return found


@pytest.fixture
def file(tmp_path):
    file = QueueFile.named(tmp_path / "queue.csv", {})
    source = f"{ATTACK}.csv, row 2"
    file.renew(
        [
            row(ATTACK, "3.png", "hats|tall", CLASSES[1], near="no", like_it="6", source=source),
            row("a text alone", "", "hats|tall", like_it="1"),
            row("", "elsewhere.png", "hats|tall"),
            row("from outside", "../../secret.png", "hats|tall"),
        ]
    )
    return file


@pytest.fixture
def app(file, numbered_pictures):
    session = QueueSession(file, CLASSES, "|")
    return make_queue_app(session, numbered_pictures, separator="|", background="#ffffff")


@pytest.fixture
def page(app):
    return TestClient(app, base_url="http://127.0.0.1", headers=OWN)


def decide(page, place, decision, **more):
    return page.post("/decide", data={"place": place, "decision": decision, **more})


def said(file):
    return [one.said for one in file.read()]


def test_an_item_is_shown_with_what_the_model_suggests(page):
    html = page.get("/").text
    assert "1 of 4" in html
    (name,) = re.findall(r'src="(picture/[^"]*)"', html)
    assert name == f"picture/{picture_name(0, '3.png')}"
    assert page.get(f"/{name}").headers["content-type"] == "image/jpeg"
    values = [unescape(one) for one in re.findall(r'name="class_path" value="([^"]*)"', html)]
    assert values == ["hats|tall", CLASSES[1]]
    assert "hats \u203a tall" in html
    assert html.count("0.4000") == 2
    assert "Nothing in the catalogue is near to it." in html
    assert "It stands for 6 items that are like it." in html
    options = [unescape(path) for path in re.findall(r'<option value="([^"]*)">', html)]
    assert options == sorted([*CLASSES, "hats|tall"])


def test_all_text_is_escaped_and_nothing_comes_from_elsewhere(page):
    html = page.get("/").text
    assert html.count("<script") == 1
    assert unescape(html).count("<script>alert(1)</script>") > 4
    assert "://" not in html


def test_an_item_without_a_picture_or_with_one_of_another_folder_is_shown_by_its_text(page, file):
    html = decide(page, 0, "skip").text
    assert "<img" not in html
    assert "a text alone" in html
    assert "--images" not in html
    html = decide(page, 1, "skip").text
    assert "<img" not in html
    assert "(no text)" in html
    assert "Its picture elsewhere.png is not in " in html
    html = decide(page, 2, "skip").text
    assert "<img" not in html
    for place, image in ((1, ""), (3, "../../secret.png")):
        assert page.get(f"/picture/{picture_name(place, image)}").status_code == 404


def test_label_none_skip_and_undo(page, file):
    assert "2 of 4" in decide(page, 0, "label", class_path=CLASSES[1]).text
    assert said(file)[0] == Said(CLASSES[1])
    assert "3 of 4" in decide(page, 1, "none").text
    assert "4 of 4" in decide(page, 2, "skip").text
    html = decide(page, 3, "label", class_path="hats||tall").text
    assert "Not written: class path has an empty part" in html
    html = decide(page, 3, "label", class_path="hats | new").text
    assert "That was the last one." in html
    assert "2 labelled, 1 of no class, 1 skipped" in html
    assert "queue_labelled.csv" in html
    assert "class that the catalogue does not have yet" in html
    assert said(file) == [Said(CLASSES[1]), Said("", "none"), Said("", "skip"), Said("hats|new")]
    html = page.post("/undo").text
    assert "4 of 4" in html
    assert "Taken back." in html
    assert said(file)[3] == Said()


@pytest.mark.parametrize(
    "data",
    [
        {"place": 0, "decision": "accept"},
        {"place": "x", "decision": "none"},
        {"decision": "none"},
        {"place": 0, "decision": "label", "class_path": "x" * 2001},
    ],
)
def test_a_form_that_the_page_does_not_have_is_refused(page, file, data):
    assert page.post("/decide", data=data).status_code == 422
    assert said(file) == [Said()] * 4


@pytest.mark.parametrize("origin", ["http://shop.example", "null", ""])
def test_a_foreign_page_labels_nothing(app, file, origin):
    foreign = TestClient(app, base_url="http://127.0.0.1", headers={"Origin": origin})
    assert decide(foreign, 0, "none").status_code == 403
    assert foreign.post("/undo").status_code == 403
    assert said(file) == [Said()] * 4


def test_an_empty_queue_has_a_page_too(tmp_path, numbered_pictures):
    file = QueueFile.named(tmp_path / "queue.csv", {})
    file.renew([])
    session = QueueSession(file, CLASSES, "|")
    app = make_queue_app(session, numbered_pictures, separator="|", background="#ffffff")
    html = TestClient(app, base_url="http://127.0.0.1").get("/").text
    assert "There is nothing to label." in html


@pytest.fixture
def address(app):
    """The page, served from a thread."""
    with served(app) as address:
        yield address


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1280, "light")])
def test_nothing_keeps_people_out(browser, address, width, scheme):
    emulate(browser, width=width, scheme=scheme)
    browser.get(address)
    assert barriers(browser) == {}
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width


def test_no_state_of_the_page_keeps_people_out(browser, address):
    press, is_at = keyboard(browser)
    emulate(browser)
    browser.get(address)
    for key, said in (
        ("s", "a text alone"),
        ("s", "start with --images"),
        ("n", "from outside"),
        ("1", "That was the last one."),
        ("u", "Taken back."),
    ):
        press(key)
        is_at(said)
        assert barriers(browser) == {}, said


def test_by_keyboard_alone(browser, address, file):
    from selenium.webdriver.common.keys import Keys

    press, is_at = keyboard(browser)
    browser.get(address)
    is_at("1 of 4")
    press("3")  # There are two suggestions.
    press("2")
    is_at("2 of 4")
    press("n")
    is_at("3 of 4")
    press("u")
    is_at("2 of 4")
    assert said(file)[:2] == [Said(CLASSES[1]), Said()]
    press("1")
    is_at("3 of 4")
    # In the field, letters and figures are what they are; Escape leaves it.
    press("e")
    press("1n", Keys.ESCAPE)
    press("s")
    is_at("4 of 4")
    press("e")
    press("hats|small", Keys.ENTER)
    is_at("That was the last one.")
    assert said(file) == [
        Said(CLASSES[1]),
        Said("hats|tall"),
        Said("", "skip"),
        Said("hats|small"),
    ]
    assert browser.get_log("browser") == []
