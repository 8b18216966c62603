"""Graph loss, forward and backward: our kernels, plain autograd and the bare matrix products.

    python -m benchmarks.graph_loss --sizes 2048 8192 32768 --rounds 9

The loss cannot be had for less than its matrix products. Autograd needs three of N x N x D (one
forward, two backward); as the pair matrix and the gradient's weights are symmetric, half a product
and a whole one are enough: "gemm1.5" is the bound that every row is compared with.

Shape letters: N embeddings, D embedding, K classes, R rows of a block.
"""

import argparse
import importlib.util
import statistics
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from benchmarks.harness import environment, interleave, median_ratio, peak_extra_mib, write_results
from pipeline.train.losses.graph_loss import graph_loss

CLASSES = 130
MARGIN = 0.9
BLOCK = 1024
BOUND = "bound gemm1.5"

Run = Callable[[], object]


def make_inputs(count: int, dim: int, device: str) -> tuple[Tensor, Tensor, Tensor]:
    """Embeddings around class centres, labels, and a graph of which a part is below the margin."""
    generator = torch.Generator().manual_seed(0)
    label_N = torch.randint(CLASSES, (count,), generator=generator)
    centre_KD = torch.randn(CLASSES, dim, generator=generator) + 0.45
    noise_ND = torch.randn(count, dim, generator=generator)
    embedding_ND = functional.normalize(centre_KD[label_N] + noise_ND, dim=1)
    class_name_KE = torch.randn(CLASSES, 64, generator=generator) + 0.45
    class_name_KE = functional.normalize(class_name_KE, dim=1)
    adjacency_KK = (1 - class_name_KE @ class_name_KE.T).fill_diagonal_(0)
    adjacency_KK = torch.maximum(adjacency_KK, adjacency_KK.T)
    return embedding_ND.to(device), label_N.to(device), adjacency_KK.to(device)


def bare_products(count: int, dim: int, device: str, *, symmetric: bool, bf16: bool) -> Run:
    """Products of the loss alone, in blocks of rows so that they too need little memory."""
    dtype = torch.bfloat16 if bf16 else torch.float32
    embedding_ND = make_inputs(count, dim, device)[0].to(dtype)
    rows = min(BLOCK, count)
    similarity_RN = torch.empty(rows, count, dtype=dtype, device=device)
    weight_RN = torch.randn(rows, count, device=device).to(dtype)
    pulled_RD = torch.empty(rows, dim, dtype=dtype, device=device)
    forward_rows = count // 2 if symmetric else count

    def run() -> None:
        for start in range(0, forward_rows, rows):
            row_RD = embedding_ND[start : min(start + rows, forward_rows)]
            torch.mm(row_RD, embedding_ND.T, out=similarity_RN[: len(row_RD)])
        for _ in range(1 if symmetric else 2):
            for start in range(0, count, rows):
                block = min(rows, count - start)
                torch.mm(weight_RN[:block], embedding_ND, out=pulled_RD[:block])

    return run


def loss_and_backward(
    count: int, dim: int, device: str, *, compiled: bool = False, **options: Any
) -> Run:
    """One forward and backward pass; returns the gradient."""
    embedding_ND, label_N, adjacency_KK = make_inputs(count, dim, device)
    embedding_ND.requires_grad_()
    loss: Callable[..., Tensor] = partial(graph_loss, margin=MARGIN, **options)
    if compiled:
        loss = torch.compile(loss, dynamic=False)

    def run() -> Tensor:
        (gradient_ND,) = torch.autograd.grad(
            loss(embedding_ND, label_N, adjacency_KK), embedding_ND
        )
        return gradient_ND

    return run


def providers(device: str) -> dict[str, Callable[..., Run]]:
    """What is measured, by name: each makes its inputs and returns the function to time."""
    table: dict[str, Callable[..., Run]] = {
        "bound gemm3": partial(bare_products, symmetric=False, bf16=False),
        BOUND: partial(bare_products, symmetric=True, bf16=False),
        "bound gemm1.5 bf16": partial(bare_products, symmetric=True, bf16=True),
        "reference": partial(loss_and_backward, kernel="reference"),
        "reference, torch.compile": partial(loss_and_backward, kernel="reference", compiled=True),
        "tiled": partial(loss_and_backward, kernel="tiled"),
        "tiled bf16": partial(loss_and_backward, kernel="tiled", precision="bf16"),
        "closed form (relaxation none)": partial(loss_and_backward, relaxation="none"),
    }
    if device == "cuda" and importlib.util.find_spec("triton"):
        table["triton"] = partial(loss_and_backward, kernel="triton")
        table["triton bf16"] = partial(loss_and_backward, kernel="triton", precision="bf16")
    return table


