"""One training step against its bare matrix products.

    python -m benchmarks.train_step --rounds 15

The bound is what no implementation of the step can leave out: the products of both towers, of the
classifier and of the graph loss, forward and backward, as plain `torch.mm` into buffers that are
there already. The first layers need no gradient of their input, and the graph loss needs 1.5
products (see graph_loss.py). The share is the bound's time over the step's, in the same round.

Shape letters: B batch, N = 2B embeddings, D embedding, I image feature, T text feature, K classes.
"""

import argparse
import statistics
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.harness import environment, interleave, median_ratio, write_results
from pipeline.core.machine import MachineSettings
from pipeline.core.params import load_section
from pipeline.core.seeding import seed_everything
from pipeline.features.graph_file import SemanticGraph
from pipeline.model.towers import Towers, TowersConfig
from pipeline.train.batches import Batch
from pipeline.train.loop import Step
from pipeline.train.loss_settings import LossSettings
from pipeline.train.objectives.huse import HuseObjective
from pipeline.train.settings import TrainSettings

CONFIG = TowersConfig(
    image_features=1280,
    text_features=50,
    num_classes=147,
    dim=512,
    image_layers=5,
    text_layers=2,
    width=512,
    dropout=0.15,
    logit_scale="learned",
    classifier="shared",
    fusion="late",
)
PARAMS = Path(__file__).parents[1] / "params.yaml"
"""The shipped one: objective huse, AdamW."""
ITEMS = 8192
BLOCK = 512

Run = Callable[[], object]


def linear_products(rows: int, inputs: int, outputs: int, *, first: bool, like: Tensor) -> Run:
    """Products of one linear layer: output, gradient of the weight, gradient of the input."""
    x, w = like.new_empty(rows, inputs).normal_(), like.new_empty(outputs, inputs).normal_()
    y = like.new_empty(rows, outputs).normal_()
    out, weight_gradient, input_gradient = (torch.empty_like(tensor) for tensor in (y, w, x))

    def run() -> None:
        torch.mm(x, w.T, out=out)
        torch.mm(y.T, x, out=weight_gradient)
        if not first:
            torch.mm(y, w, out=input_gradient)

    return run


def graph_products(count: int, dim: int, like: Tensor) -> Run:
    """Half a product for the similarities, a whole one for the gradient."""
    embedding_ND = like.new_empty(count, dim).normal_()
    weight_RN = like.new_empty(BLOCK, count).normal_()
    similarity_RN, gradient_RD = torch.empty_like(weight_RN), like.new_empty(BLOCK, dim)

    def run() -> None:
        for start in range(0, count // 2, BLOCK):
            torch.mm(embedding_ND[start : start + BLOCK], embedding_ND.T, out=similarity_RN)
        for _ in range(0, count, BLOCK):
            torch.mm(weight_RN, embedding_ND, out=gradient_RD)

    return run


def bare_products(batch: int, device: str, dtype: torch.dtype) -> Run:
    """All products of a step; the graph loss's are float32 in either precision, as the step's."""
    like = torch.empty(0, dtype=dtype, device=device)
    c = CONFIG
    sizes = []
    for features, layers in ((c.image_features, c.image_layers), (c.text_features, c.text_layers)):
        widths = [features, *[c.width] * (layers - 1), c.dim]
        sizes += [(widths[n], widths[n + 1], n == 0) for n in range(layers)]
        sizes.append((c.dim, c.num_classes, False))
    runs = [linear_products(batch, i, o, first=first, like=like) for i, o, first in sizes]
    runs.append(graph_products(2 * batch, c.dim, like.float()))

    def run() -> None:
        for part in runs:
            part()

    return run


def whole_step(batch_size: int, device: str, precision: str) -> Run:
    """Batch from resident features, forward, loss, backward, optimizer: what the loop does."""
    seed_everything(0, torch.device(device))
    c = CONFIG
    image_NI = torch.randn(ITEMS, c.image_features, device=device)
    text_NT = torch.randn(ITEMS, c.text_features, device=device)
    label_N = torch.randint(c.num_classes, (ITEMS,), device=device)
    adjacency_KK = torch.rand(c.num_classes, c.num_classes)
    adjacency_KK = (adjacency_KK + adjacency_KK.T).div(2).fill_diagonal_(0)
    names = [str(number) for number in range(c.num_classes)]
    graph = SemanticGraph(names, adjacency_KK.numpy(), torch.eye(c.num_classes).numpy())
    loss = load_section(PARAMS, "loss", LossSettings)
    machine = load_section(PARAMS, "machine", MachineSettings)
    settings = load_section(PARAMS, "train", TrainSettings)
    settings = settings.model_copy(update={"precision": precision})
    # Twelve branches of like size.
    branch_K = torch.arange(c.num_classes) % 12
    level_KL = torch.stack([branch_K, torch.arange(c.num_classes)], dim=1)
    objective = HuseObjective(loss, machine, graph, level_KL, device=device)
    take_step = Step(Towers(c).to(device), objective, settings)
    order_N = torch.randperm(ITEMS, device=device)

    def run() -> None:
        index_B = order_N[:batch_size]
        batch = Batch(image_NI[index_B], text_NT[index_B], label_N[index_B])
        take_step(1, batch, settings.lr)

    return run


def main() -> None:
    """Measure both precisions and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--precisions", nargs="+", default=["fp32", "bf16"])
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results"))
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    setting = environment(options.device)
    rows = []
    for precision in options.precisions:
        dtype = torch.bfloat16 if precision == "bf16" else torch.float32
        cases = {
            "bound": bare_products(options.batch, options.device, dtype),
            "step": whole_step(options.batch, options.device, precision),
        }
        seconds = interleave(cases, rounds=options.rounds, device=options.device)
        rows.append(
            {
                "precision": precision,
                "bound_ms": statistics.median(seconds["bound"]) * 1000,
                "step_ms": statistics.median(seconds["step"]) * 1000,
                "share": median_ratio(seconds["bound"], seconds["step"]),
                "seconds": seconds,
            }
        )
        print({key: value for key, value in rows[-1].items() if key != "seconds"}, flush=True)
    clock = "processor time" if options.threads == 1 else "wall time"
    write_results(
        options.out / f"train_step_{options.device}_{options.threads}_threads",
        title="Training step against its bare matrix products",
        notes=[
            f"batch {options.batch}, D = {CONFIG.dim}, I = {CONFIG.image_features}, "
            f"T = {CONFIG.text_features}, K = {CONFIG.num_classes}, objective huse, AdamW",
            f"{options.rounds} interleaved rounds, median {clock}; the share is the median of "
            "same-round ratios",
            "bf16: towers and classifier; the graph loss is float32 in both",
            f"{setting['gpu'] or setting['cpu']}, {setting['threads']} threads, torch "
            f"{setting['torch']}, load average at the start {setting['load_average'][0]}",
        ],
        columns={
            "precision": "precision",
            "bound_ms": "products, ms",
            "step_ms": "step, ms",
            "share": "share of products",
        },
        rows=rows,
        environment=setting,
    )


if __name__ == "__main__":
    main()
