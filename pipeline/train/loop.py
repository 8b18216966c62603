"""The training loop: draw a batch, take a step, log, validate, keep weights, write checkpoints.

Shape letters: B batch, K classes, L labels.
"""

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.nn.parallel import DistributedDataParallel
from torch.nn.utils import clip_grad_norm_
from tqdm import tqdm

from pipeline.core.errors import InputError
from pipeline.core.machine import MachineSettings
from pipeline.core.precision import autocast_type
from pipeline.core.take_step import take_step
from pipeline.features.pairs import Pairs
from pipeline.model.towers import NameBatch, Towers, TowersOutput
from pipeline.train.batches import Batch, Batches
from pipeline.train.best import Best, keep_better
from pipeline.train.budget import budget_of
from pipeline.train.checkpoint import CheckpointFile
from pipeline.train.data.class_names import ClassNames
from pipeline.train.losses.labels import check_labels
from pipeline.train.optimizer import learning_rate, make_optimizer
from pipeline.train.settings import TrainSettings
from pipeline.train.validate import validate
from pipeline.train.world import (
    ALONE,
    World,
    from_main,
    gather_bytes,
    gather_output,
    told_by_main,
)

Loss = Callable[[TowersOutput, Tensor], tuple[Tensor, dict[str, Tensor]]]
"""Forward pass and labels -> scalar to minimise, and its parts; an `Objective` is one."""

Log = Callable[[int, dict[str, float]], None]

LOG_EVERY = 10
"""Steps that one point of a training curve averages."""


@dataclass
class Progress:
    """Where a run stands, beside the weights, the optimizer, the batches and the dice."""

    step: int = 0
    """Steps taken."""
    best: Best | None = None
    """What is kept, of the main process; None on the others."""
    validations_since_best: int = 0
    window: dict[str, list[float]] = field(default_factory=dict)
    """Values since the last point of the training curves, by name."""
    curves: list[tuple[int, dict[str, float]]] = field(default_factory=list)
    """All points logged so far: step, and values by name."""


def train_towers(
    model: Towers,
    loss: Loss,
    batches: Batches,
    val: Pairs,
    settings: TrainSettings,
    machine: MachineSettings,
    *,
    log: Log,
    checkpoint: CheckpointFile | None = None,
    world: World = ALONE,
    membership_KL: Tensor | None = None,
    names: ClassNames | None = None,
) -> Best | None:
    """Train and leave the weights that validation has chosen in the model; see `keep_better`.

    With a checkpoint of the same run, training goes on there: the weights, the curves and the
    result are bitwise those of a run that was never interrupted (same machine, same number of
    threads and processes). Every process draws dropout masks from a generator of its own, so with
    dropout the number of processes changes the result.

    Args:
        model: The towers, on the device of the items; trained in place.
        loss: What to minimise.
        batches: The items to train on.
        val: Items to choose the best weights by.
        settings: Optimizer, schedule, number of steps.
        machine: How often to write a checkpoint, which does not change the result.
        log: Called with the step and named values: training curves and validations. After an
            interruption it first gets all points of the run up to the checkpoint once more.
        checkpoint: Where the main process keeps the run's state; it is left there at the end.
        world: The processes that train together; only the main one validates, logs and writes.
        membership_KL: Labels of each class where items have several; see `validate`.
        names: Names of the classes to train on beside the items, if wanted.

    Returns:
        The validation of the weights that are loaded into the model. None on other processes.

    Raises:
        InputError: The loss is not finite: names the step and the part, before that step is taken.
        ValueError: A label of the items is no number of a class.
    """
    # Once for all steps: the losses do not wait for a device to look at them.
    classes = model.config.num_classes if membership_KL is None else len(membership_KL)
    check_labels(batches.items.label_N, classes)
    take_step = Step(model, loss, settings, world)
    budget = budget_of(settings, len(batches.items))
    # Where each looks for itself, one with another disk would begin anew beside others that go on.
    saved = None if checkpoint is None else told_by_main(checkpoint.load, world)
    progress = Progress()
    if saved is not None:
        progress = _restore(saved, take_step, batches)
    if world.is_main:
        # The curves' files begin anew with every process, so they get the earlier points again.
        for step, values in progress.curves:
            log(step, values)

    def point(values: dict[str, float]) -> None:
        if world.is_main:
            progress.curves.append((progress.step, values))
            log(progress.step, values)

    last_checkpoint = time.monotonic()
    quiet = None if world.is_main else True
    with tqdm(
        total=budget.steps, initial=progress.step, desc="train", unit="step", disable=quiet
    ) as bar:
        while progress.step < budget.steps:
            if 0 < settings.patience <= progress.validations_since_best:
                break
            # Draw a batch and take a step; the step fails before it harms the weights.
            rate = learning_rate(settings, progress.step, budget.steps)
            progress.step += 1
            is_last = progress.step == budget.steps
            named = None if names is None else names.batch(progress.step)
            for name, value in take_step(progress.step, batches.next(), rate, named).items():
                progress.window.setdefault(f"train/{name}", []).append(value)
            if progress.step % LOG_EVERY == 0 or is_last:
                # A point of the curves is the mean since the last one, which is less noisy.
                means = {name: sum(v) / len(v) for name, v in progress.window.items()}
                progress.window.clear()
                point({**means, "train/learning_rate": rate})
            if progress.step % budget.validate_every == 0 or is_last:
                if world.is_main:
                    metrics = validate(model, val, membership_KL)
                    point({f"val/{name}": value for name, value in metrics.items()})
                    top = None if progress.best is None else progress.best.top
                    progress.best = keep_better(
                        progress.best, model, progress.step, metrics, settings, len(val)
                    )
                    is_higher = top is None or progress.best.top > top
                    progress.validations_since_best = (
                        0 if is_higher else progress.validations_since_best + 1
                    )
                    bar.set_postfix({settings.monitor: f"{metrics[settings.monitor]:.4f}"})
                # All processes have to stop at the same step, and only one knows whether to.
                progress.validations_since_best = from_main(progress.validations_since_best, world)
            bar.update()
            if checkpoint and _checkpoint_due(machine, progress.step, last_checkpoint, world):
                state = _capture(progress, take_step, batches)
                if world.is_main:
                    checkpoint.save(state)
                last_checkpoint = time.monotonic()
    if progress.best is not None:
        model.load_state_dict(progress.best.state)
    return progress.best


