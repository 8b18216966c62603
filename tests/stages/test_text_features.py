import json
from importlib.metadata import version

import numpy as np
import pyarrow.parquet as pq
import pytest

from pipeline.core.errors import InputError
from pipeline.core.table import read_metadata
from pipeline.features.encoder_digest import check_encoder
from pipeline.use.featurizer import TextFeaturizer
from tests.feature_tables import read_vectors


@pytest.fixture
def blocks(shop):
    """A shop with two blocks of text features."""
    shop.set({"text.encoders": ["tfidf", "glove"]})
    for stage in ("catalog", "clean_text", "text_block"):
        assert shop.huse(stage).exit_code == 0
    return shop


def test_blocks_lie_side_by_side_in_the_order_of_the_parameter(blocks):
    result = blocks.huse("text_features")
    assert result.stdout == "text_features: 16 texts, blocks tfidf, glove\n"
    path = blocks.root / "data" / "features" / "text.parquet"
    schema = pq.read_schema(path)
    assert schema.names == ["item_id", "tfidf_indices", "tfidf_values", "glove"]
    assert schema.metadata[b"recipe"] == b"letters"
    # For the model and its report; what to compare with is in the encoder's folder.
    cleaned_with = f"anyascii {version('anyascii')}, stop_words 1"
    assert schema.metadata[b"cleaned_with"].decode() == cleaned_with
    assert b"golden_text" not in schema.metadata
    assert schema.metadata[b"glove.vectors"] == b"packaged/glove_6b_50d"
    assert schema.metadata[b"tfidf.columns"] == b"8"
    blocks.set({"text.encoders": ["glove"]})
    assert blocks.huse("text_features").exit_code == 0
    assert pq.read_schema(path).names == ["item_id", "glove"]


def test_a_new_text_gets_the_features_that_the_stages_gave_it(blocks):
    """From the raw text through the stored encoder, and from the tables of the stages."""
    blocks.huse("text_features")
    features = blocks.root / "data" / "features"
    items = pq.read_table(blocks.root / "data/catalog/items.parquet").to_pandas()
    found = TextFeaturizer.load(features / "text_encoder").encode(items["text"].tolist())
    assert list(found) == ["tfidf", "glove"]
    ids, glove = read_vectors(features / "text.parquet", "glove")
    assert ids == items["item_id"].tolist()
    assert np.array_equal(found["glove"], glove)
    table = pq.read_table(features / "text.parquet").to_pydict()
    for row, (indices, values) in enumerate(
        zip(table["tfidf_indices"], table["tfidf_values"], strict=True)
    ):
        assert found["tfidf"][row].indices.tolist() == indices
        assert np.array_equal(found["tfidf"][row].data, np.float32(values))


def test_the_encoder_of_an_earlier_choice_does_not_stay(blocks):
    folder = blocks.root / "data" / "features" / "text_encoder"
    blocks.huse("text_features")
    blocks.set({"text.encoders": ["glove"]})
    blocks.huse("text_features")
    assert sorted(path.name for path in folder.iterdir()) == ["glove", "text_encoder.json"]
    assert list(json.loads((folder / "text_encoder.json").read_text())["blocks"]) == ["glove"]


def test_a_block_that_was_not_made_is_named(blocks):
    blocks.set({"text.encoders": ["glove", "sentence"]})
    message = blocks.refuse("text_features")
    assert "data/text_blocks/sentence/block.parquet: not found" in message


def test_texts_that_would_be_cleaned_otherwise_now_are_refused_before_training(blocks):
    """As after an update of a library, when stage clean_text has not run again."""
    path = blocks.root / "data" / "clean_text" / "text.parquet"
    noted = read_metadata(path)
    older = json.loads(noted["golden_text"])
    older |= {"clean_text": "other", "versions": {"anyascii": "0.1", "stop_words": "1"}}
    table = pq.read_table(path)
    pq.write_table(table.replace_schema_metadata({**noted, "golden_text": json.dumps(older)}), path)
    message = blocks.refuse("text_features")
    assert message.startswith(
        "data/clean_text/text.parquet: the texts were cleaned with anyascii 0.1, stop_words 1; "
        f"here anyascii {version('anyascii')}, stop_words 1 gives other words, 'cafe' for 'other'; "
    )
    assert blocks.huse("clean_text").exit_code == 0
    assert blocks.huse("text_features").exit_code == 0


def test_a_block_and_an_encoder_of_different_runs_are_refused(blocks):
    """As stage text_block leaves them if it is killed after the encoder and before the block."""
    folder = blocks.root / "data" / "text_blocks" / "glove"
    assert blocks.huse("text_features").exit_code == 0
    features = blocks.root / "data" / "features"
    before = {path: path.read_bytes() for path in features.rglob("*") if path.is_file()}
    old = (folder / "block.parquet").read_bytes()
    table = (blocks.root / "catalog.csv").read_text(encoding="utf-8")
    (blocks.root / "catalog.csv").write_text(table.replace("sweater,", "violin,"), encoding="utf-8")
    for stage in ("catalog", "clean_text", "text_block"):
        assert blocks.huse(stage).exit_code == 0
    new = (folder / "block.parquet").read_bytes()
    (folder / "block.parquet").write_bytes(old)
    message = blocks.refuse("text_features")
    assert message == (
        "data/text_blocks/glove/encoder: not the encoder that the features were made with; "
        "a run was cut off, or the files are of different runs: run stage text_block again"
    )
    assert {path: path.read_bytes() for path in before} == before
    (folder / "block.parquet").write_bytes(new)
    assert blocks.huse("text_features").exit_code == 0


def test_the_features_name_the_encoder_beside_them(blocks):
    assert blocks.huse("text_features").exit_code == 0
    features = blocks.root / "data" / "features"
    noted = read_metadata(features / "text.parquet")["encoder_digest"]
    check_encoder(features / "text_encoder", noted, "")
    # Not even the cleaning may be another.
    blocks.set({"text.encoders": ["glove"], "clean_text.recipe": "stemmed"})
    for stage in ("clean_text", "text_block", "text_features"):
        assert blocks.huse(stage).exit_code == 0
    with pytest.raises(InputError, match="not the encoder"):
        check_encoder(features / "text_encoder", noted, "")
