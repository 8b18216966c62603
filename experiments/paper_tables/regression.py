"""Logistic regression on the same features and split, one and both modalities."""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from cell import artifacts
from scipy.sparse import csr_matrix, hstack, issparse
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from pipeline.dataset.pairs import Pairs, load_pairs
from pipeline.files.json_file import write_json
from pipeline.models.text_input import text_matrix


def main(out: Annotated[Path, typer.Option(help="Where to write the accuracies.")]) -> None:
    """Fit on train, measure on test."""
    pairs = load_pairs(**artifacts())
    train, test = pairs.only("train"), pairs.only("test")
    accuracy = {}
    for modality in ("image", "text", "fused"):
        features = _features(train, modality)
        # A sparse block stays sparse only if it is not centred.
        scaler = StandardScaler(with_mean=not issparse(features))
        model = make_pipeline(scaler, LogisticRegression(max_iter=1000))
        model.fit(features, train.label_N.numpy())
        accuracy[modality] = float(model.score(_features(test, modality), test.label_N.numpy()))
    write_json(out, {"accuracy": accuracy})


def _features(pairs: Pairs, modality: str) -> np.ndarray | csr_matrix:
    image_NI, text = pairs.image_NI.numpy(), text_matrix(pairs.text_NT)
    if modality == "fused":
        if issparse(text):
            return hstack([csr_matrix(image_NI), text], format="csr")
        return np.concatenate([image_NI, text], axis=1)
    return image_NI if modality == "image" else text


if __name__ == "__main__":
    typer.run(main)
