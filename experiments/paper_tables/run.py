"""Train an objective with its chosen setting and measure the test split."""

import tempfile
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from cell import artifacts, train_cell

from pipeline.catalog.classes import item_classes
from pipeline.dataset.pairs import load_pairs
from pipeline.evaluation.directions import measure_directions
from pipeline.evaluation.embed import embed_pairs
from pipeline.files.json_file import read_json, write_json
from pipeline.models.store import load_model

CUTOFFS, HIERARCHY_CUTOFFS = (1, 5, 10), (2, 5, 10)


def main(
    objective: Annotated[str, typer.Option(help="Value of loss.objective.")],
    seed: Annotated[int, typer.Option(help="Value of train.seed.")],
    tuned: Annotated[Path, typer.Option(help="What tune.py wrote.")],
    out: Annotated[Path, typer.Option(help="Where to write the measurements.")],
) -> None:
    """Measure one objective at one seed."""
    with tempfile.TemporaryDirectory() as folder:
        train_cell(objective, read_json(tuned)["best"], seed, Path(folder))
        stored = load_model(Path(folder) / "model")
    test = load_pairs(**artifacts()).only("test")
    embedded = embed_pairs(stored, test)
    class_parts = [entry["parts"] for entry in item_classes(stored.classes)]
    directions = measure_directions(
        embedded, test.label_N, class_parts, k=CUTOFFS, hp_k=HIERARCHY_CUTOFFS
    )
    write_json(
        out,
        {
            "recall": {name: list(one.recall.values()) for name, one in directions.items()},
            "hierarchy": {
                name: list(one.hierarchical_precision.values()) for name, one in directions.items()
            },
            "accuracy": {
                name: float(np.mean(torch.eq(one.predicted_N, test.label_N).numpy()))
                for name, one in embedded.items()
            },
        },
    )


if __name__ == "__main__":
    typer.run(main)
