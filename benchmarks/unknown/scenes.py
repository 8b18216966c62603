"""Features of a catalogue's own items, and of strangers that are not of it.

Shape letters: N items, A all features, F features that judge, P names in the class tree.
"""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from PIL import Image
from ruamel.yaml import YAML

from benchmarks.finished_project import index_project
from huse import Huse
from pipeline.core.table import read_table
from pipeline.features.pairs import read_pairs
from pipeline.features.text_rows import TextRows
from pipeline.index.fit_references import MOST_QUERIES, MOST_REFERENCES, OWN, choose_block
from pipeline.index.references import unit_rows
from stages.paths import GROUPS, ITEMS, MODEL, TEXT_FEATURES

STRANGERS = 1000
NONSENSE, NOISE, BLANK, PROBES = 200, 200, 100, 300
PIXELS = 96
OTHER, SENSELESS, EMPTY = "other catalogue", "nonsense or noise", "blank"
HALVES, WORDS = "half a title", "word of a title"
"""Pieces of the titles of test items, which are no strangers: half of every title, in the order of
the items, and PROBES words."""


class Own(NamedTuple):
    """Items of the catalogue."""

    features: dict[str, np.ndarray]
    """[N, A] by part, as the towers take them."""
    sets: dict[str, list[np.ndarray]]
    """By part, [N] numbers of what an item shares with its variants."""
    product_N: np.ndarray
    label_N: np.ndarray


class Scene(NamedTuple):
    """A catalogue with its strangers."""

    model: Path | None
    """Folder of the trained model; None for texts alone."""
    columns: dict[str, slice]
    """Which features judge a part."""
    references: Own
    """Items of all splits, which queries are compared with, but not with their own variants."""
    train: Own
    val: Own
    test: Own
    others: dict[str, dict[str, np.ndarray]]
    """Strangers and pieces of titles by kind: [N, A] by part; a kind may have only one part."""
    name_PA: np.ndarray | None
    """Of the names in the class tree."""

    def judged(self, part: str, feature_NA: np.ndarray) -> np.ndarray:
        """[N, F] rows of unit norm."""
        return np.asarray(unit_rows(feature_NA[:, self.columns[part]]))


def read_scene(folder: Path, other: Path) -> Scene:
    """Read a finished project, and make strangers: items of another one, nonsense and noise."""
    huse = Huse.load(folder / MODEL)
    index = index_project(folder)
    pairs = read_pairs(index)
    names = sorted({column for own in OWN.values() for column in own})
    groups = read_table(folder / GROUPS, ["item_id", *names]).set_index("item_id")
    groups = groups.loc[pairs.item_ids]
    text = index.text.read_matrix(index.text_row_N)
    assert isinstance(text, np.ndarray), "the shipped text blocks are dense"
    features = {"image": pairs.image_NI.numpy(), "text": text}

    def rows(splits: tuple[str, ...], most: int) -> np.ndarray:
        usable_N = index.has_image & index.has_text & np.isin(pairs.split_N, splits)
        row_N = np.flatnonzero(usable_N)
        return np.sort(np.random.default_rng(0).permutation(row_N)[:most])

    def own(row_N: np.ndarray) -> Own:
        return Own(
            {part: feature[row_N] for part, feature in features.items()},
            {
                part: [groups[column].to_numpy()[row_N] for column in columns]
                for part, columns in OWN.items()
            },
            groups["product"].to_numpy()[row_N],
            pairs.label_N.numpy()[row_N],
        )

    titles = read_table(folder / ITEMS, ["item_id", "text"]).set_index("item_id")["text"]
    test_N = rows(("test",), MOST_QUERIES)
    pieces = _pieces(huse, titles.loc[pairs.item_ids[test_N]].tolist())
    entries = huse.description.classes["classes"]
    parts = sorted({part for entry in entries for part in entry["parts"]})
    return Scene(
        folder / MODEL,
        {
            "image": slice(0, features["image"].shape[1]),
            "text": index.text.columns[choose_block(list(index.text.columns))],
        },
        own(rows(("train", "val", "test"), MOST_REFERENCES)),
        own(rows(("train",), MOST_REFERENCES)),
        own(rows(("val",), MOST_QUERIES)),
        own(test_N),
        _strangers(huse, other) | pieces,
        encode(huse, texts=parts)["text"],
    )


