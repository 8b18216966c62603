import numpy as np
import pytest
import torch

from pipeline.features.present import Present
from pipeline.model.fusion import Fusion, fit_fusion, product_loss
from pipeline.model.towers import TowersOutput

COUNT, CLASSES = 400, 5


def outputs(image_logits, text_logits, fused_logits=None):
    embedding = torch.zeros(len(image_logits), 2)
    return TowersOutput(embedding, embedding, image_logits, text_logits, fused_logits)


@pytest.fixture
def labels():
    return torch.randint(CLASSES, (COUNT,), generator=torch.Generator().manual_seed(0))


@pytest.fixture
def informed(labels):
    """Build calibrated logits that know something of the label; a seed makes them independent."""

    def build(seed, strength=2.0):
        noise = torch.randn(COUNT, CLASSES, generator=torch.Generator().manual_seed(seed))
        signal = torch.nn.functional.one_hot(labels, CLASSES)
        # Gaussian evidence x ~ N(strength * signal, 1) has the log likelihood ratio strength * x.
        return strength * (strength * signal + noise)

    return build


@pytest.fixture
def useless():
    generator = torch.Generator().manual_seed(9)
    return 50 * torch.randn(COUNT, CLASSES, generator=generator)


def likelihood(probability_NK, labels):
    return probability_NK[torch.arange(COUNT), labels].log().mean().item()


def test_probabilities_sum_to_one(informed, useless, labels):
    for output in (outputs(informed(1), useless), outputs(informed(1), useless, informed(2))):
        probabilities = fit_fusion(output, labels, "late").probabilities(output)
        assert set(probabilities) == {"image", "text", "fused"}
        for value_NK in probabilities.values():
            assert value_NK.min() >= 0
            assert torch.allclose(value_NK.sum(dim=1), torch.ones(COUNT), atol=1e-5)


# softmax of (2, 0) / 2: e / (e + 1) = 0.731059; of (0, 1) / 0.5: 1 / (1 + e^2) = 0.119203.
IMAGE, TEXT = [0.731059, 0.268941], [0.119203, 0.880797]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        # 0.25 * 0.731059 + 0.75 * 0.119203 = 0.272167.
        ({}, (IMAGE, TEXT, [0.272167, 0.727833])),
        # (0.25 * (1, 0) + 0.75 * (0, 2)) / 0.5 = (0.5, 3); 1 / (1 + e^2.5) = 0.075858.
        (
            {"rule": "product", "fused_temperature": 0.5},
            (IMAGE, TEXT, [0.075858, 0.924142]),
        ),
        # sigmoid(1) = 0.731059, sigmoid(2) = 0.880797.
        ({"multi_label": True}, ([0.731059, 0.5], [0.5, 0.880797], [0.557765, 0.785598])),
    ],
)
def test_probabilities_by_hand(changed, expected):
    settings = {"image_temperature": 2.0, "text_temperature": 0.5, "fused_temperature": 1.0}
    fusion = Fusion(0.25, **settings | changed)
    output = outputs(torch.tensor([[2.0, 0.0]]), torch.tensor([[0.0, 1.0]]))
    found = fusion.probabilities(output)
    for name, values in zip(("image", "text", "fused"), expected, strict=True):
        assert found[name][0].tolist() == pytest.approx(values, abs=1e-6)


def test_a_useless_but_overconfident_modality_gets_little_weight(informed, useless, labels):
    good_image = fit_fusion(outputs(informed(1), useless), labels, "late")
    good_text = fit_fusion(outputs(useless, informed(1)), labels, "late")
    assert 0.9 < good_image.image_weight <= 1.0
    assert 0.0 <= good_text.image_weight < 0.1
    assert good_image.text_temperature > 20
    output = outputs(informed(1), useless)
    fused_NK = good_image.probabilities(output)["fused"]
    image_NK = good_image.probabilities(output)["image"]
    assert (fused_NK.argmax(1) == labels).sum() >= (image_NK.argmax(1) == labels).sum() - 2


def test_two_good_modalities_share_the_weight_and_do_better_together(informed, labels):
    output = outputs(informed(1), informed(2))
    fusion = fit_fusion(output, labels, "late")
    assert 0.3 < fusion.image_weight < 0.7
    found = fusion.probabilities(output)
    alone = max(likelihood(found[name], labels) for name in ("image", "text"))
    assert likelihood(found["fused"], labels) > alone + 0.05


@pytest.mark.parametrize("factor", [0.1, 1.0, 8.0])
def test_a_temperature_undoes_a_change_of_scale(informed, labels, factor):
    changed = fit_fusion(outputs(factor * informed(1), informed(2)), labels, "late")
    plain = fit_fusion(outputs(informed(1), informed(2)), labels, "late")
    # These logits were calibrated to begin with.
    assert plain.image_temperature == pytest.approx(1.0, abs=0.2)
    assert changed.image_temperature == pytest.approx(factor * plain.image_temperature, rel=1e-2)
    assert changed.text_temperature == plain.text_temperature
    assert changed.image_weight == pytest.approx(plain.image_weight, abs=1e-3)


