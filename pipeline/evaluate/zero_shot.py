"""What a pretrained pair of encoders does untrained, where image and text features are of one.

An image names the class whose name's vector is nearest, and an image and a text find each other,
without any training on the catalogue: what the towers have to be better than.

Shape letters: N test items, M queries, G candidates, C cut-offs, K classes, D the pair's vectors.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize

from pipeline.core.clip_name import ClipName, read_clip_name
from pipeline.core.table import read_table
from pipeline.evaluate.evaluation_items import EvaluationItems
from pipeline.evaluate.outcomes import Outcomes, differences
from pipeline.features.classes import check_same_classes
from pipeline.features.vector_rows import VectorRows
from pipeline.metrics.best_columns import best_columns
from pipeline.metrics.neighbours import candidates_of_class
from pipeline.metrics.retrieval import class_hits, nearest

BLOCK = 4096
"""Items that are compared with all class names at a time."""


class TextTables(NamedTuple):
    """Where the text side's vectors are."""

    texts: Path
    """Of the items."""
    class_names: Path
    """Of the classes."""


class ZeroShot(NamedTuple):
    """What the pair says of the test items."""

    model: str
    outcomes: Outcomes
    """Under the names of the trained model's figures."""


def matched_block(recipe: Mapping[str, Any]) -> str | None:
    """Name the block of text features that is of the same model as the image features, if any."""
    image, text = recipe["image"], recipe["text"]
    source, _, name = image.get("backbone", "").partition("/")
    weights = image.get("weights", "default")
    if source == "open_clip" and (model := text.get("open_clip.model")) is not None:
        clip = read_clip_name(name)
        if weights != "default":
            clip = ClipName(clip.model, weights)
        return "open_clip" if clip == read_clip_name(model) else None
    if source == "sentence_transformers" and weights == "default":
        return "sentence" if text.get("sentence.model") == name else None
    return None


def measure_zero_shot(
    items: EvaluationItems,
    recipe: Mapping[str, Any],
    tables: TextTables,
    names: Sequence[str],
    *,
    queries: Tensor,
    k: Sequence[int],
) -> ZeroShot | None:
    """Measure the pair on the test items that the trained model is measured on.

    Args:
        items: All items.
        recipe: How the features were made.
        tables: The text features.
        names: K classes in the order of their labels.
        queries: [M] int64 positions of the queries of retrieval among the test items.
        k: Cut-offs of R@K.

    Returns:
        None where the features are not of one pair, or there is nothing to measure.

    Raises:
        InputError: A table is missing or damaged, or its classes are others.
    """
    block = matched_block(recipe)
    index = items.index.take(items.test)
    has_of = {"image": torch.from_numpy(index.has_image), "text": torch.from_numpy(index.has_text)}
    if block is None or not all(has_N.any() for has_N in has_of.values()):
        return None
    found = read_table(tables.class_names, ["item_id"])["item_id"].tolist()
    remedy = "run stages text_block and text_features again"
    check_same_classes(found, names, tables.class_names, remedy)
    name_rows = VectorRows(tables.class_names, [block])
    text_rows = VectorRows(tables.texts, [block])
    if name_rows.dimension != index.image.dimension:
        return None
    name_KD = _unit(name_rows.read(np.arange(len(names))))
    vector_of = {
        "image": _unit(index.image.read(index.clean_row)),
        "text": _unit(text_rows.read(index.text_row_N)),
    }
    label_N = torch.from_numpy(index.label_N)
    value_of = {}
    for modality, vector_ND in vector_of.items():
        right_N = (_nearest_name(vector_ND, name_KD) == label_N).double()
        right_N[~has_of[modality]] = torch.nan
        value_of[f"classification.{modality}.accuracy"] = right_N.numpy()
    for query, gallery in (("image", "text"), ("text", "image")):
        query_M = queries[has_of[query][queries]]
        candidate_N = has_of[gallery]
        gallery_GD = vector_of[gallery][candidate_N]
        index_MR = nearest(vector_of[query][query_M], gallery_GD, max(k)).indices
        labels = label_N[query_M], label_N[candidate_N]
        hit_MC = class_hits(index_MR, *labels, k).double()
        hit_MC[candidates_of_class(*labels) == 0] = torch.nan
        for at, hit_M in zip(k, hit_MC.T, strict=True):
            value_N = torch.full((len(label_N),), torch.nan, dtype=torch.float64)
            value_N[query_M] = hit_M
            value_of[f"retrieval.{query}_to_{gallery}.r_at_{at}"] = value_N.numpy()
    group_N = items.table["group"].to_numpy(dtype=np.int64)[items.test]
    known = {name: value_N for name, value_N in value_of.items() if not np.isnan(value_N).all()}
    return ZeroShot(recipe["image"]["backbone"], Outcomes(index.item_ids, group_N, known, {}))


def zero_shot_tree(zero_shot: ZeroShot, trained: Outcomes) -> dict[str, Any]:
    """Put the pair's figures beside the trained model's.

    Returns:
        `model`, and `figures`: by name, such as `retrieval.image_to_text.r_at_1`, `zero_shot` and
        `model`, their `difference` with its 95 % `interval`, paired by item, and whether it is
        `certain`.
    """
    found, _ = differences(zero_shot.outcomes, trained)
    return {
        "model": zero_shot.model,
        "figures": {
            name: {
                "zero_shot": one.first,
                "model": one.second,
                "difference": one.value,
                "interval": [one.low, one.high],
                "certain": one.is_certain,
            }
            for name, one in found.items()
        },
    }


def _unit(vector_ND: np.ndarray) -> Tensor:
    return normalize(torch.from_numpy(vector_ND).float(), dim=1)


def _nearest_name(vector_ND: Tensor, name_KD: Tensor) -> Tensor:
    """[N] int64: the class whose name is nearest, of equal ones the first."""
    found = [best_columns(part_BD @ name_KD.T, 1)[:, 0] for part_BD in vector_ND.split(BLOCK)]
    return torch.cat(found)
