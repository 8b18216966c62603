import json

import pandas as pd
import pytest

from pipeline.core.errors import InputError
from pipeline.core.json_file import write_json
from pipeline.index.stored_index import load_index, save_index
from pipeline.index.words import WordIndex
from tests.small_index import NUMBER, make_index


@pytest.fixture
def place(tmp_path):
    """An index saved beside the model that it is of."""
    write_json(tmp_path / "model" / "model.json", {"weights_digest": "3f"})
    save_index(make_index()[1], tmp_path / "index", model=tmp_path / "model")
    return tmp_path


def load(place):
    return load_index(place / "index", model=place / "model")


def test_hits_have_the_attributes_of_their_items(place):
    vector_ND, index = make_index()
    for one in (index, load(place)):
        first, second = (one.search(vector_ND[n : n + 1], 1)[0][0] for n in (7, 8))
        assert first.attributes == {"price": 7.0, "brand": "Nike"}
        assert second.attributes == {"price": 8.0, "brand": None}


def test_attributes_of_another_index_or_none_are_refused(place):
    path = place / "index" / "attributes.parquet"
    pd.read_parquet(path).iloc[1:].to_parquet(path)
    with pytest.raises(InputError, match=r"attributes\.parquet: of another index; run huse index"):
        load(place)
    path.unlink()
    with pytest.raises(InputError, match=r"attributes\.parquet: not found"):
        load(place)


def test_more_results_than_items_gives_all(place):
    vector_ND, _ = make_index()
    assert len(load(place).search(vector_ND[:1], 1000)[0]) == NUMBER


def test_a_loaded_index_finds_the_same(place):
    vector_ND, index = make_index()
    assert load(place).search(vector_ND[:3], 4) == index.search(vector_ND[:3], 4)


def test_an_index_that_is_damaged_or_of_another_format_is_refused(place):
    path = place / "index" / "index.faiss"
    whole = path.read_bytes()
    for content in (b"", b"nonsense" * 10, whole[: len(whole) // 2]):
        path.write_bytes(content)
        with pytest.raises(InputError, match="damaged index"):
            load(place)
    path.write_bytes(whole)
    description = place / "index" / "index.json"
    fields = json.loads(description.read_text(encoding="utf-8"))
    for version in (1, 9):
        write_json(description, {**fields, "format_version": version})
        with pytest.raises(InputError, match=rf"format version {version}, .* run huse index again"):
            load(place)


def test_an_index_without_its_model_is_refused(place):
    write_json(place / "model" / "model.json", {"weights_digest": "a0"})
    with pytest.raises(InputError, match="made by another model"):
        load(place)
    write_json(place / "model" / "model.json", {})
    with pytest.raises(
        InputError, match=r"model\.json: damaged \(weights_digest: missing\); train again"
    ):
        load(place)
    (place / "model" / "model.json").unlink()
    with pytest.raises(InputError, match=r"model\.json: not found"):
        load(place)


def test_an_index_of_another_list_of_items_is_refused(place):
    items = place / "index" / "items.parquet"
    pd.read_parquet(items).iloc[:-1].to_parquet(items)
    with pytest.raises(InputError, match="400 vectors but 399 items"):
        load(place)


def test_words_are_kept_and_refused_where_they_are_not_of_the_index(place):
    vector_ND, index = make_index(None, "hybrid")
    save_index(index, place / "index", model=place / "model")
    loaded = load(place)
    query = {"query_QD": vector_ND[:1], "k": 9, "texts": ["sku 150"]}
    assert loaded.search(**query) == index.search(**query)
    WordIndex.build(["other"] * NUMBER).save(place / "index" / "words")
    with pytest.raises(InputError, match="words: words of another index; run huse index"):
        load(place)


def test_an_index_without_words_is_searched_by_embedding_and_says_so(place):
    index = load(place)
    vector_1D = make_index()[0][:1]
    assert index.search(vector_1D, 3, texts=["thing 3"]) == index.search(vector_1D, 3)
    for mode in ("words", "hybrid"):
        with pytest.raises(InputError, match="no words; run dvc repro, or huse index"):
            index.search(vector_1D, 3, texts=["thing 3"], mode=mode)
    with pytest.raises(ValueError, match="mode 'bm25'; need one of hybrid, dense, words"):
        index.search(vector_1D, 3, mode="bm25")
    with pytest.raises(ValueError, match="1 queries and 2 texts"):
        index.search(vector_1D, 3, texts=["a", "b"])
