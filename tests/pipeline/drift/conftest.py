from dataclasses import replace
from pathlib import Path

import pytest

from huse import Huse
from pipeline.drift.baseline import make_baseline
from pipeline.use.new_items import NewItem
from stages.paths import CLASSES, GROUPS, IMAGE_FEATURES, INDEX, ITEMS, MODEL, SPLITS, TEXT_FEATURES


@pytest.fixture(scope="session")
def tables(shipped_project):
    """What a baseline is made of, by the name that `make_baseline` has for it."""
    return {
        name: shipped_project.root / path
        for name, path in {
            "items": ITEMS,
            "splits": SPLITS,
            "groups": GROUPS,
            "classes": CLASSES,
            "image_features": IMAGE_FEATURES,
            "text_features": TEXT_FEATURES,
        }.items()
    }


@pytest.fixture(scope="session")
def model_folder(shipped_project):
    return shipped_project.root / MODEL


@pytest.fixture(scope="session")
def index_folder(shipped_project):
    return shipped_project.root / INDEX


@pytest.fixture(scope="session")
def huse(model_folder):
    return Huse.load(model_folder)


@pytest.fixture(scope="session")
def baseline(huse, model_folder, index_folder, tables):
    return make_baseline(huse, model_folder, index_folder, **tables)


@pytest.fixture(scope="session")
def served(huse):
    """Texts that somebody asks the class of: features and names."""
    texts = ["red heart", "grinning face", "black cat", "xyzzyx"]
    features, reasons = huse.read_features([None] * len(texts), texts)
    assert not any(reasons)
    return features, [NewItem(row, "", text) for row, text in enumerate(texts, start=1)]


def part_of(baseline, rows):
    """A baseline of some of the held-out items, all of which have a picture and a text."""
    return replace(
        baseline,
        group_M=baseline.group_M[rows],
        paths=[baseline.paths[row] for row in rows],
        probability_M=baseline.probability_M[rows],
        far_M=baseline.far_M[rows],
        features={name: block[rows] for name, block in baseline.features.items()},
        group={name: numbers[rows] for name, numbers in baseline.group.items()},
    )


def log_files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.arrow"))
