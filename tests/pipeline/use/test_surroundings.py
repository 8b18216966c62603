import numpy as np
import pytest
from PIL import Image

from huse import Huse
from pipeline.use.added_classes import add_class


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
