"""The whole evaluation: from artifacts to metrics, plots, embeddings and report."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from pipeline.baseline.baseline import Baseline
from pipeline.core.json_file import write_json
from pipeline.core.location import Location
from pipeline.core.sample import draw_sample
from pipeline.decide.settings import ClassifySettings
from pipeline.evaluate.confusions import Confusion, largest_confusions
from pipeline.evaluate.decisions import draw_decisions, measure_decisions
from pipeline.evaluate.directions import measure_directions
from pipeline.evaluate.embeddings_file import fit_map, write_embeddings
from pipeline.evaluate.evaluation_items import FEWEST_CLASSES, EvaluationItems
from pipeline.evaluate.facts import SHOWN_ROWS, count_items, flatten, read_rejected, versions
from pipeline.evaluate.figures import Measured, details_tree, metrics_tree, outcomes
from pipeline.evaluate.gallery import GalleryRow, choose_random, choose_worst, gallery_rows
from pipeline.evaluate.graph_plots import (
    draw_heat_map,
    graph_heat_map,
    nearest_classes,
    write_graph_plots,
)
from pipeline.evaluate.map_points import map_points
from pipeline.evaluate.notes import baseline_tree, notes, without
from pipeline.evaluate.outcomes import write_outcomes
from pipeline.evaluate.plane import Plane
from pipeline.evaluate.plots import write_decision_plots, write_plot_data
from pipeline.evaluate.report import Report, write_report
from pipeline.evaluate.settings import EvaluateSettings
from pipeline.evaluate.zero_shot import TextTables, measure_zero_shot, zero_shot_tree
from pipeline.features.classes import item_classes, label_membership
from pipeline.features.graph_file import SemanticGraph
from pipeline.features.item_graph import item_graph
from pipeline.metrics.classification import ancestors_at
from pipeline.metrics.neighbours import worthless_results
from pipeline.model.model_file import StoredModel
from pipeline.model.validation_file import Validation


def evaluate(
    items: EvaluationItems,
    stored: StoredModel,
    graph: SemanticGraph,
    baseline: Baseline,
    settings: EvaluateSettings,
    out: Path,
    *,
    validation: Validation | None,
    classify: ClassifySettings,
    text: TextTables,
    images: Location,
    parameters: dict[str, Any],
    rejected: dict[str, Path],
    catalogue: dict[str, Any],
    attributes: pa.Table,
) -> list[str]:
    """Measure the test items and write the folder of the evaluation.

    That is metrics.json, details.json, outcomes.parquet, embeddings.parquet, report.html and plots.
    `attributes` are those of the items, as `read_attributes` gives them. `rejected` are CSV lists
    of unusable rows by the name that the report gives them, `catalogue` is what there is. Returned
    is what has to be known beside the figures, one line each; the report begins with it.
    """
    # Two passes over the features: some items lay the plane out, then every item is placed on it
    # as it is written, so that a large catalogue need not be in memory.
    plane = fit_map(stored, items, method=settings.projection, seed=settings.seed)
    embedded = write_embeddings(out / "embeddings.parquet", stored, items, plane, attributes)
    # Everything below is of the test items alone; the table still has all, for what train has seen.
    measured = _measure(items, embedded, stored, settings, baseline)
    if len(measured.queries):
        rows = items.test[measured.queries.numpy()]
        decisions = measure_decisions(stored, items, rows, validation, classify)
        measured = replace(measured, decisions=decisions)
    found = outcomes(measured)
    table = items.table
    train_label_N = table.loc[table["split"] == "train", "label"].to_numpy()
    classes = item_classes(stored.classes)
    class_parts = [entry["parts"] for entry in classes]
    # The graph is between labels; retrieval is between the paths that items have of them.
    of_items = item_graph(
        graph, label_membership(stored.classes), [entry["name"] for entry in classes]
    )
    metrics = metrics_tree(measured, found, of_items.adjacency_KK)
    details = details_tree(measured, found, train_label_N)
    # Test items that training has seen in another guise flatter the figures: without them tells
    # how much.
    beside = {
        "baseline": baseline_tree(found, baseline),
        "divided": without(found, items.shared_with("group", ["train", "val"])),
        "near_text_in_train": without(found, items.shared_with("near_text", ["train"])),
    }
    names = [entry["name"] for entry in classes]
    untrained = measure_zero_shot(
        items, stored.recipe, text, names, queries=measured.queries, k=settings.k
    )
    if untrained is not None:
        beside["zero_shot"] = zero_shot_tree(untrained, found)
    details |= {name: tree for name, tree in beside.items() if tree}
    warnings = [*items.warnings, *notes(measured, details)]
    # First what every item contributed: the means in the files below follow from it.
    write_outcomes(out / "outcomes.parquet", found)
    write_json(out / "metrics.json", metrics)
    write_json(out / "details.json", details)
    write_plot_data(
        out / "plots",
        measured.directions,
        measured.label_N.numpy(),
        _predicted(embedded),
        classes=classes,
        confusions=settings.confusions,
    )
    write_decision_plots(out / "plots", measured.decisions)
    heat_map = graph_heat_map(graph.adjacency_KK, stored.classes["classes"])
    neighbours = nearest_classes(graph.adjacency_KK, stored.classes["classes"])
    write_graph_plots(out / "plots", heat_map, neighbours)
    gallery = _gallery(items, measured, class_parts, settings)
    # Transparent pictures look in the report as the backbone saw them.
    background = stored.recipe["image"].get("background", "#ffffff")
    report = Report(
        warnings=warnings,
        counts=count_items(items, stored),
        parameters=flatten(parameters) | flatten(stored.recipe, "features."),
        versions=versions(),
        catalogue=flatten(catalogue),
        metrics=metrics,
        details=details,
        decisions=None if measured.decisions is None else draw_decisions(measured.decisions),
        gallery=gallery,
        rejected={name: read_rejected(path) for name, path in rejected.items()},
        confusions=_confusions(items, embedded, stored, settings.confusions),
        neighbours=neighbours,
        heat_map=draw_heat_map(heat_map),
        map=_map(items, embedded, plane, class_parts, images, background, settings.seed),
    )
    write_report(
        out / "report.html",
        report,
        images=images,
        background=background,
        shown_rows=SHOWN_ROWS,
    )
    return warnings


def _measure(
    items: EvaluationItems,
    embedded: dict[str, Any],
    stored: StoredModel,
    settings: EvaluateSettings,
    baseline: Baseline,
) -> Measured:
    test = items.table.iloc[items.test]
    classes = item_classes(stored.classes)
    class_parts = [entry["parts"] for entry in classes]
    product_N, picture_N, text_N, label_N = (
        torch.from_numpy(test[name].to_numpy(dtype=np.int64, copy=True))
        for name in ("product", "picture", "same_text", "label")
    )
    # By the seed and not by the run: two runs on one split are compared query by query.
    queries = torch.from_numpy(draw_sample(len(test), settings.queries, settings.seed))
    directions = {}
    # Among items of one class every result is a hit.
    if test["label"].nunique() >= FEWEST_CLASSES:
        directions = measure_directions(
            embedded,
            label_N,
            class_parts,
            k=settings.k,
            hp_k=settings.hp_k,
            groups=worthless_results(product_N, picture_N, text_N),
            queries=queries,
        )
    name_K = np.array([entry["name"] for entry in classes], dtype=object)
    # NaN where the baseline was not asked, as of an item that lacks the other modality.
    said = baseline.predicted.reindex(test["item_id"])
    right_of = {
        modality: np.where(said[modality].isna(), np.nan, said[modality] == name_K[label_N])
        for modality in items.modalities
        if modality in said
    }
    number_of = {name: label for label, name in enumerate(name_K)}
    predicted_of = {
        modality: said[modality].map(number_of).fillna(-1).to_numpy(dtype=np.int64)
        for modality in right_of
    }
    return Measured(
        embedded,
        label_N,
        queries,
        directions,
        item_ids=test["item_id"].to_numpy(dtype=object),
        group_N=test["group"].to_numpy(dtype=np.int64),
        k=settings.k,
        hp_k=settings.hp_k,
        class_parts=class_parts,
        baseline_right=right_of,
        baseline_predicted=predicted_of,
    )


def _predicted(embedded: dict[str, Any]) -> np.ndarray:
    """Predictions from both modalities, or from the one that there is."""
    return list(embedded.values())[-1].predicted_N.numpy()


def _gallery(
    items: EvaluationItems,
    measured: Measured,
    class_parts: list[list[str]],
    settings: EvaluateSettings,
) -> list[GalleryRow]:
    test = items.table.iloc[items.test]
    rows = []
    for name, direction in measured.directions.items():
        label_M = test["label"].to_numpy()[direction.query_M]
        top_level_M = ancestors_at(class_parts, 1)[label_M]
        random = choose_random(top_level_M, settings.gallery, settings.seed)
        worst = choose_worst(direction, label_M, settings.gallery)
        rows += gallery_rows(name, "random", direction, random, test)
        rows += gallery_rows(name, "worst", direction, worst, test)
    return rows


def _confusions(
    items: EvaluationItems, embedded: dict[str, Any], stored: StoredModel, count: int
) -> list[Confusion]:
    test = items.table.iloc[items.test]
    names = [entry["name"] for entry in item_classes(stored.classes)]
    return largest_confusions(test["label"].to_numpy(), _predicted(embedded), names, test, count)


def _map(
    items: EvaluationItems,
    embedded: dict[str, Any],
    plane: Plane,
    class_parts: list[list[str]],
    images: Location,
    background: str,
    seed: int,
) -> dict[str, Any]:
    test = items.table.iloc[items.test]
    return map_points(
        embedded,
        test,
        plane,
        [class_parts[label][0] for label in test["label"]],
        images=images,
        background=background,
        seed=seed,
    )
