import numpy as np
import pytest
import torch
from scipy.sparse import csr_matrix
from torch import nn

from pipeline.model.tower import Tower
from tests.feature_tables import text_matrix, text_of


@pytest.fixture
def feature():
    return torch.randn(9, 6, generator=torch.Generator().manual_seed(0)) * 3 + 5


def build(layers, *, features=6, width=7, dim=4, dropout=0.5):
    torch.manual_seed(0)
    return Tower(features, width=width, layers=layers, dim=dim, dropout=dropout)


@pytest.mark.parametrize("layers", [5, 2])
def test_the_papers_towers(layers):
    tower = Tower(1280, width=512, layers=layers, dim=512, dropout=0.15)
    shapes = [tuple(m.weight.shape) for m in tower.modules() if isinstance(m, nn.Linear)]
    assert shapes == [(512, 1280)] + [(512, 512)] * (layers - 1)
    assert [m.p for m in tower.modules() if isinstance(m, nn.Dropout)] == [0.15] * (layers - 1)


@pytest.mark.parametrize("layers", [1, 2, 5])
def test_a_tower_equals_its_layers_written_out(feature, layers):
    tower = build(layers).eval()
    tower.standardise(feature)
    linear = [m for m in tower.modules() if isinstance(m, nn.Linear)]
    assert len(linear) == layers
    hidden = (feature - feature.mean(dim=0)) / feature.std(dim=0, correction=0)
    for number, layer in enumerate(linear):
        hidden = hidden @ layer.weight.T + layer.bias
        if number < layers - 1:
            hidden = hidden.clamp(min=0)
    expected = hidden / hidden.square().sum(dim=1, keepdim=True).sqrt()
    assert torch.allclose(tower(feature), expected, atol=1e-5)


@pytest.mark.parametrize("training", [False, True])
def test_embeddings_have_unit_norm(feature, training):
    embedding = build(3).train(training)(feature)
    assert embedding.shape == (9, 4)
    assert torch.allclose(embedding.norm(dim=1), torch.ones(9), atol=1e-6)


def test_nothing_is_dropped_from_the_embedding(feature):
    # With one layer there is no hidden unit to drop: training and evaluation agree.
    single = build(1, dropout=0.9)
    assert torch.equal(single.train()(feature), single.eval()(feature))
    # With two, hidden units are dropped, yet no entry of an embedding is exactly zero.
    double = build(2, dropout=0.5)
    assert not torch.equal(double.train()(feature), double.eval()(feature))
    assert double.train()(feature).count_nonzero() == 9 * 4


def test_features_may_come_in_any_unit(feature):
    tower, scaled = build(2).eval(), build(2).eval()
    tower.standardise(feature)
    scaled.standardise(feature * 1000 - 7)
    assert torch.allclose(tower(feature), scaled(feature * 1000 - 7), atol=1e-4)


def test_a_constant_feature_stays_finite(feature):
    feature[:, 2] = 3.0
    tower = build(2).eval()
    tower.standardise(feature)
    assert tower.std_F[2] == 1.0
    assert tower(feature).isfinite().all()


def test_standardisation_is_saved_with_the_weights(feature):
    tower = build(2)
    tower.standardise(feature)
    other = build(2)
    other.load_state_dict(tower.state_dict())
    assert torch.allclose(other.mean_F, feature.mean(dim=0))
    assert torch.allclose(other.std_F, feature.std(dim=0, correction=0))
    assert torch.equal(other.eval()(feature), tower.eval()(feature))
    # It is fitted, not learned.
    assert {name for name, _ in tower.named_parameters()} == {
        f"layers.{place}.{kind}" for place in (0, 3) for kind in ("weight", "bias")
    }


V = 11


@pytest.fixture
def mixed():
    """Nine texts with three dense features and up to four of eleven words, one text without."""
    random = np.random.default_rng(0)
    words = random.uniform(size=(9, V)) * (random.uniform(size=(9, V)) < 0.3)
    words[4] = 0
    dense = random.normal(2.0, 3.0, size=(9, 3))
    return text_of({"a": dense.astype(np.float32), "b": csr_matrix(words.astype(np.float32))})


