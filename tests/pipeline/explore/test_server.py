import re
import shutil
from html import unescape
from urllib.parse import parse_qs, urlsplit

import fastapi
import pandas as pd
import pytest
from PIL import Image

from huse import Huse
from pipeline.explore import server
from pipeline.explore.explorer import Explorer
from pipeline.explore.server import make_app
from pipeline.use.added_classes import add_class
from pipeline.web.pictures import picture_name
from tests.pipeline.explore.conftest import stored
from tests.pipeline.explore.test_upload import picture

ATTACK = "<script>alert(1)</script>\"'{{alert(2)}}"


@pytest.fixture(scope="module")
def page(huse, picture_folder, visit):
    return visit(picture_folder, huse)


@pytest.fixture(scope="module")
def both(huse, other, picture_folder, visit):
    """The page of two models."""
    return visit(picture_folder, huse, other)


def shown(html):
    """Ids of the items that are shown, by what leads to more like them."""
    links = re.findall(r'class="more" href="([^"]*)"', html)
    return [parse_qs(urlsplit(unescape(link)).query)["like"][0] for link in links]


def send(page, data, query="", target="./"):
    return page.post(
        "/upload",
        data={"query": query, "page": target},
        files={"file": ("x.png", data, "image/png")},
        follow_redirects=False,
    )


def picture_of(model, row):
    return f"/picture/{picture_name(row, model.index.items['image'].iloc[row])}"


def test_a_picture_of_the_catalogue_is_served_small(page, huse):
    answer = page.get(picture_of(huse, 3))
    assert answer.headers["content-type"] == "image/jpeg"


def test_a_picture_of_an_item_that_was_removed_is_not_served(huse, project, visit):
    (project.root / "gone.txt").write_text(f"{huse.index.items['item_id'].iloc[3]}\n")
    result = project.huse("index", "remove", "gone.txt")
    assert result.exit_code == 0, result.output
    there = visit(project.root / "data/raw/openmoji/images", Huse.load(project.root / "data/model"))
    assert there.get(picture_of(huse, 3)).status_code == 404
    assert there.get(picture_of(huse, 4)).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        *("picture/-1", "picture/1000000", "picture/..%2f..%2fparams.yaml", "upload/ab12"),
        *("upload/..%2f..%2fparams.yaml", "files/..%2fserver.py", "files/explore.html"),
        *("compare", "review/", "docs", "openapi.json", "static/../../../etc/passwd"),
    ],
)
def test_nothing_but_the_page_and_pictures_is_served(page, path):
    answer = page.get(f"/{path}")
    assert answer.status_code in (400, 404, 405, 422)
    assert "root:" not in answer.text
    assert "catalog:" not in answer.text


@pytest.mark.parametrize("path", ["", "picture", "map", "points", "classes", "files/explore.js"])
def test_only_requests_for_this_machine_are_answered(page, huse, path):
    path = picture_of(huse, 3)[1:] if path == "picture" else path
    for host in ("127.0.0.1", "127.0.0.1:7860", "localhost:7860", "[::1]:7860"):
        assert page.get(f"/{path}", headers={"Host": host}).status_code == 200, host
    for host in ("rebound.example", "rebound.example:7860", "127.0.0.1.rebound.example"):
        assert page.get(f"/{path}", headers={"Host": host}).status_code == 400, host


def test_pictures_may_be_on_another_filesystem(huse, picture_folder, bucket, visit):
    name = huse.index.items["image"].iloc[3]
    (bucket / name).write_bytes((picture_folder / name).read_bytes())
    here, there = (visit(folder, huse) for folder in (picture_folder, bucket))
    address = picture_of(huse, 3)
    assert there.get(address).content == here.get(address).content


def test_an_address_is_a_query(page, huse):
    text = huse.index.items["text"].iloc[5]
    wanted = huse.search(huse.embed(texts=[text]), k=7)[0]
    answer = page.get("/", params={"q": text, "k": "7"})
    assert shown(answer.text) == [hit.item_id for hit in wanted]
    assert f'value="{text}"' in unescape(answer.text)
    (link,) = re.findall(r'data-link="([^"]*)"', answer.text)
    assert shown(page.get("/" + unescape(link).removeprefix("./")).text) == shown(answer.text)


def test_every_result_leads_to_more_like_it_and_to_its_class(page, huse):
    html = page.get("/", params={"q": "heart", "k": "3", "where": "'a' in text"}).text
    first = huse.index.items.set_index("item_id").loc[shown(html)[0]]
    (more, *_) = re.findall(r'class="more" href="([^"]*)"', html)
    asked = parse_qs(urlsplit(unescape(more)).query)
    assert asked == {"like": [first.name], "k": ["3"], "where": ["'a' in text"]}
    said = page.get("/", params=asked).text
    assert f"More like \u201c{first['text']}\u201d" in unescape(said)
    top = first["class_path"].split("<")[0]
    links = [unescape(link) for link in re.findall(r'href="(\./\?[^"]*)"', html)]
    assert any(
        parse_qs(urlsplit(link).query).get("class") == [top] and "q=heart" in link for link in links
    )


