"""Items by their pooled or by their best picture: `python -m benchmarks.item_pictures --table ...`.

Makes a shop of a table with one picture per item: each item has it as a whole, as a detail and as a
small one, turned, on a coloured ground. Trains on that, and searches by titles and by new pictures
of the same three kinds.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import typer
from PIL import Image
from ruamel.yaml import YAML

from benchmarks.catalogs.__main__ import paired_difference
from benchmarks.harness import environment, write_results
from huse import Huse
from pipeline.core.table import read_table
from pipeline.features.vector_rows import VectorRows
from pipeline.index.hybrid import DEPTH
from pipeline.use.embeddings import Features
from stages.command import run
from stages.paths import IMAGE_FEATURES, ITEMS, MODEL, PARAMS, SPLITS

RESULTS = Path("benchmarks/results")
SIDE = 224
KINDS = ("whole", "detail", "turned")
COMMANDS = ("catalog", "clean_text", "image_features", "text_block", "text_features")
CUTOFFS = (1, 10)


def main(
    table: Annotated[Path, typer.Option(help="CSV with image, classes and a text or name.")],
    images: Annotated[Path, typer.Option(help="Folder of its pictures.")],
    name: Annotated[str, typer.Option(help="What the results are called.")],
    items: Annotated[int, typer.Option(help="Rows that are drawn.")] = 1500,
    seeds: Annotated[int, typer.Option(min=1, help="Shops, from seed 0.")] = 1,
    folder: Annotated[Path, typer.Option(help="Where all is made.")] = Path("data/item_pictures"),
) -> None:
    """Measure both ways on shops that are made of a table."""
    found = []
    for seed in range(seeds):
        place = (folder / f"{name}-{seed}").resolve()
        if not (place / MODEL / "model.json").is_file():
            _make(pd.read_csv(table), images, place, items, seed)
        found.append(_measure(place, images, seed))
    write_results(
        RESULTS / f"item_pictures_{name}",
        title="Items by their pooled or by their best picture",
        notes=[
            f"`python -m benchmarks.item_pictures --name {name} --seeds {seeds} ...`: in each shop "
            f"{items} items of a table, with three pictures each: whole, detail, small and turned "
            "on a coloured ground",
            "queries are of test items, all items are searched by their fused embeddings: by "
            "their titles (found: another item of the class) and by new pictures of each kind "
            "(found: the item itself, or another of its class)",
            f"mean: of the pooled picture; best: of the {DEPTH} nearest items by that, each by its "
            "nearest picture with the text, as the index searches",
            "differences with 95 % intervals, paired by query, all of an item together",
        ],
        columns={
            "query": "query",
            "wanted": "found",
            "k": "K",
            "queries": "queries",
            "mean": "R@K, mean",
            "best": "R@K, best",
            "less": "best less mean",
        },
        rows=_rows(found),
        environment=environment(),
    )


def shot(picture: Image.Image, kind: str, random: np.random.Generator) -> Image.Image:
    """Take a picture of an item anew, as one of KINDS."""
    picture = picture.convert("RGBA")
    picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    picture = picture.convert("RGB").resize((SIDE, SIDE))
    if kind == "turned":
        ground = tuple(int(value) for value in random.integers(120, 230, 3))
        small = picture.resize((int(SIDE * random.uniform(0.5, 0.7)),) * 2)
        turned = small.convert("RGBA").rotate(random.uniform(-40, 40), expand=True)
        whole = Image.new("RGB", (SIDE, SIDE), ground)
        left, top = (int(random.uniform(0, SIDE - side)) for side in turned.size)
        whole.paste(turned, (left, top), turned)
        return whole
    low, high = (0.4, 0.5) if kind == "detail" else (0.88, 1.0)
    side = int(SIDE * random.uniform(low, high))
    # Details are of the middle, where there is something to see.
    most = SIDE - side
    left, top = (int(most * random.uniform(0.3, 0.7)) for _ in range(2))
    return picture.crop((left, top, left + side, top + side)).resize((SIDE, SIDE))


def _make(table: pd.DataFrame, images: Path, place: Path, items: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    table = table.rename(columns={"name": "text"}).dropna(subset=["image", "text", "classes"])
    table = table.drop_duplicates("image").sample(min(items, len(table)), random_state=seed)
    (place / "pictures").mkdir(parents=True, exist_ok=True)
    cells = []
    for number, name in enumerate(table["image"]):
        with Image.open(images / name) as picture:
            taken = [shot(picture, kind, random) for kind in KINDS]
        names = [f"{number}-{kind}.png" for kind in KINDS]
        for one, file in zip(taken, names, strict=True):
            one.save(place / "pictures" / file)
        cells.append(";".join(names))
    rows = table[["text", "classes"]].assign(image=cells, source=table["image"])
    rows.to_csv(place / "catalog.csv", index=False)
    yaml = YAML()
    values = yaml.load(PARAMS)
    values["catalog"] |= {"path": "catalog.csv", "images": "pictures"}
    values["catalog"]["columns"] |= {"text": "text", "group": None, "separator_images": ";"}
    values["split"]["seed"] = values["train"]["seed"] = seed
    with (place / PARAMS).open("w", encoding="utf-8") as stream:
        yaml.dump(values, stream)
    known = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    for command in (*COMMANDS, "semantic_graph", "train"):
        subprocess.run(
            [sys.executable, "-m", f"stages.{command}"], cwd=place, env=known, check=True
        )


def _measure(place: Path, images: Path, seed: int) -> pd.DataFrame:
    """A row per query: what it is, of which item, and what was found by either way."""
    random = np.random.default_rng([seed, 1])
    huse = Huse.load(place / MODEL)
    items = read_table(place / ITEMS, ["item_id", "image", "text", "class_path"])
    splits = read_table(place / SPLITS, ["item_id", "split"])
    items = items.merge(splits, validate="one_to_one")
    table = read_table(place / IMAGE_FEATURES, ["item_id", "view", "image"])
    table["row"] = pd.Index(items["item_id"]).get_indexer(table["item_id"])
    vector_MI = VectorRows(place / IMAGE_FEATURES, ["vector"]).read(np.arange(len(table)))
    pooled = table["image"].isna().to_numpy()
    text_MF = huse.read_features([None] * len(items), items["text"].tolist())[0].text_MF
    text_ND = huse.embed(texts=items["text"].tolist()).text_ND

    def fused(chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        row_P = table["row"].to_numpy()[chosen]
        both = np.ones(len(row_P), dtype=bool)
        v = Features(vector_MI[chosen], both, np.asarray(text_MF)[row_P], both)
        return row_P, huse.embed_features(v).fused_ND

    (row_N, mean_ND), (row_P, each_PD) = fused(pooled), fused(~pooled)
    assert len(row_N) == len(items), "an item has no pooled picture"
    mean_ND = mean_ND[np.argsort(row_N)]
    sources = pd.read_csv(place / "catalog.csv").set_index("image")["source"]
    by_first = {str(cell).partition(";")[0]: source for cell, source in sources.items()}
    test = np.flatnonzero(items["split"] == "test")
    asked = [("title", n, text_ND[n]) for n in test]
    for kind in KINDS:
        taken = []
        for n in test:
            with Image.open(images / by_first[items["image"][n]]) as picture:
                taken.append(shot(picture, kind, random))
        points = huse.embed(images=taken).image_ND
        asked += [(kind, n, point) for n, point in zip(test, points, strict=True)]
    class_N = items["class_path"].to_numpy()
    order = np.argsort(row_P, kind="stable")
    starts = np.searchsorted(row_P[order], np.arange(len(items)))
    rows: list[dict[str, Any]] = []
    for query, n, point_D in asked:
        score_P = (each_PD @ point_D)[order]
        scores = {"mean": mean_ND @ point_D, "best": np.maximum.reduceat(score_P, starts)}
        # As the index does: those that are far by the pooled picture are not looked at.
        scores["best"][np.argsort(-scores["mean"], kind="stable")[DEPTH:]] = -1.0
        for wanted in ("class",) if query == "title" else ("item", "class"):
            row: dict[str, Any] = {"query": query, "wanted": wanted, "item": f"{seed}-{n}"}
            for way, score_N in scores.items():
                right_N = class_N == class_N[n] if wanted == "class" else np.arange(len(items)) == n
                if wanted == "class":
                    right_N, score_N = np.delete(right_N, n), np.delete(score_N, n)
                best = right_N[np.argsort(-score_N, kind="stable")]
                row |= {f"{way}@{k}": bool(best[:k].any()) for k in CUTOFFS}
            rows.append(row)
    return pd.DataFrame(rows)


def _rows(found: list[pd.DataFrame]) -> list[dict[str, Any]]:
    rows = []
    every = pd.concat(found)
    shown = every[every["query"] != "title"].assign(query="pictures, all kinds")
    for (query, wanted), part in pd.concat([every, shown]).groupby(["query", "wanted"]):
        for k in CUTOFFS:
            mean, best = (part[f"{way}@{k}"].to_numpy(float) for way in ("mean", "best"))
            row = {"query": query, "wanted": wanted, "k": k, "queries": len(part)}
            row |= {"mean": float(mean.mean()), "best": float(best.mean())}
            rows.append(row | {"less": paired_difference(best, mean, part["item"].to_numpy())})
    return rows


if __name__ == "__main__":
    run(main)
