import numpy as np
import pytest
import torch

from pipeline.features.classes import make_classes
from pipeline.model import embed as embed_module
from pipeline.model.embed import embed, predict
from pipeline.model.fusion import Fusion
from pipeline.model.model_file import StoredModel

FUSION = Fusion(0.3, image_temperature=1.5, text_temperature=0.7, fused_temperature=1.0)


def test_embeddings_have_unit_norm_and_the_fused_one_lies_between(make_model, make_pairs):
    pairs = make_pairs(20)
    points = embed(make_model(), pairs.image_NI, pairs.text_NT)
    for point_ND in points.values():
        torch.testing.assert_close(point_ND.norm(dim=1), torch.ones(20))
    image_ND, text_ND, fused_ND = points.values()
    # The bisector is as near to the one as to the other.
    torch.testing.assert_close((fused_ND * image_ND).sum(1), (fused_ND * text_ND).sum(1))


def test_an_item_with_one_modality_has_that_one_alone(make_model, make_pairs):
    model, pairs = make_model(), make_pairs(3)
    whole = embed(model, pairs.image_NI, pairs.text_NT)
    has_image, has_text = np.array([True, False, True]), np.array([False, True, True])
    found = embed(model, pairs.image_NI[[0, 2]], pairs.text_NT[[1, 2]], has_image, has_text)
    assert found["image"].isnan().any(1).tolist() == [False, True, False]
    assert found["text"].isnan().all(1).tolist() == [True, False, False]
    for row, modality in enumerate(("image", "text", "fused")):
        torch.testing.assert_close(found["fused"][row], whole[modality][row])


@pytest.mark.parametrize(
    ("label", "paths"), [("path", ["a", "b", "c"]), ("parts", ["a<b", "a", "c"])]
)
def test_blocks_give_what_the_whole_gives(make_model, make_pairs, monkeypatch, label, paths):
    classes = make_classes(paths, separator="<", label=label)
    stored = StoredModel(make_model(), FUSION, classes, {})
    pairs = make_pairs(9)

    def run():
        points = embed(stored.model, pairs.image_NI, pairs.text_NT)
        blocks = list(predict(stored, points["image"], points["text"]))
        probability_NK = torch.cat([found["fused"].class_BK for _, found in blocks])
        return blocks, points["fused"], probability_NK

    whole, fused_ND, probability_NK = run()
    monkeypatch.setattr(embed_module, "CHUNK", 4)
    blocks, *found = run()
    assert [len(whole), len(blocks)] == [1, 3]
    torch.testing.assert_close(found, [fused_ND, probability_NK])
    torch.testing.assert_close(probability_NK.sum(1), torch.ones(9))
    # A classifier over many classes gets fewer items at a time.
    monkeypatch.setattr(embed_module, "CHUNK_LOGITS", 3)
    assert len(run()[0]) == 9


def test_no_items_give_an_empty_block(make_model):
    stored = StoredModel(make_model(), FUSION, {}, {})
    points = embed(stored.model, torch.zeros(0, 6), torch.zeros(0, 4))
    assert points["fused"].shape == (0, 8)
    ((_, found),) = predict(stored, points["image"], points["text"])
    assert found["fused"].class_BK.shape == (0, 3)
