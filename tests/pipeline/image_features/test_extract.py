import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from pipeline.core.errors import InputError
from pipeline.core.table import read_metadata
from pipeline.image_features.extract import write_features
from pipeline.image_features.pool import pool
from tests.feature_tables import read_vectors


@pytest.fixture
def table(run, tmp_path):
    """Extract and write; returns ids, vectors and what was found."""

    def table(images, name="image.parquet", **options):
        found, files = run(images, **options)
        write_features(tmp_path / name, found, files, {"made": "here"})
        return *read_vectors(tmp_path / name, "vector"), found

    return table


def counts(found):
    return found.extracted, found.from_cache, found.duplicates, len(found.failures)


def test_features_keep_the_order_given(pictures, table, tmp_path):
    names = pictures(9)
    ids, vector_NI, found = table(names)
    assert ids == [f"item-{index}" for index in range(9)]
    assert vector_NI.shape == (9, 512)
    assert vector_NI.dtype == np.float32
    assert counts(found) == (9, 0, 0, 0)
    _, reversed_NI, found = table(names[::-1])
    assert counts(found) == (0, 9, 0, 0)
    assert np.array_equal(vector_NI, reversed_NI[::-1])
    assert all(np.abs(vector_NI[0] - vector_NI[row]).max() > 1e-3 for row in range(1, 9))
    assert read_metadata(tmp_path / "image.parquet") == {"made": "here"}


def test_only_what_is_new_is_extracted(pictures, table):
    first = pictures(6)
    _, before_NI, found = table(first)
    assert counts(found) == (6, 0, 0, 0)
    both = [*pictures(2, seed=1), *first]
    _, after_NI, found = table(both)
    assert counts(found) == (2, 6, 0, 0)
    assert np.array_equal(after_NI[2:], before_NI)
    # Removing and renaming extract nothing.
    (pictures.folder / first[0]).rename(pictures.folder / "renamed.jpg")
    _, vector_NI, found = table(["renamed.jpg", first[3]])
    assert counts(found) == (0, 2, 0, 0)
    assert np.array_equal(vector_NI, before_NI[[0, 3]])


def test_the_same_bytes_are_extracted_once(pictures, table):
    one, other = pictures(2)
    (pictures.folder / "copy.png").write_bytes((pictures.folder / one).read_bytes())
    _, vector_NI, found = table([one, other, "copy.png", one])
    assert counts(found) == (2, 0, 2, 0)
    assert np.array_equal(vector_NI[0], vector_NI[2])
    assert np.array_equal(vector_NI[0], vector_NI[3])


def test_pictures_that_cannot_be_used_are_listed_in_order(pictures, table):
    names = pictures(4)
    folder = pictures.folder
    (folder / "text.jpg").write_text("404")
    (folder / "empty.png").write_bytes(b"")
    (folder / "sub").mkdir()
    (folder / "cut.png").write_bytes((folder / names[0]).read_bytes()[:-100])
    Image.new("1", (2000, 1000)).save(folder / "bomb.png")
    (folder.parent / "secret.png").write_bytes((folder / names[0]).read_bytes())
    (folder / "link.png").symlink_to(folder.parent / "secret.png")
    bad = [
        ("gone.png", "image not found in the folder catalog.images"),
        ("text.jpg", "not a picture in a known format"),
        ("empty.png", "file is empty"),
        ("sub", "image is a folder, not a file"),
        ("cut.png", "broken picture ("),
        ("bomb.png", "too many pixels (2000000, image.max_pixels is 1000000)"),
        ("../secret.png", "image lies outside the folder catalog.images"),
        (str(folder.parent / "secret.png"), "image lies outside the folder catalog.images"),
        ("link.png", "image is a link that leads outside the folder catalog.images"),
        ("gone.png", "image not found in the folder catalog.images"),
    ]
    # One that can be used before each of the first eight.
    mixed = [
        name for good, (ill, _) in zip(names * 2, bad[:8], strict=True) for name in (good, ill)
    ]
    ids, vector_NI, found = table([*mixed, *(name for name, _ in bad[8:])])
    for failure, (_, reason) in zip(found.failures, bad, strict=True):
        assert failure.reason.startswith(reason)
    assert found.failures[0].item_id == "item-1"
    assert found.failures[0].image == str(folder / "gone.png")
    assert ids == [f"item-{index}" for index in range(0, 16, 2)]
    _, alone_NI, _ = table(names)
    assert np.array_equal(vector_NI[:4], alone_NI)


def test_a_limit_on_pixels_holds_for_vectors_of_earlier_runs_too(pictures, table):
    names = pictures(3)
    table(names)
    # 80 x 90, 81 x 90, 82 x 90 pixels.
    ids, _, found = table(names, max_pixels=7290)
    assert ids == ["item-0", "item-1"]
    (failure,) = found.failures
    assert failure.reason == "too many pixels (7380, image.max_pixels is 7290)"
    assert counts(found)[0] == 0


def test_views_follow_each_other_and_the_clean_one_stays(pictures, table, tmp_path):
    names = pictures(3)
    _, clean_NI, _ = table(names)
    ids, vector_NI, _ = table(names, views=3)
    assert ids == [f"item-{n // 3}" for n in range(9)]
    assert pq.read_table(tmp_path / "image.parquet")["view"].to_pylist() == [0, 1, 2] * 3
    assert np.array_equal(vector_NI[::3], clean_NI)
    assert len(np.unique(vector_NI, axis=0)) == 9
    # The same again with another number of workers and batches, from nothing.
    for path in (tmp_path / "store").iterdir():
        path.unlink()
    _, again_NI, _ = table(names, views=3, batch_size=8, workers=2)
    assert np.array_equal(vector_NI, again_NI)


