"""The training loop: step, log, validate, keep the best, write checkpoints."""

import time
from collections.abc import Callable

from torch import Tensor
from tqdm import tqdm

from pipeline.core.precision import autocast_type
from pipeline.features.pairs import Pairs
from pipeline.model.towers import Towers
from pipeline.train.batches import Batches
from pipeline.train.checkpoint import CheckpointFile
from pipeline.train.losses.labels import check_labels
from pipeline.train.optim import learning_rate, make_optimizer, set_learning_rate
from pipeline.train.plan import Plan
from pipeline.train.progress import Best, Progress, capture, restore
from pipeline.train.step import Objective, Step
from pipeline.train.validate import validate
from pipeline.train.world import ALONE, World, from_main

Log = Callable[[int, dict[str, float]], None]

LOG_EVERY = 10
"""Steps that one point of a training curve averages."""


def train_towers(
    model: Towers,
    objective: Objective,
    batches: Batches,
    val: Pairs,
    plan: Plan,
    *,
    log: Log,
    checkpoint: CheckpointFile | None = None,
    world: World = ALONE,
    membership_KL: Tensor | None = None,
) -> Best | None:
    """Train and leave the best validated weights in the model.

    With a checkpoint of the same run, training goes on there: the weights, the curves and the
    result are bitwise those of a run that was never interrupted (same machine, same number of
    threads and processes). Every process draws dropout masks from a generator of its own, so with
    dropout the number of processes changes the result.

    Args:
        model: The towers, on the device of the items; trained in place.
        objective: What to minimise.
        batches: The items to train on.
        val: Items to choose the best weights by.
        plan: Optimizer, schedule, rhythm.
        log: Called with the step and named values: training curves and validations. After an
            interruption it first gets all points of the run up to the checkpoint once more.
        checkpoint: Where to keep the run's state; it is left there at the end.
        world: The processes that train together; only the main one validates, logs and writes.
        membership_KL: Labels of each class where items have several; see `validate`.

    Returns:
        The best validation; its weights are loaded into the model. None on other processes.

    Raises:
        InputError: The loss is not finite: names the step and the part, before that step is taken.
        ValueError: A label of the items is no number of a class.
    """
    # Once for all steps: the losses do not wait for a device to look at them.
    classes = model.config.num_classes if membership_KL is None else len(membership_KL)
    check_labels(batches.items.label_N, classes)
    device = next(model.parameters()).device
    optimizer = make_optimizer(model, plan)
    saved = None if checkpoint is None else checkpoint.load()
    progress = Progress()
    if saved is not None:
        progress = restore(saved, model, optimizer, batches, world)
    take_step = Step(
        model,
        objective,
        optimizer,
        autocast=autocast_type("train.precision", plan.precision, device),
        compiled=plan.compile,
        gradient_clip=plan.gradient_clip,
        world=world,
    )
    recorder = _Recorder(progress, log, world)
    due = _CheckpointDue(plan)
    bar = tqdm(
        total=plan.steps,
        initial=progress.step,
        desc="train",
        unit="step",
        disable=None if world.is_main else True,
    )
    with bar:
        while progress.step < plan.steps and not _out_of_patience(progress, plan):
            rate = learning_rate(plan, progress.step)
            set_learning_rate(optimizer, rate)
            progress.step += 1
            model.train()
            recorder.add(take_step(progress.step, batches.next()))
            if progress.step % LOG_EVERY == 0 or progress.step == plan.steps:
                recorder.write(rate)
            if progress.step % plan.validate_every == 0 or progress.step == plan.steps:
                if world.is_main:
                    metrics = recorder.validate(model, val, plan.monitor, membership_KL)
                    bar.set_postfix({plan.monitor: f"{metrics[plan.monitor]:.4f}"})
                progress.validations_since_best = from_main(progress.validations_since_best, world)
            bar.update()
            if checkpoint and due.now(progress.step, world):
                state = capture(progress, model, optimizer, batches, world)
                if world.is_main:
                    checkpoint.save(state)
    if progress.best is not None:
        model.load_state_dict(progress.best.state)
    return progress.best


class _Recorder:
    """Turns what the loop measures into points of curves and the best validation."""

    def __init__(self, progress: Progress, log: Log, world: World) -> None:
        self._progress = progress
        self._log = log
        self._is_main = world.is_main
        if self._is_main:
            for step, values in progress.curves:
                log(step, values)

    def add(self, values: dict[str, float]) -> None:
        for name, value in values.items():
            self._progress.window.setdefault(f"train/{name}", []).append(value)

    def write(self, rate: float) -> None:
        window = self._progress.window
        means = {name: sum(points) / len(points) for name, points in window.items()}
        window.clear()
        self._point({**means, "train/learning_rate": rate})

    def validate(
        self, model: Towers, val: Pairs, monitor: str, membership_KL: Tensor | None
    ) -> dict[str, float]:
        progress = self._progress
        metrics = validate(model, val, membership_KL)
        self._point({f"val/{name}": value for name, value in metrics.items()})
        progress.validations_since_best += 1
        if progress.best is None or metrics[monitor] > progress.best.metrics[monitor]:
            state = {name: value.clone() for name, value in model.state_dict().items()}
            progress.best = Best(progress.step, metrics, state)
            progress.validations_since_best = 0
        return metrics

    def _point(self, values: dict[str, float]) -> None:
        if self._is_main:
            self._progress.curves.append((self._progress.step, values))
            self._log(self._progress.step, values)


class _CheckpointDue:
    """Tells after which steps a checkpoint is written; which ones does not change the result."""

    def __init__(self, plan: Plan) -> None:
        self._steps = plan.checkpoint_every
        self._seconds = 60 * plan.checkpoint_minutes
        self._last = time.monotonic()

    def now(self, step: int, world: World) -> bool:
        due = self._steps > 0 and step % self._steps == 0
        if self._seconds > 0:
            # Clocks differ, and all processes have to take part in a checkpoint.
            due = bool(from_main(due or time.monotonic() - self._last >= self._seconds, world))
        if due:
            self._last = time.monotonic()
        return due


def _out_of_patience(progress: Progress, plan: Plan) -> bool:
    return 0 < plan.patience <= progress.validations_since_best