def gradient_error(name: str, size: tuple[int, int, str]) -> float:
    """Norm of the difference to the reference's gradient over that gradient's norm."""
    relaxation = "none" if "none" in name else "paper"
    exact = loss_and_backward(*size, kernel="reference", relaxation=relaxation)()
    found = providers(size[2])[name](*size)()
    assert isinstance(exact, Tensor)
    assert isinstance(found, Tensor)
    return ((found - exact).norm() / exact.norm()).item()


def measure(count: int, options: argparse.Namespace) -> list[dict[str, Any]]:
    """All rows of one size."""
    size = (count, options.dim, options.device)
    table = providers(options.device)
    rounds = options.rounds
    if count > options.reference_up_to:
        # A round takes most of a minute there.
        rounds = min(rounds, 3)
        table = {name: build for name, build in table.items() if "reference" not in name}
    cases = {name: build(*size) for name, build in table.items()}
    seconds = interleave(cases, rounds=rounds, device=options.device)
    del cases
    # Processes on a GPU count what is theirs alone.
    with ThreadPoolExecutor(8 if options.device == "cuda" else 1) as pool:
        measure_peak = partial(_peak, size)
        peak = dict(zip(table, pool.map(measure_peak, table.values()), strict=True))
    rows = []
    for name in table:
        has_error = "bound" not in name and count <= options.reference_up_to
        rows.append(
            {
                "items": count,
                "name": name,
                "milliseconds": statistics.median(seconds[name]) * 1000,
                "times_bound": median_ratio(seconds[name], seconds[BOUND]),
                "peak_mib": peak[name],
                "gradient_error": gradient_error(name, size) if has_error else None,
                "seconds": seconds[name],
            }
        )
        print({key: value for key, value in rows[-1].items() if key != "seconds"}, flush=True)
    return rows


def _peak(size: tuple[int, int, str], build: Callable[..., Run]) -> float:
    return peak_extra_mib(build, *size, device=size[2])


def active_share(count: int, dim: int) -> float:
    """Share of pairs that the paper's relaxation keeps."""
    embedding_ND, label_N, adjacency_KK = make_inputs(min(count, 4096), dim, "cpu")
    near_NN = 1 - embedding_ND @ embedding_ND.T < MARGIN
    return (near_NN & (adjacency_KK[label_N][:, label_N] < MARGIN)).float().mean().item()


def main() -> None:
    """Measure all sizes and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[2048, 8192, 32768])
    parser.add_argument("--dim", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument(
        "--reference-up-to", type=int, default=8192, help="it needs several N x N matrices"
    )
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results"))
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    setting = environment(options.device)
    rows = [row for count in options.sizes for row in measure(count, options)]
    clock = "processor time" if options.threads == 1 else "wall time"
    write_results(
        options.out / f"graph_loss_{options.device}_{options.threads}_threads",
        title="Graph loss, forward and backward",
        notes=[
            f"D = {options.dim}, {CLASSES} classes, margin {MARGIN}, relaxation paper, "
            f"{active_share(max(options.sizes), options.dim):.0%} of the pairs active",
            f"{options.rounds} interleaved rounds (3 above N = {options.reference_up_to}), median "
            f"{clock}; ratios are medians of same-round ratios",
            "peak: memory beyond the inputs, the gradient included, in a process of its own",
            f"{setting['gpu'] or setting['cpu']}, {setting['threads']} threads, torch "
            f"{setting['torch']}, load average at the start {setting['load_average'][0]}",
        ],
        columns={
            "items": "N",
            "name": "what",
            "milliseconds": "ms",
            "times_bound": "x gemm1.5",
            "peak_mib": "peak MiB",
            "gradient_error": "relative error of the gradient",
        },
        rows=rows,
        environment=setting,
    )


if __name__ == "__main__":
    main()
