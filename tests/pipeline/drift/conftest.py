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


def log_files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.arrow"))
