"""New pictures by the model's own network against the extraction stage, in one run.

    python -m benchmarks.embed --pictures data/raw/openmoji/images --files 2000 --rounds 3

Both sides begin with files and end with vectors, and both make their network ready first. The
extraction also reads each file once more for its digest, and writes its store and Parquet; new
pictures go through in batches of the commands' size. Every case is timed once per round and
compared, per picture, within its round.
"""

import argparse
import json
import statistics
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from benchmarks.extraction import LITE0, extract_all, make_files, prepared
from benchmarks.harness import environment, interleave, median_ratio, write_results
from pipeline.core.cores import usable_cores
from pipeline.features.encoder_digest import KEY, encoder_digest
from pipeline.image_features.network_file import save_network
from pipeline.use.new_items import BATCH
from pipeline.use.raw_features import RawFeatures

EXTRACTION = "extraction stage, files to Parquet"


def encode(model: Path, recipe: dict[str, str], paths: list[Path]) -> None:
    """Do what `huse embed` does with pictures.

    Args:
        model: Folder of the model, of which the network's folder is enough.
        recipe: Its `recipe.image`; without `encoder_digest`, as of an earlier version that did not
            keep its network.
        paths: Pictures.
    """
    features = RawFeatures(model, {"image": recipe}, lambda line: None)
    for start in range(0, len(paths), BATCH):
        _, reasons = features.images(paths[start : start + BATCH])
        assert not any(reasons), reasons


def _measure(options: argparse.Namespace, root: Path) -> list[dict]:
    names = make_files(options.pictures, root / "pictures", options.files)
    paths = [root / "pictures" / name for name in names]
    made = prepared(LITE0, root / "cache")
    model = root / "model"
    save_network(model / "image_encoder", made.onnx_file)
    earlier = made.recipe.metadata()
    recipe = earlier | {KEY: encoder_digest(model / "image_encoder")}
    # What is run, and over how many pictures.
    cases: dict[str, tuple[Callable[[], object], int]] = {
        EXTRACTION: (
            lambda: extract_all(made, root / "pictures", names, root / "out", usable_cores()),
            len(names),
        ),
        "many new pictures": (lambda: encode(model, recipe, paths), len(names)),
        "one new picture": (lambda: encode(model, recipe, paths[:1]), 1),
        "one, by a model without the file": (lambda: encode(model, earlier, paths[:1]), 1),
    }
    seconds = interleave({name: run for name, (run, _) in cases.items()}, rounds=options.rounds)
    per_picture = {
        name: [value / cases[name][1] for value in values] for name, values in seconds.items()
    }
    return [
        {
            "case": name,
            "pictures_per_second": 1 / statistics.median(values),
            "seconds": statistics.median(seconds[name]),
            "x extraction": median_ratio(per_picture[EXTRACTION], values),
            "seconds_per_picture": values,
        }
        for name, values in per_picture.items()
    ]


def main() -> None:
    """Measure and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=Path, default=Path("data/raw/openmoji/images"))
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results"))
    options = parser.parse_args()
    # With one thread the harness would count this process's time alone.
    torch.set_num_threads(max(2, usable_cores()))
    setting = environment()
    with TemporaryDirectory() as folder:
        rows = _measure(options, Path(folder))
    write_results(
        options.out / f"embed_cpu_{usable_cores()}_cores",
        title="New pictures by the model's own network against the extraction stage",
        notes=[
            f"{options.files} files of {options.pictures.name}, EfficientNet-Lite0, "
            f"{usable_cores()} cores, {options.rounds} interleaved rounds; loading of the network "
            "included",
            "x extraction: speed of the case over that of the extraction, median of same-round "
            "ratios",
            f"{setting['cpu']}, torch {setting['torch']}, load average at the start "
            f"{setting['load_average'][0]}",
        ],
        columns={
            "case": "case",
            "pictures_per_second": "pictures/s",
            "seconds": "seconds",
            "x extraction": "x extraction",
        },
        rows=rows,
        environment=setting,
    )
    print(
        json.dumps([{k: v for k, v in row.items() if k != "seconds_per_picture"} for row in rows])
    )


if __name__ == "__main__":
    main()
