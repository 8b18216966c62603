import pytest
from fastapi.testclient import TestClient

from pipeline.core.location import locate
from pipeline.review.steps import Steps, Written
from pipeline.review.steps_page import HOST, steps_app
from pipeline.web.pictures import Pictures

ADDRESS = f"http://{HOST}:7861"


@pytest.fixture
def shown():
    """Places that the page has asked for."""
    return []


@pytest.fixture
def steps():
    return Steps(1)


@pytest.fixture
def page(steps, shown, tmp_path):
    def values(place):
        shown.append(place)
        return {"home": None, "finding": None, "classes": [], "title_length": 80}

    folder = locate(str(tmp_path), "catalog.images")
    pictures = Pictures(folder, ["a.png"], side=48, background="#ffffff")
    app = steps_app(steps, "review.html", values, pictures, separator="<")
    return TestClient(app, base_url=ADDRESS, headers={"Origin": ADDRESS})


def test_a_page_is_of_the_place_that_is_shown_and_after_the_last_of_none(page, steps, shown):
    assert page.get("/").status_code == 200
    steps.step(0, "keep", lambda: Written(lambda: None))
    page.get("/")
    assert shown == [0, None]
    assert "Taken back." in page.post("/undo").text
    assert shown == [0, None, 0]


def test_another_page_cannot_take_back(page, steps):
    steps.step(0, "keep", lambda: Written(lambda: None))
    answer = page.post("/undo", headers={"Origin": "http://shop.example"})
    assert answer.status_code == 403
    assert steps.place == 1
