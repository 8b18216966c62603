import re
from html import unescape

import pandas as pd
import pytest

pytest.importorskip("fastapi", reason="extra explore is not installed")

from fastapi.testclient import TestClient

from pipeline.audit.decisions import COLUMNS, Decision, read_decisions
from pipeline.review.findings import Finding
from pipeline.review.server import make_app
from pipeline.review.session import Session
from pipeline.web.pictures import picture_name
from tests.local_page import barriers, emulate, served, wait

ATTACK = "<script>alert(1)</script>\"'{{alert(2)}}"
ITEMS = pd.DataFrame(
    [(f"i{n}", f"{n}.png", f"{ATTACK} {n}", f"bags|{ATTACK} {n % 2}") for n in range(6)],
    columns=["item_id", "image", "text", "class_path"],
)
PATH_OF = dict(zip(ITEMS["item_id"], ITEMS["class_path"], strict=True))
OWN = {"Origin": "http://127.0.0.1"}


@pytest.fixture
def app(tmp_path, numbered_pictures):
    (tmp_path / "decisions.csv").write_text(",".join(COLUMNS) + "\n")
    findings = [
        Finding("i3", "hats|tall", (f"It says so {ATTACK}.",), ("i5", "i1")),
        Finding("i2", "hats|big", ("The same title.",), ()),
        Finding("i4", "hats|big", (), ()),
    ]
    session = Session(findings, PATH_OF, tmp_path / "decisions.csv", "|")
    return make_app(session, ITEMS, numbered_pictures, separator="|", background="#ffffff")


@pytest.fixture
def page(app):
    return TestClient(app, base_url="http://127.0.0.1", headers=OWN)


@pytest.fixture
def decided(tmp_path):
    return lambda: read_decisions(tmp_path / "decisions.csv")


def decide(page, place, decision, **more):
    return page.post("/decide", data={"place": place, "decision": decision, **more})


def test_a_finding_is_shown_with_all_that_speaks_for_it(page):
    html = page.get("/").text
    assert "1 of 3" in html
    shown = re.findall(r'src="(picture/[^"]*)"', html)
    places = [one.removeprefix("picture/")[0] for one in shown]
    assert places == ["3", "5", "1"], "the item, then what to compare it with"
    for name in shown:
        assert page.get(f"/{name}").headers["content-type"] == "image/jpeg"
    assert "hats \u203a tall" in html
    assert "It says so" in html
    options = [unescape(path) for path in re.findall(r'<option value="([^"]*)">', html)]
    assert options == sorted(set(PATH_OF.values()))


def test_an_item_without_a_picture_is_shown_by_its_text(tmp_path, numbered_pictures):
    (tmp_path / "decisions.csv").write_text(",".join(COLUMNS) + "\n")
    finding = Finding("i3", "hats|tall", (), ("i5", "i1"))
    session = Session([finding], PATH_OF, tmp_path / "decisions.csv", "|")
    items = ITEMS.assign(image=ITEMS["image"].where(~ITEMS["item_id"].isin(["i3", "i5"]), ""))
    app = make_app(session, items, numbered_pictures, separator="|", background="#ffffff")
    page = TestClient(app, base_url="http://127.0.0.1", headers=OWN)
    html = page.get("/").text
    assert re.findall(r"picture/(\d)-", html) == ["1"]
    assert html.count("<img") == 1
    assert "alert(1)&lt;/script&gt;&#34;&#39;{{alert(2)}} 3</figcaption>" in html
    assert page.get(f"/{picture_name(3, '')}").status_code == 404


def test_all_text_of_the_catalogue_is_escaped_and_nothing_comes_from_elsewhere(page):
    answer = page.get("/")
    assert answer.text.count("<script") == 1
    assert '<script src="files/review.js" defer></script>' in answer.text
    assert unescape(answer.text).count("<script>alert(1)</script>") > 6
    assert "://" not in answer.text
    policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["cache-control"] == "no-store"
    assert page.get("/files/review.js").headers["content-type"].startswith("text/javascript")


def test_accept_keep_skip_and_undo(page, decided):
    assert "2 of 3" in decide(page, 0, "accept").text
    assert decided() == {"i3": Decision("i3", PATH_OF["i3"], "accept", "hats|tall")}
    assert "3 of 3" in decide(page, 1, "keep").text
    assert decided()["i2"].decision == "keep"
    last = decide(page, 2, "skip").text
    assert decided()["i4"] == Decision("i4", PATH_OF["i4"], "skip")
    assert "That was the last one." in last
    assert "1 accepted, 1 kept, 1 skipped" in last
    html = page.post("/undo").text
    assert "3 of 3" in html
    assert "Taken back." in html
    assert set(decided()) == {"i3", "i2"}


