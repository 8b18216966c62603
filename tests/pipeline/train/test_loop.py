import pytest
import torch

from pipeline.core.errors import InputError
from pipeline.train.batches import Batches
from pipeline.train.checkpoint import CheckpointFile
from pipeline.train.loop import train_towers
from pipeline.train.objectives.class_part import class_part
from pipeline.train.plan import Plan
from pipeline.train.validate import validate


def classify(output, label_B):
    loss = class_part(output, label_B)
    return loss, {"class": loss.detach()}


class InterruptedRunError(Exception):
    pass


@pytest.fixture
def train(make_model, make_items):
    """Train a small model; keywords change the plan. Returns model, best, curves, validation."""
    items, val = make_items(120)

    def run(*, objective=classify, checkpoint=None, log=None, dropout=0.15, **changed):
        values = {
            "optimizer": "adamw",
            "lr": 0.01,
            "steps": 25,
            "validate_every": 7,
            "monitor": "score",
            "schedule": "cosine",
        }
        model = make_model(dropout=dropout)
        model.standardise(*items.standardisation_rows())
        torch.manual_seed(5)
        curves = []
        best = train_towers(
            model,
            objective,
            Batches(items, 16, seed=0),
            val,
            Plan(**{**values, **changed}),
            log=log or (lambda step, values: curves.append((step, values))),
            checkpoint=checkpoint,
        )
        return model, best, curves, val

    return run


def same(model, other) -> bool:
    pairs = zip(model.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def test_training_tells_the_classes_apart(train, make_model):
    _, best, _, val = train(steps=60)
    before = validate(make_model(), val)["accuracy_fused"]
    assert best.metrics["accuracy_fused"] > before + 0.3


def test_the_best_weights_are_left_in_the_model(train):
    model, best, curves, val = train()
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

    def objective(output, label_B):
        loss, parts = classify(output, label_B)
        losses.append(loss.item())
        return loss, parts

    _, _, curves, _ = train(objective=objective)
    found = [values["train/total"] for _, values in curves if "train/total" in values]
    expected = [sum(losses[:10]) / 10, sum(losses[10:20]) / 10, sum(losses[20:]) / 5]
    assert found == pytest.approx(expected)


def test_one_seed_gives_one_result(train):
    model, best, curves, _ = train()
    again, best_again, curves_again, _ = train()
    assert same(model, again)
    assert curves == curves_again
    assert best.step == best_again.step


@pytest.mark.parametrize("optimizer", ["adamw", "rmsprop", "sgd", "nadam"])
@pytest.mark.parametrize("stop", [1, 8, 14, 20, 25])
def test_an_interrupted_run_ends_bitwise_as_if_it_was_not(train, tmp_path, optimizer, stop):
    whole, best, curves, _ = train(optimizer=optimizer, momentum=0.9)
    file = CheckpointFile(tmp_path, "run")
    seen = 0

    def objective(output, label_B):
        nonlocal seen
        seen += 1
        if seen > stop:
            raise InterruptedRunError
        return classify(output, label_B)

    if stop < 25:
        with pytest.raises(InterruptedRunError):
            train(
                objective=objective,
                checkpoint=file,
                checkpoint_every=4,
                optimizer=optimizer,
                momentum=0.9,
            )
    seen = -1000
    resumed, best_again, curves_again, _ = train(
        objective=objective, checkpoint=file, checkpoint_every=4, optimizer=optimizer, momentum=0.9
    )
    assert seen == -1000 + 25 - stop // 4 * 4 * (stop < 25), "it goes on from the last checkpoint"
    assert same(whole, resumed)
    assert curves == curves_again
    assert (best.step, best.metrics) == (best_again.step, best_again.metrics)


def test_checkpoints_by_time_resume_like_those_by_steps(train, tmp_path):
    whole, best, curves, _ = train()
    file = CheckpointFile(tmp_path, "run")
    seen = 0

    def objective(output, label_B):
        nonlocal seen
        seen += 1
        if seen == 10:
            raise InterruptedRunError
        return classify(output, label_B)

    # So short a time has passed after every step.
    with pytest.raises(InterruptedRunError):
        train(objective=objective, checkpoint=file, checkpoint_minutes=1e-9)
    resumed, best_again, curves_again, _ = train(objective=objective, checkpoint=file)
    assert seen == 10 + 25 - 9, "nine steps were kept"
    assert same(whole, resumed)
    assert (best.step, curves) == (best_again.step, curves_again)


def test_no_checkpoint_is_written_before_its_time(train, tmp_path):
    file = CheckpointFile(tmp_path, "run")
    train(checkpoint=file, checkpoint_minutes=1000.0)
    assert file.load() is None


def test_a_run_that_had_just_ended_is_not_trained_again(train, tmp_path):
    file = CheckpointFile(tmp_path, "run")
    whole, best, curves, _ = train(checkpoint=file, checkpoint_every=25)

    def objective(output, label_B):
        raise AssertionError("no step is left")

    again, best_again, curves_again, _ = train(objective=objective, checkpoint=file)
    assert same(whole, again)
    assert (best.step, curves) == (best_again.step, curves_again)


def test_training_stops_when_patience_ends(train):
    # Without learning no validation is better than the first one, of step 7.
    _, best, curves, _ = train(lr=1e-30, patience=2, dropout=0.0)
    assert best.step == 7
    assert [step for step, values in curves if "val/score" in values] == [7, 14, 21]


def test_a_loss_that_breaks_stops_the_run(train):
    steps = []

    def objective(output, label_B):
        steps.append(0)
        loss, parts = classify(output, label_B)
        return loss * (float("nan") if len(steps) == 3 else 1), parts

    with pytest.raises(InputError, match=r"at step 3 the loss is not finite \(total\)"):
        train(objective=objective)


@pytest.mark.parametrize("label", [-100, 3])
def test_a_label_that_is_no_class_stops_before_the_first_step(make_items, make_model, label):
    items, val = make_items(120)
    items.label_N[5] = label
    plan = Plan(optimizer="sgd", lr=0.1, steps=1, validate_every=1, monitor="score")

    def objective(output, label_B):
        raise AssertionError("no step is taken")

    with pytest.raises(ValueError, match=rf"labels need to be in \[0, 3\), .* {label}$"):
        train_towers(
            make_model(), objective, Batches(items, 16, seed=0), val, plan, log=lambda *_: None
        )
