"""Model and features -> metrics, plots, embeddings, report."""

from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline.core.counted import counted
from stages.command import (
    AttributesPath,
    ClassesPath,
    GraphPath,
    GroupsPath,
    ImageFeaturesPath,
    ItemsPath,
    ModelPath,
    ParamsPath,
    SplitsPath,
    TextFeaturesPath,
    require_folder,
    run,
    warner,
)
from stages.paths import (
    ATTRIBUTES,
    BASELINE,
    CLASS_NAMES,
    CLASSES,
    EVALUATION,
    GRAPH,
    GROUPS,
    IMAGE_FAILURES,
    IMAGE_FEATURES,
    INCOMPLETE,
    ITEMS,
    MODEL,
    PARAMS,
    REJECTED,
    SPLITS,
    SUMMARY,
    TEXT_FEATURES,
)


def main(
    params: ParamsPath = PARAMS,
    items: ItemsPath = ITEMS,
    splits: SplitsPath = SPLITS,
    groups: GroupsPath = GROUPS,
    attributes: AttributesPath = ATTRIBUTES,
    classes: ClassesPath = CLASSES,
    image_features: ImageFeaturesPath = IMAGE_FEATURES,
    text_features: TextFeaturesPath = TEXT_FEATURES,
    class_names: Annotated[Path, typer.Option(help="Text features of class names.")] = CLASS_NAMES,
    graph: GraphPath = GRAPH,
    model: ModelPath = MODEL,
    baseline: Annotated[
        Path, typer.Option(help="Predictions that the baseline stage wrote.")
    ] = BASELINE,
    rejected: Annotated[
        Path, typer.Option(help="Unusable rows that the catalog stage listed.")
    ] = REJECTED,
    summary: Annotated[
        Path, typer.Option(help="What there is, as the catalog stage counted it.")
    ] = SUMMARY,
    incomplete: Annotated[
        Path, typer.Option(help="Items without a picture or without a text.")
    ] = INCOMPLETE,
    failures: Annotated[
        Path, typer.Option(help="Pictures that the image_features stage could not use.")
    ] = IMAGE_FAILURES,
    out: Annotated[Path, typer.Option(help="Folder to write the evaluation to.")] = EVALUATION,
) -> None:
    """Measure the trained towers on the test split and write plots and a report."""
    from pipeline.baseline.baseline import read_baseline
    from pipeline.core.json_file import read_json_as
    from pipeline.core.params import load_section, read_value
    from pipeline.core.table import read_metadata
    from pipeline.decide.settings import ClassifySettings
    from pipeline.evaluate.evaluation_items import index_items
    from pipeline.evaluate.run import evaluate
    from pipeline.evaluate.settings import EvaluateSettings
    from pipeline.evaluate.zero_shot import TextTables
    from pipeline.features.attributes import read_attributes
    from pipeline.features.classes import check_same_classes, read_classes
    from pipeline.features.classes import class_names as names_of
    from pipeline.features.graph_file import read_graph
    from pipeline.model.model_file import check_features, load_model
    from pipeline.model.validation_file import read_validation

    images = read_value(params, "catalog.images")
    folder = require_folder("catalog.images", images)
    p = load_section(params, "evaluate", EvaluateSettings)
    stored, semantic_graph, class_list = load_model(model), read_graph(graph), read_classes(classes)
    said = read_baseline(baseline)
    for stage, recipe in (("train", stored.recipe), ("baseline", said.recipe)):
        check_features(recipe["image"], image_features, stage)
        check_features(recipe["text"], text_features, stage)
    # Looked into for a matched pair alone, but whether it is there is told to all.
    read_metadata(class_names)
    names = names_of(class_list)
    check_same_classes(names_of(stored.classes), names, model, "run stage train again")
    labels = names[: len(class_list["classes"])]
    check_same_classes(semantic_graph.names, labels, graph, "run stage semantic_graph again")
    found = index_items(
        items=items,
        splits=splits,
        groups=groups,
        classes=classes,
        image_features=image_features,
        text_features=text_features,
    )
    warnings = evaluate(
        found,
        stored,
        semantic_graph,
        said,
        p,
        out,
        validation=read_validation(model, stored.digest()),
        classify=load_section(params, "classify", ClassifySettings),
        text=TextTables(text_features, class_names),
        images=folder,
        parameters={
            section: read_value(params, section)
            for section in ("model", "loss", "train", "evaluate", "classify")
        },
        attributes=read_attributes(attributes, found.table["item_id"].tolist()),
        catalogue=read_json_as(summary, dict[str, Any], "run huse catalog"),
        rejected={
            "rows of the catalogue": rejected,
            "items without a picture or without a text": incomplete,
            "pictures": failures,
        },
    )
    for warning in warnings:
        warner("evaluate")(warning)
    queries = min(len(found.test), p.queries)
    sampled = f", a sample of {queries} as queries" if queries < len(found.test) else ""
    typer.echo(
        f"evaluate: {counted(len(found.test), 'test item')}{sampled}; "
        f"report in {out / 'report.html'}"
    )


if __name__ == "__main__":
    run(main)
