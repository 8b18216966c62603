"""The model that an objective asks for."""

from typing import Any

from pipeline.core.errors import InputError
from pipeline.features.pairs import Pairs
from pipeline.features.text_input import text_sizes
from pipeline.model.towers import TowersConfig
from pipeline.train.objectives.objective import Objective


def make_config(
    objective: type[Objective],
    sizes: dict[str, Any],
    pairs: Pairs,
    *,
    psi_dim: int,
    num_classes: int,
) -> TowersConfig:
    """Fit the sizes of params.yaml to the features and the objective.

    Args:
        objective: What is going to be minimised.
        sizes: Section `model` of params.yaml.
        pairs: Items, for the lengths of their features.
        psi_dim: E, dimension of the class-name embeddings.
        num_classes: K.

    Returns:
        The configuration; the embedding has psi's dimension where the objective projects onto it.

    Raises:
        InputError: Concatenation was asked for with a classifier per modality.
    """
    if sizes["fusion"] == "concat" and objective.classifier == "per_modality":
        raise InputError(
            "model.fusion: concat needs one classifier on both embeddings, but this loss.objective "
            "has one per modality; use late or product"
        )
    text_features, text_words = text_sizes(pairs.text_NT)
    return TowersConfig(
        image_features=pairs.image_NI.shape[1],
        text_features=text_features,
        text_words=text_words,
        num_classes=num_classes,
        classifier=objective.classifier,
        **{**sizes, "dim": psi_dim if objective.projects else sizes["dim"]},
    )
