import pytest
import torch


@pytest.fixture
def batch(make_pairs):
    pairs = make_pairs(10)
    return pairs.image_NI, pairs.text_NT


def test_embeddings_and_logits_of_both_modalities(make_model, batch):
    output = make_model()(*batch)
    for embedding in (output.image_BD, output.text_BD):
        assert embedding.shape == (10, 8)
        assert torch.allclose(embedding.norm(dim=1), torch.ones(10), atol=1e-6)
    assert output.image_logits_BK.shape == output.text_logits_BK.shape == (10, 3)
    assert output.fused_logits_BK is None


def test_the_papers_size(make_model):
    model = make_model(
        image_features=1280,
        text_features=50,
        num_classes=98,
        dim=512,
        width=512,
        logit_scale="none",
    )
    image = (1280 + 1) * 512 + 4 * (512 + 1) * 512
    text = (50 + 1) * 512 + (512 + 1) * 512
    classifier = (512 + 1) * 98
    assert sum(p.numel() for p in model.parameters()) == image + text + classifier


def test_one_classifier_serves_both_modalities(make_model, batch):
    model = make_model(logit_scale="none")
    output = model(*batch)
    weight, bias = (
        dict(model.named_parameters())[f"classifiers.0.{n}"] for n in ("weight", "bias")
    )
    assert torch.allclose(output.image_logits_BK, output.image_BD @ weight.T + bias, atol=1e-6)
    assert torch.allclose(output.text_logits_BK, output.text_BD @ weight.T + bias, atol=1e-6)


def test_a_classifier_per_modality(make_model, batch):
    model = make_model(logit_scale="none", classifier="per_modality")
    output = model(*batch)
    parameters = dict(model.named_parameters())
    for number, embedding, logits in (
        (0, output.image_BD, output.image_logits_BK),
        (1, output.text_BD, output.text_logits_BK),
    ):
        weight, bias = (parameters[f"classifiers.{number}.{n}"] for n in ("weight", "bias"))
        assert torch.allclose(logits, embedding @ weight.T + bias, atol=1e-6)
    assert not torch.equal(parameters["classifiers.0.weight"], parameters["classifiers.1.weight"])


def test_a_learned_scale_starts_at_sixteen_and_multiplies_the_logits(make_model, batch):
    plain, scaled = make_model(logit_scale="none"), make_model(logit_scale="learned")
    assert torch.allclose(
        scaled(*batch).image_logits_BK, 16 * plain(*batch).image_logits_BK, atol=1e-4
    )
    scaled(*batch).image_logits_BK.square().sum().backward()
    assert scaled.log_scale.grad.item() != 0
    assert not hasattr(plain, "log_scale")


def test_a_probe_does_not_move_the_embeddings(make_model, batch):
    probe, shared = make_model(classifier="probe"), make_model(classifier="shared")
    assert torch.equal(probe(*batch).text_logits_BK, shared(*batch).text_logits_BK)
    for model, moves in ((probe, False), (shared, True)):
        output = model(*batch)
        (output.image_logits_BK.square().sum() + output.text_logits_BK.square().sum()).backward()
        towers = [*model.image_tower.parameters(), *model.text_tower.parameters()]
        assert all(parameter.grad is not None for parameter in towers) == moves
        assert model.classifiers[0].weight.grad is not None
    # Other losses on the embeddings still reach the towers.
    probe(*batch).image_BD.sum().backward()
    assert all(parameter.grad is not None for parameter in probe.image_tower.parameters())


@pytest.mark.parametrize("logit_scale", ["none", "learned"])
def test_concatenation_is_one_linear_layer_on_both_embeddings(make_model, batch, logit_scale):
    model = make_model(fusion="concat", logit_scale=logit_scale)
    with torch.no_grad():
        model.bias_K.copy_(torch.tensor([0.5, -1.0, 2.0]))
    output = model(*batch)
    weight_K2D = torch.cat([layer.weight for layer in model.classifiers], dim=1)
    scale = 1.0 if logit_scale == "none" else 16.0

    def linear(image_BD, text_BD):
        return scale * torch.cat([image_BD, text_BD], dim=1) @ weight_K2D.T + model.bias_K

    nothing = torch.zeros_like(output.text_BD)
    both = linear(output.image_BD, output.text_BD)
    assert torch.allclose(output.fused_logits_BK, both, atol=1e-5)
    # With one modality: as if the other's embedding were zero.
    assert torch.allclose(output.image_logits_BK, linear(output.image_BD, nothing), atol=1e-5)
    assert torch.allclose(output.text_logits_BK, linear(nothing, output.text_BD), atol=1e-5)


def test_standardisation_reaches_both_towers(make_model, batch):
    model = make_model()
    model.standardise(*batch)
    assert torch.allclose(model.image_tower.mean_F, batch[0].mean(dim=0), atol=1e-6)
    assert torch.allclose(model.text_tower.mean_F, batch[1].mean(dim=0), atol=1e-6)


def test_items_do_not_influence_each_other(make_model, batch):
    model = make_model()
    together = model(*batch)
    alone = model(batch[0][3:4], batch[1][3:4])
    assert torch.allclose(alone.image_BD[0], together.image_BD[3], atol=1e-6)
    assert torch.allclose(alone.text_logits_BK[0], together.text_logits_BK[3], atol=1e-4)
