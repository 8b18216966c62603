"""Logistic regression on the same features and split, one and both modalities."""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from cell import artifacts
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from pipeline.dataset.pairs import Pairs, load_pairs
from pipeline.files.json_file import write_json


def main(out: Annotated[Path, typer.Option(help="Where to write the accuracies.")]) -> None:
    """Fit on train, measure on test."""
    pairs = load_pairs(**artifacts())
    train, test = pairs.only("train"), pairs.only("test")
    accuracy = {}
    for modality in ("image", "text", "fused"):
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
        model.fit(_features(train, modality), train.label_N.numpy())
        accuracy[modality] = float(model.score(_features(test, modality), test.label_N.numpy()))
    write_json(out, {"accuracy": accuracy})


def _features(pairs: Pairs, modality: str) -> np.ndarray:
    image_NI, text_NT = pairs.image_NI.numpy(), pairs.text_NT.numpy()
    if modality == "fused":
        return np.concatenate([image_NI, text_NT], axis=1)
    return image_NI if modality == "image" else text_NT


if __name__ == "__main__":
    typer.run(main)
