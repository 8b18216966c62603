from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from huse import Huse
from pipeline.use.added_classes import add_class

PICTURES = Path("data/raw/openmoji/images")


@pytest.fixture
def folder(shipped_project, tmp_path):
    return shipped_project.copy(tmp_path / "project").root / "data" / "model"


def test_a_text_that_is_as_an_example_is_near(folder):
    model = Huse.load(folder)
    strange = "zoning ordinance paragraph seventeen, amended by the county assessor"
    v = model.embed(None, [strange])
    assert model.near(v)[0].near is False
    add_class(model, "Documents", [v], "again")
    again = Huse.load(folder)
    (found,) = again.near(v)
    assert found.near
    assert found.distance == pytest.approx(0, abs=1e-5)
    (one,) = again.classify(again.embed(None, ["ordinance, section four"]))
    assert one.top[0].path == "Documents"
    assert one.state == "review"


def test_a_picture_that_is_as_an_example_is_near(folder):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    model = Huse.load(folder)
    v = model.embed([Image.fromarray(noise)])
    assert model.near(v)[0].near is False
    add_class(model, "Noise", [v], "again")
    (found,) = Huse.load(folder).near(v)
    assert found.near
    assert found.distance == pytest.approx(0, abs=1e-5)


def test_a_name_that_was_added_is_near(folder):
    model = Huse.load(folder)
    name = "zoning ordinance of the county assessor"
    assert model.near(model.embed(None, [name]))[0].near is False
    add_class(model, f"Documents<{name}", [], "again")
    again = Huse.load(folder)
    assert again.near(again.embed(None, [name]))[0].near


def test_what_is_as_an_item_that_was_added_to_the_index_is_near(shipped_project, tmp_path):
    project = shipped_project.copy(tmp_path / "project")
    folder = project.root / "data" / "model"
    strange = "zoning ordinance paragraph seventeen, amended by the county assessor"
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(project.root / "noise.png")
    asked = (None, [strange]), ([project.root / "noise.png"], None)
    model = Huse.load(folder)
    assert [model.near(model.embed(*one))[0].near for one in asked] == [False, False]
    (project.root / "new.csv").write_text(f'image,text\nnoise.png,"{strange}"\n', "utf-8")
    result = project.huse("index", "add", "new.csv")
    assert result.exit_code == 0, result.output
    again = Huse.load(folder)
    for one in asked:
        (found,) = again.near(again.embed(*one))
        assert found.near
        assert found.distance == pytest.approx(0, abs=1e-3)


@pytest.fixture(scope="module")
def shipped(shipped_project):
    return Huse.load(shipped_project.root / "data" / "model")


def test_texts_are_told_from_nonsense_by_the_shipped_encoders(shipped):
    texts = ["sad cat", "happy woman", "qwxzzyk blorf", "hydrochloric acid titration"]
    judged = shipped.near(shipped.embed(texts=texts))
    assert [one.near for one in judged] == [True, True, False, False]
    assert all(one.modality == "text" for one in judged)


def test_what_a_class_is_called_is_near_however_far_it_is_from_every_title(shipped):
    parts = sorted({p for entry in shipped.description.classes["classes"] for p in entry["parts"]})
    judged = shipped.near(shipped.embed(texts=[*parts, "qwxzzyk blorf"]))
    assert [one.near for one in judged] == [True] * len(parts) + [False]
    # Without the names some of them are far: a short word is unlike a title.
    references = shipped._surroundings._references["text"]
    features = shipped.embed(texts=parts).text_MF
    assert not all(one.near for one in references.judge(features, "text"))


def test_pictures_are_told_from_noise(shipped, shipped_project):
    noise = np.random.default_rng(0).integers(0, 256, (72, 72, 3), dtype=np.uint8)
    item = shipped.index.items["image"].iloc[0]
    pictures = [shipped_project.root / PICTURES / item, Image.fromarray(noise)]
    assert [one.near for one in shipped.near(shipped.embed(pictures))] == [True, False]


def test_an_item_with_both_parts_is_judged_by_both(shipped, shipped_project):
    item = shipped.index.items.iloc[0]
    own = shipped_project.root / PICTURES / item["image"]
    empty = Image.new("RGB", (72, 72), "white")
    pictures, texts = [own, empty, empty], [item["text"], item["text"], "qwxzzyk blorf"]
    judged = shipped.near(shipped.embed(pictures, texts))
    assert [one.near for one in judged] == [True, False, False]
    # An empty picture is not made up for by a title, and is what is told of.
    assert judged[1].modality == "image"


def test_what_is_said_of_a_text_does_not_depend_on_the_others(shipped):
    """Names of classes are asked about texts that are far, and about no others."""
    names = {part for entry in shipped.description.classes["classes"] for part in entry["parts"]}
    texts = sorted(names) + shipped.index.items["text"].tolist()
    texts = [text + " drawing" for text in texts]
    alone = [one for text in texts[::9] for one in shipped.near(shipped.embed(texts=[text]))]
    together = shipped.near(shipped.embed(texts=[*texts[::9], "qwxzzyk blorf"]))
    assert any(one.near for one in alone)
    for one, other in zip(alone, together, strict=False):
        assert one.near == other.near
        assert one.distance == pytest.approx(other.distance, abs=1e-3)


def test_a_catalogue_item_is_near_itself_whatever_its_split(shipped):
    items = shipped.index.items
    assert {"val", "test"} <= set(items["split"])
    judged = shipped.near(shipped.embed(texts=items["text"].tolist()))
    assert max(one.distance for one in judged) < 1e-3


def test_without_an_index_nobody_can_tell(shipped_project, tmp_path):
    model = Huse.load(shipped_project.root / "data" / "model", index=tmp_path)
    (found,) = model.near(model.embed(texts=["sad cat"]))
    assert found == (None, None, None, None, "text")
