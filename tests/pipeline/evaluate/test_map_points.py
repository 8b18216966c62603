import base64
import io

import pytest
import torch
from PIL import Image

from pipeline.evaluate.map_points import COLUMNS, SIDE, map_points
from pipeline.evaluate.plane import fit_plane


@pytest.fixture
def shown(make_embedded, frame, numbered_pictures):
    label_N = torch.from_numpy(frame["label"].to_numpy().copy())
    test = {name: make_embedded(label_N, seed=n) for n, name in enumerate(("image", "text"))}
    points = torch.cat([one.embedding_ND for one in test.values()])
    plane = fit_plane(points, method="pca", seed=0)
    top_level = [path.split("<")[0] for path in frame["class_path"]]
    return map_points(
        test, frame, plane, top_level, images=numbered_pictures, background="#ffffff", seed=0
    )


def test_every_item_has_its_text_path_and_class(shown):
    assert shown["items"][4] == ["thing 4", "bags<small", 0]
    assert shown["items"][5] == ["thing 5", "hats", 1]
    # bags has eight items, hats four.
    assert shown["classes"] == ["bags", "hats"]


def test_images_and_texts_are_on_one_map(shown):
    assert set(shown["points"]) == {"image", "text"}
    for places in shown["points"].values():
        assert len(places) == 12
        assert all(0 <= value <= 1 for place in places for value in place)


def test_pictures_are_on_the_sheet_in_the_order_of_the_items(shown):
    sheet = Image.open(io.BytesIO(base64.b64decode(shown["sheet"])))
    assert sheet.size == (COLUMNS * SIDE, SIDE)
    red, green, _ = sheet.convert("RGB").getpixel((11 * SIDE + SIDE // 2, SIDE // 2))
    assert abs(red - 220) < 12
    assert abs(green - 90) < 12


def test_without_test_items_there_are_no_points(make_embedded, frame, numbered_pictures):
    nothing = torch.zeros(0, dtype=torch.int64)
    test = {"image": make_embedded(nothing)}
    plane = fit_plane(test["image"].embedding_ND, method="pca", seed=0)
    found = map_points(
        test, frame.iloc[:0], plane, [], images=numbered_pictures, background="#ffffff", seed=0
    )
    assert (found["items"], found["points"], found["classes"]) == ([], {}, [])


def test_an_item_without_a_picture_has_no_point_of_one(make_embedded, frame, numbered_pictures):
    label_N = torch.from_numpy(frame["label"].to_numpy().copy())
    test = {name: make_embedded(label_N, seed=n) for n, name in enumerate(("image", "text"))}
    plane = fit_plane(test["text"].embedding_ND, method="pca", seed=0)
    test["image"].embedding_ND[4] = torch.nan
    frame.loc[4, "image"] = ""
    found = map_points(
        test, frame, plane, ["a"] * 12, images=numbered_pictures, background="#ffffff", seed=0
    )
    assert [n for n, place in enumerate(found["points"]["image"]) if place is None] == [4]
    assert None not in found["points"]["text"]
    sheet = Image.open(io.BytesIO(base64.b64decode(found["sheet"]))).convert("RGB")
    assert min(sheet.getpixel((4 * SIDE + SIDE // 2, SIDE // 2))) > 250, "left white"
