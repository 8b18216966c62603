"""The semantic graph for people to look at: a heat map and each class's nearest classes.

Shape letters: K classes, C classes shown.
"""

import base64
import io
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from PIL import Image
from scipy.cluster.hierarchy import leaves_list, linkage, optimal_leaf_ordering
from scipy.spatial.distance import squareform

from pipeline.core.csv_file import write_csv
from pipeline.features.classes import ClassEntry

MOST_CLASSES = 100
"""Classes shown, those with most items: more cannot be read."""
NEIGHBOURS = 3
COLOURS = ((68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98), (253, 231, 37))
"""Five colours of viridis, from far to near."""


class Neighbourhood(NamedTuple):
    """A class with the classes nearest to it in the semantic graph."""

    name: str
    neighbours: list[tuple[str, float]]
    """Name and distance, nearest first."""


class HeatMap(NamedTuple):
    """The heat map as the report shows it."""

    names: list[str]
    """C classes in the order of both axes."""
    farthest: float
    """Greatest distance, the darkest colour."""
    png: str
    """C x C pixels, base64."""


def nearest_classes(adjacency_KK: np.ndarray, classes: Sequence[ClassEntry]) -> list[Neighbourhood]:
    """List the classes nearest to each class, for the MOST_CLASSES classes with most items."""
    found = []
    for label in _largest(classes):
        order_K = np.argsort(adjacency_KK[label], kind="stable")
        others = order_K[order_K != label][:NEIGHBOURS]
        pairs = [(classes[k]["name"], float(adjacency_KK[label, k])) for k in others]
        found.append(Neighbourhood(classes[label]["name"], pairs))
    return found


def neighbour_table(neighbourhoods: Sequence[Neighbourhood]) -> pd.DataFrame:
    """Columns `class`, `rank` (1 is the nearest), `neighbour` and `distance`."""
    rows = [
        (one.name, rank, name, round(distance, 4))
        for one in neighbourhoods
        for rank, (name, distance) in enumerate(one.neighbours, start=1)
    ]
    return pd.DataFrame(rows, columns=["class", "rank", "neighbour", "distance"])


def graph_heat_map(adjacency_KK: np.ndarray, classes: Sequence[ClassEntry]) -> pd.DataFrame:
    """Distances of the semantic graph, similar classes side by side.

    The order is that of the leaves of an average-linkage tree.

    Returns:
        Columns `class`, `other` and `distance`, C x C rows in the order of the axes; the
        MOST_CLASSES classes with most items are shown.
    """
    chosen_C = _largest(classes)
    distance_CC = adjacency_KK[np.ix_(chosen_C, chosen_C)].astype(np.float64)
    if len(chosen_C) > 2:
        condensed = squareform(distance_CC, checks=False)
        tree = optimal_leaf_ordering(linkage(condensed, "average"), condensed)
        order_C = leaves_list(tree)
        chosen_C, distance_CC = chosen_C[order_C], distance_CC[np.ix_(order_C, order_C)]
    name_C = [classes[label]["name"] for label in chosen_C]
    return pd.DataFrame(
        {
            "class": np.repeat(name_C, len(name_C)),
            "other": np.tile(name_C, len(name_C)),
            "distance": distance_CC.ravel().round(4),
        }
    )


def draw_heat_map(frame: pd.DataFrame) -> HeatMap:
    """Draw a pixel for each pair of classes, in the colours of the plot that DVC shows."""
    names = frame["class"].drop_duplicates().tolist()
    distance_CC = frame["distance"].to_numpy().reshape(len(names), len(names))
    farthest = float(distance_CC.max())
    place_CC = (1 - distance_CC / max(farthest, 1e-9)) * (len(COLOURS) - 1)
    channels = [
        np.interp(place_CC, np.arange(len(COLOURS)), channel)
        for channel in zip(*COLOURS, strict=True)
    ]
    stream = io.BytesIO()
    Image.fromarray(np.stack(channels, axis=-1).round().astype(np.uint8)).save(stream, "PNG")
    return HeatMap(names, farthest, base64.b64encode(stream.getvalue()).decode())


def write_graph_plots(
    folder: Path, heat_map: pd.DataFrame, neighbourhoods: Sequence[Neighbourhood]
) -> None:
    """Write what dvc.yaml declares as plots of the graph."""
    write_csv(folder / "graph.csv", heat_map)
    write_csv(folder / "graph_neighbours.csv", neighbour_table(neighbourhoods))


def _largest(classes: Sequence[ClassEntry]) -> np.ndarray:
    """[C] int64 positions of the classes with most items, ascending."""
    item_K = np.array([entry["count"] for entry in classes])
    return np.sort(np.argsort(-item_K, kind="stable")[:MOST_CLASSES])
