import os
import socket
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import multiprocessing

from pipeline.core.errors import InputError
from pipeline.features.graph_file import SemanticGraph
from pipeline.features.present import Present
from pipeline.model.towers import Towers, TowersConfig
from pipeline.train.batches import Batch
from pipeline.train.data.class_names import ClassNames
from pipeline.train.loop import Step
from pipeline.train.loss_settings import OBJECTIVES
from pipeline.train.objective import objective_of
from pipeline.train.world import ALONE, World, join_world, told_by_main
from tests.shipped import shipped

pytestmark = pytest.mark.slow

BATCH, STEPS = 12, 5

CASES = {
    **{name: {"objective": name} for name in OBJECTIVES},
    "huse, no relaxation": {"objective": "huse", "relaxation": "none"},
    "huse, hinge": {"objective": "huse", "relaxation": "hinge"},
    "huse, reference": {"objective": "huse", "kernel": "reference"},
    "huse, concat": {"objective": "huse", "fusion": "concat"},
    "huse, no classifier loss": {"objective": "huse", "alpha": 0.0},
    "huse, clipped": {"objective": "huse", "gradient_clip": 0.01},
    "huse, class names": {"objective": "huse", "names": True},
    "huse, concat, class names": {"objective": "huse", "fusion": "concat", "names": True},
    "huse, gaps": {"objective": "huse", "gaps": True},
    "adamine, gaps": {"objective": "adamine", "gaps": True},
}


def some_steps(world: World, case: dict) -> dict[str, torch.Tensor]:
    """Weights and last gradients after steps on this process's share of one global batch."""
    torch.manual_seed(0)
    image_BI, text_BT = torch.randn(BATCH, 6), torch.randn(BATCH, 4)
    label_B = torch.randint(3, (BATCH,))
    changed = {key: case[key] for key in ("objective", "alpha", "relaxation") if key in case}
    loss, machine = (
        shipped("loss", **changed),
        shipped("machine", kernel=case.get("kernel", "auto")),
    )
    kind = objective_of(loss)
    adjacency_KK = 0.6 * (1 - torch.eye(3))
    graph = SemanticGraph(["a", "b", "c"], adjacency_KK.numpy(), torch.randn(3, 8).numpy())
    level_KL = torch.tensor([[0, 0], [1, 1], [1, 2]])
    objective = kind(loss, machine, graph, level_KL, world=world)
    config = TowersConfig(
        image_features=6,
        text_features=4,
        num_classes=3,
        dim=objective.fixed_dim if kind.projects else 8,
        image_layers=2,
        text_layers=2,
        width=8,
        dropout=0.0,
        logit_scale="learned",
        classifier=kind.classifier,
        fusion=case.get("fusion", "late"),
    )
    model = Towers(config)
    plain = {"optimizer": "sgd", "momentum": 0.0, "weight_decay": 0.0}
    settings = shipped("train", gradient_clip=case.get("gradient_clip", 0.0), **plain)
    take_step = Step(model, objective, settings, world)
    share = world.share(slice(0, BATCH))
    names = ClassNames(torch.randn(3, 4), most=9).batch(1) if "names" in case else None
    batch = Batch(image_BI[share], text_BT[share], label_B)
    if "gaps" in case:
        present = Present(torch.arange(BATCH) % 5 != 2, torch.arange(BATCH) % 4 != 1)
        batch = batch._replace(present=present, own_present=present.take(share))
    totals = [take_step(step + 1, batch, 0.1, names)["total"] for step in range(STEPS)]
    result = {f"weight {name}": value for name, value in model.state_dict().items()}
    for name, parameter in model.named_parameters():
        if parameter.grad is not None:
            result[f"gradient {name}"] = parameter.grad
    result["totals"] = torch.tensor(totals)
    return result


def tell(world: World, what: str) -> str:
    """What a process is told of the main one's work, as text."""

    def work() -> dict:
        if what == "wrong":
            raise InputError(f"of rank {world.rank}")
        return {"rank": world.rank, "tensors": [torch.arange(3), None]}

    try:
        return str(told_by_main(work, world))
    except InputError as error:
        return f"error: {error}"


def child(rank: int, size: int, port: int, folder: str) -> None:
    """What torchrun would start."""
    torch.set_num_threads(1)
    os.environ.update(
        RANK=str(rank), WORLD_SIZE=str(size), MASTER_ADDR="localhost", MASTER_PORT=str(port)
    )
    with join_world(torch.device("cpu")) as world:
        for what in ("fine", "wrong"):
            told = tell(world, what)
            Path(f"{folder}/{what}.{rank}").write_text(told, encoding="ascii")
        for number, case in enumerate(CASES.values()):
            save_file(some_steps(world, case), f"{folder}/{number}.{rank}")


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Results of two gloo processes: folder with one file per case and rank."""
    folder = tmp_path_factory.mktemp("world")
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    multiprocessing.spawn(child, (2, port, str(folder)), nprocs=2)
    return folder


@pytest.mark.parametrize("name", CASES)
def test_two_processes_have_the_gradients_and_the_weights_of_one(results, name):
    alone = some_steps(ALONE, CASES[name])
    by_rank = [load_file(results / f"{list(CASES).index(name)}.{rank}") for rank in range(2)]
    assert torch.equal(by_rank[0]["totals"], by_rank[1]["totals"]), "both log the same"
    for rank, found in enumerate(by_rank):
        # A parameter without a gradient may have one of zeros.
        assert set(alone) <= set(found)
        for key, value in found.items():
            expected = alone.get(key, torch.zeros_like(value))
            torch.testing.assert_close(value, expected, rtol=1e-5, atol=1e-5, msg=f"{rank}: {key}")
    assert any(value.abs().max() > 1e-3 for key, value in alone.items() if "gradient" in key)


@pytest.mark.parametrize("rank", [0, 1])
def test_what_the_main_process_finds_is_told_to_all(results, rank):
    expected = "{'rank': 0, 'tensors': [tensor([0, 1, 2]), None]}"
    assert tell(ALONE, "fine") == expected
    assert (results / f"fine.{rank}").read_text() == expected
    assert (results / f"wrong.{rank}").read_text() == "error: of rank 0"


def test_without_torchrun_a_process_is_alone():
    with join_world(torch.device("cpu")) as world:
        assert world == ALONE
        assert world.is_main


def test_own_rows_are_a_stretch_of_the_pictures_and_the_same_one_of_the_texts():
    order_N, own = World(1, 3).own_first(12, torch.device("cpu"))
    assert own == 4
    assert order_N.tolist() == [2, 3, 8, 9, 0, 1, 4, 5, 6, 7, 10, 11]


def test_shares_are_stretches_in_the_order_of_the_ranks():
    assert [World(rank, 3).share(slice(12, 24)) for rank in range(3)] == [
        slice(12, 16),
        slice(16, 20),
        slice(20, 24),
    ]
