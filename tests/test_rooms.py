"""Which room of `pipeline/` may import which, and that dvc.yaml makes a stage depend on just those.

A room stands below all that import it: the table lists rooms from the ground up, and none imports
one that comes after it.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[1]
STAGES: dict[str, Any] = YAML(typ="safe").load(ROOT / "dvc.yaml")["stages"]

ROOMS: dict[str, set[str]] = {
    # Shared rooms.
    "core": set(),
    "pictures": {"core"},
    "encoders": {"core"},
    "metrics": {"core"},
    "features": {"core"},
    "model": {"core", "features"},
    "decide": {"core", "features"},
    # A room per stage, named as the stage; text_features serves text_block too.
    "catalog": {"core", "features", "pictures"},
    "clean_text": {"core"},
    "image_features": {"core", "pictures"},
    "text_features": {"core", "encoders", "features"},
    "semantic_graph": {"core", "encoders"},
    "train": {"core", "features", "metrics", "model"},
    "baseline": {"core", "features"},
    "attributes": {"core", "features", "metrics"},
    "evaluate": {"baseline", "core", "decide", "features", "metrics", "model", "pictures"},
    "audit": {"core", "features", "pictures"},
    "index": {"core", "features", "model"},
    # What people do with a trained model, which no stage runs.
    "use": {
        "attributes",
        "audit",
        "catalog",
        "clean_text",
        "core",
        "decide",
        "encoders",
        "features",
        "image_features",
        "index",
        "model",
        "pictures",
    },
    "drift": {"core", "features", "index", "pictures", "use"},
    "stores": {"core", "features", "index", "pictures"},
    # Local pages, and what they have in common.
    "web": {"core", "pictures"},
    "explore": {"core", "features", "index", "pictures", "use", "web"},
    "review": {"audit", "core", "drift", "features", "pictures", "web"},
    # The HTTP service.
    "serve": {"core", "decide", "drift", "features", "index", "pictures", "use", "web"},
    "sample": {"core"},
    "fetch": {"core", "pictures"},
}

# They hold the types of options and the places of things, which change no artifact.
EXEMPT = {"stages/command.py", "stages/paths.py", "stages/dvc_cache.py"}


def imported_modules(source: Path) -> Iterator[str]:
    """Names of all modules that a file may import, within functions too."""
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            assert node.module is not None
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def rooms_of(*sources: Path) -> set[str]:
    """Rooms that files import."""
    modules = {module for source in sources for module in imported_modules(source)}
    return {name.split(".")[1] for name in modules if name.startswith("pipeline.")}


def with_all_below(rooms: set[str]) -> set[str]:
    below = rooms.union(*(ROOMS[room] for room in rooms))
    return below if below == rooms else with_all_below(below)


def test_the_table_names_every_room():
    folders = {path.parent.name for path in (ROOT / "pipeline").glob("*/*.py")}
    assert set(ROOMS) == folders


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_what_the_table_says(room):
    imported = rooms_of(*(ROOT / "pipeline" / room).rglob("*.py")) - {room}
    assert imported == ROOMS[room]
    earlier = list(ROOMS)[: list(ROOMS).index(room)]
    assert ROOMS[room] <= set(earlier), "a room imports rooms below it"


@pytest.mark.parametrize("stage", STAGES)
def test_the_code_of_a_stage_is_its_file_and_whole_rooms(stage):
    file = f"stages/{stage}.py"
    code = {dep for dep in STAGES[stage]["deps"] if dep.startswith(("pipeline/", "stages/"))}
    others = {
        f"{module.rpartition('.')[0].replace('.', '/')}.py"
        for module in imported_modules(ROOT / file)
        if module.startswith("stages.")
    }
    assert others <= EXEMPT
    rooms = with_all_below(rooms_of(ROOT / file))
    assert code == {file} | {f"pipeline/{room}" for room in rooms}


@pytest.mark.parametrize("outer", ["stages", "typer", "dvc", "dvclive"])
def test_the_library_does_not_know_who_calls_it(outer):
    library = (ROOT / "pipeline").rglob("*.py")
    assert [
        path for path in library if outer in {m.split(".")[0] for m in imported_modules(path)}
    ] == []
