"""The processes that train together, as torchrun starts them, and what they exchange.

Shape letters: N embeddings of a global batch, both modalities; O those of a process.
"""

import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

from pipeline.core.errors import InputError
from pipeline.model.towers import TowersOutput

T = TypeVar("T")


@dataclass(frozen=True)
class World:
    """Which of the processes this one is."""

    rank: int = 0
    size: int = 1

    @property
    def is_main(self) -> bool:
        """Whether this process validates, logs and writes."""
        return self.rank == 0

    def share(self, batch: slice) -> slice:
        """This process's part of a global batch: one stretch, in the order of the ranks."""
        length = (batch.stop - batch.start) // self.size
        return slice(batch.start + self.rank * length, batch.start + (self.rank + 1) * length)

    def own_first(self, count: int, device: torch.device) -> tuple[Tensor, int]:
        """Number N embeddings so that this process's own come first, and say how many these are.

        They are a batch's pictures and then its texts, as `gather_output` puts them together.
        """
        number_N = torch.arange(count, device=device)
        halves = slice(0, count // 2), slice(count // 2, count)
        own = torch.cat([number_N[self.share(half)] for half in halves])
        is_other_N = torch.ones(count, dtype=torch.bool, device=device).index_fill_(0, own, False)
        return torch.cat([own, number_N[is_other_N]]), len(own)


ALONE = World()


@contextmanager
def join_world(device: torch.device) -> Iterator[World]:
    """Join the other processes if torchrun has started any; without it a process is `ALONE`.

    gloo connects CPUs, nccl CUDA devices, one per process.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield ALONE
        return
    if device.type == "cuda":
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield World(dist.get_rank(), dist.get_world_size())
    finally:
        dist.destroy_process_group()


def gather_output(output: TowersOutput, world: World) -> TowersOutput:
    """Put the forward passes of all processes together, differentiable in the own part.

    Every process computes the loss of the whole batch from this, and from that the complete
    gradient of its own rows; so no gradient has to be sent back between rows. The sum over the
    processes is the gradient of the whole batch. DistributedDataParallel takes the mean, hence
    the loss needs to be multiplied by the number of processes. What a loss computes only for the
    gradient of others' rows is in vain; see `World.own_first`.

    What items lack is not gathered: every process knows it of the whole batch.
    """
    *items, name_MK, name_class_M, _ = output
    present = [tensor for tensor in items if tensor is not None]
    own = torch.cat(present, dim=1)
    parts = [torch.empty_like(own) for _ in range(world.size)]
    dist.all_gather(parts, own.detach())
    parts[world.rank] = own
    columns = iter(torch.cat(parts).split([tensor.shape[1] for tensor in present], dim=1))
    gathered = [None if tensor is None else next(columns) for tensor in items]
    if name_MK is not None:
        # Every process has all names: each adds its share of their gradient.
        name_MK = name_MK.detach() + (name_MK - name_MK.detach()) / world.size
    return TowersOutput._make([*gathered, name_MK, name_class_M, None])


def sum_of_all(part: Tensor, world: World) -> Tensor:
    """Add a number of every process, in the order of the ranks: the same bits everywhere."""
    parts = [torch.empty_like(part) for _ in range(world.size)]
    dist.all_gather(parts, part)
    return torch.stack(parts).sum()


def gather_rows(own_O: Tensor, count: int, world: World) -> Tensor:
    """Put together a number per own row of every process: [N], in the order of the rows."""
    parts = [torch.empty_like(own_O) for _ in range(world.size)]
    dist.all_gather(parts, own_O)
    ranks = (World(rank, world.size) for rank in range(world.size))
    number_N = torch.cat([rank.own_first(count, own_O.device)[0][: len(own_O)] for rank in ranks])
    return own_O.new_empty(count).index_copy_(0, number_N, torch.cat(parts))


def gather_bytes(state: Tensor, world: World) -> list[Tensor]:
    """Collect a small tensor, of one length everywhere, from every process; all on the CPU."""
    if world.size == 1:
        return [state]
    device = "cuda" if dist.get_backend() == "nccl" else "cpu"
    parts = [torch.empty_like(state, device=device) for _ in range(world.size)]
    dist.all_gather(parts, state.to(device))
    return [part.cpu() for part in parts]


def from_main(value: int, world: World) -> int:
    """Tell every process the main one's value; those of the others do not count."""
    if world.size == 1:
        return value
    told = torch.tensor(value, device="cuda" if dist.get_backend() == "nccl" else "cpu")
    dist.broadcast(told, src=0)
    return int(told)


def told_by_main(work: Callable[[], T], world: World) -> T:
    """Have the main process alone do something, and tell every process what came out.

    What the others would find on disks of their own does not count.

    Args:
        work: Returns plain data and tensors on the CPU, as a checkpoint holds them.
        world: All of its processes have to call this.

    Raises:
        InputError: The main process's mistake, on every process.
    """
    if world.size == 1:
        return work()
    device = "cuda" if dist.get_backend() == "nccl" else "cpu"
    packed = _packed(work) if world.is_main else torch.empty(0, dtype=torch.uint8)
    told = torch.empty(from_main(len(packed), world), dtype=torch.uint8, device=device)
    if world.is_main:
        told.copy_(packed)
    dist.broadcast(told, src=0)
    # The main one too, so that nothing is another's alone. Plain data: nothing is unpickled.
    content = io.BytesIO(told.cpu().numpy().tobytes())
    found = torch.load(content, map_location="cpu", weights_only=True)
    if found["mistakes"]:
        raise InputError(*found["mistakes"])
    result: T = found["result"]
    return result


def _packed(work: Callable[[], object]) -> Tensor:
    found: dict[str, object] = {"result": None, "mistakes": []}
    try:
        found["result"] = work()
    except InputError as error:
        found["mistakes"] = list(error.args)
    content = io.BytesIO()
    torch.save(found, content)
    return torch.frombuffer(bytearray(content.getbuffer()), dtype=torch.uint8)