def test_the_fitted_weight_is_the_most_likely_one(informed, labels):
    # Both over-confident, by different factors.
    output = outputs(3 * informed(1, strength=2.0), 8 * informed(2, strength=1.5))
    fusion = fit_fusion(output, labels, "late")
    found = fusion.probabilities(output)

    def at(weight):
        return likelihood(weight * found["image"] + (1 - weight) * found["text"], labels)

    best = max(range(101), key=lambda percent: at(percent / 100)) / 100
    assert fusion.image_weight == pytest.approx(best, abs=0.011)


def test_concatenation_fits_a_temperature_of_its_own(informed, labels):
    output = outputs(informed(1), informed(2), 5 * (informed(1) + informed(2)))
    fusion = fit_fusion(output, labels, "concat")
    assert fusion.fused_temperature == pytest.approx(5.0, rel=0.25)
    fused_NK = fusion.probabilities(output)["fused"]
    expected = (output.fused_logits_BK / fusion.fused_temperature).softmax(dim=1)
    assert torch.equal(fused_NK, expected)


def test_a_product_adds_up_evidence_where_an_average_cannot(informed, labels):
    # The logits are log likelihood ratios of independent evidence: the truth is their sum.
    output = outputs(informed(1), informed(2))
    fusion = fit_fusion(output, labels, "product")
    assert fusion.image_weight / fusion.image_temperature == pytest.approx(
        fusion.fused_temperature, rel=0.2
    )
    product_NK = fusion.probabilities(output)["fused"]
    average_NK = fit_fusion(output, labels, "late").probabilities(output)["fused"]
    assert likelihood(product_NK, labels) > likelihood(average_NK, labels) + 0.05


def test_the_fitted_product_is_the_most_likely_one(informed, labels):
    image, text = 3 * informed(1, strength=1.0), 8 * informed(2, strength=1.5)
    found = fit_fusion(outputs(image, text), labels, "product").probabilities(outputs(image, text))

    def at(image_factor, text_factor):
        logits = image_factor * image + text_factor * text
        return likelihood(logits.double().softmax(dim=1), labels)

    grid = [0.01 * 1.15**n for n in range(40)]
    best = max(at(a, b) for a in grid for b in grid)
    assert likelihood(found["fused"], labels) == pytest.approx(best, abs=1e-3)
    assert likelihood(found["fused"], labels) >= best - 1e-6


def test_a_useless_modality_hardly_counts_in_a_product(informed, useless, labels):
    output = outputs(informed(1), useless)
    found = fit_fusion(output, labels, "product").probabilities(output)
    assert (found["fused"].argmax(1) == found["image"].argmax(1)).float().mean() > 0.95


@pytest.mark.parametrize("rule", ["late", "product"])
def test_fitting_is_deterministic(informed, useless, labels, rule):
    output = outputs(informed(1), useless)
    assert fit_fusion(output, labels, rule) == fit_fusion(output, labels, rule)


@pytest.mark.parametrize("rule", ["late", "product"])
def test_certainty_does_not_break_the_fit(labels, rule):
    certain = 1e4 * torch.nn.functional.one_hot(labels, CLASSES).float()
    fusion = fit_fusion(outputs(certain, -certain), labels, rule)
    assert fusion.image_weight > 0.9
    found = fusion.probabilities(outputs(certain, -certain))
    assert all(value.isfinite().all() for value in found.values())


@pytest.fixture
def label_sets():
    """Up to three of the five labels for each item."""
    generator = torch.Generator().manual_seed(3)
    return (torch.rand(COUNT, CLASSES, generator=generator) < 0.4).float()


def test_temperatures_and_weight_of_labels_follow_from_their_likelihood(label_sets, useless):
    noise = torch.randn(COUNT, CLASSES, generator=torch.Generator().manual_seed(4))
    # Evidence x ~ N(+-2, 1) for and against has the log likelihood ratio 4 x; the image's logits
    # are ten times too sure.
    informed = 4 * (2 * (2 * label_sets - 1) + noise)
    fusion = fit_fusion(outputs(10 * informed, useless), label_sets, "late")
    assert fusion.multi_label
    assert fusion.image_temperature == pytest.approx(10, rel=0.25)
    assert fusion.text_temperature > 50
    assert fusion.image_weight > 0.95
    concat = fit_fusion(outputs(informed, useless, 3 * informed), label_sets, "concat")
    assert concat.multi_label
    assert concat.fused_temperature == pytest.approx(3, rel=0.25)


