"""How long somebody waits for a search from the shell, and every stage for its libraries.

    python -m benchmarks.start --project . --rounds 5

Every case is a process of its own, started from files that are in the system's cache; the cases of
a round run one after the other, and the ratios are of the same round. The model without its
networks is the same model as versions before kept it: the towers run in torch, and the text encoder
is loaded by its library. What a stage imports is what its run on a small sample had imported in the
end, in that order, imported anew and without the run; the first run also exports networks, which
the second finds.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import product
from pathlib import Path
from typing import Annotated

import typer
from ruamel.yaml import YAML

from benchmarks.harness import environment, median_ratio, write_results
from pipeline.core.json_file import read_json, write_json
from pipeline.encoders.text_network import FILE, NETWORK, TOKENIZER, WEIGHTS
from pipeline.features.encoder_digest import KEY, encoder_digest
from pipeline.model.description import FILE as MODEL_FILE
from pipeline.model.description import TOWERS

ROOT = Path(__file__).parents[1]
STAGES = (
    *("catalog", "clean_text", "image_features", "text_block glove", "text_block sentence"),
    *("text_features", "semantic_graph", "train", "baseline", "attributes", "evaluate", "audit"),
    "index",
)
RECORD = """
import json, pathlib, runpy, sys
out, *sys.argv = sys.argv[1:]
try:
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=False)
except SystemExit as done:
    assert not done.code
pathlib.Path(out).write_text(json.dumps(list(sys.modules)))
"""
IMPORT = """
import contextlib, importlib, json, pathlib, sys
for name in json.loads(pathlib.Path(sys.argv[1]).read_text()):
    # Some were made by others while these were imported, and are in no file.
    with contextlib.suppress(Exception):
        importlib.import_module(name)
"""
QUERY = "sad cat"
PICTURE = Path("data/raw/openmoji/images/1F600.png")


def main(
    project: Annotated[Path, typer.Option(help="A project that `dvc repro` has run in.")] = Path(),
    picture: Annotated[
        Path | None, typer.Option(help="To search by; one of the project's sample if not given.")
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, help="How often each case is started.")] = 5,
    out: Annotated[Path, typer.Option(help="Where to write the results, without a suffix.")] = Path(
        "benchmarks/results/start_cpu"
    ),
) -> None:
    """Start a search, and every stage's imports, again and again."""
    search = ["-m", "stages", "search", "--index", str(project / "data/index")]
    by_text = [*search, QUERY, "--model"]
    by_picture = [*search, "--image", str(picture or project / PICTURE), "--model"]
    with tempfile.TemporaryDirectory() as folder:
        bare = Path(folder) / "model"
        strip(project / "data/model", bare)
        cases = {
            "import torch": ["-c", "import torch"],
            "huse --help": ["-m", "stages", "--help"],
            "huse search, by a text": [*by_text, str(project / "data/model")],
            "the same without the networks": [*by_text, str(bare)],
            "huse search, by a picture": [*by_picture, str(project / "data/model")],
        }
        for stage, modules in record_imports(Path(folder) / "sample").items():
            cases[f"imports of {stage}"] = ["-c", IMPORT, str(modules)]
        seconds: dict[str, list[float]] = {name: [] for name in cases}
        peaks: dict[str, list[float]] = {name: [] for name in cases}
        for number in range(rounds + 1):
            for name, arguments in cases.items():
                taken, peak = run(arguments)
                if number:  # the first round fills the system's cache
                    seconds[name].append(taken)
                    peaks[name].append(peak)
    rows = [
        {
            "what": name,
            "seconds": statistics.median(seconds[name]),
            "ratio": median_ratio(seconds[name], seconds["import torch"]),
            "peak_mib": statistics.median(peaks[name]),
        }
        for name in cases
    ]
    write_results(
        out,
        title="Waiting for the first answer",
        notes=[
            "`python -m benchmarks.start`; every case is a fresh process, its files in memory",
            f"wall time and peak memory, medians of {rounds}; ratios are medians of rounds",
            "without the networks: torch runs the towers, a library the encoder",
        ],
        columns={
            "what": "what",
            "seconds": "s",
            "ratio": "x import torch",
            "peak_mib": "peak MiB",
        },
        rows=rows,
        environment=environment(),
    )
    typer.echo(out.with_suffix(".md").read_text(encoding="utf-8"))


def record_imports(folder: Path) -> dict[str, Path]:
    """Run every stage twice on a small sample; per run, a list of the modules it had imported."""
    folder.mkdir()
    yaml = YAML()
    params = yaml.load(ROOT / "params.yaml")
    params["train"] |= {"steps": 20, "validate_every": 10}
    params["audit"]["decisions"] = str(ROOT / "decisions.csv")
    yaml.dump(params, folder / "params.yaml")
    here = {**os.environ, "PYTHONPATH": str(ROOT)}
    sample = [sys.executable, "-m", "stages", "sample_catalog", "--limit", "200"]
    subprocess.run(sample, check=True, cwd=folder, env=here, capture_output=True)
    found = {}
    for stage, again in product(STAGES, ("", ", again")):
        modules = found[stage + again] = folder / f"{stage}{again}.json"
        record = [sys.executable, "-c", RECORD, str(modules), *f"stages.{stage}".split()]
        subprocess.run(record, check=True, cwd=folder, env=here, capture_output=True)
    return found


def strip(model: Path, out: Path) -> None:
    """Copy a model without its networks, with digests that fit."""
    shutil.copytree(model, out)
    (out / TOWERS).unlink()
    for path in (out / "text_encoder").glob(f"*/{FILE}"):
        write_json(path, {**read_json(path), "network": None})
        for name in (NETWORK, WEIGHTS, TOKENIZER):
            (path.parent / name).unlink(missing_ok=True)
    described = read_json(out / MODEL_FILE)
    described["recipe"]["text"][KEY] = encoder_digest(out / "text_encoder")
    write_json(out / MODEL_FILE, described)


def run(arguments: list[str]) -> tuple[float, float]:
    """Run a process: wall seconds, and the peak of its resident memory in MiB (Linux)."""
    code = (
        "import json, resource, subprocess, sys; "
        "subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL, "
        "stderr=subprocess.DEVNULL); "
        "print(json.dumps(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))"
    )
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-S", "-c", code, sys.executable, *arguments],
        check=True,
        capture_output=True,
        text=True,
        env=os.environ,
    )
    return time.perf_counter() - start, json.loads(done.stdout) / 1024


if __name__ == "__main__":
    typer.run(main)
