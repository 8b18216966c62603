"""One optimizer step.

Shape letters: B batch.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.parallel import DistributedDataParallel
from torch.nn.utils import clip_grad_norm_

from pipeline.core.errors import InputError
from pipeline.model.towers import Towers, TowersOutput
from pipeline.train.batches import Batch
from pipeline.train.world import World, gather_output

Objective = Callable[[TowersOutput, Tensor], tuple[Tensor, dict[str, Tensor]]]
"""Forward pass and labels -> scalar to minimise, and its parts."""


class Step:
    """Forward, loss, backward, update, on this process's share of every batch."""

    def __init__(
        self,
        model: Towers,
        objective: Objective,
        optimizer: torch.optim.Optimizer,
        *,
        autocast: torch.dtype | None = None,
        compiled: bool = False,
        gradient_clip: float = 0.0,
        world: World,
    ) -> None:
        """Prepare the model.

        Args:
            model: Trained in place.
            objective: What to minimise, over the batch of all processes.
            optimizer: Over the model's parameters.
            autocast: Type of the towers' matrix products; None is float32.
            compiled: Whether to compile the model.
            gradient_clip: Greatest norm of the gradient; 0 for none.
            world: With more than one process, gradients are averaged over them.
        """
        self._parameters = list(model.parameters())
        forward: Callable[..., TowersOutput] = model
        if world.size > 1:
            # A part of weight 0 leaves parameters without gradients, the same ones in every step.
            forward = DistributedDataParallel(model, static_graph=True)
        self._forward = torch.compile(forward) if compiled else forward
        self._objective = objective
        self._optimizer = optimizer
        self._autocast = autocast
        self._gradient_clip = gradient_clip
        self._world = world

    def __call__(self, step: int, batch: Batch) -> dict[str, float]:
        """Take a step.

        Args:
            step: Its number, for the message.
            batch: Its items.

        Returns:
            `total` and the unweighted parts of the loss, and `gradient_norm` where it is clipped.

        Raises:
            InputError: One of these is not finite; the weights are as before the step.
        """
        total, parts = self._loss(batch)
        self._optimizer.zero_grad(set_to_none=True)
        # Every process has the loss of the whole batch; see `gather_output`.
        (total * self._world.size if self._world.size > 1 else total).backward()
        named = {"total": total.detach(), **parts}
        if self._gradient_clip > 0:
            named["gradient_norm"] = clip_grad_norm_(self._parameters, self._gradient_clip)
        # The only place where the processor waits for the device.
        numbers = torch.stack([value.float() for value in named.values()]).tolist()
        values = dict(zip(named, numbers, strict=True))
        _stop_if_not_finite(step, values)
        self._optimizer.step()
        return values

    def _loss(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        device = batch.image_BI.device.type
        with torch.autocast(device, self._autocast, enabled=self._autocast is not None):
            output = self._forward(batch.image_BI, batch.text_BT)
        output = TowersOutput._make(t if t is None else t.float() for t in output)
        if self._world.size > 1:
            output = gather_output(output, self._world)
        return self._objective(output, batch.label_B)


def _stop_if_not_finite(step: int, values: dict[str, float]) -> None:
    broken = [name for name, value in values.items() if not _is_finite(value)]
    if broken:
        raise InputError(
            f"train: at step {step} the loss is not finite ({', '.join(broken)}); "
            "lower train.lr (the features are finite: they are checked when they are stored)"
        )


def _is_finite(value: float) -> bool:
    return value - value == 0.0
