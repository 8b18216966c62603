import pytest
import torch

from pipeline.core.errors import InputError
from pipeline.train.batches import Batch, Batches
from pipeline.train.checkpoint import CheckpointFile
from pipeline.train.loop import Step, train_towers
from pipeline.train.losses.class_loss import classification_loss
from pipeline.train.validate import validate
from tests.shipped import shipped

PLAIN = {"optimizer": "sgd", "momentum": 0.0, "weight_decay": 0.0}
"""Gradient descent as in a textbook."""


def classify(output, label_B):
    loss = classification_loss(output.image_logits_BK, output.text_logits_BK, label_B)
    return loss, {"class": loss.detach()}


def never(output, label_B):
    raise AssertionError("no step is left to take")


class InterruptedRunError(Exception):
    pass


class Interrupted:
    """A loss that breaks off a run after some steps, and counts them."""

    def __init__(self, stop):
        self.left, self.taken = stop, 0

    def __call__(self, output, label_B):
        if self.left == 0:
            raise InterruptedRunError
        self.left, self.taken = self.left - 1, self.taken + 1
        return classify(output, label_B)


@pytest.fixture
def train(make_model, make_items):
    """Train a small model; keywords change section train. Returns model, best, curves, val."""
    items, val = make_items(120)

    def run(*, loss=classify, checkpoint=None, dropout=0.15, every=0, minutes=0.0, **changed):
        small = {"lr": 0.01, "weight_decay": 0.0, "steps": 25, "validate_every": 7}
        model = make_model(dropout=dropout)
        items.standardise(model)
        torch.manual_seed(5)
        curves = []
        best = train_towers(
            model,
            loss,
            Batches(items, 16, seed=0),
            val,
            shipped("train", **small | changed),
            shipped("machine", checkpoint_every=every, checkpoint_minutes=minutes),
            log=lambda step, values: curves.append((step, values)),
            checkpoint=checkpoint,
        )
        return model, best, curves, val

    return run


def same(one, other) -> bool:
    """Whether two runs came to the same bits: weights, curves and the best validation."""
    weights = zip(one[0].state_dict().values(), other[0].state_dict().values(), strict=True)
    (_, best, curves, _), (_, best_again, curves_again, _) = one, other
    return (
        all(torch.equal(a, b) for a, b in weights)
        and curves == curves_again
        and (best.step, best.metrics) == (best_again.step, best_again.metrics)
    )


def test_training_tells_the_classes_apart(train, make_model):
    _, best, _, val = train(steps=60, tolerance=0.0)
    before = validate(make_model(), val)["accuracy_fused"]
    assert best.metrics["accuracy_fused"] > before + 0.3


def test_the_best_weights_are_left_in_the_model(train):
    model, best, curves, val = train(tolerance=0.0)
    scores = {step: values["val/score"] for step, values in curves if "val/score" in values}
    assert list(scores) == [7, 14, 21, 25]
    # The first of equals.
    assert best.step == max(scores, key=lambda step: scores[step])
    assert best.metrics["score"] == scores[best.step]
    assert validate(model, val) == best.metrics


def test_curves_have_every_part_the_rate_and_the_validation(train):
    _, _, curves, _ = train(gradient_clip=1.0)
    training = {step: values for step, values in curves if "train/total" in values}
    assert list(training) == [10, 20, 25]
    names = {"train/total", "train/class", "train/gradient_norm", "train/learning_rate"}
    assert all(set(values) == names for values in training.values())
    # The rate of the 10th step, after nine of 25 steps of cosine.
    assert training[10]["train/learning_rate"] == pytest.approx(0.00713, abs=1e-5)


def test_a_point_is_the_mean_of_the_steps_before_it(train):
    losses = []

    def loss(output, label_B):
        total, parts = classify(output, label_B)
        losses.append(total.item())
        return total, parts

    _, _, curves, _ = train(loss=loss)
    found = [values["train/total"] for _, values in curves if "train/total" in values]
    expected = [sum(losses[:10]) / 10, sum(losses[10:20]) / 10, sum(losses[20:]) / 5]
    assert found == pytest.approx(expected)


def test_one_seed_gives_one_result(train):
    assert same(train(), train())


@pytest.mark.parametrize("optimizer", ["adamw", "rmsprop", "sgd", "nadam"])
@pytest.mark.parametrize("stop", [1, 8, 14, 20])
def test_an_interrupted_run_ends_bitwise_as_if_it_was_not(train, tmp_path, optimizer, stop):
    changed = {"optimizer": optimizer, "checkpoint": CheckpointFile(tmp_path, "run"), "every": 4}
    with pytest.raises(InterruptedRunError):
        train(loss=Interrupted(stop), **changed)
    loss = Interrupted(-1)
    assert same(train(loss=loss, **changed), train(optimizer=optimizer))
    assert loss.taken == 25 - stop // 4 * 4, "it goes on from the last checkpoint"