class Step:
    """Forward, loss, backward, update, on this process's share of every batch."""

    def __init__(
        self, model: Towers, loss: Loss, settings: TrainSettings, world: World = ALONE
    ) -> None:
        """Prepare the model, which is trained in place, and its optimizer."""
        forward: Callable[..., TowersOutput] = model
        if world.size > 1:
            # A part of weight 0 leaves parameters without gradients, the same ones in every step.
            forward = DistributedDataParallel(model, static_graph=True)
        self._forward = torch.compile(forward) if settings.compile else forward
        self.model = model
        self._loss = loss
        self._settings = settings
        self.world = world
        device = next(model.parameters()).device
        self._device = device.type
        self._autocast = autocast_type("train.precision", settings.precision, device)
        self.optimizer = make_optimizer(model, settings)

    def __call__(
        self, step: int, batch: Batch, rate: float, names: NameBatch | None = None
    ) -> dict[str, float]:
        """Take a step.

        Args:
            step: Its number, for the message.
            batch: Its items.
            rate: Of the image tower and the classifier; the text tower's is its factor times it.
            names: Of classes, to train on too.

        Returns:
            `total` and the unweighted parts of the loss, and `gradient_norm` where it is clipped.

        Raises:
            InputError: One of these is not finite; the weights are as before the step.
        """
        self.model.train()  # validation has switched dropout off
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group["lr_factor"]
        with torch.autocast(self._device, self._autocast, enabled=self._autocast is not None):
            output = self._forward(batch.image_BI, batch.text_BT, names, batch.own_present)
        # The losses are float32: distances near 0 have no digits in bfloat16.
        output = TowersOutput._make(
            t.float() if isinstance(t, Tensor) and t.is_floating_point() else t for t in output
        )
        if self.world.size > 1:
            # Pairs are formed over the whole batch, so every process needs all its embeddings.
            output = gather_output(output, self.world)._replace(present=batch.present)
        total, parts = self._loss(output, batch.label_B)
        self.optimizer.zero_grad(set_to_none=True)
        # Every process has the loss of the whole batch; see `gather_output`.
        (total * self.world.size if self.world.size > 1 else total).backward()
        named = {"total": total.detach(), **parts}
        clip = self._settings.gradient_clip
        if clip > 0:
            named["gradient_norm"] = clip_grad_norm_(self.model.parameters(), clip)
        # The only place where the processor waits for the device.
        numbers = torch.stack([value.float() for value in named.values()]).tolist()
        values = dict(zip(named, numbers, strict=True))
        broken = [name for name, value in values.items() if not math.isfinite(value)]
        if broken:
            raise InputError(
                f"train: at step {step} the loss is not finite ({', '.join(broken)}); "
                "lower train.lr (the features are finite: they are checked when they are stored)"
            )
        take_step(self.optimizer)
        return values


def _checkpoint_due(machine: MachineSettings, step: int, last: float, world: World) -> bool:
    due = machine.checkpoint_every > 0 and step % machine.checkpoint_every == 0
    if machine.checkpoint_minutes > 0:
        # Clocks differ, and all processes have to take part in a checkpoint.
        is_time = time.monotonic() - last >= 60 * machine.checkpoint_minutes
        due = bool(from_main(due or is_time, world))
    return due


def _capture(progress: Progress, run: Step, batches: Batches) -> dict[str, Any]:
    """All that changes from step to step; every process has to call it, to add its dice."""
    has_cuda = torch.cuda.is_initialized()
    return {
        "progress": asdict(progress),
        "model": run.model.state_dict(),
        "optimizer": run.optimizer.state_dict(),
        "batches": batches.state(),
        "random": gather_bytes(torch.get_rng_state(), run.world),
        "random_cuda": gather_bytes(torch.cuda.get_rng_state(), run.world) if has_cuda else [],
    }


def _restore(state: dict[str, Any], run: Step, batches: Batches) -> Progress:
    """Overwrite everything with what `_capture` returned, of as many processes."""
    run.model.load_state_dict(state["model"])
    run.optimizer.load_state_dict(state["optimizer"])
    batches.restore(state["batches"])
    torch.set_rng_state(state["random"][run.world.rank])
    if state["random_cuda"]:
        torch.cuda.set_rng_state(state["random_cuda"][run.world.rank])
    progress = Progress(**state["progress"])
    best = state["progress"]["best"] if run.world.is_main else None
    progress.best = None if best is None else Best(**best)
    return progress
