import re
from html import unescape

import numpy as np
import pandas as pd
import pytest

from pipeline.evaluate.charts import draw_chart
from pipeline.evaluate.confusions import Confusion
from pipeline.evaluate.decisions import DecisionCharts
from pipeline.evaluate.gallery import Card, GalleryRow
from pipeline.evaluate.graph_plots import HeatMap, Neighbourhood
from pipeline.evaluate.report import Report, write_report

ATTACK = "<script>alert(1)</script><img src=x onerror=alert(2)>"
CLOSING = "</script><script>alert(3)</script>"
CARD = Card("3.png", ATTACK, f"bags<{ATTACK}", "fused", hit=True)
LONG = "word " * 1600


@pytest.fixture
def page(numbered_pictures, tmp_path):
    """A report in which every text of the catalogue tries to run as a script."""
    places = [[0.2, 0.2], [0.8, 0.2], [0.8, 0.8]]
    names = [ATTACK, CLOSING, "plain & simple"]
    report = Report(
        warnings=["only the text is evaluated"],
        counts={"items": "3 train, 0 val, 3 test", "classes": "2"},
        parameters={"loss.beta": "2.0", "classify.confidence": "0.9"},
        versions={"python": "3.11"},
        catalogue={"rows": "3", "classes.largest": ATTACK},
        metrics={
            "r_at_1": 0.5,
            "retrieval": {"image_to_text": {"r_at_1": 0.5, "map_at_r": 0.25}},
            "graph_correlation": {"image": 0.714361001317523},
            "intervals": {"retrieval": {"image_to_text": {"r_at_1": [0.4, 0.61]}}},
        },
        details={
            "test": {"items": 30, "queries": 3},
            "retrieval": {"text_to_text": {"queries": 2, "unanswerable_queries": 1}},
            "decisions": {
                "filing": {
                    "fused": {
                        "level_1": {
                            "threshold": 0.6125,
                            "validation": 0.97,
                            "share": 0.25,
                            "items": 12,
                            "precision": 0.917,
                        },
                        "level_2": {
                            "threshold": None,
                            "validation": None,
                            "share": 0.0,
                            "items": 0,
                            "precision": None,
                        },
                        "all": {"share": 0.25, "items": 12, "precision": 0.917},
                    }
                },
                "precision_at_coverage": {"fused": {"level_1": {"0.5": 1.0, "1.0": 0.8}}},
                "calibration_error": {"fused": {"level_1": 0.0321}},
                "rules": {"fused": {"least_cost": {"accuracy": 0.8, "tree_distance": 0.5}}},
            },
            "paper_rule": {"text_to_text": {"r_at_1": 0.125}},
            "baseline": {
                "fitted_items": 20,
                "train_items": 30,
                "fused": {
                    "model": 0.7,
                    "baseline": 0.75,
                    "difference": -0.05,
                    "interval": [-0.1, 0.01],
                },
            },
            "zero_shot": {
                "model": f"open_clip/{ATTACK}",
                "figures": {
                    "retrieval.image_to_text.r_at_5": {
                        "zero_shot": 0.325,
                        "model": 0.625,
                        "difference": 0.3,
                        "interval": [0.215, 0.385],
                    }
                },
            },
            "mistakes": {
                "text": {"wrong_items": 0, "ahd_at_1": 0.0, "intervals": {}},
                "fused": {
                    "wrong_items": 17,
                    "severity": 1.375,
                    "ahd_at_1": 0.625,
                    "intervals": {"severity": [1.125, 1.5], "ahd_at_1": [0.5, 0.75]},
                    "baseline": {"wrong_items": 18, "severity": 1.625, "intervals": {}},
                    "difference": {"severity": -0.25, "intervals": {"severity": [-0.5, 0.125]}},
                },
                "tree_height": 4,
            },
        },
        map={
            "items": [[name, f"bags<{name}", n // 2] for n, name in enumerate(names)],
            "classes": [ATTACK, CLOSING],
            "points": {"image": places, "text": [[y, x] for x, y in places]},
            "sheet": "",
            "side": 48,
            "columns": 40,
        },
        decisions=DecisionCharts(
            0.95,
            draw_chart({"level 1": np.array([[0.5, 1.0], [1.0, 0.8]])}, left=0.0),
            draw_chart({"level 1": np.array([[0.7, 0.6], [0.9, 0.95]])}),
        ),
        gallery=[
            GalleryRow("image_to_text", kind, CARD, [CARD, CARD._replace(hit=False, text=LONG)])
            for kind in ("random", "worst")
        ],
        confusions=[
            Confusion(ATTACK, CLOSING, 2, 0.5, [CARD]),
            Confusion(CLOSING, ATTACK, 1, 0.2, []),
        ],
        neighbours=[Neighbourhood(ATTACK, [(CLOSING, 0.25)])],
        heat_map=HeatMap([ATTACK], 0.5, ""),
        rejected={"rows": pd.DataFrame({"text": [ATTACK], "reason": ["empty class"]})},
    )
    path = tmp_path / "report.html"
    write_report(path, report, images=numbered_pictures, background="#ffffff", shown_rows=20)
    return path


def test_the_baseline_and_the_papers_rule_stand_beside_the_figures(page):
    html = page.read_text(encoding="utf-8")
    assert "fitted on 20 of 30 training items" in html
    assert "0.700" in html
    assert "0.750" in html
    assert "-0.050" in html
    assert "-0.100 to +0.010" in html
    assert "text to text 1 of 3." in html
    assert "0.125" in html


def test_what_a_pair_does_untrained_stands_beside_the_model(page):
    html = page.read_text(encoding="utf-8")
    assert 'href="#zero-shot"' in html
    row = html[html.index("image to text R@5") :]
    assert row.index("0.625") < row.index("0.325") < row.index("+0.215 to +0.385")


def test_how_bad_the_mistakes_are_stands_beside_the_baselines(page):
    html = page.read_text(encoding="utf-8")
    assert "How bad are the mistakes?" in html
    assert "1 is a sister class, 4 shares nothing" in html
    for text in ("AHD@1", "<td>17</td>", "1.375", "1.125&ndash;1.500", "1.625", "-0.250"):
        assert text in html
    assert "-0.500 to +0.125" in html


def set_width(browser, width):
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def test_texts_of_the_catalogue_are_escaped(page):
    html = page.read_text(encoding="utf-8")
    # The page's own two: the map's data and the program.
    assert len(re.findall(r"<script\b", html)) == 2
    assert "onerror=alert(2)>" not in html
    assert ATTACK in unescape(html)


def test_the_page_needs_nothing_from_elsewhere(page):
    html = page.read_text(encoding="utf-8")
    assert not re.findall(r'(?:src|href)="(?!data:|#)', html)
    assert "@import" not in html
    assert not re.findall(r"url\((?!data:)", html)


def test_figures_stand_beside_their_intervals(page):
    html = unescape(page.read_text(encoding="utf-8"))
    assert re.search(r"0\.500\s*<span class=\"interval\">0\.400\u20130\.610</span>", html)
    assert "mAP@R" in html
    assert "0.714<" in html
    assert "measured with 3 of the 30 test items as queries" in html
    assert "2 items, 50 % of the class" in html
    assert "1 item, 20 % of the class" in html
    assert "loss.beta" in html
    assert "empty class" in html
    assert "only the text is evaluated" in html


def test_a_long_text_is_cut_on_its_cards(page):
    html = page.read_text(encoding="utf-8")
    cards = re.findall(r"<b>((?:word )+.*?)</b>", html)
    assert len(cards) == 2
    assert all(card.endswith("...") and len(card) == 200 for card in cards)
    assert html.count("word") < 100


def test_nothing_of_the_catalogue_runs_in_a_browser(page, browser):
    from selenium.common.exceptions import NoAlertPresentException

    browser.get(page.as_uri())
    with pytest.raises(NoAlertPresentException):
        _ = browser.switch_to.alert
    assert ATTACK in browser.find_element("css selector", ".card b").text
    assert ATTACK in browser.find_element("id", "legend").text
    assert browser.get_log("browser") == []


def test_the_map_shows_a_point_under_the_pointer_and_by_keyboard(page, browser):
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    set_width(browser, 1200)
    browser.get(page.as_uri())
    canvas, hover = (browser.find_element("id", name) for name in ("space", "hover"))
    browser.execute_script("arguments[0].scrollIntoView()", canvas)
    # The first image is at (0.2, 0.2) of the square, counted from the lower left.
    inside = (canvas.size["width"] - 28, canvas.size["height"] - 28)
    offset = (round(-0.3 * inside[0]), round(0.3 * inside[1]))
    ActionChains(browser).move_to_element_with_offset(canvas, *offset).perform()
    assert ATTACK in hover.text
    canvas.send_keys(Keys.ARROW_RIGHT)
    assert CLOSING in hover.text
    canvas.send_keys(Keys.ARROW_UP)
    assert "plain & simple" in hover.text
    assert browser.get_log("browser") == []


def test_the_page_fits_a_phone_and_a_desktop(page, browser):
    for width in (360, 1400):
        set_width(browser, width)
        browser.get(page.as_uri())
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width


def test_a_class_can_be_singled_out_by_keyboard(page, browser):
    from selenium.webdriver.common.keys import Keys

    browser.get(page.as_uri())
    button = browser.find_element("css selector", "#legend button")
    assert button.get_attribute("aria-pressed") == "false"
    button.send_keys(Keys.ENTER)
    assert button.get_attribute("aria-pressed") == "true"
    canvas, hover = (browser.find_element("id", name) for name in ("space", "hover"))
    shown = set()
    for key in (Keys.ARROW_RIGHT, Keys.ARROW_UP, Keys.ARROW_LEFT, Keys.ARROW_DOWN) * 3:
        canvas.send_keys(key)
        shown.add(hover.text.splitlines()[1].rsplit(" (", 1)[0])
    assert shown == {f"bags<{ATTACK}", f"bags<{CLOSING}"}, "keys reach its points alone"


def test_colours_follow_the_system(page, browser):
    colours = []
    for scheme in ("light", "dark"):
        feature = {"name": "prefers-color-scheme", "value": scheme}
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
        browser.get(page.as_uri())
        script = "return getComputedStyle(document.body).backgroundColor"
        colours.append(browser.execute_script(script))
    assert colours == ["rgb(255, 255, 255)", "rgb(22, 24, 27)"]


def test_what_may_run_unattended_is_told_by_level(page):
    text = " ".join(unescape(re.sub(r"<[^>]*>", " ", page.read_text(encoding="utf-8"))).split())
    assert "fused level 1 0.613 12 0.250 0.970 0.917" in text
    assert "level 2 \u2013 0 0.000 \u2013 \u2013" in text
    assert "any level \u2013 12 0.250 \u2013 0.917" in text
    assert "with a probability of 0.9 the share" in text
    assert "least cost 0.800 0.500" in text
    # Half of all at 1, all at 0.8, on axes that begin at 0 and 0.8.
    assert 'points="100.0,0.0 200.0,200.0"' in page.read_text(encoding="utf-8")
