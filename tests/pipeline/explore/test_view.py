"""The page in a browser: what is seen, heard and pressed."""

import pytest
from PIL import Image

from pipeline.explore import view
from pipeline.explore.explorer import Answer
from pipeline.explore.query import Query
from pipeline.explore.server import make_app
from pipeline.explore.side import Side
from pipeline.explore.view import COMPARE, SEARCH, make_view
from pipeline.index.hit import Hit
from pipeline.web.pictures import Pictures
from tests.local_page import asked_elsewhere, barriers, emulate, find, heard, served, wait
from tests.pipeline.explore.conftest import stored


@pytest.fixture(scope="module")
def address(huse, other, picture_folder):
    """The page of two models, served from a thread."""
    app = make_app(stored(huse, other), picture_folder, "127.0.0.1", lambda: 2)
    with served(app) as address:
        yield address


@pytest.fixture
def page(address, browser):
    """The page, freshly opened on a desktop."""
    emulate(browser)
    browser.get(address)
    browser.get_log("browser")
    asked_elsewhere(browser)
    return browser


def press(browser, *keys):
    from selenium.webdriver.common.action_chains import ActionChains

    ActionChains(browser).send_keys(*keys).perform()


def said(browser):
    return wait(lambda: browser.execute_script("return document.getElementById('said').innerText"))


def search(browser, text):
    from selenium.webdriver.common.keys import Keys

    (box,) = find(browser, "#text")
    box.clear()
    box.send_keys(text, Keys.ENTER)
    wait(lambda: text in said(browser))


def loaded(browser):
    """How many pictures are shown."""
    return sum(int(one.get_property("naturalWidth")) > 0 for one in find(browser, ".item img"))


def focused(browser):
    return browser.execute_script("return document.activeElement.getAttribute('href')")


def test_type_then_more_like_this(page, huse):
    from selenium.webdriver.common.action_chains import ActionChains

    text = huse.index.items["text"].iloc[5]
    search(page, text)
    assert page.current_url.endswith(f"?q={text.replace(' ', '+')}")
    wait(lambda: loaded(page) > 4)
    card = find(page, ".item")[2]
    title = card.find_element("css selector", "h3").text
    ActionChains(page).move_to_element(card.find_element("css selector", "img")).click().perform()
    wait(lambda: f"More like \u201c{title}\u201d" in said(page))
    assert "like=" in page.current_url
    assert page.title.startswith(f"More like \u201c{title}\u201d")
    assert asked_elsewhere(page) == []
    assert page.get_log("browser") == []


def test_by_keyboard_alone(page):
    from selenium.webdriver.common.keys import Keys

    press(page, "/")
    press(page, "heart / j k ?", Keys.ENTER)
    wait(lambda: "heart / j k ?" in said(page))
    links = [one.get_dom_attribute("href") for one in find(page, ".more")]
    press(page, "j")
    assert focused(page) == links[0]
    press(page, "j", Keys.ARROW_RIGHT)
    assert focused(page) == links[2]
    press(page, "k", Keys.ARROW_LEFT, Keys.ARROW_LEFT)
    assert focused(page) == links[0]
    press(page, Keys.ARROW_DOWN)
    (row,) = {links.index(focused(page))}
    assert row > 1
    press(page, Keys.ARROW_UP)
    assert focused(page) == links[0]
    press(page, "?")
    assert find(page, "#help")[0].is_displayed()
    press(page, Keys.ESCAPE)
    assert not find(page, "#help")[0].is_displayed()
    press(page, Keys.ENTER)
    wait(lambda: "More like" in said(page))


def test_keys_of_a_single_letter_can_be_switched_off(page):
    from selenium.webdriver.common.keys import Keys

    find(page, "#help-button")[0].click()
    find(page, "#keys")[0].click()
    page.refresh()
    press(page, "j", "/", "?")
    assert focused(page) is None
    assert not find(page, "#help")[0].is_displayed()
    find(page, "#help-button")[0].click()
    find(page, "#keys")[0].click()
    press(page, Keys.ESCAPE)
    press(page, "j")
    assert focused(page)


