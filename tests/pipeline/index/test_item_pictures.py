import numpy as np
import pyarrow as pa
import pytest

from pipeline.core.json_file import write_json
from pipeline.core.mapped_table import write_mapped
from pipeline.core.vectors import vector_array
from pipeline.index.build import build_index
from pipeline.index.catalog_index import CatalogIndex
from pipeline.index.hit import Hit
from pipeline.index.item_pictures import FILE, ItemPictures
from pipeline.index.stored_index import load_index, save_index
from pipeline.index.vector_index import VectorIndex
from pipeline.index.words import WordIndex

UNIT = np.eye(3, dtype=np.float32)


def hit(row):
    return Hit(row, f"id-{row}", "first.jpg", "bag", "bags", 0.5)


def write(folder, table):
    """As the stage does, but in batches of two."""
    folder.mkdir(exist_ok=True)
    write_mapped(folder / FILE, table.schema, table.to_batches(max_chunksize=2))


@pytest.fixture
def pictures(tmp_path):
    """Of three items, of which the second has one picture, the others two and three."""
    images = ["0a.jpg", "0b.jpg", "2a.jpg", "2b.jpg", "2c.jpg"]
    vector_PD = UNIT[[0, 1, 2, 1, 0]]
    table = pa.table({"row": [0, 0, 2, 2, 2], "image": images, "vector": vector_array(vector_PD)})
    write(tmp_path, table)
    return ItemPictures.load(tmp_path)


def test_the_picture_nearest_to_the_query_is_shown(pictures):
    shown = [pictures.show(hit(2), UNIT[n], items=3) for n in range(3)]
    assert [one.image for one in shown] == ["2c.jpg", "2b.jpg", "2a.jpg"]
    assert [one.picture for one in shown] == [7, 6, 5]
    assert [pictures.images[one.picture - 3] for one in shown] == [one.image for one in shown]
    assert shown[0]._replace(image="first.jpg", picture=None) == hit(2)


def test_of_equally_near_pictures_the_first_is_shown(pictures):
    assert pictures.show(hit(0), UNIT[2], items=3).image == "0a.jpg"


def test_an_item_with_one_picture_is_shown_as_it_is(pictures):
    assert pictures.show(hit(1), UNIT[0], items=3) == hit(1)
    assert pictures.show(hit(3), UNIT[0], items=4) == hit(3)


def test_candidates_of_several_pictures_have_the_similarity_of_their_best_one(pictures):
    table = pictures._table.append_column("searched", vector_array(UNIT[[1, 2, 0, 1, 1]]))
    searched = ItemPictures(table)
    assert (searched.are_searched, pictures.are_searched) == (True, False)
    row_C = np.array([1, 2, 0, -1, 2])
    similarity_C = np.array([0.5, 0.4, 0.3, -9.0, 0.4], np.float32)
    query_D = np.array([0.6, 0.8, 0], np.float32)
    expected = np.array([0.5, 0.8, 0.8, -9.0, 0.8], np.float32)
    assert searched.best(row_C, similarity_C, query_D) == pytest.approx(expected)
    assert searched.best(row_C[[0, 3]], similarity_C[[0, 3]], query_D).tolist() == [0.5, -9.0]
    assert searched.best(row_C[:0], similarity_C[:0], query_D).tolist() == []