@pytest.fixture(params=["one class", "several labels"])
def target(request, labels, label_sets):
    """True classes, or sets of labels."""
    return labels if request.param == "one class" else label_sets


@pytest.mark.parametrize("block_logits", [1, CLASSES * 7, 2**20])
def test_loss_and_gradient_of_a_product_are_those_of_plain_float64(
    informed, useless, target, block_logits, monkeypatch
):
    monkeypatch.setattr("pipeline.model.fusion.BLOCK_LOGITS", block_logits)
    image, text, temperatures = informed(1), useless, (0.7, 3.0)
    factors = np.array([0.4, 1.3])
    loss, gradient = product_loss(factors, (image, text), temperatures, target)
    factor = torch.tensor(factors, requires_grad=True)
    logits = factor[0] * image.double() / 0.7 + factor[1] * text.double() / 3.0
    if target.dim() == 1:
        chosen = logits.log_softmax(dim=1)[torch.arange(COUNT), target]
        expected = -chosen.mean()
    else:
        sign = 2 * target.double() - 1
        expected = -torch.nn.functional.logsigmoid(sign * logits).mean()
    expected.backward()
    assert loss == pytest.approx(expected.item(), rel=1e-13)
    assert gradient == pytest.approx(factor.grad.numpy(), rel=1e-11)
    step = 1e-6
    for one in range(2):
        moved = [
            product_loss(
                factors + sign * step * np.eye(2)[one], (image, text), temperatures, target
            )
            for sign in (1, -1)
        ]
        assert gradient[one] == pytest.approx((moved[0][0] - moved[1][0]) / (2 * step), rel=1e-6)


@pytest.mark.parametrize("rule", ["late", "product", "concat"])
def test_blocks_change_nothing_but_the_last_digits(informed, useless, target, rule, monkeypatch):
    both = informed(1) + informed(2) if rule == "concat" else None
    output = outputs(informed(1), useless, both)
    whole = fit_fusion(output, target, rule)
    monkeypatch.setattr("pipeline.model.fusion.BLOCK_LOGITS", CLASSES * 7)
    blocks = fit_fusion(output, target, rule)
    assert blocks.probabilities(output)["fused"].numpy() == pytest.approx(
        whole.probabilities(output)["fused"].numpy(), abs=1e-5
    )


def test_no_more_than_a_block_is_in_float64_at_a_time(informed, useless, labels, monkeypatch):
    monkeypatch.setattr("pipeline.model.fusion.BLOCK_LOGITS", CLASSES * 7)
    cast = []
    original = torch.Tensor.double
    monkeypatch.setattr(
        torch.Tensor, "double", lambda self: cast.append(self.numel()) or original(self)
    )
    for rule in ("late", "product"):
        fit_fusion(outputs(informed(1), useless), labels, rule)
    assert max(cast) == CLASSES * 7


@pytest.mark.parametrize("rule", ["late", "product", "concat"])
def test_an_item_with_one_modality_is_judged_by_it_alone(informed, labels, rule):
    fused = informed(3) if rule == "concat" else None
    present = Present(torch.arange(COUNT) % 3 != 1, torch.arange(COUNT) % 3 != 2)
    output = outputs(informed(1), informed(2), fused)._replace(present=present)
    fusion = fit_fusion(output, labels, rule)
    found = fusion.probabilities(output)
    assert torch.equal(found["fused"][1::3], found["text"][1::3])
    assert torch.equal(found["fused"][2::3], found["image"][2::3])
    # With both nothing is different.
    plain = fusion.probabilities(output._replace(present=None))
    assert torch.equal(found["fused"][::3], plain["fused"][::3])


@pytest.mark.parametrize("rule", ["late", "product"])
def test_logits_of_what_items_lack_fit_nothing(informed, useless, labels, rule):
    present = Present(torch.arange(COUNT) % 3 != 1, torch.arange(COUNT) % 3 != 2)
    image, text = informed(1), informed(2)
    fitted = []
    for absent in (useless, 0 * useless):
        output = outputs(
            torch.where(present.image_N[:, None], image, absent),
            torch.where(present.text_N[:, None], text, absent),
        )
        fitted.append(fit_fusion(output._replace(present=present), labels, rule))
    assert fitted[0] == fitted[1]
    assert fitted[0].image_temperature == pytest.approx(1.0, abs=0.3), "the logits are calibrated"


def test_without_an_item_that_has_both_the_modalities_count_equally(informed, labels):
    odd = torch.arange(COUNT) % 2 == 1
    output = outputs(informed(1), informed(2))._replace(present=Present(odd, ~odd))
    fusion = fit_fusion(output, labels, "product")
    assert (fusion.image_weight, fusion.fused_temperature) == (0.5, 1.0)
