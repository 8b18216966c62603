"""R@1/5/10 within one modality: ours, faiss, plain torch, and the bare matrix product.

    python -m benchmarks.retrieval --items 20000 --rounds 5

All contenders run in one process, one after the other in every round; the table gives the median
time and the median of same-round ratios. With one thread the clock counts processor seconds, which
other programs on the machine hardly disturb; with more it is the wall clock.

Shape letters: N items, D embedding, K results.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import faiss
import torch
from torch import Tensor

from pipeline.metrics.retrieval import class_hits, nearest

CUTOFFS = (1, 5, 10)
ROWS = 1024
CLASSES = 100


def make_items(count: int, dimension: int) -> tuple[Tensor, Tensor]:
    """Noisy points around class centres, so that R@K lies well between 0 and 1."""
    generator = torch.Generator().manual_seed(0)
    label_N = torch.randint(0, CLASSES, (count,), generator=generator)
    centre_KD = torch.randn(CLASSES, dimension, generator=generator)
    noise_ND = torch.randn(count, dimension, generator=generator)
    return torch.nn.functional.normalize(centre_KD[label_N] + 4.5 * noise_ND), label_N


def ours(point_ND: Tensor) -> Tensor:
    """Results of this library, the query left out by its group."""
    group_N = torch.arange(len(point_ND))
    return nearest(
        point_ND, point_ND, max(CUTOFFS), query_group_M=group_N, gallery_group_N=group_N
    ).indices


def with_faiss(point_ND: Tensor) -> Tensor:
    """Results of an exact faiss index; the query is dropped from one result more."""
    index = faiss.IndexFlatIP(point_ND.shape[1])
    index.add(point_ND.numpy())
    found_NK = torch.from_numpy(index.search(point_ND.numpy(), max(CUTOFFS) + 1)[1])
    other_NK = found_NK != torch.arange(len(found_NK))[:, None]
    # Where the query is not among its own results, the last one goes.
    other_NK[other_NK.all(1), -1] = False
    return found_NK[other_NK].view(len(found_NK), -1)


def with_topk(point_ND: Tensor) -> Tensor:
    """Results of a plain product and `topk`, the query masked on the diagonal."""
    parts = []
    for start in range(0, len(point_ND), ROWS):
        score_BN = point_ND[start : start + ROWS] @ point_ND.T
        row_B = torch.arange(len(score_BN))
        score_BN[row_B, row_B + start] = -torch.inf
        parts.append(score_BN.topk(max(CUTOFFS), dim=1).indices)
    return torch.cat(parts)


def bare_product(point_ND: Tensor) -> None:
    """The product alone, into one buffer: what the others cannot do without."""
    buffer_BN = torch.empty(min(ROWS, len(point_ND)), len(point_ND))
    for start in range(0, len(point_ND), ROWS):
        query_BD = point_ND[start : start + ROWS]
        torch.mm(query_BD, point_ND.T, out=buffer_BN[: len(query_BD)])


def check_agreement(point_ND: Tensor, results: dict[str, Tensor]) -> int:
    """Assert that all lists are the same but for swaps of scores that differ by rounding.

    Returns:
        Queries whose lists are not identical.
    """
    reference_NK = results["ours"]
    different_N = torch.zeros(len(point_ND), dtype=torch.bool)
    for name, found_NK in results.items():
        rows = (found_NK != reference_NK).any(1)
        different_N |= rows
        query_RD = point_ND[rows].double()
        for one_RK, two_RK in zip(found_NK[rows].T, reference_NK[rows].T, strict=True):
            one_R = (query_RD * point_ND[one_RK].double()).sum(1)
            two_R = (query_RD * point_ND[two_RK].double()).sum(1)
            assert torch.allclose(one_R, two_R, rtol=0, atol=2e-6), f"{name} differs from ours"
    return int(different_N.sum())


def measure(
    contenders: dict[str, Callable[[], object]], rounds: int, clock: Callable[[], float]
) -> dict[str, list[float]]:
    """Seconds of every contender in every round, after one round that is not counted."""
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for round_number in range(rounds + 1):
        for name, run in contenders.items():
            start = clock()
            run()
            if round_number > 0:
                seconds[name].append(clock() - start)
    return seconds


def main() -> None:
    """Run and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, default=20_000)
    parser.add_argument("--dimension", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    faiss.omp_set_num_threads(options.threads)
    point_ND, label_N = make_items(options.items, options.dimension)
    searches = {"ours": ours, "faiss IndexFlatIP": with_faiss, "torch matmul + topk": with_topk}
    results = {name: search(point_ND) for name, search in searches.items()}
    swapped = check_agreement(point_ND, results)

    def recall(name: str) -> list[float]:
        hits_NC = class_hits(results[name], label_N, label_N, CUTOFFS)
        return [round(value, 4) for value in hits_NC.double().mean(0).tolist()]

    def contender(search: Callable[[Tensor], Tensor]) -> Callable[[], object]:
        return lambda: class_hits(search(point_ND), label_N, label_N, CUTOFFS)

    contenders: dict[str, Callable[[], object]] = {
        name: contender(search) for name, search in searches.items()
    }
    contenders["bare torch product"] = lambda: bare_product(point_ND)
    clock = time.process_time if options.threads == 1 else time.perf_counter
    seconds = measure(contenders, options.rounds, clock)
    bare = seconds["bare torch product"]
    print(
        f"{options.items} x {options.items} x {options.dimension}, {options.threads} threads, "
        f"{options.rounds} rounds; {swapped} queries with results swapped by rounding"
    )
    for name, times in seconds.items():
        ratio = statistics.median(one / two for one, two in zip(times, bare, strict=True))
        figures = f"R@1/5/10 {recall(name)}" if name in results else ""
        print(f"{name:22s}{statistics.median(times):9.3f} s {ratio:7.2f} x product  {figures}")
    peers = zip(seconds["faiss IndexFlatIP"], seconds["torch matmul + topk"], strict=True)
    ratio = statistics.median(
        mine / min(pair) for mine, pair in zip(seconds["ours"], peers, strict=True)
    )
    print(f"ours / faster peer {ratio:.2f} (target: at most 1.10)")


if __name__ == "__main__":
    main()
