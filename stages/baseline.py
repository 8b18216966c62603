"""Features -> what logistic regression says of the test items."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.core.counted import counted
from stages.command import (
    ClassesPath,
    GroupsPath,
    ImageFeaturesPath,
    ItemsPath,
    ParamsPath,
    SplitsPath,
    TextFeaturesPath,
    run,
)
from stages.paths import (
    BASELINE,
    CLASSES,
    GROUPS,
    IMAGE_FEATURES,
    ITEMS,
    PARAMS,
    SPLITS,
    TEXT_FEATURES,
)


def main(
    params: ParamsPath = PARAMS,
    items: ItemsPath = ITEMS,
    splits: SplitsPath = SPLITS,
    groups: GroupsPath = GROUPS,
    classes: ClassesPath = CLASSES,
    image_features: ImageFeaturesPath = IMAGE_FEATURES,
    text_features: TextFeaturesPath = TEXT_FEATURES,
    out: Annotated[Path, typer.Option(help="Where to write the predictions.")] = BASELINE,
) -> None:
    """Fit logistic regression on the same features, which the trained model has to beat."""
    from pipeline.baseline.baseline import fit_baseline, write_baseline
    from pipeline.core.params import read_value
    from pipeline.core.table import read_metadata
    from pipeline.features.classes import item_classes, read_classes
    from pipeline.features.joined import index_features

    most_items = read_value(params, "evaluate.baseline")
    index = index_features(
        items=items,
        splits=splits,
        groups=groups,
        classes=classes,
        image_features=image_features,
        text_features=text_features,
    )
    names = [entry["name"] for entry in item_classes(read_classes(classes))]
    recipe = {"image": read_metadata(image_features), "text": read_metadata(text_features)}
    baseline = fit_baseline(index, names, most_items=most_items, recipe=recipe)
    write_baseline(out, baseline)
    typer.echo(
        f"baseline: logistic regression fitted on {baseline.fitted_items} of "
        f"{counted(baseline.train_items, 'training item')}"
        if baseline.fitted_items
        else "baseline: none, since evaluate.baseline is 0, no test item has both a picture and a "
        "text, or there are too many classes or features for it"
    )


if __name__ == "__main__":
    run(main)
