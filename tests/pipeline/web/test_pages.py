import pytest

pytest.importorskip("fastapi", reason="extra explore is not installed")

import fastapi
from fastapi.testclient import TestClient

from pipeline.web.pages import in_words, open_page, serve_files


def test_a_page_loads_its_own_files_and_those_of_all_pages_and_no_others():
    app = fastapi.FastAPI()
    serve_files(app, "pipeline.review")
    page = TestClient(app)
    for name, kind in (
        ("page.css", "text/css"),
        ("local.css", "text/css"),
        ("review.css", "text/css"),
        ("review.js", "text/javascript"),
    ):
        answer = page.get(f"/files/{name}")
        assert answer.headers["content-type"].startswith(kind)
        assert answer.content
    for name in ("review.html", "explore.js", "..%2fserver.py", "../server.py", "__init__.py"):
        assert page.get(f"/files/{name}").status_code == 404


def test_a_page_stands_on_the_base_and_escapes_what_it_is_filled_with():
    template = open_page("pipeline.review", "review.html", {"in_words": str})
    names = ("home", "finding", "place", "total", "said", "counts", "can_undo", "classes")
    values = dict.fromkeys((*names, "separator", "title_length", "most_characters"), "")
    html = template.render(
        **{**values, "counts": {"accept": 0, "keep": 0, "skip": 0}, "said": "<b>"}
    )
    assert 'href="#main"' in html
    assert '<link rel="stylesheet" href="files/review.css">' in html
    assert "&lt;b&gt;" in html


def test_a_class_path_is_written_for_people():
    assert in_words("bags|big", "|") == "bags \u203a big"
