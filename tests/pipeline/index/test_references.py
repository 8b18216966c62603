import json

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from pipeline.core.errors import InputError
from pipeline.features.text_matrix import side_by_side
from pipeline.index import references as module
from pipeline.index.references import (
    References,
    load_references,
    nearest_distances,
    references_file,
    unit_rows,
)
from pipeline.index.stored_index import FORMAT_VERSION, model_digest

IDS = ["first", "second"]


@pytest.fixture
def model(tmp_path):
    """A folder of a model, of which the digest alone is read."""
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "model.json").write_text('{"weights_digest": "0123"}', encoding="utf-8")
    return tmp_path / "model"


@pytest.fixture
def make(unit):
    """References at 0 and 90 degrees behind one feature that does not count."""

    def build(limit=0.5, kind=np.asarray):
        return References(kind(unit(0, 90).numpy()), slice(1, 3), limit, 0.98, 200)

    return build


def write_index(folder, model, near):
    described = {"format_version": FORMAT_VERSION, "model": model_digest(model), "near": near}
    folder.mkdir(exist_ok=True)
    (folder / "index.json").write_text(json.dumps(described), encoding="utf-8")


def query(unit, *degrees):
    """All features: a large one of another block, then points on a circle of radius 3."""
    plane_NF = 3 * unit(*degrees).numpy()
    return np.hstack([np.full((len(degrees), 1), 100, np.float32), plane_NF])


def test_distance_is_that_of_the_nearest_reference(unit):
    query_NF, reference_RF = unit(0, 60, 120, 200).numpy(), unit(0, 90).numpy()
    wanted = [
        min(1 - sum(a * b for a, b in zip(q, r, strict=True)) for r in reference_RF)
        for q in query_NF
    ]
    found = nearest_distances(query_NF, reference_RF)
    assert found == pytest.approx(wanted, abs=1e-6)
    # 60 degrees are 30 from the reference at 90: 1 - cos(30) = 0.1340.
    assert found[1] == pytest.approx(0.1340, abs=1e-4)


@pytest.mark.parametrize("kind", [np.asarray, csr_matrix])
def test_blocks_of_queries_and_sparse_features_make_no_difference(kind, monkeypatch):
    random = np.random.default_rng(0)
    query_NF, reference_RF = (
        unit_rows(random.normal(size=(rows, 5)).astype(np.float32)) for rows in (11, 7)
    )
    wanted = nearest_distances(query_NF, reference_RF)
    monkeypatch.setattr(module, "ROWS", 4)
    assert nearest_distances(kind(query_NF), kind(reference_RF)) == pytest.approx(wanted, abs=1e-6)


def test_a_reference_that_shares_any_set_does_not_count(unit):
    query_NF, reference_RF = unit(0, 0, 0).numpy(), unit(0, 60, 90).numpy()
    found = nearest_distances(
        query_NF,
        reference_RF,
        [np.array([7, 8, 9]), np.array([1, 2, 3])],
        [np.array([7, 5, 9]), np.array([0, 4, 3])],
    )
    assert found == pytest.approx([0.5, 0, 0], abs=1e-6)
    nothing = nearest_distances(unit(0).numpy(), unit(0).numpy(), [np.zeros(1)], [np.zeros(1)])
    assert nothing == np.inf


@pytest.mark.parametrize("kind", [np.asarray, csr_matrix])
def test_rows_get_unit_norm_and_zero_stays_zero(kind):
    found = unit_rows(kind(np.array([[3, 4], [0, 0]], dtype=np.float32)))
    assert isinstance(found, type(kind(np.zeros((1, 1)))))
    assert found.dtype == np.float32
    dense = found.toarray() if isinstance(found, csr_matrix) else found
    assert dense == pytest.approx(np.array([[0.6, 0.8], [0, 0]]))


def test_a_query_is_near_up_to_the_limit(make, unit):
    # From 90 degrees: 30 and 75 degrees, at 0.134 and 0.741.
    near, far = make().judge(query(unit, 120, 165), "text")
    assert near[:2] == (True, pytest.approx(0.1340, abs=1e-4))
    assert far == (False, pytest.approx(0.7412, abs=1e-4), 0.5, 0.98, "text")


def test_without_a_limit_no_claim_is_made(make, unit):
    (found,) = make(limit=None).judge(query(unit, 165), "text")
    assert found == (None, pytest.approx(0.7412, abs=1e-4), None, 0.98, "text")


@pytest.mark.parametrize("limit", [0.5, None])
def test_a_text_without_features_is_near_nothing(make, limit):
    (found,) = make(limit).judge(np.array([[100, 0, 0]], np.float32), "text")
    assert found == (False, None, limit, 0.98, "text")


@pytest.mark.parametrize("kind", [np.asarray, csr_matrix])
def test_what_is_written_is_read(tmp_path, model, make, unit, kind):
    saved = make(kind=kind)
    write_index(tmp_path / "index", model, {"text": saved.save(tmp_path / "index", "text", IDS)})
    loaded = load_references(tmp_path / "index", "text", model=model)
    plane = unit(10, 165).numpy()
    block = {"glove": np.ones((2, 1), np.float32), "words": kind(plane)}
    for found, wanted in zip(
        loaded.judge(side_by_side(block), "text"),
        saved.judge(side_by_side(block), "text"),
        strict=True,
    ):
        assert found == wanted


def test_an_index_that_says_nothing_gives_no_references(tmp_path, model, make):
    assert load_references(tmp_path / "nowhere", "text", model=model) is None
    (tmp_path / "index.json").write_text('{"format_version": 1}', encoding="utf-8")
    assert load_references(tmp_path, "text", model=model) is None
    write_index(tmp_path, model, {"text": make().save(tmp_path, "text", IDS)})
    (model / "model.json").write_text('{"weights_digest": "4567"}', encoding="utf-8")
    assert load_references(tmp_path, "text", model=model) is None


def test_damage_is_told(tmp_path, model, make):
    write_index(tmp_path, model, {"text": {"limit": 0.5}})
    with pytest.raises(InputError, match=r"index\.json: damaged .*run huse index"):
        load_references(tmp_path, "text", model=model)
    write_index(tmp_path, model, {"text": make().save(tmp_path, "text", IDS)})
    references_file(tmp_path, "text").unlink()
    with pytest.raises(InputError, match=r"text\.arrow: not found"):
        load_references(tmp_path, "text", model=model)
