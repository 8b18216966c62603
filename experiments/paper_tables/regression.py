"""Logistic regression on the same features and split, one and both modalities."""

from pathlib import Path
from typing import Annotated

import torch
import typer
from cell import artifacts
from measure import mistakes

from pipeline.baseline.baseline import MODALITIES, fit_baseline
from pipeline.core.json_file import read_json, write_json
from pipeline.core.table import read_metadata
from pipeline.features.classes import item_classes
from pipeline.features.joined import index_features


def main(out: Annotated[Path, typer.Option(help="Where to write the figures.")]) -> None:
    """Fit on train, measure on test."""
    place = artifacts()
    index = index_features(**place)
    entries = item_classes(read_json(place["classes"]))
    names = [entry["name"] for entry in entries]
    recipe = {kind: read_metadata(place[f"{kind}_features"]) for kind in ("image", "text")}
    found = fit_baseline(index, names, most_items=len(index), recipe=recipe)
    true = [names[label] for label in index.only("test").label_N]
    accuracy = {
        modality: float((found.predicted[modality] == true).mean()) for modality in MODALITIES
    }
    predictions = {
        modality: torch.tensor([names.index(name) for name in found.predicted[modality]])
        for modality in MODALITIES
    }
    label_N = torch.from_numpy(index.only("test").label_N)
    off = mistakes(label_N, predictions, [entry["parts"] for entry in entries])
    write_json(out, {"accuracy": accuracy, **off, "fitted_items": found.fitted_items})


if __name__ == "__main__":
    typer.run(main)
