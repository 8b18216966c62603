import pytest
import torch

from pipeline.core.errors import InputError
from pipeline.train.batches import Batch
from pipeline.train.objectives.class_part import class_part
from pipeline.train.step import Step
from pipeline.train.world import ALONE

CPU = torch.device("cpu")


@pytest.fixture
def batch(make_pairs):
    pairs = make_pairs(24)
    return Batch(pairs.image_NI, pairs.text_NT, pairs.label_N)


def classify(output, label_B):
    loss = class_part(output, label_B)
    return loss, {"class": loss.detach()}


def make_step(model, objective=classify, *, lr=0.1, **changed):
    return Step(
        model, objective, torch.optim.SGD(model.parameters(), lr=lr), world=ALONE, **changed
    )


def weights(model):
    return [parameter.detach().clone() for parameter in model.parameters()]


def moved(before, after) -> float:
    return sum((a - b).square().sum().item() for a, b in zip(before, after, strict=True)) ** 0.5


def test_a_step_reports_the_loss_before_it_and_lowers_it(make_model, batch):
    model = make_model(dropout=0.0)
    take_step = make_step(model, lr=0.01)
    first = take_step(1, batch)
    assert set(first) == {"total", "class"}
    assert first["total"] == first["class"]
    assert take_step(2, batch)["total"] < first["total"]


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_broken_part_stops_before_the_step_and_is_named(make_model, batch, bad):
    def objective(output, label_B):
        loss, parts = classify(output, label_B)
        return loss * bad, {**parts, "graph": torch.tensor(bad)}

    model = make_model()
    before = weights(model)
    message = r"at step 7 the loss is not finite \(total, graph\); lower train\.lr \(the features"
    with pytest.raises(InputError, match=message):
        make_step(model, objective)(7, batch)
    assert moved(before, weights(model)) == 0.0


def test_clipping_bounds_the_step(make_model, batch):
    # Plain gradient descent moves the weights by lr times the norm of the gradient.
    free, clipped = make_model(dropout=0.0), make_model(dropout=0.0)
    start = weights(free)
    make_step(free, lr=1.0)(1, batch)
    norm = moved(start, weights(free))
    values = make_step(clipped, lr=1.0, gradient_clip=norm / 4)(1, batch)
    assert values["gradient_norm"] == pytest.approx(norm, rel=1e-4)
    assert moved(start, weights(clipped)) == pytest.approx(norm / 4, rel=1e-3)


def test_a_gradient_below_the_limit_passes(make_model, batch):
    free, limited = make_model(dropout=0.0), make_model(dropout=0.0)
    make_step(free)(1, batch)
    make_step(limited, gradient_clip=1000.0)(1, batch)
    assert moved(weights(free), weights(limited)) == 0.0


def test_bf16_products_give_nearly_the_same_loss_in_float32(make_model, batch):
    seen = []

    def objective(output, label_B):
        seen.extend(tensor.dtype for tensor in output if tensor is not None)
        return classify(output, label_B)

    full = make_step(make_model(dropout=0.0), objective)(1, batch)["total"]
    model = make_model(dropout=0.0)
    half = make_step(model, objective, autocast=torch.bfloat16)(1, batch)["total"]
    assert half != full
    assert half == pytest.approx(full, rel=0.02)
    assert set(seen) == {torch.float32}
    assert all(parameter.dtype == torch.float32 for parameter in model.parameters())


def test_a_compiled_step_is_the_same_step(make_model, batch):
    plain, compiled = (make_model(image_layers=1, text_layers=1) for _ in range(2))
    expected = make_step(plain)(1, batch)
    found = make_step(compiled, compiled=True)(1, batch)
    assert found == pytest.approx(expected, rel=1e-5)
    for a, b in zip(weights(plain), weights(compiled), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)
