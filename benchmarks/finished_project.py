"""What the stages made in a project's folder."""

from pathlib import Path

from pipeline.features.joined import FeatureIndex, index_features
from stages.paths import CLASSES, GROUPS, IMAGE_FEATURES, ITEMS, SPLITS, TEXT_FEATURES


def index_project(folder: Path) -> FeatureIndex:
    """Index the items of a finished project that have a picture and a text."""
    return index_features(
        items=folder / ITEMS,
        splits=folder / SPLITS,
        groups=folder / GROUPS,
        classes=folder / CLASSES,
        image_features=folder / IMAGE_FEATURES,
        text_features=folder / TEXT_FEATURES,
    )
