"""The params.yaml that is shipped, from end to end: what users start with trains and is measured.

Other tests change it to be quick. Features are made once; what depends on the seed and on the
number of threads runs twice.
"""

import json
import math
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from stages.__main__ import STAGES
from tests.conftest import OF_A_PROJECT, ROOT
from tests.project import Project

ITEMS = 300
DIRECTIONS = {"image_to_image", "image_to_text", "text_to_image", "text_to_text"}


def numbers(values: Any) -> Iterator[float]:
    """All numbers of a JSON document."""
    if isinstance(values, dict | list):
        for value in values.values() if isinstance(values, dict) else values:
            yield from numbers(value)
    elif isinstance(values, int | float):
        yield values


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory, environment: None) -> list[dict[str, Any]]:
    """Metrics of all stages with seed 0 and one thread; of training with seed 1 and two threads."""
    project = Project(tmp_path_factory.mktemp("shipped"))
    for name in OF_A_PROJECT:
        shutil.copy(ROOT / name, project.root)

    def metrics(*names: str) -> dict[str, Any]:
        files = {name: project.root / "data" / name / "metrics.json" for name in names}
        return {name: json.loads(path.read_text()) for name, path in files.items() if path.exists()}

    # In this process, whose one thread tests/conftest.py sets: most imports are behind it.
    for command in (["sample-catalog", "--limit", str(ITEMS)], *([stage] for stage in STAGES)):
        result = project.huse(*command)
        assert result.exit_code == 0, result.output
    first = metrics(*STAGES)
    # The first run is what is shipped; a tenth of it shows what the seed changes.
    project.set({"train.seed": 1, "train.steps": 50})
    project.succeed("env", "OMP_NUM_THREADS=2", "huse", "train")
    return [first, metrics("train")]


def test_every_figure_has_its_name_and_is_a_number(measured):
    first, second = measured
    assert {"r_at_1", "map_at_r", "accuracy"} <= set(first["evaluate"])
    assert set(first["evaluate"]["retrieval"]) >= DIRECTIONS
    assert set(first["evaluate"]["classification"]) == {"image", "text", "fused"}
    assert all(math.isfinite(number) for number in numbers(measured))
    for run in (first, second):
        assert set(run["train"]) >= {"best_step", "val", "val_items"}
        assert {"score", "r_at_1", "accuracy_fused"} <= set(run["train"]["val"])


def test_seeds_differ_in_what_they_find_and_not_in_what_they_are_asked(measured):
    first, second = measured
    assert first["train"]["val_items"] == second["train"]["val_items"] > 20
    assert first["train"]["val"] != second["train"]["val"]
