import os

import numpy as np
import pytest

from pipeline.core.errors import InputError
from pipeline.core.stored_recipes import remove_recipe, stored_recipes
from pipeline.core.vector_store import VectorStore

ROWS = np.ones((2, 3), np.float32)


@pytest.fixture(params=["here", "elsewhere"])
def home(request, tmp_path):
    return tmp_path / "store" if request.param == "here" else request.getfixturevalue("bucket")


def test_what_is_stored_is_told_and_can_be_removed(home, tmp_path):
    for name in ("first recipe", "second recipe"):
        store = VectorStore(home / name.split()[0], name, tmp_path / "copies")
        store.write([b"a", b"b"], ROWS)
        store.find(set())
    stored = {one.recipe: one for one in stored_recipes(home)}
    assert sorted(stored) == ["first recipe", "second recipe"]
    first = stored["first recipe"]
    assert first.vectors == (2 if home == tmp_path / "store" else None)
    assert first.size > ROWS.nbytes
    assert first.used > 1.7e9
    remove_recipe(first.place)
    assert [one.recipe for one in stored_recipes(home)] == ["second recipe"]


def test_the_recipe_used_last_is_first_and_a_file_is_listed_too(tmp_path):
    for number, name in enumerate(["old", "new"]):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.arrow").write_bytes(b"damaged")
        os.utime(tmp_path / name / "x.arrow", (number, number))
    (tmp_path / "words.safetensors").write_bytes(bytes(1000))
    stored = stored_recipes(tmp_path)
    assert [(one.recipe, one.vectors) for one in stored] == [
        ("words.safetensors", 0),
        ("new", 0),
        ("old", 0),
    ]
    remove_recipe(stored[0].place)
    assert len(stored_recipes(tmp_path)) == 2


def test_a_store_that_is_not_there_is_empty(tmp_path, bucket):
    assert stored_recipes(tmp_path / "nowhere") == stored_recipes(bucket / "nowhere") == []


def test_where_the_user_chose_the_folder_recipes_alone_are_listed(home, tmp_path):
    recipe, mixed = "a" * 32, "b" * 32
    for name in (recipe, mixed):
        VectorStore(home / name, "ours", tmp_path / "copies").write([b"a", b"b"], ROWS)
    mine = [
        *(home / mixed / "letter.doc", home / "photos" / "cat.jpg", home / "notes.txt"),
        *(home / "bert" / "model.safetensors", home / "net.onnx", home / "hf" / "train.arrow"),
    ]
    for place in mine:
        if home == tmp_path / "store":
            place.parent.mkdir(exist_ok=True)
        place.write_bytes(b"mine")
    listed = stored_recipes(home, shared=True)
    assert [str(one.place) for one in listed] == [str(home / recipe)]


def test_what_cannot_be_removed_is_told(tmp_path, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("shutil.rmtree", refuse)
    with pytest.raises(InputError, match=r"cannot be removed \(Permission denied\)"):
        remove_recipe(tmp_path)
