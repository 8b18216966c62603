import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.core.errors import InputError
from pipeline.core.mapped_table import map_table
from pipeline.core.table import read_metadata, read_table, write_table
from pipeline.core.vectors import vector_matrix
from pipeline.features.text_file import columns_of
from pipeline.index import fit_references as module
from pipeline.index.fit_references import choose_block, fit_limit, fit_references
from pipeline.index.references import references_file
from tests.feature_tables import read_vectors, write_tables

COUNT = 80


@pytest.fixture
def tables(tmp_path):
    """Feature tables with augmented views, and groups of one item each."""
    paths = write_tables(tmp_path, COUNT, views=1)
    ids = [f"item-{n}" for n in range(COUNT)]
    own = {name: np.arange(COUNT) for name in ("group", "product", "picture", "near_text")}
    write_table(tmp_path / "groups", pd.DataFrame({"item_id": ids, **own}))
    return {**paths, "groups": tmp_path / "groups"}


def save(tables, out, share=0.9, **recipe):
    features = {name: tables[f"{name}_features"] for name in ("image", "text")}
    return fit_references(
        out,
        read_table(tables["splits"], ["item_id", "split"]),
        groups=tables["groups"],
        features=features,
        recipe={name: read_metadata(path) for name, path in features.items()} | recipe,
        share=share,
    )


def distances(tables, modality):
    """Of validation items to all items, infinite to themselves."""
    column = {"image": "vector", "text": "glove"}[modality]
    _, vectors = read_vectors(tables[f"{modality}_features"], column)
    vectors = vectors[::2] if modality == "image" else vectors  # the clean view is the first
    vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    split = read_table(tables["splits"], ["split"])["split"].to_numpy()
    distance = 1 - vectors @ vectors.T
    np.fill_diagonal(distance, np.inf)
    return distance[split == "val"]


@pytest.mark.parametrize("modality", ["image", "text"])
def test_the_share_of_validation_items_is_within_the_limit(tables, tmp_path, modality):
    found = save(tables, tmp_path / "index")[modality]
    wanted = distances(tables, modality).min(axis=1)
    assert found["queries"] == len(wanted) == COUNT / 4
    assert found["limit"] == pytest.approx(np.sort(wanted)[-2], abs=1e-5)
    assert np.mean(wanted <= found["limit"] + 1e-6) >= found["share"] == 0.9


def test_queries_are_compared_with_all_items(tables, tmp_path, monkeypatch):
    save(tables, tmp_path)
    ids = map_table(references_file(tmp_path, "image"), ["image"])["item_id"].to_pylist()
    assert ids == [f"item-{n}" for n in range(COUNT)]
    monkeypatch.setattr(module, "MOST_REFERENCES", 9)
    save(tables, tmp_path)
    ids = map_table(references_file(tmp_path, "image"), ["image"])["item_id"].to_pylist()
    assert len(set(ids)) == 9
    # Not every so many: catalogues are sorted, and a period may be in them.
    assert len(set(np.diff([int(one.removeprefix("item-")) for one in ids]))) > 1


@pytest.mark.parametrize(
    ("modality", "column"),
    [("image", "product"), ("image", "picture"), ("text", "product"), ("text", "near_text")],
)
def test_variants_of_a_query_in_the_catalogue_do_not_count(tables, tmp_path, modality, column):
    distance = distances(tables, modality)
    groups = pd.read_parquet(tables["groups"])
    query, nearest = np.arange(2, COUNT, 4), distance.argmin(axis=1)
    number = groups[column].to_numpy().copy()
    for one, other in zip(query, nearest, strict=True):
        number[number == number[other]] = number[one]
    groups[column] = number
    write_table(tables["groups"], groups)
    found = save(tables, tmp_path / "index")[modality]
    distance[number[query][:, None] == number] = np.inf
    assert found["limit"] == pytest.approx(np.sort(distance.min(axis=1))[-2], abs=1e-5)


@pytest.mark.parametrize("modality", ["image", "text"])
def test_the_limit_is_to_all_that_queries_are_compared_with(tables, tmp_path, modality):
    splits = pd.read_parquet(tables["splits"])
    limits = []
    for others in ("train", "test"):
        splits["split"] = splits["split"].where(splits["split"] == "val", others)
        write_table(tables["splits"], splits)
        limits.append(save(tables, tmp_path / others, share=0.5)[modality]["limit"])
    assert limits[0] == limits[1]


def test_few_validation_items_give_no_limit(tables, tmp_path):
    for found in save(tables, tmp_path, share=0.95).values():
        assert found["limit"] is None
        assert found["queries"] == COUNT / 4


def test_texts_without_features_are_no_usual_queries(tables, tmp_path):
    ids, vectors = read_vectors(tables["text_features"], "glove")
    vectors = vectors.copy()
    vectors[2::8] = 0
    table = pa.table({"item_id": ids, **columns_of("glove", vectors)})
    pq.write_table(table, tables["text_features"])
    found = save(tables, tmp_path, share=0.8)["text"]
    assert found["queries"] == COUNT / 8
    assert found["limit"] < 1


def test_the_block_that_judges_is_told_by_its_columns(tmp_path, tables):
    paths = write_tables(tmp_path / "words", COUNT, words=9)
    found = save(tables | {"text_features": paths["text_features"]}, tmp_path)["text"]
    assert found["columns"] == [0, 4]
    kept = map_table(references_file(tmp_path, "text"), ["text"])
    assert vector_matrix(kept["text"]).shape == (COUNT, 4)


def test_features_of_another_recipe_are_refused(tables, tmp_path):
    with pytest.raises(InputError, match=r"image_features: made in another way .* dvc repro"):
        save(tables, tmp_path, image={"backbone": "other"})


@pytest.mark.parametrize(
    ("count", "share", "limit"),
    [
        # The fewest of which two can be beyond: 100 at 98 %, 20 at 90 %.
        (99, 0.98, None),
        (100, 0.98, 98),
        (19, 0.9, None),
        (20, 0.9, 18),
        (0, 0.9, None),
    ],
)
def test_a_limit_needs_items_beyond_it(count, share, limit):
    assert fit_limit(np.arange(count), share) == limit


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (["glove", "sentence", "open_clip"], "sentence"),
        (["tfidf", "transformer"], "transformer"),
        (["glove", "tfidf"], "glove"),
        (["tfidf"], "tfidf"),
    ],
)
def test_texts_are_judged_by_what_reads_any_text(names, chosen):
    assert choose_block(names) == chosen