def test_checkpoints_by_time_resume_like_those_by_steps(train, tmp_path):
    file, loss = CheckpointFile(tmp_path, "run"), Interrupted(-1)
    # So short a time has passed after every step.
    with pytest.raises(InterruptedRunError):
        train(loss=Interrupted(9), checkpoint=file, minutes=1e-9)
    assert same(train(loss=loss, checkpoint=file), train())
    assert loss.taken == 25 - 9, "nine steps were kept"


def test_no_checkpoint_is_written_before_its_time(train, tmp_path):
    file = CheckpointFile(tmp_path, "run")
    train(checkpoint=file, minutes=1000.0)
    assert file.load() is None


def test_a_run_that_had_just_ended_is_not_trained_again(train, tmp_path):
    file = CheckpointFile(tmp_path, "run")
    assert same(train(checkpoint=file, every=25), train(loss=never, checkpoint=file))


def test_training_stops_when_patience_ends(train):
    # Without learning no validation is better than the first one, of step 7.
    _, best, curves, _ = train(lr=1e-30, patience=2, dropout=0.0, tolerance=0.0)
    assert best.step == 7
    assert [step for step, values in curves if "val/score" in values] == [7, 14, 21]


@pytest.mark.parametrize("label", [-100, 3])
def test_a_label_that_is_no_class_stops_before_the_first_step(make_items, make_model, label):
    items, val = make_items(120)
    items.label_N[5] = label
    given = make_model(), never, Batches(items, 16, seed=0), val
    with pytest.raises(ValueError, match=rf"labels need to be in \[0, 3\), .* {label}$"):
        train_towers(*given, shipped("train"), shipped("machine"), log=lambda *_: None)


@pytest.fixture
def step(make_model, make_pairs):
    """Take a step of gradient descent with a new model; keywords change section train.

    Returns what the step says, the weights before and after it, and the model.
    """
    pairs = make_pairs(24)
    batch = Batch(pairs.image_NI, pairs.text_NT, pairs.label_N)

    def take(*, loss=classify, rate=0.1, number=1, layers=2, **changed):
        model = make_model(dropout=0.0, image_layers=layers, text_layers=layers)
        before = flat(model)
        taken = Step(model, loss, shipped("train", **PLAIN | changed))(number, batch, rate)
        return taken, before, flat(model), model

    return take


def flat(model):
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


def test_a_step_reports_the_loss_before_it_and_lowers_it(step, make_pairs):
    values, *_, model = step(rate=0.01)
    assert set(values) == {"total", "class"}
    pairs = make_pairs(24)
    after, _ = classify(model(pairs.image_NI, pairs.text_NT), pairs.label_N)
    assert after < values["total"] == values["class"]


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_broken_part_stops_before_the_step_and_is_named(make_model, make_pairs, bad):
    def loss(output, label_B):
        total, parts = classify(output, label_B)
        return total * bad, {**parts, "graph": torch.tensor(bad)}

    model, pairs = make_model(), make_pairs(24)
    before = flat(model)
    take_step = Step(model, loss, shipped("train"))
    message = r"at step 7 the loss is not finite \(total, graph\); lower train\.lr \(the features"
    with pytest.raises(InputError, match=message):
        take_step(7, Batch(pairs.image_NI, pairs.text_NT, pairs.label_N), 0.1)
    assert torch.equal(before, flat(model))


def test_clipping_bounds_the_step(step):
    # Plain gradient descent moves the weights by the rate times the norm of the gradient.
    _, before, after, _ = step(rate=1.0)
    norm = (after - before).norm().item()
    values, _, clipped, _ = step(rate=1.0, gradient_clip=norm / 4)
    assert values["gradient_norm"] == pytest.approx(norm, rel=1e-4)
    assert (clipped - before).norm().item() == pytest.approx(norm / 4, rel=1e-3)
    # A gradient below the limit passes.
    assert torch.equal(step(rate=1.0, gradient_clip=1000.0)[2], after)


def test_bf16_products_give_nearly_the_same_loss_in_float32(step):
    seen = []

    def loss(output, label_B):
        seen.extend(tensor.dtype for tensor in output if tensor is not None)
        return classify(output, label_B)

    full, half = (step(loss=loss, precision=name)[0]["total"] for name in ("fp32", "bf16"))
    assert half != full
    assert half == pytest.approx(full, rel=0.02)
    assert set(seen) == {torch.float32}


@pytest.mark.slow
def test_a_compiled_step_is_the_same_step(step):
    expected, found = (step(compile=compiled, layers=1) for compiled in (False, True))
    assert found[0] == pytest.approx(expected[0], rel=1e-5)
    torch.testing.assert_close(found[2], expected[2], rtol=1e-4, atol=1e-6)


def test_the_text_tower_learns_at_its_own_rate(step):
    *_, model = step(rate=0.01, text_lr_factor=3.0)
    *_, again = step(rate=0.0)
    for (name, parameter), start in zip(model.named_parameters(), again.parameters(), strict=True):
        factor = 0.03 if name.startswith("text_tower.") else 0.01
        torch.testing.assert_close(parameter.data, start.data - factor * parameter.grad)
