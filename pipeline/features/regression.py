"""Logistic regression on the stored features, per modality: the image's, the text's, both.

Shape letters: N items, F features.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import issparse

from pipeline.core.block import Block
from pipeline.features.joined import FeatureIndex
from pipeline.features.text_matrix import side_by_side

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

MODALITIES = ("image", "text", "fused")
"""As the model's. It is not taken from there, or what fits regressions would run again when the
model's code changes."""
MOST_PASSES = 300
MOST_WEIGHTS = 2 * 10**7
"""Features x classes of one fit, which the solver keeps some twenty times in memory: 3 GiB."""
MOST_WORK = 2 * 10**10
"""Items x features x classes of one fit; a pass over them takes about a second on two cores, and a
fit about a hundred passes."""


def fit_regression(features: Block, label_N: np.ndarray, strength: float = 1.0) -> Pipeline:
    """Fit what fills gaps with the mean, standardises and classifies, in this order.

    Args:
        features: [N, F]; NaN stands for what an item lacks.
        label_N: [N] of two values at least.
        strength: Scikit-learn's C: the smaller, the smaller the weights are kept.
    """
    # Half a second of import that the other readers of this file need not wait for.
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    # A sparse block stays sparse only if it is not centred.
    scaler = StandardScaler(with_mean=not issparse(features))
    classifier = LogisticRegression(C=strength, max_iter=MOST_PASSES)
    model = make_pipeline(SimpleImputer(), scaler, classifier)
    with warnings.catch_warnings():
        # Of a small catalogue with many classes it is asked whether the classes are numbers.
        warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)
        model.fit(features, label_N)
    return model


def has_modality(index: FeatureIndex, modality: str) -> np.ndarray:
    """[N] bool: which items are judged by a modality."""
    has = {"image": index.has_image, "text": index.has_text}
    return has.get(modality, np.ones(len(index), dtype=bool))


def modality_features(index: FeatureIndex) -> dict[str, Block]:
    """[N, F] features of each modality, and of both side by side.

    NaN stands for what an item lacks, in a sparse text zeros.
    """
    image_NF = index.image.read(index.clean_row)
    text_NF = index.text.read_matrix(index.text_row_N)
    image_NF[~index.has_image] = np.nan
    if not issparse(text_NF):
        text_NF[~index.has_text] = np.nan
    both_NF = side_by_side({"image": image_NF, "text": text_NF})
    return dict(zip(MODALITIES, (image_NF, text_NF, both_NF), strict=True))