def test_the_first_key_skips_to_the_content(page):
    from selenium.webdriver.common.keys import Keys

    press(page, Keys.TAB)
    assert focused(page) == "#main"
    press(page, Keys.ENTER)
    assert page.execute_script("return document.activeElement.id") == "main"


def test_a_picture_is_chosen_dropped_and_pasted(page, huse, picture_folder):
    item = huse.index.items.iloc[8]
    file = picture_folder / item["image"]
    find(page, "#file")[0].send_keys(str(file))
    wait(lambda: "your picture" in said(page))
    assert find(page, ".item h3")[0].text == item["text"]
    for event in ("drop", "paste"):
        page.execute_script(
            """
            const [kind, done] = arguments;
            const data = new DataTransfer();
            const bytes = Uint8Array.from(atob(done), (one) => one.charCodeAt(0));
            data.items.add(new File([bytes], "x.png", { type: "image/png" }));
            document.getElementById("text").value = kind;
            document.body.dispatchEvent(kind === "drop"
              ? new DragEvent("drop", { dataTransfer: data, bubbles: true })
              : new ClipboardEvent("paste", { clipboardData: data, bubbles: true }));
            """,
            event,
            encoded(file),
        )
        wait(lambda event=event: f"\u201c{event}\u201d and your picture" in said(page))
    find(page, ".chips a")[0].click()
    wait(lambda: "your picture" not in said(page))


def encoded(file):
    from base64 import b64encode

    return b64encode(file.read_bytes()).decode()


def test_a_broken_upload_says_so(page, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    find(page, "#file")[0].send_keys(str(tmp_path / "broken.png"))
    wait(lambda: "not a picture that can be read" in said(page))
    Image.new("1", (10_000, 5_000)).save(tmp_path / "large.png")
    find(page, "#file")[0].send_keys(str(tmp_path / "large.png"))
    wait(lambda: "50 megapixels; 40 are the limit" in said(page))


def test_nothing_that_is_typed_runs(page):
    from selenium.common.exceptions import NoAlertPresentException

    search(page, "<img src=x onerror=alert(1)>${alert(2)}{{alert(3)}}")
    with pytest.raises(NoAlertPresentException):
        _ = page.switch_to.alert


def test_a_class_can_be_typed_and_followed(page, huse):
    from selenium.webdriver.common.keys import Keys

    node = huse.index.items["class_path"].iloc[0]
    (box,) = find(page, "#class")
    box.click()
    wait(lambda: len(find(page, "#classes option")) > 3)
    box.send_keys(node, Keys.ENTER)
    wait(lambda: "All that match" in said(page))
    shown = {one.text for one in find(page, ".item .path")}
    assert len(shown) == 1
    assert "class: " in find(page, ".chips a")[0].text


def test_a_link_is_copied(page, address):
    from selenium.webdriver.common.keys import Keys

    permissions = {"permissions": ["clipboardSanitizedWrite"], "origin": address}
    page.execute_cdp_cmd("Browser.grantPermissions", permissions)
    search(page, "heart")
    find(page, "#copy")[0].click()
    wait(lambda: find(page, "#copied")[0].text == "Copied.")
    (box,) = find(page, "#text")
    box.clear()
    box.send_keys(Keys.CONTROL, "v")
    assert box.get_property("value") == f"{address}/?q=heart"


def expression(browser):
    """What was chosen, as the page says it."""
    return " ".join(one.text for one in find(browser, "code"))


def test_facets_can_be_ticked(browser, kept_explorer, picture_folder, monkeypatch):
    monkeypatch.setattr(view, "FEW", 1)  # so that other values can be typed
    app = make_app(stored(kept_explorer.model), picture_folder, "127.0.0.1")
    with served(app) as address:
        emulate(browser)
        browser.get(f"{address}/?q=heart")
        find(browser, "input[name='is.brand'][value='Nike']")[0].click()
        find(browser, "input[name='to.price']")[0].send_keys("60")
        find(browser, "#filters .go")[0].click()
        wait(lambda: "price <= 60 and brand == 'Nike'" in expression(browser) and said(browser))
        brands = {one.text for one in find(browser, ".item dd")} & {"Nike", "Puma & Co"}
        assert brands == {"Nike"}
        assert barriers(browser) == {}
        find(browser, "input[list][name='is.brand']")[0].send_keys("Puma & Co")
        find(browser, "#filters .go")[0].click()
        wait(lambda: "price <= 60 and brand in ['Nike', 'Puma & Co']" in expression(browser))


def test_the_map_shows_a_point_and_opens_it(page, address):
    from selenium.webdriver.common.action_chains import ActionChains

    page.get(f"{address}/map")
    (canvas,) = wait(lambda: [one for one in find(page, "#space") if one.is_displayed()])
    wait(lambda: find(page, "#legend button"))
    point = page.execute_async_script(
        "fetch('points').then((one) => one.json()).then((one) => arguments[0](one.points[0]))"
    )
    size = canvas.size
    across = (point[0] - 0.5) * (size["width"] - 28)
    up = (0.5 - point[1]) * (size["height"] - 28)
    at = ActionChains(page).move_to_element_with_offset(canvas, round(across), round(up))
    at.perform()
    title = wait(lambda: find(page, "#hover a"))[0].text
    at.click().perform()
    wait(lambda: f"More like \u201c{title}\u201d" in said(page))
    assert page.get_log("browser") == []


def test_the_map_is_walked_by_keyboard(page, address):
    from selenium.webdriver.common.keys import Keys

    page.get(f"{address}/map")
    wait(lambda: find(page, "#legend button"))
    titles = []
    for key in (Keys.ARROW_RIGHT, Keys.ARROW_UP):
        find(page, "#space")[0].send_keys(key)
        titles.append(find(page, "#hover a")[0].text)
    assert titles[0] != titles[1]
    find(page, "#space")[0].send_keys(Keys.ENTER)
    wait(lambda: f"More like \u201c{titles[1]}\u201d" in said(page))


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1280, "light")])
@pytest.mark.parametrize(
    "path",
    [
        *("/", "/?q=heart&class=Nowhere", "/?q=xyzzyx&where='a'+in+text", "/compare?q=heart"),
        *("/?where=oops", "/map"),
    ],
)
def test_nothing_keeps_people_out(address, browser, path, width, scheme):
    emulate(browser, width=width, scheme=scheme)
    browser.get(address + path)
    # The page stands.
    wait(lambda: find(browser, "#legend button, #said:not(:empty)"))
    assert barriers(browser) == {}
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width


