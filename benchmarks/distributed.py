"""What a second core gains by Ray and by torchrun, against one process on the same machine.

    python -m benchmarks.distributed --rounds 3

Extraction and encoding run here or on a Ray cluster of two nodes with one core each, both on this
machine; training by one process or two, of one thread each. Cases of a kind are run one after the
other in every round, and compared within their round. What is made is compared too.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import torch
import typer

from benchmarks.extraction import LITE0, extract_all, make_files, prepared
from benchmarks.harness import environment, interleave, median_ratio, write_results
from benchmarks.names import catalogue_names
from pipeline.core.json_file import read_json
from pipeline.core.params import load_section
from pipeline.core.ray_cluster import join_ray
from pipeline.encoders.encoder import find_encoder
from pipeline.text_features.make_block import make_block
from pipeline.text_features.settings import TextSettings

PARAMS = Path("params.yaml")
BATCHES = [256, 4096]
COLUMNS = {
    "kind": "kind",
    "case": "case",
    "seconds": "s",
    "speed_up": "x the first of its kind",
    "score": "validation score",
}

Rows = list[dict[str, Any]]


def main(
    pictures: Annotated[Path, typer.Option(help="Folder of pictures.")] = Path(
        "data/raw/openmoji/images"
    ),
    files: Annotated[int, typer.Option(help="Pictures to extract.")] = 2000,
    texts: Annotated[int, typer.Option(help="Texts to encode.")] = 2000,
    steps: Annotated[int, typer.Option(help="Training steps.")] = 30,
    batch: Annotated[list[int], typer.Option(help="Global batches.")] = BATCHES,
    rounds: Annotated[int, typer.Option(min=1, help="Timed rounds.")] = 3,
    out: Annotated[Path, typer.Option(help="Where to write the results, without a suffix.")] = Path(
        "benchmarks/results/distributed_cpu"
    ),
) -> None:
    """Measure and write the table."""
    # Processes are waited for: with one thread the harness would count this one's time alone.
    torch.set_num_threads(2)
    setting = environment()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        rows: Rows = []
        for size in batch:
            rows += training(root, size, steps, rounds)
        with two_nodes():
            rows += extraction(root, pictures, files, rounds)
            rows += encoding(root, texts, rounds)
    write_results(
        out,
        title="Two processes or nodes against one",
        notes=[
            f"{files} files of {pictures.name}, EfficientNet-Lite0; {texts} names of emojis, "
            f"encoder sentence; {steps} training steps of objective huse as shipped, without "
            "dropout",
            "both nodes and processes share this machine: the network between machines costs "
            "nothing here",
            f"{rounds} interleaved rounds, median wall time (of training: per step) and median of "
            "same-round ratios; the start of processes is in the time of extraction, not in that "
            "of encoding and training",
            "features are the same to the bit on one node and two",
            f"{setting['cpu']}, torch {setting['torch']}, load average at the start "
            f"{setting['load_average'][0]}",
        ],
        columns=COLUMNS,
        rows=rows,
        environment=setting,
    )
    typer.echo(out.with_suffix(".md").read_text(encoding="utf-8"))


@contextmanager
def two_nodes() -> Iterator[None]:
    """A Ray cluster of two nodes with a core each."""
    from ray.cluster_utils import Cluster

    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    cluster.add_node(num_cpus=1)
    os.environ["RAY_ADDRESS"] = cluster.address
    ray = join_ray()
    try:
        yield
    finally:
        ray.shutdown()
        cluster.shutdown()


def extraction(root: Path, pictures: Path, count: int, rounds: int) -> Rows:
    """Files to features, as stage image_features makes them."""
    names = make_files(pictures, root / "pictures", count)
    made = prepared(LITE0, root / "cache")

    def case(workers: int, engine: str) -> Callable[[], object]:
        out = root / f"images-{engine}-{workers}"
        return lambda: extract_all(made, root / "pictures", names, out, workers, engine)

    cases = {
        "local, one worker": case(1, "local"),
        "local, two workers": case(2, "local"),
        "Ray, two nodes": case(2, "ray"),
    }
    rows = compared("extraction", interleave(cases, rounds=rounds))
    one, other = (root / f"images-{name}" / "image.parquet" for name in ("local-1", "ray-2"))
    assert one.read_bytes() == other.read_bytes()
    return rows


def encoding(root: Path, count: int, rounds: int) -> Rows:
    """Distinct texts to a block of features, as stage text_block makes it."""
    texts = list(islice(dict.fromkeys(catalogue_names()), count))
    section: Any = load_section(PARAMS, "text", TextSettings)
    settings = section.sentence.model_copy(update={"device": "cpu"})

    def case(threads: int, engine: str) -> Callable[[], object]:
        out = root / f"texts-{engine}-{threads}"
        os.environ["OMP_NUM_THREADS"] = str(threads)
        encoder = find_encoder("sentence").fit(texts, texts, settings, root)

        def run() -> None:
            torch.set_num_threads(threads)
            with tempfile.TemporaryDirectory(dir=root) as cache:
                ids = [str(number) for number in range(len(texts))]
                make_block(out, "sentence", encoder, ids, texts, {}, Path(cache), engine)
            torch.set_num_threads(2)

        return run

    cases = {
        "local, one thread": case(1, "local"),
        "local, two threads": case(2, "local"),
        "Ray, two nodes": case(1, "ray"),
    }
    rows = compared("encoding", interleave(cases, rounds=rounds))
    assert (root / "texts-local-1").read_bytes() == (root / "texts-ray-1").read_bytes()
    return rows


def training(root: Path, batch: int, steps: int, rounds: int) -> Rows:
    """Seconds per step, and the validation after the last one."""
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    starts = {"one process": [], "torchrun, two processes": torchrun}
    seconds: dict[str, list[float]] = {name: [] for name in starts}
    metrics: dict[str, dict[str, float]] = {}
    for _ in range(rounds):
        for name, start in starts.items():
            result = root / "training.json"
            options = ["--batch-size", str(batch), "--steps", str(steps), "--out", str(result)]
            subprocess.run(
                [sys.executable, *start, "-m", "benchmarks.distributed_training", *options],
                check=True,
                capture_output=True,
                env={**os.environ, "OMP_NUM_THREADS": "1"},
            )
            found = read_json(result)
            seconds[name].append(found["seconds"])
            metrics[name] = found["metrics"]
    rows = compared(f"training, batch {batch}", seconds)
    return [{**row, **metrics[row["case"]]} for row in rows]


def compared(kind: str, seconds: Mapping[str, list[float]]) -> Rows:
    """A row per case, with its speed against that of the first."""
    first = next(iter(seconds.values()))
    return [
        {
            "kind": kind,
            "case": name,
            "seconds": statistics.median(values),
            "speed_up": median_ratio(first, values),
            "score": None,
            "rounds": values,
        }
        for name, values in seconds.items()
    ]


if __name__ == "__main__":
    typer.run(main)
