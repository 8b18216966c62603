"""What docs/stores.md tells programs to do finds what FAISS finds, in every store."""

import re
from pathlib import Path

import psycopg
import pytest

from huse import Huse

PAGE = Path(__file__).parents[1] / "docs" / "stores.md"
CLASS = "Smileys & Emotion"


@pytest.fixture
def searched(kept_project, tmp_path, monkeypatch):
    """The page's first block has run beside a finished project with attributes."""
    for name in ("data", "params.yaml"):
        (tmp_path / name).symlink_to(kept_project.root / name)
    monkeypatch.chdir(tmp_path)
    scope = {}
    exec(block("Huse.load"), scope)
    return scope


def block(part):
    (found,) = (
        code
        for code in re.findall(
            r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S
        )
        if part in code
    )
    return found


def export(project, root, to):
    result = project.huse("export", "--to", to, *([] if to == "pgvector" else ["--out", str(root)]))
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.parametrize("to", ["lancedb", "qdrant", "pgvector"])
def test_the_code_of_the_page_finds_what_the_index_finds(
    kept_project, postgres, searched, tmp_path, to
):
    said = export(kept_project, tmp_path / to, to)
    model: Huse = searched["model"]
    assert said.startswith(f"export: {len(model.index)} items in ")
    exec(block({"lancedb": "lancedb", "qdrant": "qdrant", "pgvector": "psycopg"}[to]), searched)
    wanted = model.search(searched["v"], 10, within=CLASS, mode="dense", where="price < 50")[0]
    assert 5 < len(wanted) == len(searched["hits"])
    distances = [hit.distance for hit in wanted]
    assert [one for _, one in searched["hits"]] == pytest.approx(distances, abs=1e-5)
    for (item_id, distance), hit in zip(searched["hits"], wanted, strict=True):
        # Items at one distance are in any order.
        assert item_id == hit.item_id or distances.count(hit.distance) > 1 or distance == 0


def test_the_indexes_of_the_page_can_be_made(kept_project, postgres, searched):
    export(kept_project, None, "pgvector")
    commands = re.findall(r"`((?:CREATE INDEX|SET) [^`]*)`", PAGE.read_text(encoding="utf-8"))
    (condition,) = re.findall(r"`(WHERE class_nodes @>[^`]*)`", PAGE.read_text(encoding="utf-8"))
    assert len(commands) == 4
    with psycopg.connect() as connection:
        for command in commands:
            connection.execute(command)
        (count,) = connection.execute(f"SELECT count(*) FROM items {condition}").fetchone()
    assert count == searched["model"].index.within(CLASS).sum()
