"""Image extraction against its limit, against torch and against a peer, in one run.

    python -m benchmarks.image_features --pictures data/raw/openmoji/images --files 8000 --rounds 3

The limit is the forward pass of the same runtime on pictures already in memory, in as many
processes. Every case is timed once per round and compared, per picture, within its round. Weights
of ResNet-18 are random, which costs the same.

Shape letters: B batch, S side of the input, N pictures, I image feature.
"""

import argparse
import json
import multiprocessing
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from PIL import Image
from torchvision import models

from benchmarks.extraction import BATCH, LITE0, RESNET, extract_all, make_files, prepared
from benchmarks.harness import environment, interleave, median_ratio, write_results
from pipeline.core.cores import usable_cores
from pipeline.image_features.load_backbone import load_same_backbone
from pipeline.image_features.make_recipe import RecipeFiles
from pipeline.image_features.picture_encoder import PictureEncoder
from pipeline.image_features.recipe import Recipe
from pipeline.image_features.runtimes.onnx_export import PixelsToVectors
from pipeline.image_features.runtimes.onnxruntime import OnnxRunner


def forward_in_memory(onnx_file: Path, side: int, batches: int) -> None:
    """Run in a process of a pool; its session is loaded once."""
    if onnx_file not in _SESSIONS:
        _SESSIONS[onnx_file] = OnnxRunner(onnx_file, BATCH)
    pixels = np.random.default_rng(0).integers(0, 256, (BATCH, side, side, 3), dtype=np.uint8)
    for _ in range(batches):
        _SESSIONS[onnx_file].submit(pixels)()


_SESSIONS: dict[Path, OnnxRunner] = {}


def limit(pool: ProcessPoolExecutor, made: RecipeFiles, count: int, workers: int) -> None:
    """The same runtime's forward pass in as many processes, pictures in memory."""
    batches = count // (BATCH * workers)
    side = made.recipe.transform.size
    running = [
        pool.submit(forward_in_memory, made.onnx_file, side, batches) for _ in range(workers)
    ]
    for future in running:
        future.result()


