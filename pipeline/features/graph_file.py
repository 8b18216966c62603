"""The semantic graph on disk: adjacency.npy, class_embeddings.npy and classes.json.

Shape letters: K classes, E class-name embedding.
"""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from typing_extensions import TypedDict

from pipeline.core.atomic import atomic_path
from pipeline.core.errors import InputError
from pipeline.core.json_file import read_json_as, write_json


class SemanticGraph(NamedTuple):
    """Classes with their name embeddings and distances, in one order."""

    names: list[str]
    """K class names."""
    adjacency_KK: np.ndarray
    """[K, K] float32 cosine distances."""
    class_embedding_KE: np.ndarray
    """[K, E] float32, psi of the class names."""


class _Names(TypedDict):
    classes: list[str]


def write_graph(folder: Path, graph: SemanticGraph, notes: dict[str, Any]) -> None:
    """Write the graph; `notes` of what made it stand in classes.json beside the names."""
    _write_array(folder / "adjacency.npy", graph.adjacency_KK)
    _write_array(folder / "class_embeddings.npy", graph.class_embedding_KE)
    write_json(folder / "classes.json", {"classes": graph.names, **notes})


def read_graph(folder: Path) -> SemanticGraph:
    """Read the graph and check that its files belong together.

    Raises:
        InputError: A file is missing or damaged, or the sizes differ.
    """
    names = read_json_as(folder / "classes.json", _Names, "run huse semantic_graph")["classes"]
    adjacency_KK = _read_array(folder / "adjacency.npy")
    class_embedding_KE = _read_array(folder / "class_embeddings.npy")
    size = len(names)
    if adjacency_KK.shape != (size, size) or class_embedding_KE.shape[:1] != (size,):
        raise InputError(f"{folder}: {size} class names but other sizes of arrays; make it again")
    return SemanticGraph(names, adjacency_KK, class_embedding_KE)


def _write_array(path: Path, array: np.ndarray) -> None:
    with atomic_path(path) as temporary, temporary.open("wb") as stream:
        np.save(stream, array, allow_pickle=False)


def _read_array(path: Path) -> np.ndarray:
    try:
        return np.load(path, allow_pickle=False)
    except FileNotFoundError as error:
        raise InputError(f"{path}: not found; run the stage that makes it first") from error
    except (ValueError, OSError, EOFError) as error:
        raise InputError(f"{path}: not a readable array ({error}); make it again") from error
