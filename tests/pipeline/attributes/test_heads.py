import json

import numpy as np
import pytest

from pipeline.attributes.fit_head import fit_head
from pipeline.attributes.heads import AttributeHeads, ValueHead, read_heads, write_heads
from pipeline.core.errors import InputError

RECIPE = {"image": {"backbone": "a"}, "text": {"encoder_digest": "b"}}


@pytest.fixture
def feature_NF():
    feature_NF = np.random.default_rng(0).normal(1.0, 3.0, (60, 7)).astype(np.float32)
    feature_NF[::6, :3] = np.nan
    return feature_NF


@pytest.fixture
def heads(feature_NF):
    head, _ = fit_head(feature_NF, np.arange(60) % 3, 3, 1.0)
    alone, _ = fit_head(feature_NF, np.zeros(60, int), 1, 1.0)
    return AttributeHeads(
        RECIPE,
        {
            "shoe size/EU": {"image": ValueHead([38, 39.5, 41], head)},
            "colour": {"fused": ValueHead(["grün"], alone)},
        },
    )


def test_heads_are_read_back_as_they_were_written(feature_NF, heads, tmp_path):
    write_heads(tmp_path / "attributes", heads)
    found = read_heads(tmp_path / "attributes")
    assert found.recipe == RECIPE
    assert list(found.attributes) == ["shoe size/EU", "colour"]
    for name, of_modality in heads.attributes.items():
        assert list(found.attributes[name]) == list(of_modality)
        for modality, one in of_modality.items():
            same = found.attributes[name][modality]
            assert same.values == one.values
            wanted = one.head.probabilities(feature_NF)
            assert np.array_equal(same.head.probabilities(feature_NF), wanted)


def test_the_same_heads_are_the_same_bytes(heads, tmp_path):
    for name in ("first", "second"):
        write_heads(tmp_path / name, heads)
    for name in ("heads.json", "heads.safetensors"):
        first, second = ((tmp_path / one / name).read_bytes() for one in ("first", "second"))
        assert first == second


def test_nothing_at_all_is_no_heads_and_none_is_none(tmp_path):
    assert read_heads(tmp_path) is None
    write_heads(tmp_path, AttributeHeads({}, {}))
    assert read_heads(tmp_path) == AttributeHeads({}, {})


def test_what_is_missing_damaged_or_of_another_run_is_told(feature_NF, heads, tmp_path):
    write_heads(tmp_path, heads)
    path, weights = tmp_path / "heads.json", tmp_path / "heads.safetensors"
    noted, kept = json.loads(path.read_text(encoding="utf-8")), weights.read_bytes()

    def refuse(match):
        with pytest.raises(InputError, match=match):
            read_heads(tmp_path)

    weights.write_bytes(kept + b" ")
    refuse("not the weights that heads.json was written with; run huse attributes again")
    weights.unlink()
    refuse("damaged .* run huse attributes again")
    weights.write_bytes(kept)
    path.write_text(json.dumps(noted | {"format_version": 9}), encoding="utf-8")
    refuse("format version 9, this program reads 1")
    path.write_text(json.dumps(noted | {"values": {"price": {"text": [1]}}}), encoding="utf-8")
    refuse("damaged")
    colour = noted["values"]["colour"]
    for values in (colour["fused"][:-1], [*colour["fused"], "mauve"]):
        changed = noted | {"values": noted["values"] | {"colour": colour | {"fused": values}}}
        path.write_text(json.dumps(changed), encoding="utf-8")
        refuse(rf"heads\.json: damaged \(values\.colour\.fused: {len(values)}, its head tells")
    path.write_text("[]", encoding="utf-8")
    refuse("damaged")


def test_features_of_another_width_are_refused(feature_NF, heads):
    with pytest.raises(ValueError, match="6 features, the head takes 7"):
        heads.attributes["colour"]["fused"].head.logits(feature_NF[:, :6])
