"""Is the trained model worth its training? `python -m benchmarks.quality_floor`, after `dvc repro`.

Compares, on the same split: the model's fused accuracy with scikit-learn's logistic regression on
the concatenated standardised features, and R@1 of every direction with a random order. Exits with
status 1 if the model is below the regression or a direction is below five times chance.
"""

import json
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix, hstack, issparse
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from pipeline.dataset.pairs import Pairs, load_pairs
from pipeline.evaluation.embed import embed_pairs
from pipeline.models.store import load_model
from pipeline.models.text_input import text_matrix

DATA = Path("data")
TIMES_CHANCE = 5.0


def main() -> None:
    """Measure both sides and print a Markdown table."""
    pairs = load_pairs(
        items=DATA / "catalog/items.parquet",
        splits=DATA / "catalog/splits.parquet",
        groups=DATA / "catalog/groups.parquet",
        classes=DATA / "catalog/classes.json",
        image_features=DATA / "features/image.parquet",
        text_features=DATA / "features/text.parquet",
    )
    train, test = pairs.only("train"), pairs.only("test")
    # A sparse block stays sparse only if it is not centred.
    scaler = StandardScaler(with_mean=not issparse(_features(train)))
    regression = make_pipeline(scaler, LogisticRegression(max_iter=5000))
    regression.fit(_features(train), train.label_N.numpy())
    floor = float(regression.score(_features(test), test.label_N.numpy()))
    fused = embed_pairs(load_model(DATA / "model"), test)["fused"]
    accuracy = (fused.predicted_N == test.label_N).double().mean().item()
    print("| on the test split | model | floor |\n|---|---|---|")
    print(f"| fused accuracy, logistic regression | {accuracy:.4f} | {floor:.4f} |")
    passed = accuracy >= floor
    retrieval = json.loads((DATA / "evaluate/metrics.json").read_text())["retrieval"]
    for direction, values in retrieval.items():
        least = TIMES_CHANCE * values["chance_r_at_1"]
        passed &= values["r_at_1"] >= least
        print(
            f"| {direction} R@1, {TIMES_CHANCE:g} x chance | {values['r_at_1']:.4f} | {least:.4f} |"
        )
    if not passed:
        raise SystemExit("below the floor")


def _features(pairs: Pairs) -> np.ndarray | csr_matrix:
    image_NI, text = pairs.image_NI.numpy(), text_matrix(pairs.text_NT)
    if issparse(text):
        return hstack([csr_matrix(image_NI), text], format="csr")
    return np.concatenate([image_NI, text], axis=1)


if __name__ == "__main__":
    main()
