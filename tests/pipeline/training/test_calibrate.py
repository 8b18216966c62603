import torch

from pipeline.models.fusion import fit_fusion
from pipeline.training.calibrate import calibrate


def test_the_fusion_is_fitted_on_the_items_given(make_model, make_pairs):
    model, val = make_model().train(), make_pairs(90)
    fusion = calibrate(model, val)
    assert not model.training
    with torch.no_grad():
        assert fusion == fit_fusion(model(val.image_NI, val.text_NT), val.label_N, "late")
    assert fusion != calibrate(model, make_pairs(90, seed=1))


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
    assert calibrate(model, val).image_weight < 0.1


def test_labels_of_the_classes_are_what_is_fitted(make_model, make_pairs):
    model, val = make_model(num_classes=2), make_pairs(60)
    membership_KL = torch.tensor([[1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    fusion = calibrate(model, val, membership_KL)
    assert fusion.multi_label
    with torch.no_grad():
        output = model(val.image_NI, val.text_NT)
    assert fusion == fit_fusion(output, membership_KL[val.label_N], "late")
