"""Model and features -> metrics, plots, embeddings, report."""

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer

from pipeline.dataset.pairs import Pairs, load_pairs
from pipeline.evaluation.directions import measure_directions
from pipeline.evaluation.embed import embed_pairs, select
from pipeline.evaluation.gallery import choose_queries, gallery_rows
from pipeline.evaluation.picture import draw_gallery
from pipeline.evaluation.report import write_report
from pipeline.evaluation.store import write_embeddings
from pipeline.evaluation.tables import metrics_tree, write_plot_data
from pipeline.files.json_file import write_json
from pipeline.files.table import read_table
from pipeline.models.store import StoredModel, load_model
from pipeline.params.catalog import CatalogParams
from pipeline.params.evaluate import EvaluateParams
from pipeline.params.load import load_section
from stages.command import (
    ClassesPath,
    ImageFeaturesPath,
    ItemsPath,
    ModelPath,
    ParamsPath,
    SplitsPath,
    TextFeaturesPath,
    run,
)
from stages.paths import (
    CLASSES,
    EVALUATION,
    IMAGE_FEATURES,
    ITEMS,
    MODEL,
    PARAMS,
    SPLITS,
    TEXT_FEATURES,
)


def main(
    params: ParamsPath = PARAMS,
    items: ItemsPath = ITEMS,
    splits: SplitsPath = SPLITS,
    classes: ClassesPath = CLASSES,
    image_features: ImageFeaturesPath = IMAGE_FEATURES,
    text_features: TextFeaturesPath = TEXT_FEATURES,
    model: ModelPath = MODEL,
    out: Annotated[Path, typer.Option(help="Folder to write the evaluation to.")] = EVALUATION,
) -> None:
    """Measure the trained towers on the test split and write plots and a report."""
    images = Path(load_section(params, "catalog", CatalogParams).images)
    p = load_section(params, "evaluate", EvaluateParams)
    stored = load_model(model)
    pairs = load_pairs(
        items=items,
        splits=splits,
        classes=classes,
        image_features=image_features,
        text_features=text_features,
    )
    shown = read_table(items, ["item_id", "image", "text", "class_path"]).set_index("item_id")
    shown = shown.loc[pairs.item_ids]
    class_parts = [entry["parts"] for entry in stored.classes["classes"]]
    embedded = embed_pairs(stored, pairs)
    rows = np.flatnonzero(pairs.split_N == "test")
    test = {name: select(result, torch.from_numpy(rows)) for name, result in embedded.items()}
    label_N = pairs.label_N[torch.from_numpy(rows)]
    directions = measure_directions(test, label_N, class_parts, k=p.k, hp_k=p.hp_k)
    metrics = metrics_tree(directions, test, label_N.numpy())
    write_embeddings(
        out / "embeddings.parquet",
        embedded,
        pairs,
        item_paths=shown["class_path"].tolist(),
        class_paths=[stored.classes["separator"].join(parts) for parts in class_parts],
    )
    write_plot_data(
        out / "plots",
        directions,
        label_N.numpy(),
        test["fused"].predicted_N.numpy(),
        class_parts=class_parts,
        names=[entry["name"] for entry in stored.classes["classes"]],
        confusions=p.confusions,
    )
    gallery = gallery_rows(
        directions, choose_queries(len(rows), p.gallery, p.seed), label_N, shown.iloc[rows]
    )
    background = stored.recipe["image"]["background"]
    draw_gallery(out / "plots" / "gallery.png", gallery, images, background)
    write_report(
        out / "report.html",
        metrics=metrics,
        facts=_facts(stored, pairs),
        rows=gallery,
        images=images,
        background=background,
    )
    write_json(out / "metrics.json", metrics)
    typer.echo(f"evaluate: {len(rows)} test items; report in {out / 'report.html'}")


def _facts(stored: StoredModel, pairs: Pairs) -> dict[str, Any]:
    sizes = {split: int((pairs.split_N == split).sum()) for split in ("train", "val", "test")}
    return {
        "items with both modalities": ", ".join(f"{name} {n}" for name, n in sizes.items()),
        "classes": len(stored.classes["classes"]),
        "image features": stored.recipe["image"]["backbone"],
        "text features": stored.recipe["text"]["glove.vectors"],
        "model": stored.model.config,
        "fusion": stored.fusion,
    }


if __name__ == "__main__":
    run(main)
