"""Training steps of made-up items, by one process or by several; `benchmarks.distributed` runs it.

    torchrun --standalone --nproc-per-node 2 -m benchmarks.distributed_training --out result.json

Every process has one thread. Nothing is dropped, as the masks depend on the number of processes.

Shape letters: N items, I image feature, T text feature, K classes, L levels.
"""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from torch import Tensor

from pipeline.core.json_file import write_json
from pipeline.core.machine import MachineSettings
from pipeline.core.params import load_section
from pipeline.features.graph_file import SemanticGraph
from pipeline.features.pairs import Pairs
from pipeline.model.towers import Towers, TowersConfig, TowersOutput
from pipeline.train.batches import Batches
from pipeline.train.data.train_items import Features, TrainItems
from pipeline.train.loop import train_towers
from pipeline.train.loss_settings import LossSettings
from pipeline.train.objectives.huse import HuseObjective
from pipeline.train.settings import TrainSettings
from pipeline.train.world import join_world

CONFIG = TowersConfig(
    image_features=1280,
    text_features=434,
    num_classes=147,
    dim=512,
    image_layers=2,
    text_layers=2,
    width=512,
    dropout=0.0,
    logit_scale="learned",
    classifier="shared",
    fusion="product",
    residual=True,
)
"""As shipped, with the sample's numbers of features and classes."""
PARAMS = Path(__file__).parents[1] / "params.yaml"
ITEMS, VAL_ITEMS = 12_288, 2_048
NOISE = 3.0
"""So much that not all classes are told apart, and figures could differ."""
WARM_UP = 5


class MadeUpItems(TrainItems):
    """Items around a point per class."""

    max_views = 1
    index_device = torch.device("cpu")

    def __init__(self, pairs: Pairs) -> None:
        """Take the items' features as they are."""
        self._pairs = pairs
        self.label_N = pairs.label_N

    def shuffled(self, generator: torch.Generator) -> Tensor:
        """See `TrainItems.shuffled`."""
        return torch.randperm(len(self), generator=generator)

    def fetch(self, index_B: Tensor, draw_B: Tensor | None) -> Features:
        """See `TrainItems.fetch`."""
        return Features(self._pairs.image_NI[index_B], self._pairs.text_NT[index_B])

    def standardise(self, model: Towers) -> None:
        """See `TrainItems.standardise`."""
        model.standardise(self._pairs.image_NI, self._pairs.text_NT)


class Timed:
    """A loss that notes when it is asked for, which is once per step."""

    def __init__(self, loss: HuseObjective) -> None:
        """Nothing has been asked yet."""
        self.loss = loss
        self.times: list[float] = []

    def __call__(self, output: TowersOutput, label_B: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """See `Objective`."""
        self.times.append(time.perf_counter())
        return self.loss(output, label_B)


def main(
    out: Annotated[Path, typer.Option(help="JSON file that the main process writes.")],
    batch_size: Annotated[int, typer.Option(help="Items of a step, over all processes.")] = 256,
    steps: Annotated[int, typer.Option(min=WARM_UP + 2, help="Steps.")] = 30,
) -> None:
    """Train, and write seconds per step and the metrics of the last validation."""
    torch.set_num_threads(1)
    random = np.random.default_rng(0)
    c = CONFIG
    centres = [random.normal(size=(c.num_classes, n)) for n in (c.image_features, c.text_features)]
    train, val = (make_pairs(count, centres, random) for count in (ITEMS, VAL_ITEMS))
    changed: dict[str, Any] = {"steps": steps, "validate_every": steps, "batch_size": batch_size}
    settings = load_section(PARAMS, "train", TrainSettings).model_copy(update=changed)
    never = {"checkpoint_every": 0, "checkpoint_minutes": 0.0}
    machine = load_section(PARAMS, "machine", MachineSettings).model_copy(update=never)
    with join_world(torch.device("cpu")) as world:
        torch.manual_seed(0)
        items, model = MadeUpItems(train), Towers(c)
        items.standardise(model)
        # Twelve branches of like size.
        number_K = torch.arange(c.num_classes)
        level_KL = torch.stack([number_K % 12, number_K], dim=1)
        loss = load_section(PARAMS, "loss", LossSettings)
        objective = HuseObjective(loss, machine, class_graph(random), level_KL, world=world)
        timed = Timed(objective)
        best = train_towers(
            model,
            timed,
            Batches(items, batch_size, 0, world),
            val,
            settings,
            machine,
            log=lambda step, values: None,
            world=world,
        )
    if best is not None:
        seconds = np.diff(timed.times)[WARM_UP:]
        write_json(out, {"seconds": statistics.median(seconds), "metrics": best.metrics})


def make_pairs(count: int, centres: list[np.ndarray], random: np.random.Generator) -> Pairs:
    """Draw items whose classes are hard to tell apart."""
    label_N = random.integers(len(centres[0]), size=count)
    image_NI, text_NT = (
        torch.from_numpy(of[label_N] + NOISE * random.normal(size=(count, of.shape[1])))
        for of in centres
    )
    return Pairs(
        np.array([str(number) for number in range(count)], dtype=object),
        image_NI.float(),
        text_NT.float(),
        torch.from_numpy(label_N),
        np.full(count, "train", dtype=object),
        torch.arange(count)[:, None].expand(-1, 3),
    )


def class_graph(random: np.random.Generator) -> SemanticGraph:
    """Distances between classes that are anything between near and far."""
    half_KK = np.triu(random.random((CONFIG.num_classes, CONFIG.num_classes), dtype=np.float32))
    distance_KK = half_KK + half_KK.T
    np.fill_diagonal(distance_KK, 0)
    names = [str(number) for number in range(CONFIG.num_classes)]
    return SemanticGraph(names, distance_KK, np.eye(CONFIG.num_classes, dtype=np.float32))


if __name__ == "__main__":
    typer.run(main)
