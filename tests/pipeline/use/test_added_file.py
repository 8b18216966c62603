import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from pipeline.core.errors import InputError
from pipeline.model.new_class import Place
from pipeline.use.added_file import AddedClass, added_path, read_added, write_added


def added(path, pictures):
    generator = np.random.default_rng(pictures)
    return AddedClass(
        path,
        Place(*generator.random((2, 4), dtype=np.float32), pictures, 1),
        generator.random((pictures, 6), dtype=np.float32),
        ["Füße ohne Schuh"],
        "a" * 64,
        f"huse add-class '{path}'",
        {f"id-{number}": number / 4 for number in range(pictures)},
    )


def test_what_is_written_comes_back_in_order(tmp_path):
    path = tmp_path / "model_added.safetensors"
    classes = [added("shoes<barefoot", 0), added("bags", 3)]
    write_added(path, classes)
    found = read_added(path)
    for one, other in zip(found, classes, strict=True):
        for name in ("path", "texts", "digest", "again", "likely"):
            assert getattr(one, name) == getattr(other, name)
        assert one.place[2:] == other.place[2:]
        for array, wanted in zip(
            (*one.place[:2], one.picture_EI), (*other.place[:2], other.picture_EI), strict=True
        ):
            np.testing.assert_array_equal(array, wanted)
    first = path.read_bytes()
    write_added(path, classes)
    assert path.read_bytes() == first


def test_no_class_is_no_file(tmp_path):
    path = tmp_path / "model_added.safetensors"
    write_added(path, [added("bags", 1)])
    write_added(path, [])
    assert not path.exists()
    assert read_added(path) == []
    write_added(path, [])


def test_the_file_is_beside_the_models_folder(tmp_path, monkeypatch):
    assert added_path(Path("data/model")) == Path("data/model_added.safetensors")
    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path / "mine")
    assert added_path(Path()) == tmp_path / "mine_added.safetensors"


def test_a_damaged_file_is_one_line(tmp_path):
    path = tmp_path / "model_added.safetensors"
    write_added(path, [added("bags", 1)])
    content = path.read_bytes()
    for damage in (b"", content[:50], content[:-9]):
        path.write_bytes(damage)
        with pytest.raises(InputError, match=r"damaged \([^\n]*\); remove the file and add"):
            read_added(path)
    save_file({}, path, {"classes": json.dumps([{"path": "bags"}, "hats"])})
    with pytest.raises(InputError, match=r"damaged \(0.examples: missing\); remove the file and"):
        read_added(path)