def read_texts(table: Path, project: Path, strangers: dict[str, list[str]]) -> Scene:
    """Divide the distinct texts of a table, encoded as a project's are.

    They are a catalogue of which no score was chosen.
    """
    frame = pd.read_csv(table).drop_duplicates("text").sample(frac=1, random_state=0)
    huse = Huse.load(project / MODEL)
    columns = TextRows(project / TEXT_FEATURES).columns
    feature_NA = encode(huse, texts=frame["text"].tolist())["text"]
    label_N = np.unique(frame["classes"], return_inverse=True)[1]
    number_N = np.arange(len(frame))
    first, second = round(0.7 * len(frame)), round(0.85 * len(frame))
    references, train, val, test = (
        Own({"text": feature_NA[part]}, {"text": [number_N[part]]}, number_N[part], label_N[part])
        for part in (slice(None), slice(first), slice(first, second), slice(second, None))
    )
    nonsense_texts = nonsense(NONSENSE, np.random.default_rng(1))
    return Scene(
        None,
        {"text": columns[choose_block(list(columns))]},
        references,
        train,
        val,
        test,
        {
            kind: encode(huse, texts=texts)
            for kind, texts in {**strangers, SENSELESS: nonsense_texts}.items()
        },
        None,
    )


def encode(
    huse: Huse, *, images: list[Any] | None = None, texts: list[str] | None = None
) -> dict[str, np.ndarray]:
    """[N, A] features by part."""
    count = len(texts if images is None else images)  # type: ignore[arg-type]
    features, reasons = huse.read_features(images or [None] * count, texts or [None] * count)
    assert not any(reasons), next(filter(None, reasons))
    found = {}
    if images:
        found["image"] = features.image_PI
    if texts:
        found["text"] = np.asarray(features.text_MF)
    return found


def sample_items(folder: Path) -> pd.DataFrame:
    """Draw STRANGERS items of a project, none of those that the rules were chosen by."""
    items = read_table(folder / ITEMS, ["image", "text"])
    return items.drop(items.sample(STRANGERS, random_state=0).index).sample(
        STRANGERS, random_state=1
    )


def _strangers(huse: Huse, other: Path) -> dict[str, dict[str, np.ndarray]]:
    items = sample_items(other)
    params = YAML(typ="safe").load(other / "params.yaml")
    pictures = other / params["catalog"]["images"]
    generator = np.random.default_rng(1)
    noise = [_noise(generator) for _ in range(NOISE)]
    return {
        OTHER: encode(
            huse, images=[pictures / name for name in items["image"]], texts=items["text"].tolist()
        ),
        SENSELESS: encode(huse, images=noise, texts=nonsense(NONSENSE, generator)),
        EMPTY: encode(huse, images=[_blank(generator) for _ in range(BLANK)]),
    }


def _pieces(huse: Huse, titles: list[str]) -> dict[str, dict[str, np.ndarray]]:
    generator = np.random.default_rng(1)
    words = sorted({word for title in titles for word in title.split() if len(word) >= 4})
    halves = []
    for title in titles:
        word_W = title.split()
        kept = np.sort(generator.permutation(len(word_W))[: (len(word_W) + 1) // 2])
        halves.append(" ".join(word_W[w] for w in kept))
    drawn = [words[w] for w in generator.permutation(len(words))[:PROBES]]
    return {HALVES: encode(huse, texts=halves), WORDS: encode(huse, texts=drawn)}


def nonsense(count: int, generator: np.random.Generator) -> list[str]:
    """Write texts of two to four words of random letters, half of which can be spoken."""
    letters, vowels = np.array(list("abcdefghijklmnopqrstuvwxyz")), np.array(list("aeiou"))
    others = np.setdiff1d(letters, vowels)

    def word(spoken: bool) -> str:
        length = int(generator.integers(4, 9))
        if not spoken:
            return "".join(generator.choice(letters, length))
        return "".join(generator.choice(others if n % 2 else vowels) for n in range(length))

    return [
        " ".join(word(row % 2 == 0) for _ in range(int(generator.integers(2, 5))))
        for row in range(count)
    ]


def _noise(generator: np.random.Generator) -> Image.Image:
    """Random colours of random grain."""
    cells = int(generator.choice([6, 12, 24, 48, 96]))
    cell = generator.integers(0, 256, (cells, cells, 3), dtype=np.uint8)
    return Image.fromarray(cell).resize((PIXELS, PIXELS), Image.Resampling.NEAREST)


def _blank(generator: np.random.Generator) -> Image.Image:
    """One colour: white, black or grey in half of them."""
    usual = [(255, 255, 255), (0, 0, 0), (128, 128, 128)]
    drawn = tuple(int(level) for level in generator.integers(0, 256, 3))
    return Image.new(
        "RGB", (PIXELS, PIXELS), [*usual, drawn, drawn, drawn][generator.integers(0, 6)]
    )