def test_no_usable_picture_gives_an_empty_table(pictures, table):
    pictures(0)
    for images in ([], ["gone.png"]):
        ids, vector_NI, _ = table(images)
        assert ids == []
        assert vector_NI.shape == (0, 512)


def test_damaged_vectors_are_made_again(pictures, table, tmp_path):
    names = pictures(5)
    _, before_NI, _ = table(names)
    (shard,) = (tmp_path / "store").glob("*.arrow")
    data = bytearray(shard.read_bytes())
    data[len(data) // 2] ^= 1
    for damage in (bytes(data), bytes(data[:100]), b""):
        shard.write_bytes(damage)
        _, after_NI, found = table(names)
        assert counts(found) == (5, 0, 0, 0)
        assert np.array_equal(after_NI, before_NI)


def test_a_place_that_cannot_be_written_is_named_and_nothing_is_lost(
    pictures, run, table, tmp_path
):
    names = pictures(2)
    table(names)
    before = (tmp_path / "image.parquet").read_bytes()
    (tmp_path / "file").write_text("a file where a folder is needed")
    found, files = run(names)
    with pytest.raises(InputError, match=r"file/image\.parquet: cannot be written"):
        write_features(tmp_path / "file" / "image.parquet", found, files, {})
    assert (tmp_path / "image.parquet").read_bytes() == before


KILLED = """
import json, sys
from pathlib import Path
from pipeline.core.machine import MachineSettings
from pipeline.core.vector_store import VectorStore
from pipeline.image_features.extract import extract, write_features
from pipeline.image_features.make_recipe import RecipeFiles
from pipeline.image_features.picture_list import list_pictures
from pipeline.image_features.recipe import Recipe
from pipeline.image_features.settings import ImageSettings
from pipeline.pictures.digests import digest_pictures
from pipeline.pictures.folder import ImageFolder

root, graph, recipe, settings, machine, names = map(json.loads, sys.argv[1:])
root, recipe = Path(root), Recipe.from_metadata(recipe)
files = RecipeFiles(recipe, VectorStore(root / "store"), Path(graph))
folder = ImageFolder(root / "pictures")
digests = digest_pictures(names, folder, root / "digests")
digest_of = dict(digests.itertuples(index=False, name=None))
pictures = list_pictures([(name, name) for name in names], digest_of, folder)
found = extract(pictures, root / "pictures", files, ImageSettings.model_construct(**settings),
                MachineSettings.model_construct(**machine), "cpu")
write_features(root / "out.parquet", found, files, recipe.metadata())
print(found.extracted, found.from_cache)
"""


@pytest.mark.slow
def test_a_killed_run_goes_on_and_ends_with_the_same_bytes(
    pictures, small, settings, machine, tmp_path
):
    views, engine = {"views": 2, "augment": "crop_a"}, {"workers": 2}
    given = (
        *(str(tmp_path), str(small.onnx_file), small.recipe.metadata()),
        *(settings.model_dump() | views, machine.model_dump() | engine, pictures(260)),
    )
    command = [sys.executable, "-c", KILLED, *map(json.dumps, given)]

    def shards():
        return len(list((tmp_path / "store").glob("*.arrow")))

    def start():
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)

    for _ in range(2):
        process, before = start(), shards()
        while process.poll() is None and shards() < before + 2:
            time.sleep(0.002)
        assert process.poll() is None, "it was over before it could be killed"
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        assert not (tmp_path / "out.parquet").exists()
    process = start()
    extracted, from_cache = map(int, process.communicate()[0].split())
    assert process.returncode == 0
    assert extracted + from_cache == 260
    assert from_cache >= 4
    resumed = (tmp_path / "out.parquet").read_bytes()
    for path in (tmp_path / "store").iterdir():
        path.unlink()
    process = start()
    assert process.communicate()[0].split() == ["260", "0"]
    assert (tmp_path / "out.parquet").read_bytes() == resumed


def with_items(found, ids):
    """What was extracted, as pictures of these items."""
    usable = [
        (picture._replace(item_id=item_id), rows)
        for (picture, rows), item_id in zip(found.usable, ids, strict=True)
    ]
    return replace(found, usable=usable)


def test_of_several_pictures_the_first_view_is_pooled_and_all_views_follow(pictures, run, tmp_path):
    found, files = run(pictures(4), views=2)
    path = tmp_path / "image.parquet"
    assert write_features(path, found, files, {}) == 0
    alone_NI = read_vectors(path, "vector")[1]
    assert write_features(path, with_items(found, ["a", "b", "b", "c"]), files, {}) == 0
    table = pq.read_table(path)
    assert table["item_id"].to_pylist() == [*"aabbbbbcc"]
    assert table["view"].to_pylist() == [0, 1, 0, 1, 2, 3, 4, 0, 1]
    names = [picture.image for picture, _ in found.usable]
    shown = [names[0]] * 2 + [None] + [names[1]] * 2 + [names[2]] * 2 + [names[3]] * 2
    assert table["image"].to_pylist() == shown
    vector_NI = read_vectors(path, "vector")[1]
    assert np.array_equal(np.delete(vector_NI, 2, axis=0), alone_NI)
    assert vector_NI[2] == pytest.approx(pool(alone_NI[[2, 4]]))


def test_an_item_has_as_many_views_as_can_be_numbered(pictures, run, tmp_path):
    found, files = run(pictures(3))
    many = replace(found, usable=found.usable * 50)
    path = tmp_path / "image.parquet"
    assert write_features(path, with_items(many, ["a"] * 149 + ["b"]), files, {}) == 1
    table = pq.read_table(path)
    assert table["view"].to_pylist() == [*range(128), 0]
    assert table["item_id"].to_pylist() == ["a"] * 128 + ["b"]