def test_a_mistake_is_told_where_it_was_made_and_the_query_is_kept(page):
    html = page.get("/", params={"q": "heart", "where": "prise < 3"}).text
    assert "where: no column &#39;prise&#39;" in html
    assert 'value="prise &lt; 3"' in html
    assert 'aria-invalid="true" aria-describedby="where-error"' in html
    assert 'value="heart"' in html
    assert shown(html) == []


def test_what_was_chosen_can_be_taken_away_one_by_one(kept_explorer, picture_folder, visit):
    page = visit(picture_folder, kept_explorer.model)
    asked = {"q": "heart", "is.brand": ["Nike", "Puma & Co"], "to.price": "60", "where": "sale"}
    html = page.get("/", params=asked).text
    (chips,) = re.findall(r'<ul class="chips".*?</ul>', html, re.S)
    links = [
        parse_qs(urlsplit(unescape(link)).query) for link in re.findall(r'href="([^"]*)"', chips)
    ]
    assert len(links) == 4
    whole = {"q": ["heart"], "is.brand": ["Nike", "Puma & Co"], "to.price": ["60"]}
    assert whole in links
    assert {**whole, "where": ["sale"], "is.brand": ["Nike"]} in links
    where = "where (sale) and price <= 60 and brand in ['Nike', 'Puma & Co']"
    assert where.removeprefix("where ") in unescape(html)
    assert html.count("checked") == 3, "two brands, and the keys in the help"


def test_all_text_is_escaped_and_nothing_comes_from_elsewhere(page):
    asked = {name: ATTACK for name in ("q", "class", "where", "like", "is.x", "from.y", "picture")}
    for path in ("/", "/map"):
        answer = page.get(path, params=asked)
        assert answer.text.count("<script") == answer.text.count('<script src="files/')
        assert "://" not in answer.text
        assert "style=" not in answer.text
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'self'; img-src 'self' data:;")
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.fixture(scope="module")
def hostile(kept_project, tmp_path_factory):
    """A model whose catalogue was written by somebody who means ill."""
    folder = tmp_path_factory.mktemp("hostile") / "index"
    shutil.copytree(kept_project.root / "data" / "index", folder)
    for name, columns in (("items", ["text", "class_path"]), ("attributes", ["brand"])):
        table = pd.read_parquet(folder / f"{name}.parquet")
        for column in columns:
            # The separator of class paths takes tags apart, so that they begin with quotes.
            table[column] = [f"'\"{ATTACK}{number % 3}" + "x" * 300 for number in range(len(table))]
        table.to_parquet(folder / f"{name}.parquet")
    return Huse.load(kept_project.root / "data" / "model", folder)


@pytest.mark.parametrize("path", ["/", "/?q=heart", "/map", "/compare?q=heart"])
def test_all_text_of_the_catalogue_is_escaped(hostile, picture_folder, visit, path):
    html = visit(picture_folder, hostile, hostile).get(path).text
    assert html.count("<script") == html.count('<script src="files/') > 0
    assert "'\"" in unescape(html)
    assert "'\"" not in html


def test_a_picture_is_asked_with_by_a_link(page, huse, picture_folder):
    item = huse.index.items.iloc[8]
    data = (picture_folder / item["image"]).read_bytes()
    answer = send(page, data, "q=heart&k=5&like=x")
    assert answer.status_code == 303
    target = answer.headers["location"]
    assert parse_qs(urlsplit(target).query).keys() == {"q", "k", "picture"}
    html = page.get("/" + target.removeprefix("./")).text
    wanted = huse.search(huse.embed([picture_folder / item["image"]], ["heart"]), k=5)[0]
    assert shown(html) == [hit.item_id for hit in wanted]
    (own,) = re.findall(r'src="(upload/[^"]*)"', html)
    assert page.get(f"/{own}").headers["content-type"] == "image/jpeg"
    html = page.get("/", params={"picture": "0" * 32, "where": "'a' in text"}).text
    assert "no longer kept here: choose it again" in html
    assert "'a' in text" in unescape(html)


def test_an_upload_that_cannot_be_used_is_told_and_the_query_is_kept(page, monkeypatch):
    for data, said in (
        (b"\x89PNG\r\n\x1a\nbroken", "not a picture that can be read"),
        (b"", "not a picture that can be read"),
    ):
        answer = send(page, data, "q=heart")
        assert answer.status_code == 400
        assert said in answer.text
        assert 'value="heart"' in answer.text
    Image.new("1", (10_000, 5_000)).save(buffer := server.BytesIO(), format="PNG")
    assert "50 megapixels; 40 are the limit" in send(page, buffer.getvalue()).text
    monkeypatch.setattr(server, "AROUND", -server.MOST_BYTES)
    assert "larger than 20 MB" in send(page, picture()).text


