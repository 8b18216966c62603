import re
from html import unescape

import pytest

from huse import Huse
from pipeline.explore import explorer as module
from pipeline.explore.explorer import EVERYTHING, START, Explorer


def rows(html):
    return [int(row) for row in re.findall(r'data-row="(\d+)"', html)]


@pytest.fixture
def item(huse):
    return huse.index.items.iloc[3]


def test_a_text_a_picture_and_both_find_what_the_library_finds(
    huse, explorer, picture_folder, item
):
    picture = picture_folder / item["image"]
    for text, dropped in ((item["text"], None), (None, picture), (item["text"], picture)):
        wanted = huse.search(huse.embed([dropped], [text]), k=5)[0]
        html = explorer.search(text, dropped and str(dropped), EVERYTHING, 5)
        assert rows(html) == [hit.row for hit in wanted]
    assert "and your picture" in html


def test_a_class_narrows_the_results(huse, explorer, item):
    top = item["class_path"].split("<")[0]
    html = explorer.search(item["text"], None, top, 8)
    assert rows(html)
    paths = huse.index.items["class_path"]
    assert all(paths.iloc[row].split("<")[0] == top for row in rows(html))


def test_what_is_chosen_narrows_the_results_as_its_expression_does(kept_explorer):
    names = [facet.name for facet in kept_explorer.facets]
    assert names == ["price", "brand", "sale", "first seen"]
    # Price up to 60, the first brand of the list.
    chosen = ["", "60", [0], [], "", ""]
    html = kept_explorer.search("heart", None, EVERYTHING, 5, "", *chosen)
    where = "price <= 60 and brand == 'Nike'"
    assert f", where {where}" in unescape(html)
    model = kept_explorer.model
    wanted = model.search(model.embed(texts=["heart"]), 5, where=where)[0]
    assert rows(html) == [hit.row for hit in wanted]
    assert rows(kept_explorer.search("heart", None, EVERYTHING, 5, where, *[None] * 6)) == rows(
        html
    )
    html = kept_explorer.more_like(3, EVERYTHING, 5, "", *chosen)
    assert rows(html) == [hit.row for hit in model.index.similar(3, 5, where=where)]


def test_mistakes_in_an_expression_are_told(kept_explorer):
    for ask in (
        lambda where: kept_explorer.search("heart", None, EVERYTHING, 5, where),
        lambda where: kept_explorer.more_like(3, EVERYTHING, 5, where),
    ):
        html = ask("prise < 3")
        assert "where: no column &#x27;prise&#x27;; did you mean price?" in html
        assert rows(html) == []
        assert "where: no item has price &gt; 1000" in ask("price > 1000")
    html = kept_explorer.search("heart", None, EVERYTHING, 5, "", "cheap")
    assert "price: &#x27;cheap&#x27; is no number" in html


def test_more_like_an_item_leaves_it_out(huse, explorer):
    found = rows(explorer.more_like(3, EVERYTHING, 5))
    assert found == [hit.row for hit in huse.index.similar(3, 5)]
    assert 3 not in found
    for row in (-1, 10**6):
        assert "no such item" in explorer.more_like(row, EVERYTHING, 5)


def test_questions_without_an_answer_are_told(explorer, tmp_path):
    assert START in explorer.search("  ", None, EVERYTHING, 5)
    broken = tmp_path / "private" / "x.png"
    broken.parent.mkdir()
    broken.write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    html = explorer.search(None, str(broken), EVERYTHING, 5)
    assert "not a picture that can be read" in html
    assert "private" not in html


def test_results_that_are_not_near_have_a_line_above_them(shipped_project, explorer):
    shown = Explorer(Huse.load(shipped_project.root / "data" / "model"))
    html = shown.search("qwxzzyk blorf", None, EVERYTHING, 5)
    assert "Nothing in the catalogue is near this text (feature distance" in html
    assert len(rows(html)) == 5
    assert "Nothing" not in shown.search("sad cat", None, EVERYTHING, 5)
    html = explorer.search("xyzzyx", None, EVERYTHING, 5)
    assert "near this text: no word of it is known." in html


def test_a_picture_that_breaks_off_is_told_without_its_place(explorer, picture_folder, tmp_path):
    whole = next(picture_folder.iterdir()).read_bytes()
    broken = tmp_path / "private.png"
    broken.write_bytes(whole[: len(whole) // 2])
    html = explorer.search(None, str(broken), EVERYTHING, 5)
    assert rows(html) == []
    assert "your picture: broken picture" in html
    assert str(tmp_path) not in html


def test_every_beginning_of_a_class_path_can_be_chosen(huse, explorer):
    first, *nodes = explorer.classes()
    assert first == EVERYTHING
    assert set(huse.index.items["class_path"]) <= set(nodes)
    for node in nodes:
        assert huse.index.within(node).any()


def test_the_map_has_every_item_or_a_fair_share(huse, explorer, monkeypatch):
    points = explorer.points()
    assert len(points) == len(huse.index)
    assert list(points.columns) == ["x", "y", "class", "text", "path"]
    assert points.notna().all().all()
    monkeypatch.setattr(module, "MOST_POINTS", 10)
    assert len(explorer.points()) == 10