def dense_twin(tower, mixed):
    """A tower of linear layers alone with the same weights, and its standardised input."""
    matrix = text_matrix(mixed, V)
    layers = len([m for m in tower.modules() if isinstance(m, nn.Linear)])
    twin = Tower(3 + V, width=7, layers=layers, dim=4, dropout=0.5)
    with torch.no_grad():
        twin.load_state_dict(
            {n: v for n, v in tower.state_dict().items() if n.startswith("layers.")}
            | {
                "layers.0.weight": torch.cat([tower.layers[0].weight, tower.words.weight.T], dim=1),
                "mean_F": torch.cat([tower.mean_F, torch.zeros(V)]),
                "std_F": torch.cat([tower.std_F, (1 / tower.word_scale).expand(V)]),
            }
        )
    return twin, matrix


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_a_sparse_block_gives_the_output_and_gradients_of_a_dense_one(mixed, layers):
    torch.manual_seed(0)
    tower = Tower(3, width=7, layers=layers, dim=4, dropout=0.5, words=V).eval()
    tower.standardise(mixed)
    twin, matrix = dense_twin(tower, mixed)
    twin.eval()
    found, expected = tower(mixed[:]), twin(matrix)
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-5)
    wanted = torch.randn(9, 4, generator=torch.Generator().manual_seed(1))
    (found * wanted).sum().backward()
    (expected * wanted).sum().backward()
    gradient = twin.layers[0].weight.grad
    torch.testing.assert_close(tower.layers[0].weight.grad, gradient[:, :3], atol=1e-6, rtol=1e-4)
    torch.testing.assert_close(tower.words.weight.grad, gradient[:, 3:].T, atol=1e-6, rtol=1e-4)
    for a, b in zip(list(tower.layers.parameters())[1:], list(twin.parameters())[1:], strict=True):
        torch.testing.assert_close(a.grad, b.grad, atol=1e-6, rtol=1e-4)


def test_adamw_takes_the_same_steps_with_either_form(mixed):
    torch.manual_seed(0)
    tower = Tower(3, width=7, layers=2, dim=4, dropout=0.0, words=V)
    tower.standardise(mixed)
    twin, matrix = dense_twin(tower, mixed)
    twin.eval()
    wanted = torch.randn(9, 4, generator=torch.Generator().manual_seed(1))
    for model, text in ((tower, mixed[:]), (twin, matrix)):
        optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
        for _ in range(5):
            optimizer.zero_grad()
            (model(text) * wanted).sum().backward()
            optimizer.step()
    torch.testing.assert_close(tower(mixed[:]), twin(matrix), atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("scale", [0.01, 1.0, 50.0])
def test_a_sparse_block_weighs_as_much_as_a_dense_one_in_the_first_layer(scale):
    """10,000 words of which a text has six, beside 384 dense features."""
    random = np.random.default_rng(0)
    rows, columns = np.repeat(np.arange(300), 6), random.integers(10_000, size=1800)
    words = csr_matrix((np.full(1800, scale, np.float32), (rows, columns)), shape=(300, 10_000))
    dense = random.normal(5.0, 2.0, size=(300, 384)).astype(np.float32)
    torch.manual_seed(0)
    tower = Tower(384, width=200, layers=2, dim=4, dropout=0.0, words=10_000)
    text = text_of({"dense": dense, "words": words})
    tower.standardise(text)
    with torch.no_grad():
        from_dense = tower.layers[0]((text.dense_NT - tower.mean_F) / tower.std_F)
        batch = text[:]
        weight_NL = batch.weight_NL * tower.word_scale
        from_words = tower.words(batch.word_NL, per_sample_weights=weight_NL)
    assert from_words.std().item() == pytest.approx(from_dense.std().item(), rel=0.1)


def test_a_sparse_block_alone_and_texts_without_a_word():
    words = csr_matrix(np.eye(4, V, dtype=np.float32) * [[1], [2], [0], [3]])
    text = text_of({"words": words})
    torch.manual_seed(0)
    tower = Tower(0, width=7, layers=2, dim=4, dropout=0.0, words=V)
    tower.standardise(text)
    assert tower(text[:]).shape == (4, 4)
    assert tower(text[:]).isfinite().all()
    tower.standardise(text_of({"words": csr_matrix((4, V), dtype=np.float32)}))
    assert tower.word_scale == 1.0


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
