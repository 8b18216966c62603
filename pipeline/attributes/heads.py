"""Heads: what predicts a value of an attribute from frozen features, and their files.

Shape letters: N items, F features, V values.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save
from scipy.sparse import csr_matrix
from typing_extensions import TypedDict

from pipeline.core.atomic import atomic_path
from pipeline.core.block import Block
from pipeline.core.errors import InputError
from pipeline.core.json_file import read_json_as, write_json

FORMAT_VERSION = 1
FILE, WEIGHTS = "heads.json", "heads.safetensors"
"""In a folder of heads."""
DIGEST = "weights_digest"


class Head(NamedTuple):
    """A linear classifier of raw features."""

    fill_F: np.ndarray
    """[F] float32: the mean of training items, which stands for what an item lacks."""
    mean_F: np.ndarray
    """[F] float32 that is taken off; zeros where features are sparse."""
    scale_F: np.ndarray
    """[F] float32 that features are divided by."""
    coefficient_VF: np.ndarray
    """[V, F] float32."""
    intercept_V: np.ndarray
    """[V] float32."""
    temperature: np.ndarray
    """[1] float32 that logits are divided by."""

    def logits(self, features: Block) -> np.ndarray:
        """[N, V] logits of [N, F] features, of which NaN is what an item lacks.

        Raises:
            ValueError: The features are of another width.
        """
        if features.shape[1] != len(self.mean_F):
            raise ValueError(f"{features.shape[1]} features, the head takes {len(self.mean_F)}")
        weight_VF = self.coefficient_VF / self.scale_F
        shift_V = self.intercept_V - weight_VF @ self.mean_F
        if isinstance(features, csr_matrix):
            features = features.copy()
            lacks = np.isnan(features.data)
            features.data[lacks] = self.fill_F[features.indices[lacks]]
        else:
            features = np.where(np.isnan(features), self.fill_F, features)
        return np.asarray((features @ weight_VF.T + shift_V) / self.temperature)

    def probabilities(self, features: Block) -> np.ndarray:
        """[N, V] probabilities of the values; rows sum to 1."""
        logit_NV = self.logits(features)
        odds_NV = np.exp(logit_NV - logit_NV.max(axis=1, keepdims=True))
        return np.asarray(odds_NV / odds_NV.sum(axis=1, keepdims=True))


class ValueHead(NamedTuple):
    """A head with what it tells apart."""

    values: list[Any]
    """V values in the order of the logits, as JSON has them."""
    head: Head


@dataclass(frozen=True)
class AttributeHeads:
    """All heads of a catalogue, with what tells which features they are for."""

    recipe: dict[str, dict[str, str]]
    """How image and text features were made, by modality, digests of their encoders among it."""
    attributes: dict[str, dict[str, ValueHead]]
    """Heads by attribute and modality; of a modality that no value has enough items of, none."""


class _Described(TypedDict):
    weights_digest: str
    recipe: dict[str, dict[str, str]]
    values: dict[str, dict[str, list[str | float | bool]]]


def write_heads(folder: Path, heads: AttributeHeads) -> None:
    """Write `heads.safetensors` and `heads.json`.

    Raises:
        InputError: The folder cannot be written to.
    """
    arrays = {}
    for name, of_modality in heads.attributes.items():
        for modality, one in of_modality.items():
            for part, array in one.head._asdict().items():
                arrays[f"{name}/{modality}/{part}"] = array
    weights = save(arrays)
    with atomic_path(folder / WEIGHTS) as temporary:
        temporary.write_bytes(weights)
    values = {
        name: {modality: one.values for modality, one in of_modality.items()}
        for name, of_modality in heads.attributes.items()
    }
    write_json(
        folder / FILE,
        {
            "format_version": FORMAT_VERSION,
            DIGEST: hashlib.sha256(weights).hexdigest(),
            "recipe": heads.recipe,
            "values": values,
        },
    )


def read_heads(folder: Path) -> AttributeHeads | None:
    """Read what `write_heads` wrote; None where there is nothing. Nothing of it is run.

    Raises:
        InputError: A file is missing, damaged, of a newer format, or not of the other's run.
    """
    path = folder / FILE
    if not path.is_file():
        return None
    noted = read_json_as(path, _Described, "run huse attributes again", version=FORMAT_VERSION)
    try:
        weights = (folder / WEIGHTS).read_bytes()
        if hashlib.sha256(weights).hexdigest() != noted["weights_digest"]:
            raise InputError(
                f"{folder / WEIGHTS}: not the weights that {FILE} was written with; run huse "
                "attributes again"
            )
        arrays = load(weights)
        attributes = {
            name: {
                modality: ValueHead(
                    values,
                    Head(**{part: arrays[f"{name}/{modality}/{part}"] for part in Head._fields}),
                )
                for modality, values in of_modality.items()
            }
            for name, of_modality in noted["values"].items()
        }
    except (KeyError, OSError, SafetensorError) as error:
        reason = " ".join(str(error).split())[:300]
        raise InputError(f"{folder}: damaged ({reason}); run huse attributes again") from error
    for name, of_modality in attributes.items():
        for modality, (values, head) in of_modality.items():
            if len(values) != len(head.coefficient_VF):
                raise InputError(
                    f"{path}: damaged (values.{name}.{modality}: {len(values)}, its head tells "
                    f"{len(head.coefficient_VF)} apart); run huse attributes again"
                )
    return AttributeHeads(noted["recipe"], attributes)
