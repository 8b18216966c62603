from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from scipy.sparse import csr_matrix

from pipeline.core.errors import InputError
from pipeline.core.vector_store import read_digested, write_digested
from pipeline.drift.batch_log import (
    MOST_KEPT,
    SUGGESTED,
    measured_text,
    read_log,
    record_batch,
)
from pipeline.drift.moments import Moments
from pipeline.use.new_items import NewItem
from tests.pipeline.drift.conftest import log_files

WHEN = datetime(2026, 11, 2, 12, tzinfo=UTC)


@pytest.fixture
def log(tmp_path, huse, served):
    record_batch(tmp_path / "log", huse, *served, when=WHEN, source="new.csv")
    return tmp_path / "log"


def test_what_was_served_is_read_back(log, huse, served):
    features, items = served
    (batch,) = read_log(log, huse.description.digest)
    assert batch.when == WHEN
    predictions = huse.classify(features, 1)
    assert batch.paths == [one.top[0].path for one in predictions]
    assert batch.probability_N == pytest.approx([one.top[0].probability for one in predictions])
    assert batch.near == [one.near for one in huse.near(features)]
    assert batch.moments["image"].count == 0
    usual = Moments.of(features.text_MF)
    assert batch.moments["text"].mean_F == pytest.approx(usual.mean_F, abs=1e-6)
    assert batch.moments["text"].square_F == pytest.approx(usual.square_F, abs=1e-6)
    assert {one.text for one in batch.kept} == {item.text for item in items}
    fused_ND = huse.embed_features(features).fused_ND
    for one in batch.kept:
        assert one.vector_D == pytest.approx(fused_ND[one.row - 1], abs=1e-3)
        assert (one.source, one.when) == ("new.csv", WHEN)
        (said,) = huse.classify(features.take(np.array([one.row - 1])), SUGGESTED)
        assert [guess.path for guess in one.others] == [guess.path for guess in said.top[1:]]
        shares = [guess.probability for guess in one.others]
        assert shares == pytest.approx([guess.probability for guess in said.top[1:]], abs=1e-6)


def test_what_is_known_already_is_not_made_again(tmp_path, log, huse, served, monkeypatch):
    features, items = served
    known = {"predictions": huse.classify(features, 3), "nearness": huse.near(features)}
    v = huse.embed_features(features)
    for name in ("classify", "near", "embed_features"):
        monkeypatch.setattr(huse, name, None)
    record_batch(tmp_path / "other", huse, v, items, when=WHEN, source="new.csv", **known)
    assert [path.name for path in log_files(tmp_path / "other")] == [
        path.name for path in log_files(log)
    ]


def test_a_batch_is_recorded_once_at_a_time(log, huse, served):
    record_batch(log, huse, *served, when=WHEN, source="new.csv")
    assert len(log_files(log)) == 1
    record_batch(log, huse, *served, when=WHEN + timedelta(days=1), source="new.csv")
    assert len(log_files(log)) == 2


def test_the_least_certain_items_are_kept_of_a_large_batch(tmp_path, huse):
    words = ["red", "green", "blue", "black", "sad", "happy", "big", "old", "new", "hot"]
    texts = [f"{one} {other}" for one in words for other in words]
    features, _ = huse.read_features([None] * len(texts), texts)
    items = [NewItem(row, "", text) for row, text in enumerate(texts, start=1)]
    record_batch(tmp_path, huse, features, items, when=WHEN, source="new.csv")
    (batch,) = read_log(tmp_path, huse.description.digest)
    assert len(batch.paths) == 100
    assert len(batch.kept) == MOST_KEPT
    left_out = {item.row for item in items} - {one.row for one in batch.kept}
    least = min(one.uncertainty for one in batch.kept)
    for row in left_out:
        assert batch.near[row - 1] is not False
        assert 1 - batch.probability_N[row - 1] <= least + 1e-6


def test_of_no_items_nothing_is_recorded(tmp_path, huse):
    features, _ = huse.read_features([], [])
    record_batch(tmp_path / "log", huse, features, [], when=WHEN, source="new.csv")
    assert not (tmp_path / "log").exists()


def test_a_batch_of_another_model_is_told_apart(log):
    assert list(read_log(log, "another")) == [None]


def test_a_damaged_file_is_named(log, huse):
    (path,) = log_files(log)
    whole = path.read_bytes()
    path.write_bytes(whole[:-100])
    with pytest.raises(InputError, match=f"{path.name}: damaged; remove it"):
        list(read_log(log, huse.description.digest))
    path.write_bytes(whole.replace(b"red heart", b"red beard"))
    with pytest.raises(InputError, match=f"{path.name}: damaged; remove it"):
        list(read_log(log, huse.description.digest))


def test_what_was_recorded_before_other_classes_were_kept_is_read(tmp_path, log, huse):
    (path,) = log_files(log)
    table = read_digested(path)
    (row,) = table.to_pylist()
    for one in row["kept"]:
        del one["others"]
    kept = table.schema.field("kept").type.value_type
    kept = pa.list_(pa.struct([one for one in kept if one.name != "others"]))
    place = table.schema.get_field_index("kept")
    schema = table.schema.set(place, pa.field("kept", kept))
    schema = schema.with_metadata({"format_version": "1"})
    write_digested(tmp_path / "first", pa.Table.from_pylist([row], schema=schema))
    (batch,), (first,) = (
        read_log(folder, huse.description.digest) for folder in (log, tmp_path / "first")
    )
    assert first.paths == batch.paths
    assert [one[:-2] for one in first.kept] == [one[:-2] for one in batch.kept]
    assert {one.others for one in first.kept} == {()}


def test_a_file_of_another_version_is_named(tmp_path, huse):
    write_digested(tmp_path, pa.table({"when": [1]}))
    with pytest.raises(InputError, match="of another version; remove it"):
        list(read_log(tmp_path, huse.description.digest))


def test_an_empty_or_missing_log_is_told(tmp_path, huse):
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(InputError, match="no batch is recorded there"):
            list(read_log(folder, huse.description.digest))


def test_words_are_measured_where_there_is_nothing_else():
    block_MF = csr_matrix(np.array([[1, 2, 0], [3, 4, 5]], dtype=np.float32))
    assert measured_text(block_MF, 2).tolist() == [[1, 2], [3, 4]]
    assert measured_text(block_MF, 0).tolist() == [[1, 2, 0], [3, 4, 5]]
    assert measured_text(block_MF.toarray(), 2).tolist() == [[1, 2], [3, 4]]