def test_a_screen_reader_is_told_what_is_where(page, huse):
    text = huse.index.items["text"].iloc[5]
    search(page, text)
    told = heard(page)
    for landmark in ("banner", "navigation", "main", "search", "complementary", "status"):
        assert landmark in [role for role, _ in told], landmark
    for named in (("searchbox", "Text"), ("button", "Search"), ("heading", text)):
        assert named in told
    assert ("image", f"Picture of {text}") in told
    assert ("link", f"More like this {text}") in told
    assert any(role == "heading" and "24 of" in name for role, name in told)
    assert all(name for role, name in told if role in ("link", "button", "textbox", "image"))


def test_text_search_works_without_scripts(page, address):
    page.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        page.get(address)
        find(page, "#text")[0].send_keys("heart")
        find(page, "#go")[0].click()
        wait(lambda: "heart" in page.title)
        assert len(find(page, ".item")) == 24
    finally:
        page.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_lists_are_marked_by_each_others_ranks(explorer, picture_folder):
    one, two, three = (Hit(n, f"i{n}", "", "", "bags", 0.1) for n in range(3))
    sides = [Side(n, explorer, Pictures(picture_folder, [], side=8, background="")) for n in "ab"]
    answers = [Answer("Nearest", [one, two]), Answer("Nearest", [three, one])]
    made = make_view(Query("x"), COMPARE, sides, answers)
    assert made["said"] == "Nearest: 1 of 2 items are in both lists (50%)"
    (_, _, there), (_, _, here) = made["lists"]
    assert (there.get("i0"), there.get("i1"), here.get("i0")) == (2, None, 1)
    failed = make_view(Query("x"), COMPARE, sides, [answers[0], Answer("x", error="no")])
    assert failed["said"] == "There are not two lists to compare."
    alone = make_view(Query("x"), SEARCH, sides[:1], [Answer("x", error="no")])
    assert (alone["said"], alone["has_failed"]) == ("no", True)
