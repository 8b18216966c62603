"""How much of a figure is the draw of the seed? `python -m benchmarks.seeds`, after `dvc repro`.

Trains and evaluates with several values of train.seed on the stored features, same split, and
prints mean and standard deviation of the headline figures beside the baseline's accuracy. The last
column is the 95 % interval of one seed's figure over test items: a seed tells of training, items
of the sample that is tested.
"""

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer
from ruamel.yaml import YAML

from pipeline.core.atomic import atomic_path

RESULTS = Path("benchmarks/results/seeds_sample.md")


def main(
    seeds: Annotated[int, typer.Option(min=2, help="How many seeds, from 0.")] = 5,
    out: Annotated[Path, typer.Option(help="Markdown file to write.")] = RESULTS,
) -> None:
    """Measure every seed and print a Markdown table."""
    runs = [_run(seed) for seed in range(seeds)]
    lines = [f"| {seeds} seeds | mean ± sd | one seed's 95 % interval |", "|---|---|---|"]
    for name in [key for key, value in runs[0][0].items() if isinstance(value, float)]:
        values = [metrics[name] for metrics, _ in runs if name in metrics]
        low, high = runs[0][0]["intervals"][name]
        lines.append(f"| {name} | {_spread(values)} | {low:.3f} to {high:.3f} |")
    for modality in ("image", "text", "fused"):
        rows = [details["baseline"][modality] for _, details in runs]
        low, high = rows[0]["interval"]
        lines.append(
            f"| {modality} accuracy less logistic regression's {rows[0]['baseline']:.3f} | "
            f"{_spread([row['difference'] for row in rows], '+')} | {low:+.3f} to {high:+.3f} |"
        )
    table = "\n".join(lines) + "\n"
    print(table)
    with atomic_path(out) as temporary:
        temporary.write_text(f"`python -m benchmarks.seeds --seeds {seeds}`\n\n{table}")


def _run(seed: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """metrics.json and details.json of a seed."""
    yaml = YAML()
    params = yaml.load(Path("params.yaml"))
    params["train"]["seed"] = seed
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        yaml.dump(params, folder / "params.yaml")
        chosen = ["--params", str(folder / "params.yaml")]
        model = str(folder / "model")
        for command in (
            ["stages.train", "--out", model, "--curves", str(folder / "curves")],
            ["stages.evaluate", "--model", model, "--out", str(folder / "evaluate")],
        ):
            subprocess.run([sys.executable, "-m", *command, *chosen], check=True)
        metrics, details = (
            json.loads((folder / "evaluate" / f"{kind}.json").read_text(encoding="utf-8"))
            for kind in ("metrics", "details")
        )
    return metrics, details


def _spread(values: list[float], sign: str = "") -> str:
    return f"{statistics.mean(values):{sign}.3f} ± {statistics.stdev(values):.3f}"


if __name__ == "__main__":
    typer.run(main)
