"""The training loop: step, log, validate, keep the best.

Shape letters: B batch, K classes.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.optim.lr_scheduler import LambdaLR
from tqdm import tqdm

from pipeline.dataset.pairs import Pairs
from pipeline.errors import InputError
from pipeline.models.huse import Huse, HuseOutput
from pipeline.training.validate import validate

Objective = Callable[[HuseOutput, Tensor], tuple[Tensor, dict[str, Tensor]]]
Log = Callable[[int, dict[str, float]], None]

LOG_EVERY = 10
"""Steps that one point of a training curve averages."""


@dataclass(frozen=True)
class Best:
    """The best validation so far."""

    step: int
    metrics: dict[str, float]
    state: dict[str, Tensor]


def train_towers(
    model: Huse,
    objective: Objective,
    optimizer: torch.optim.Optimizer,
    schedule: LambdaLR,
    *,
    train: Pairs,
    val: Pairs,
    batches: Iterable[Tensor],
    steps: int,
    validate_every: int,
    monitor: str,
    log: Log,
) -> Best:
    """Train and leave the best validated weights in the model.

    Args:
        model: The towers, on the device of the pairs; trained in place.
        objective: Forward pass and labels -> scalar to minimise, and its parts.
        optimizer: Over the model's parameters.
        schedule: Learning rate per step.
        train: Items to train on.
        val: Items to choose the best weights by.
        batches: Indices into `train`, one tensor per step.
        steps: Number of batches, for the progress bar and the last validation.
        validate_every: Steps between validations; the last step is always validated.
        monitor: Key of `validate`'s result that is to be greatest.
        log: Called with the step and named values: training curves and validations.

    Returns:
        The best validation; its weights are loaded into the model.

    Raises:
        InputError: The loss is not finite: names the step and the part, before that step is taken.
    """
    best: Best | None = None
    window: dict[str, list[float]] = {}
    progress = tqdm(batches, total=steps, desc="train", unit="step", disable=None)
    for step, index_B in enumerate(progress, start=1):
        model.train()
        output = model(train.image_NI[index_B], train.text_NT[index_B])
        total, parts = objective(output, train.label_N[index_B])
        values = {"total": total.item(), **{name: part.item() for name, part in parts.items()}}
        _stop_if_not_finite(step, values)
        optimizer.zero_grad(set_to_none=True)
        total.backward()
        optimizer.step()
        for name, value in values.items():
            window.setdefault(f"train/{name}", []).append(value)
        if step % LOG_EVERY == 0 or step == steps:
            means = {name: sum(points) / len(points) for name, points in window.items()}
            log(step, {**means, "train/learning_rate": float(schedule.get_last_lr()[0])})
            window.clear()
        schedule.step()
        if step % validate_every == 0 or step == steps:
            metrics = validate(model, val)
            log(step, {f"val/{name}": value for name, value in metrics.items()})
            progress.set_postfix({monitor: f"{metrics[monitor]:.4f}"})
            if best is None or metrics[monitor] > best.metrics[monitor]:
                state = {name: value.clone() for name, value in model.state_dict().items()}
                best = Best(step, metrics, state)
    assert best is not None
    model.load_state_dict(best.state)
    return best


def _stop_if_not_finite(step: int, values: dict[str, float]) -> None:
    broken = [name for name, value in values.items() if not _is_finite(value)]
    if broken:
        raise InputError(
            f"train: at step {step} the loss is not finite ({', '.join(broken)}); "
            "lower train.lr, or look for extreme values in the features"
        )


def _is_finite(value: float) -> bool:
    return value - value == 0.0