def test_a_search_by_the_best_picture_is_that_of_all_pictures(tmp_path):
    """Of many items with one to three pictures, over filters, words and a file."""
    write_json(tmp_path / "model" / "model.json", {"weights_digest": "3f"})
    random = np.random.default_rng(5)
    row_P = np.repeat(np.arange(60), random.integers(1, 4, 60))
    vector_PD = random.normal(size=(len(row_P), 8)).astype(np.float32)
    vector_PD /= np.linalg.norm(vector_PD, axis=1, keepdims=True)
    mean_ND = np.array([vector_PD[row_P == n].mean(axis=0) for n in range(60)])
    mean_ND /= np.linalg.norm(mean_ND, axis=1, keepdims=True)
    several = np.bincount(row_P)[row_P] > 1
    table = {
        "row": row_P[several],
        "image": [f"{n}.jpg" for n in np.flatnonzero(several)],
        "vector": vector_array(vector_PD[several]),
        "searched": vector_array(vector_PD[several]),
    }
    names = [f"item{n}" for n in range(60)]
    items = {
        "item_id": names,
        "image": names,
        "text": names,
        "class_path": ["hats" if n % 3 else "belts" for n in range(60)],
        "split": ["train"] * 60,
        "x": [0.0] * 60,
        "y": [0.0] * 60,
    }
    index = CatalogIndex(
        VectorIndex(build_index(mean_ND, None)),
        pa.table(items),
        {
            "kind": "flat",
            "modality": "fused",
            "separator": "<",
            "words": {"mode": "hybrid", "weight": 0.2},
        },
        WordIndex.build(names),
    )
    write(tmp_path / "index", pa.table(table))
    save_index(index, tmp_path / "index", model=tmp_path / "model")
    loaded = load_index(tmp_path / "index", model=tmp_path / "model")
    query_QD = vector_PD[::7]
    best_QN = np.array([(query_QD @ vector_PD[row_P == n].T).max(axis=1) for n in range(60)]).T
    for best_N, hits in zip(best_QN, loaded.search(query_QD, 4), strict=True):
        assert [hit.row for hit in hits] == np.argsort(-best_N)[:4].tolist()
        assert [1 - hit.distance for hit in hits] == pytest.approx(np.sort(-best_N)[:4] * -1)
    belts = [hit.row for hit in loaded.search(query_QD[:1], 4, "belts")[0]]
    assert belts == [n for n in np.argsort(-best_QN[0]) if n % 3 == 0][:4]
    # A word of one item's text adds its weight to the same similarities.
    worded = loaded.search(query_QD[:1], 3, texts=["item7"])[0]
    score_N = best_QN[0] + 0.2 * (np.arange(60) == 7)
    assert [hit.row for hit in worded] == np.argsort(-score_N)[:3].tolist()


def test_a_search_shows_the_nearest_picture_also_from_a_file(tmp_path):
    write_json(tmp_path / "model" / "model.json", {"weights_digest": "3f"})
    texts = ["red hat", "blue hat", "belt"]
    items = pa.table(
        {
            "item_id": ["a", "b", "c"],
            "image": ["a.jpg", "b.jpg", "c.jpg"],
            "text": texts,
            "class_path": ["hats", "hats", "belts"],
            "split": ["train"] * 3,
            "x": [0.0] * 3,
            "y": [0.0] * 3,
        }
    )
    description = {
        "kind": "flat",
        "modality": "fused",
        "separator": "<",
        "words": {"mode": "hybrid", "weight": 0.2},
    }
    near = {"row": [1, 1], "image": ["b.jpg", "b2.jpg"], "vector": vector_array(UNIT[[1, 2]])}
    index = CatalogIndex(
        VectorIndex(build_index(UNIT, None)),
        items,
        description,
        WordIndex.build(texts),
    )
    write(tmp_path / "index", pa.table(near))
    save_index(index, tmp_path / "index", model=tmp_path / "model")
    loaded = load_index(tmp_path / "index", model=tmp_path / "model")
    assert loaded.images == ["a.jpg", "b.jpg", "c.jpg", "b.jpg", "b2.jpg"]

    def shown(hits):
        found = {hit.item_id: (hit.image, hit.picture) for hit in hits}
        assert found.pop("a", None) in (None, ("a.jpg", None))
        assert found.pop("c", None) in (None, ("c.jpg", None))
        return found

    assert shown(loaded.search(UNIT[[1]], 3)[0]) == {"b": ("b.jpg", 3)}
    assert shown(loaded.search(UNIT[[2]], 3)[0]) == {"b": ("b2.jpg", 4)}
    assert shown(loaded.search(UNIT[[2]], 3, texts=["blue"])[0]) == {"b": ("b2.jpg", 4)}
    # Words say nothing of a picture.
    assert shown(loaded.search(UNIT[[2]], 3, texts=["blue"], mode="words")[0]) == {
        "b": ("b.jpg", None)
    }
    assert shown(loaded.similar(2, 3)) == {"b": ("b2.jpg", 4)}


def test_pictures_of_removed_items_are_shown_to_nobody(pictures):
    columns = {name: ["a", "b", "c"] for name in ("item_id", "image", "text", "class_path")}
    columns |= {"split": ["train"] * 3, "x": [0.0] * 3, "y": [0.0] * 3}
    vectors = VectorIndex(build_index(UNIT, None)).with_added(UNIT[:0], np.array([1, 0, 1], bool))
    index = CatalogIndex(vectors, pa.table(columns), {}, pictures=pictures)
    several = ["0a.jpg", "0b.jpg", "2a.jpg", "2b.jpg", "2c.jpg"]
    assert index.images == ["a", "", "c", *several]
    vectors = VectorIndex(build_index(UNIT, None)).with_added(UNIT[:0], np.array([1, 1, 0], bool))
    index = CatalogIndex(vectors, pa.table(columns), {}, pictures=pictures)
    assert index.images == ["a", "b", "", "0a.jpg", "0b.jpg", "", "", ""]