@pytest.mark.parametrize("target", ["https://shop.example/", "//shop.example", "compare", "map"])
def test_an_upload_leads_to_a_page_that_is_there(page, target):
    answer = send(page, picture(), target=target)
    assert answer.headers["location"].startswith("./?picture=")


@pytest.mark.parametrize("origin", ["http://shop.example", "null", ""])
def test_a_foreign_page_uploads_nothing(page, origin):
    answer = page.post("/upload", headers={"Origin": origin}, files={"file": picture()})
    assert answer.status_code == 403
    assert page.get("/upload").status_code in (404, 405)


def test_an_upload_that_does_not_say_how_long_it_is_is_not_read(page):
    answer = page.post("/upload", content=iter([b"x"]))
    assert answer.status_code == 411


def test_two_models_answer_side_by_side(both, huse, other):
    text = "grinning face"  # an item of both
    html = both.get("/compare", params={"q": text, "k": "6"}).text
    wanted = [
        [hit.item_id for hit in model.search(model.embed(texts=[text]), 6)[0]]
        for model in (huse, other)
    ]
    assert shown(html) == [*wanted[0], *wanted[1]]
    common = set(wanted[0]) & set(wanted[1])
    assert common
    assert f"{len(common)} of 6 items are in both lists ({len(common) / 6:.0%})" in html
    assert html.count("in both, ") == 2 * len(common)
    assert html.count("in this list alone") == 12 - 2 * len(common)
    for name in ("model 1", "model 2"):
        assert f"<h2>{name}</h2>" in html
    names = re.findall(r'src="picture/([^"]*)"', html)
    for place, name in enumerate(names):
        images = (huse, other)[place // 6].index.images
        row = int(name.partition("-")[0])
        assert name == picture_name(row, images[row])
        assert both.get(f"/picture/{name}").status_code == 200
    assert "compare?q=heart" in both.get("/", params={"q": "heart"}).text


def test_two_models_are_asked_for_something(both, other):
    assert shown(both.get("/compare").text) == []
    assert "both models are asked" in both.get("/compare").text
    only_there = other.index.items["item_id"].iloc[-1]
    html = both.get("/compare", params={"like": only_there}).text
    assert f"There is no item {only_there} in this catalogue." in html
    answer = send(both, picture(), target="compare")
    assert answer.headers["location"].startswith("compare?picture=")
    html = both.get("/" + answer.headers["location"]).text
    assert len(shown(html)) == 48


def test_the_map_is_there_in_words_too(page, huse):
    html = page.get("/map").text
    tops = {path.split("<")[0] for path in huse.index.items["class_path"]}
    for top in tops:
        assert f">{top}</a></th>" in unescape(html)
    found = page.get("/points").json()
    assert set(found["classes"]) == tops
    assert len(found["points"]) == len(huse.index)
    assert set(huse.index.items["class_path"]) <= set(page.get("/classes").json())


def test_findings_to_decide_are_linked_while_there_are_any(huse, picture_folder, visit):
    left = 3
    page = visit(picture_folder, huse, findings=lambda: left)
    assert '<a href="review/">Review (3)</a>' in page.get("/").text
    assert "Review (3)" in page.get("/map").text
    left = 0
    assert "review/" not in page.get("/").text


def test_a_server_for_the_network_answers_by_any_name(huse, picture_folder):
    from fastapi.testclient import TestClient

    app = make_app(stored(huse), picture_folder, "0.0.0.0")
    assert isinstance(app, fastapi.FastAPI)
    assert TestClient(app, base_url="http://shop.example").get("/").status_code == 200
    assert Explorer(huse).facets == []


def test_what_is_predicted_is_told_apart_from_what_is_filed(project, picture_folder, visit):
    folder = project.root / "data" / "model"
    model = Huse.load(folder)
    path = "gadgets<red heart"
    embeddings = project.root / "data" / "evaluate" / "embeddings.parquet"
    text = model.index.items["text"].iloc[3]
    added = add_class(model, path, [model.embed(None, [text])], "again", embeddings)
    page = visit(picture_folder, Huse.load(folder))
    assert path in page.get("/classes").json()
    html = page.get("/").text
    assert re.search(r">gadgets</a> <span class=\"note\">\d+, all predicted</span>", html)
    html = page.get("/", params={"class": path}).text
    assert set(shown(html)) == set(added.likely)
    assert html.count("predicted, not filed: <a href=") == len(added.likely)
    assert ">gadgets \u203a red heart</a>" in unescape(html)