def torch_eager(recipe: Recipe, count: int) -> Callable[[], object]:
    """Torch in channels-last order with all threads, pictures in memory."""
    network = PixelsToVectors(load_same_backbone(recipe)).to(memory_format=torch.channels_last)
    side = recipe.transform.size
    pixels = torch.randint(0, 256, (2 * BATCH, side, side, 3), dtype=torch.uint8)

    def run() -> None:
        with torch.inference_mode():
            for _ in range(count // (2 * BATCH)):
                network(pixels)

    return run


def img2vec(folder: Path, names: list[str]) -> Callable[[], object]:
    """The peer: ResNet-18, one picture at a time."""
    from img2vec_pytorch import Img2Vec, img_to_vec

    # It would download weights.
    img_to_vec.resnet18 = lambda weights: models.resnet18(weights=None)
    peer = Img2Vec(model="resnet18")
    return lambda: [peer.get_vec(Image.open(folder / name).convert("RGB")) for name in names]


def least_cosine(made: RecipeFiles, folder: Path, names: list[str]) -> float:
    """Default features against Pillow and torch in float32."""
    paths = [folder / name for name in names]
    encoder = PictureEncoder(made.recipe, OnnxRunner(made.onnx_file, 1))
    found_NI, _ = encoder.encode(paths)
    network = PixelsToVectors(load_same_backbone(made.recipe))
    side = made.recipe.transform.size
    least = 1.0
    for path, found_I in zip(paths, found_NI, strict=True):
        image = Image.open(path).convert("RGBA")
        white = Image.new("RGBA", image.size, "#ffffff")
        image = Image.alpha_composite(white, image).convert("RGB")
        image = image.resize((side, side), Image.Resampling.BICUBIC)
        with torch.inference_mode():
            expected_I = network(torch.from_numpy(np.array(image))[None])[0].numpy()
        lengths = np.linalg.norm(found_I) * np.linalg.norm(expected_I)
        least = min(least, float(found_I @ expected_I / lengths))
    return least


def peak_mib(pictures: Path, count: int, workers: int) -> float:
    """Greatest sum of the resident sizes of a whole extraction's processes, sampled (Linux)."""
    command = [sys.executable, "-m", "benchmarks.image_features", "--only-extract"]
    command += ["--pictures", str(pictures), "--files", str(count), "--workers", str(workers)]
    process = subprocess.Popen(command)
    peak = 0
    while process.poll() is None:
        peak = max(peak, sum(_resident_kib(pid) for pid in _tree(process.pid)))
        time.sleep(0.02)
    assert process.returncode == 0
    return peak / 1024


def _tree(root: int) -> Iterator[int]:
    yield root
    try:
        children = Path(f"/proc/{root}/task/{root}/children").read_text().split()
    except OSError:
        return
    # Worker processes are started by the main thread.
    for child in children:
        yield from _tree(int(child))


def _resident_kib(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmRSS:")), 0)


@contextmanager
def _workspace(pictures: Path, count: int) -> Iterator[tuple[Path, list[str]]]:
    with TemporaryDirectory() as folder:
        root = Path(folder)
        yield root, make_files(pictures, root / "pictures", count)


def _measure(options: argparse.Namespace, root: Path, names: list[str]) -> list[dict]:
    workers, folder = options.workers, root / "pictures"
    lite0, resnet = prepared(LITE0, root / "cache"), prepared(RESNET, root / "cache")
    some = names[: options.peer_files]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        # What is run, and over how many pictures.
        cases: dict[str, tuple[Callable[[], object], int]] = {
            "EfficientNet-Lite0, files to Parquet": (
                lambda: extract_all(lite0, folder, names, root / "out", workers),
                len(names),
            ),
            "the same runtime in memory": (
                lambda: limit(pool, lite0, len(names), workers),
                len(names),
            ),
            "torch eager channels-last in memory": (
                torch_eager(lite0.recipe, len(some)),
                len(some),
            ),
            "ResNet-18, files to Parquet": (
                lambda: extract_all(resnet, folder, names, root / "out", workers),
                len(names),
            ),
            "img2vec ResNet-18, one at a time": (img2vec(folder, some), len(some)),
        }
        seconds = interleave({name: run for name, (run, _) in cases.items()}, rounds=options.rounds)
    per_picture = {
        name: [value / cases[name][1] for value in values] for name, values in seconds.items()
    }
    _, memory, eager, _, peer = per_picture.values()
    compared = {"x in memory": memory, "x torch eager": eager, "x img2vec": peer}
    return [
        {
            "case": name,
            "pictures_per_second": 1 / statistics.median(values),
            **{key: median_ratio(other, values) for key, other in compared.items()},
            "seconds_per_picture": values,
        }
        for name, values in per_picture.items()
    ]


def main() -> None:
    """Measure and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=Path, default=Path("data/raw/openmoji/images"))
    parser.add_argument("--files", type=int, default=8000)
    parser.add_argument("--peer-files", type=int, default=256)
    parser.add_argument("--memory-files", type=int, nargs=2, default=[1000, 20000])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=usable_cores())
    parser.add_argument("--only-extract", action="store_true", help="one extraction, no tables")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results"))
    options = parser.parse_args()
    if options.only_extract:
        with _workspace(options.pictures, options.files) as (root, names):
            made = prepared(LITE0, root / "cache")
            extract_all(made, root / "pictures", names, root / "out", options.workers)
        return
    # With one thread the harness would count this process's time alone.
    torch.set_num_threads(max(2, options.workers))
    setting = environment()
    with _workspace(options.pictures, options.files) as (root, names):
        rows = _measure(options, root, names)
        cosine = least_cosine(
            prepared(LITE0, root / "cache"), root / "pictures", names[: options.peer_files]
        )
    peaks = [peak_mib(options.pictures, count, options.workers) for count in options.memory_files]
    small, large = options.memory_files
    write_results(
        options.out / f"image_features_cpu_{options.workers}_workers",
        title="Image extraction against its limit, torch and a peer",
        notes=[
            f"{options.files} files of {options.pictures.name}, {options.workers} cores, "
            f"batches of {BATCH}, {options.rounds} interleaved rounds, the network's loading "
            "included",
            "ratios: speed of the case over that of the column, median of same-round ratios",
            f"least cosine to Pillow and torch float32 over {options.peer_files} pictures: "
            f"{cosine:.7f}",
            f"peak memory of all processes together: {peaks[0]:.0f} MiB with {small} items, "
            f"{peaks[1]:.0f} MiB with {large}",
            f"{setting['cpu']}, torch {setting['torch']}, load average at the start "
            f"{setting['load_average'][0]}",
        ],
        columns={
            "case": "case",
            "pictures_per_second": "pictures/s",
            "x in memory": "x in memory",
            "x torch eager": "x torch eager",
            "x img2vec": "x img2vec",
        },
        rows=rows,
        environment=setting
        | {
            "least_cosine": cosine,
            "peak_mib": dict(zip(map(str, options.memory_files), peaks, strict=True)),
        },
    )
    print(
        json.dumps([{k: v for k, v in row.items() if k != "seconds_per_picture"} for row in rows])
    )
    print(f"least cosine {cosine:.7f}, peaks {peaks}")


if __name__ == "__main__":
    main()