def test_another_path(page, decided):
    decide(page, 0, "accept", other_path=f" bags | {ATTACK} 0 ")
    assert decided()["i3"].new_path == f"bags|{ATTACK} 0"
    html = decide(page, 1, "accept", other_path="bags||x").text
    assert "Not written: class path has an empty part" in html
    assert "i2" not in decided()


@pytest.mark.parametrize(
    "data",
    [
        {"place": 0, "decision": "yes"},
        {"place": "x", "decision": "keep"},
        {"decision": "keep"},
        {"place": 0, "decision": "accept", "other_path": "x" * 2001},
    ],
)
def test_a_form_that_the_page_does_not_have_is_refused(page, decided, data):
    assert page.post("/decide", data=data).status_code == 422
    assert decided() == {}


@pytest.mark.parametrize("origin", ["http://shop.example", "null", "http://127.0.0.1:9", None])
def test_a_foreign_page_decides_nothing(app, decided, origin):
    foreign = TestClient(app, base_url="http://127.0.0.1", headers={"Origin": origin or ""})
    if origin is None:
        del foreign.headers["Origin"]
    assert decide(foreign, 0, "keep").status_code == 403
    assert foreign.post("/undo").status_code == 403
    assert foreign.get("/decide?place=0&decision=keep").status_code == 405
    assert decided() == {}
    rebound = {"Host": "shop.example", "Origin": "http://shop.example"}
    assert foreign.post("/undo", headers=rebound).status_code == 400


def test_a_catalogue_without_findings_has_a_page_too(numbered_pictures, tmp_path):
    session = Session([], PATH_OF, tmp_path / "decisions.csv", "|")
    app = make_app(session, ITEMS, numbered_pictures, separator="|", background="#ffffff")
    html = TestClient(app, base_url="http://127.0.0.1").get("/").text
    assert "There is nothing to decide." in html


@pytest.fixture
def address(app):
    """The page, served from a thread."""
    with served(app) as address:
        yield address


def test_the_page_may_be_a_part_of_another(tmp_path, numbered_pictures):
    import fastapi

    (tmp_path / "decisions.csv").write_text(",".join(COLUMNS) + "\n")
    findings = [Finding("i3", "hats|tall", (), ()), Finding("i2", "hats|big", (), ())]
    session = Session(findings, PATH_OF, tmp_path / "decisions.csv", "|")
    whole = fastapi.FastAPI()
    part = make_app(
        session, ITEMS, numbered_pictures, separator="|", background="#ffffff", home="../"
    )
    whole.mount("/review", part)
    page = TestClient(whole, base_url="http://127.0.0.1", headers=OWN)
    html = page.get("/review/").text
    assert '<a href="../">Explorer</a>' in html
    for name in re.findall(r'(?:src|href)="([^"#.][^":]*)"', html):
        assert page.get(f"/review/{name}").status_code == 200, name
    form = {"place": 0, "decision": "keep"}
    assert "2 of 2" in page.post("/review/decide", data=form).text
    assert session.left == 1
    assert "1 of 2" in page.post("/review/undo").text


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_keeps_people_out(browser, address, width, scheme):
    emulate(browser, width=width, scheme=scheme)
    browser.get(address)
    assert barriers(browser) == {}
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width


def keyboard(browser):
    """What presses keys, and what waits until the page says something."""
    from selenium.common.exceptions import WebDriverException
    from selenium.webdriver.common.action_chains import ActionChains

    def press(*keys):
        ActionChains(browser).send_keys(*keys).perform()

    def is_at(said):
        def shown():
            try:
                return said in browser.find_element("css selector", "body").text
            except WebDriverException:  # between two pages
                return False

        wait(shown)

    return press, is_at


def test_by_keyboard_alone(browser, address, decided):
    from selenium.webdriver.common.keys import Keys

    press, is_at = keyboard(browser)
    browser.get(address)
    is_at("1 of 3")
    press("a")
    is_at("2 of 3")
    press("k")
    is_at("3 of 3")
    press("u")
    is_at("2 of 3")
    assert set(decided()) == {"i3"}
    press("s")
    is_at("3 of 3")
    # In the field, letters are letters; Escape leaves it.
    press("e")
    press("ask", Keys.ESCAPE)
    press("u")
    is_at("2 of 3")
    press("s")
    is_at("3 of 3")
    press("e")
    press("hats|small", Keys.ENTER)
    is_at("That was the last one.")
    assert {key: one[2:] for key, one in decided().items()} == {
        "i3": ("accept", "hats|tall"),
        "i2": ("skip", ""),
        "i4": ("accept", "hats|small"),
    }
    assert browser.get_log("browser") == []
