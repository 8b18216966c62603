"""Where things are: every source file has its test file, files stay short, layers do not mix."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCES = sorted(
    path.relative_to(ROOT).as_posix()
    for room in ("pipeline", "stages")
    for path in (ROOT / room).rglob("*.py")
)
TESTS = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "tests").rglob("test_*.py"))

MAX_LINES = 320

# Source files that test files of other names cover.
COVERED_ELSEWHERE = {
    "pipeline/train/data/train_items.py": "an interface; tests of both implementations draw views",
    "pipeline/evaluate/run.py": "tests/stages/test_evaluate.py runs it from end to end",
    "pipeline/image_features/runtimes/runner.py": "an interface; each runtime's test runs it",
    **{
        f"pipeline/train/objectives/{name}.py": "test_objective.py: every part by plain loops"
        for name in ("huse", "huse_p", "devise", "hie", "separate", "supcon_path")
    },
}

# A section of params.yaml is fields with ranges, which test_settings.py tries.
SECTIONS_TEST = "tests/pipeline/test_settings.py"
SECTIONS = ("settings.py", "machine.py")


def twin(source: str) -> str:
    """The test file of a source file; `__main__.py` has test_main.py."""
    path = Path(source)
    return (Path("tests") / path.parent / f"test_{path.stem.strip('_')}.py").as_posix()


def has_logic(source: str) -> bool:
    """Whether there is a function; registries, constants and records of fields have none."""
    tree = ast.parse((ROOT / source).read_text(encoding="utf-8"))
    return any(isinstance(node, ast.FunctionDef) for node in ast.walk(tree))


def needs_a_twin(source: str) -> bool:
    if source in COVERED_ELSEWHERE or not has_logic(source):
        return False
    return source == "pipeline/settings.py" or not source.endswith(SECTIONS)


def test_every_source_file_has_its_test_file():
    missing = [twin(name) for name in SOURCES if needs_a_twin(name) and twin(name) not in TESTS]
    assert missing == [], "\n".join(missing)
    assert SECTIONS_TEST in TESTS


def test_every_test_file_of_a_room_has_its_source_file():
    twins = {twin(name) for name in SOURCES}
    rooms = ("tests/pipeline/", "tests/stages/")
    orphans = [name for name in TESTS if name.startswith(rooms) and name not in twins]
    assert orphans == [], "\n".join(orphans)


def test_every_exemption_is_still_needed():
    assert [name for name in COVERED_ELSEWHERE if not (ROOT / name).is_file()] == []
    assert [name for name in COVERED_ELSEWHERE if twin(name) in TESTS] == []


def test_a_package_file_is_empty_or_a_registry():
    packages = [name for name in SOURCES if Path(name).name == "__init__.py"]
    assert [name for name in packages if has_logic(name)] == []


def test_files_are_short_enough_to_read():
    files = [*(ROOT / name for name in SOURCES), *(ROOT / "tests").rglob("*.py")]
    lengths = {path: path.read_text(encoding="utf-8").count("\n") for path in files}
    assert {path: length for path, length in lengths.items() if length > MAX_LINES} == {}


def test_the_tests_are_no_package():
    """An `__init__.py` below tests/ would hide the real `pipeline` and `stages`."""
    assert list((ROOT / "tests").rglob("__init__.py")) == []
