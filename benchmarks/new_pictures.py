"""A hundred new pictures in a catalogue of twenty thousand, against the least they could cost.

    python -m benchmarks.new_pictures --pictures data/raw/openmoji/images --old 20000 --new 100

The least is to list the folder and to run the network over the new pictures, already in memory.
The stages also decode them, look everything up, and write the table of all pictures' features anew,
since a file of DVC's is whole. What that costs without any new picture is a row of its own.
"""

import argparse
import os
import shutil
import statistics
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

from benchmarks.extraction import BATCH, LITE0, extract_all, make_files, prepared
from benchmarks.harness import environment, interleave, median_ratio, write_results
from pipeline.core.cores import usable_cores
from pipeline.image_features.recipe import Recipe
from pipeline.image_features.runtimes.onnxruntime import OnnxRunner


def least(runner: OnnxRunner, recipe: Recipe, folder: Path, new: int) -> None:
    """List a folder, and run the network over so many pictures in memory."""
    with os.scandir(folder) as entries:
        for entry in entries:
            entry.stat()
    side = recipe.transform.size
    pixels_BSS3 = np.zeros((BATCH, side, side, 3), dtype=np.uint8)
    with ThreadPoolExecutor(runner.threads) as pool:
        for _ in pool.map(lambda _: runner.submit(pixels_BSS3)(), range(-(-new // BATCH))):
            pass


def _measure(options: argparse.Namespace, root: Path) -> list[dict]:
    cores = usable_cores()
    pictures, out, before = root / "pictures", root / "out", root / "before"
    names = make_files(options.pictures, pictures, options.old + options.new)
    made = prepared(LITE0, root / "cache")
    runner = OnnxRunner(made.onnx_file, BATCH, cores)
    extract_all(made, pictures, names[: options.old], before, cores)

    def restored() -> None:
        """Put back what the run before the new pictures had left."""
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(before, out)

    runs: dict[str, Callable[[], object]] = {
        "listing and forward passes of the new": lambda: least(
            runner, made.recipe, pictures, options.new
        ),
        "stages, nothing new": lambda: extract_all(
            made, pictures, names[: options.old], out, cores, fresh=False
        ),
        "stages, with the new": lambda: extract_all(made, pictures, names, out, cores, fresh=False),
    }
    seconds = interleave(runs, rounds=options.rounds, before=restored)
    floor = next(iter(seconds.values()))
    return [
        {
            "case": name,
            "seconds": statistics.median(values),
            "x least": median_ratio(values, floor),
        }
        for name, values in seconds.items()
    ]


def main() -> None:
    """Measure and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=Path, default=Path("data/raw/openmoji/images"))
    parser.add_argument("--old", type=int, default=20_000)
    parser.add_argument("--new", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results"))
    options = parser.parse_args()
    # With one thread the harness would count this process's CPU time.
    torch.set_num_threads(max(2, usable_cores()))
    setting = environment()
    with TemporaryDirectory() as folder:
        rows = _measure(options, Path(folder))
    write_results(
        options.out / "new_pictures_cpu",
        title="New pictures in a catalogue",
        notes=[
            f"{options.new} new files beside {options.old}, EfficientNet-Lite0, "
            f"{usable_cores()} threads, {options.rounds} interleaved rounds; the start of Python "
            "and DVC's own look are not in it",
            "x least: seconds of the case over those of the first row, median of rounds",
            f"{setting['cpu']}, torch {setting['torch']}, load average at the start "
            f"{setting['load_average'][0]}",
        ],
        columns={"case": "case", "seconds": "s", "x least": "x least"},
        rows=rows,
        environment=setting,
    )


if __name__ == "__main__":
    main()
