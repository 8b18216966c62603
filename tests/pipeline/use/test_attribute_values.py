from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from pipeline.attributes.fit_head import fit_head
from pipeline.attributes.heads import AttributeHeads, ValueHead, write_heads
from pipeline.core.errors import InputError
from pipeline.use.attribute_values import AttributeValues, heads_folder
from pipeline.use.embeddings import Features

RECIPE = {"image": {"backbone": "a"}, "text": {"encoder_digest": "b"}}
COUNT = 60


@pytest.fixture(params=[False, True], ids=["dense", "sparse"])
def parts(request):
    """[N, 5] and [N, 4] features whose first column tells the values."""
    random = np.random.default_rng(0)
    image_NI, text_NT = (random.normal(size=(COUNT, n)).astype(np.float32) for n in (5, 4))
    image_NI[:, 0] = text_NT[:, 0] = np.arange(COUNT) - COUNT / 2
    return image_NI, csr_matrix(text_NT) if request.param else text_NT


def beside(image_NI, text_NT):
    if isinstance(text_NT, np.ndarray):
        return np.concatenate([image_NI, text_NT], axis=1)
    return csr_matrix(np.concatenate([image_NI, text_NT.toarray()], axis=1))


@pytest.fixture
def model(tmp_path, parts):
    """Folder of a model beside heads, each of which says whose it is."""
    label_N = (np.arange(COUNT) >= COUNT / 2).astype(int)
    features = {"image": parts[0], "text": parts[1], "fused": beside(*parts)}
    colour = {
        name: ValueHead([f"low by {name}", f"high by {name}"], fit_head(one, label_N, 2, 1.0)[0])
        for name, one in features.items()
    }
    attributes = {"colour": colour, "year": {"text": ValueHead([2011, 2012], colour["text"].head)}}
    write_heads(tmp_path / "attributes", AttributeHeads(RECIPE, attributes))
    return tmp_path / "model"


def test_what_an_item_has_decides_which_head_is_asked(model, parts):
    image_NI, text_NT = parts
    # Of four items: a picture, both, a text, both. Their numbers are 1, 58, 59 and 2.
    v = Features(
        image_NI[[1, 58, 2]],
        np.array([True, True, False, True]),
        text_NT[[58, 59, 2]],
        np.array([False, True, True, True]),
    )
    values = AttributeValues(model, RECIPE, pytest.fail)
    found = values.predict(v)
    assert [one["colour"].value for one in found] == [
        "low by image",
        "high by fused",
        "high by text",
        "low by fused",
    ]
    # Of a picture alone nobody can tell the year.
    assert ["year" in one for one in found] == [False, False, True, False]
    assert found[2]["year"].value == 2012
    assert all(0.5 < guess.probability <= 1 for one in found for guess in one.values())
    # The same as the head gives for all at once.
    head = values.heads["colour"]["fused"].head
    alone = head.probabilities(beside(image_NI, text_NT))[58].max()
    assert found[1]["colour"].probability == pytest.approx(alone, abs=1e-6)


def test_without_items_or_heads_nothing_is_said(model, parts, tmp_path):
    image_NI, text_NT = parts
    nobody = np.zeros(0, bool)
    none = Features(image_NI[:0], nobody, text_NT[:0], nobody)
    assert AttributeValues(model, RECIPE, pytest.fail).predict(none) == []
    has_N = np.array([True])
    one = Features(image_NI[:1], has_N, text_NT[:1], has_N)
    for elsewhere in ("nowhere", "empty"):
        if elsewhere == "empty":
            write_heads(tmp_path / elsewhere / "attributes", AttributeHeads({}, {}))
        values = AttributeValues(tmp_path / elsewhere / "model", RECIPE, pytest.fail)
        assert values.predict(one) == [{}]
        assert values.files == {}


def test_heads_of_other_features_are_left_out_and_told_of(model, parts):
    said = []
    other = RECIPE | {"text": {"encoder_digest": "c"}}
    values = AttributeValues(model, other, said.append)
    has_N = np.array([True])
    one = Features(parts[0][:1], has_N, parts[1][:1], has_N)
    assert values.predict(one) == values.predict(one) == [{}]
    assert values.files == {}
    (line,) = said
    assert line.endswith(
        "colour, year are predicted from other features than the model's, and left out; run huse "
        "attributes again"
    )


def test_damaged_heads_are_refused(model):
    (model.parent / "attributes" / "heads.safetensors").write_bytes(b"")
    with pytest.raises(InputError, match="run huse attributes again"):
        _ = AttributeValues(model, RECIPE, pytest.fail).heads


def test_heads_lie_beside_the_model_however_it_is_named(model, monkeypatch):
    assert heads_folder(Path("data/model")) == Path("data/attributes")
    model.mkdir()
    monkeypatch.chdir(model)
    assert heads_folder(Path()).samefile(model.parent / "attributes")
    files = AttributeValues(model, RECIPE, pytest.fail).files
    assert list(files) == ["attributes/heads.json", "attributes/heads.safetensors"]
    assert all(path.is_file() for path in files.values())
