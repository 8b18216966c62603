"""Features of pictures and texts on a GPU, against its forward pass and against the processor.

    python -m benchmarks.gpu_features --pictures data/raw/openmoji/images --files 8000

The limit of extraction is the forward pass over pictures already in memory; what keeps it from that
is decoding, which is timed by itself. Cases of a kind are timed once per round and compared, per
picture or text, within their round.

This is a package, as processes that decode import a module that was started by its name again, and
torch with it.

Shape letters: B batch, S side of the input.
"""

import hashlib
import statistics
import tempfile
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from benchmarks.extraction import LITE0, extract_all, make_files, prepared
from benchmarks.harness import environment, interleave, median_ratio, write_results
from benchmarks.names import catalogue_names
from pipeline.core.cores import usable_cores
from pipeline.core.params import load_section
from pipeline.encoders.encoder import TextEncoder, find_encoder
from pipeline.image_features.decoder import (
    THREADS,
    Decode,
    Decoder,
    decode_here,
    decode_in_processes,
)
from pipeline.image_features.jobs import Job, WorkPlan
from pipeline.image_features.runtimes.open import open_runner
from pipeline.image_features.runtimes.runner import Runner
from pipeline.text_features.make_block import CHUNK
from pipeline.text_features.settings import TextSettings

PARAMS = Path("params.yaml")
FILES, FORWARD = "files to Parquet", "forward, in memory"
BATCHES = (32, 128, 512)
PRECISIONS = ("fp32", "bf16")

Cases = dict[str, tuple[Callable[[], object], int]]
Rows = list[dict[str, Any]]


def main(
    pictures: Annotated[Path, typer.Option(help="Folder of pictures.")] = Path(
        "data/raw/openmoji/images"
    ),
    files: Annotated[int, typer.Option(help="Pictures to extract.")] = 8000,
    text_model: Annotated[str, typer.Option(help="Of the encoder sentence.")] = (
        "packaged/all_minilm_l6_v2"
    ),
    texts: Annotated[bool, typer.Option(help="Measure texts too.")] = True,
    rounds: Annotated[int, typer.Option(min=1, help="Timed rounds.")] = 3,
    out: Annotated[Path, typer.Option(help="Where to write the results, without a suffix.")] = Path(
        "benchmarks/results/gpu_features"
    ),
) -> None:
    """Measure and write the table."""
    setting = environment("cuda")
    rows: Rows = []
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        names = make_files(pictures, root / "pictures", files)
        for precision in PRECISIONS:
            kind = f"pictures, {precision}"
            rows += _rows(kind, FORWARD, _picture_cases(root, names, precision), rounds)
        if texts:
            rows += _rows("texts", _text_case("cpu", 32), _text_cases(root, text_model), rounds)
    write_results(
        out,
        title="Features on a GPU",
        notes=[
            f"{files} files of {pictures.name}, EfficientNet-Lite0, the start of network and "
            f"processes included; names of emojis, encoder sentence with {Path(text_model).name}, "
            "loaded before",
            f"{rounds} interleaved rounds: median, and median of same-round ratios of speeds, to "
            f"`{FORWARD}` or to the processor",
            f"{setting['gpu']}, {usable_cores()} cores of {setting['cpu']}, torch "
            f"{setting['torch']}, load average at the start {setting['load_average'][0]}",
        ],
        columns={
            "kind": "kind",
            "case": "case",
            "per_second": "per second",
            "ratio": "x the kind's first",
        },
        rows=rows,
        environment=setting,
    )
    typer.echo(out.with_suffix(".md").read_text(encoding="utf-8"))


def _picture_cases(root: Path, names: list[str], precision: str) -> Cases:
    folder, cores = root / "pictures", usable_cores()
    made = prepared(LITE0, root / "cache", "cuda", precision)
    runner = open_runner(made.recipe, made.onnx_file, "cuda", None)
    batches = -(-len(names) // runner.batch_size)
    plan = WorkPlan(str(folder), made.recipe, "", "", "crop_flip", "cuda", None)
    jobs = [
        Job(name, hashlib.sha256((folder / name).read_bytes()).hexdigest(), [0]) for name in names
    ]

    def forward() -> None:
        _forward(runner, made.recipe.transform.size, batches)

    def extract() -> None:
        extract_all(made, folder, names, root / "out", cores, device="cuda")

    def decode_by(pool: AbstractContextManager[Decode]) -> None:
        with pool as decode:
            deque(decode(jobs, runner.batch_size), maxlen=0)

    return {
        FORWARD: (forward, batches * runner.batch_size),
        FILES: (extract, len(names)),
        f"decoding alone, {THREADS} threads": (
            lambda: decode_by(decode_here(Decoder(plan), "cuda")),
            len(names),
        ),
        f"decoding alone, {cores} processes": (
            lambda: decode_by(decode_in_processes(plan, cores)),
            len(names),
        ),
    }


def _forward(runner: Runner, side: int, batches: int) -> None:
    """From the processor's memory to it, as many batches under way as extraction has."""
    pixels_BSS3 = np.random.default_rng(0).integers(
        0, 256, (runner.batch_size, side, side, 3), dtype=np.uint8
    )
    waiting: deque[Callable[[], np.ndarray]] = deque()
    for _ in range(batches):
        waiting.append(runner.submit(pixels_BSS3))
        if len(waiting) > runner.depth:
            waiting.popleft()()
    for wait in waiting:
        wait()


def _text_case(device: str, batch: int) -> str:
    return f"{device}, batches of {batch}"


def _text_cases(root: Path, model: str) -> Cases:
    texts = list(dict.fromkeys(catalogue_names()))
    section: Any = load_section(PARAMS, "text", TextSettings)

    def case(device: str, batch: int) -> tuple[Callable[[], object], int]:
        changes = {"device": device, "batch_size": batch, "model": model}
        settings = section.sentence.model_copy(update=changes)
        encoder = find_encoder("sentence").fit(texts, texts, settings, root / "cache")
        return lambda: _encode(encoder, texts), len(texts)

    cases = {_text_case("cpu", 32): case("cpu", 32)}
    return cases | {_text_case("cuda", batch): case("cuda", batch) for batch in BATCHES}


def _encode(encoder: TextEncoder, texts: Sequence[str]) -> None:
    for start in range(0, len(texts), CHUNK):
        encoder.encode(texts[start : start + CHUNK])


def _rows(kind: str, first: str, cases: Cases, rounds: int) -> Rows:
    runs = {name: run for name, (run, _) in cases.items()}
    seconds = interleave(runs, rounds=rounds, device="cuda")
    each = {name: [value / cases[name][1] for value in values] for name, values in seconds.items()}
    rows = []
    for name, values in each.items():
        rows.append(
            {
                "kind": kind,
                "case": name,
                "per_second": 1 / statistics.median(values),
                "ratio": median_ratio(each[first], values),
                "seconds": values,
            }
        )
        print(rows[-1], flush=True)
    return rows


if __name__ == "__main__":
    typer.run(main)
