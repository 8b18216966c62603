from dataclasses import replace

import numpy as np
import pytest
import torch

from pipeline.core.errors import InputError
from pipeline.core.sample import draw_sample
from pipeline.model.fusion import fit_fusion
from pipeline.train.calibrate import calibrate, outputs


def test_the_fusion_is_fitted_on_the_items_given(make_model, make_pairs):
    model, val = make_model().train(), make_pairs(90)
    fusion = calibrate(model, val, seed=0)
    assert not model.training
    with torch.no_grad():
        assert fusion == fit_fusion(model(val.image_NI, val.text_NT), val.label_N, "late")
    assert fusion == calibrate(model, val, seed=1)
    assert fusion != calibrate(model, make_pairs(90, seed=1), seed=0)


def test_of_too_many_items_a_fair_sample_is_used(make_model, make_pairs, monkeypatch):
    model, val = make_model(), make_pairs(900)
    # 900 logits of three classes are those of 300 items.
    fusion = calibrate(model, val, seed=4, max_logits=900)
    assert fusion == calibrate(model, val.take(draw_sample(900, 300, 4)), seed=0)
    assert fusion == calibrate(model, val, seed=4, max_logits=901)
    assert fusion != calibrate(model, val, seed=5, max_logits=900)
    # However many classes there are, some hundred items are used.
    few = calibrate(model, val, seed=4, max_logits=3)
    assert few == calibrate(model, val.take(draw_sample(900, 256, 4)), seed=0)


def test_a_sample_tells_what_all_items_tell(make_model, make_pairs):
    model, val = make_model(fusion="product"), make_pairs(6000, noise=2.0)
    model.standardise(val.image_NI, val.text_NT)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    for _ in range(40):
        output = model(val.image_NI[:500], val.text_NT[:500])
        loss = sum(
            torch.nn.functional.cross_entropy(logits_BK, val.label_N[:500])
            for logits_BK in (output.image_logits_BK, output.text_logits_BK)
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    everything = calibrate(model, val, seed=0)
    sample = calibrate(model, val, seed=0, max_logits=3 * 3000)
    assert sample.image_temperature == pytest.approx(everything.image_temperature, rel=0.05)
    assert sample.text_temperature == pytest.approx(everything.text_temperature, rel=0.05)
    assert sample.image_weight == pytest.approx(everything.image_weight, abs=0.03)


def test_a_block_has_no_more_logits_than_are_allowed(make_model, make_pairs, monkeypatch):
    model, val = make_model(), make_pairs(50)
    whole = calibrate(model, val, seed=0)
    monkeypatch.setattr("pipeline.train.calibrate.BLOCK_LOGITS", 3 * 7)
    blocks = list(outputs(model, val, np.arange(10, 50)))
    assert [len(position_B) for position_B, _ in blocks] == [7, 7, 7, 7, 7, 5]
    assert torch.cat([position_B for position_B, _ in blocks]).tolist() == list(range(10, 50))
    together = torch.cat([output.image_logits_BK for _, output in blocks])
    with torch.no_grad():
        expected = model(val.image_NI[10:], val.text_NT[10:]).image_logits_BK
    torch.testing.assert_close(together, expected)
    assert calibrate(model, val, seed=0).image_weight == pytest.approx(whole.image_weight, abs=1e-4)
    monkeypatch.setattr("pipeline.train.calibrate.BLOCK_LOGITS", 1)
    assert len(next(outputs(model, val, np.arange(50)))[0]) == 1


def test_embeddings_that_are_not_finite_name_the_learning_rate(make_model, make_pairs):
    val = make_pairs(10)
    broken = replace(val, text_NT=torch.full_like(val.text_NT, torch.nan))
    with pytest.raises(InputError, match=r"not finite; lower train\.lr"):
        calibrate(make_model(), broken, seed=0)


def test_a_modality_that_tells_nothing_gets_little_weight(make_model, make_pairs):
    pairs = make_pairs(300)
    noise = torch.randn(pairs.image_NI.shape, generator=torch.Generator().manual_seed(5))
    model = make_model(image_layers=2, dropout=0.0)
    model.standardise(pairs.image_NI, pairs.text_NT)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    model.train()
    for _ in range(60):
        # The image tower learns noise by heart; on other noise it is sure and wrong.
        output = model(noise, pairs.text_NT)
        loss = torch.nn.functional.cross_entropy(output.image_logits_BK, pairs.label_N)
        loss = loss + torch.nn.functional.cross_entropy(output.text_logits_BK, pairs.label_N)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    val = make_pairs(150, seed=1)
    other = torch.randn(val.image_NI.shape, generator=torch.Generator().manual_seed(6))
    val.image_NI.copy_(other)
    assert calibrate(model, val, seed=0).image_weight < 0.1


def test_labels_of_the_classes_are_what_is_fitted(make_model, make_pairs):
    model, val = make_model(num_classes=2), make_pairs(60)
    membership_KL = torch.tensor([[1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    fusion = calibrate(model, val, membership_KL, seed=0)
    assert fusion.multi_label
    with torch.no_grad():
        output = model(val.image_NI, val.text_NT)
    assert fusion == fit_fusion(output, membership_KL[val.label_N], "late")
