"""Features and kept columns -> heads that predict these columns of new items."""

from pathlib import Path
from typing import Annotated

import typer

from stages.command import (
    AttributesPath,
    ClassesPath,
    GroupsPath,
    ImageFeaturesPath,
    ItemsPath,
    ParamsPath,
    SplitsPath,
    TextFeaturesPath,
    run,
    warner,
)
from stages.paths import (
    ATTRIBUTES,
    CLASSES,
    GROUPS,
    HEADS,
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
    attributes: AttributesPath = ATTRIBUTES,
    image_features: ImageFeaturesPath = IMAGE_FEATURES,
    text_features: TextFeaturesPath = TEXT_FEATURES,
    out: Annotated[Path, typer.Option(help="Folder to write heads and figures to.")] = HEADS,
) -> None:
    """Fit what predicts kept columns of new items, such as their colour."""
    from pipeline.attributes.heads import AttributeHeads, write_heads
    from pipeline.attributes.settings import AttributesSettings
    from pipeline.core.json_file import write_json
    from pipeline.core.params import load_section

    settings = load_section(params, "attributes", AttributesSettings)
    if not settings.predict:
        write_heads(out, AttributeHeads({}, {}))
        write_json(out / "metrics.json", {})
        typer.echo("attributes: none, since attributes.predict is empty")
        return

    from pipeline.attributes.fit import fit_attributes
    from pipeline.core.table import read_metadata
    from pipeline.features.attributes import read_attributes
    from pipeline.features.joined import index_features, read_groups

    index = index_features(
        items=items,
        splits=splits,
        groups=groups,
        classes=classes,
        image_features=image_features,
        text_features=text_features,
    )
    heads, figures = fit_attributes(
        index,
        read_attributes(attributes, index.item_ids.tolist()),
        read_groups(groups, index.item_ids),
        settings,
        recipe={"image": read_metadata(image_features), "text": read_metadata(text_features)},
        path=attributes,
        warn=warner("attributes"),
    )
    write_heads(out, heads)
    write_json(out / "metrics.json", figures)
    for name, said in figures.items():
        right = [
            f"{modality} {one['accuracy']:.3f}"
            for modality, one in said.items()
            if isinstance(one, dict) and "accuracy" in one
        ]
        typer.echo(f"attributes: {name}: {', '.join(right) or 'no test item has it'}")


if __name__ == "__main__":
    run(main)
