import sys

import onnx
import pyarrow.parquet as pq
import pytest

from tests.fresh_process import modules_after


def test_the_models_graph_is_copied_and_torch_not_waited_for(project):
    out = "new/model.onnx"
    result = project.huse("export", "--out", out)
    assert result.exit_code == 0, result.output
    assert result.stdout == f"export: {out}, a copy of data/model/towers.onnx\n"
    theirs = (project.root / "data" / "model" / "towers.onnx").read_bytes()
    assert (project.root / out).read_bytes() == theirs
    code = "from stages.export import main; main()"
    assert "torch" not in modules_after(code, project.root)


def test_a_damaged_graph_is_not_copied(project):
    (project.root / "data" / "model" / "towers.onnx").write_bytes(b"not a graph")
    assert "damaged model" in project.refuse("export")
    assert not (project.root / "model.onnx").exists()


def test_a_checked_graph_is_written_of_a_model_of_an_earlier_version(project):
    (project.root / "data" / "model" / "towers.onnx").unlink()
    result = project.huse("export", "--out", "new/model.onnx")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("export: new/model.onnx; differs from torch by at most ")
    onnx.checker.check_model(onnx.load(project.root / "new" / "model.onnx"))


def test_a_model_that_is_not_there_is_told(project):
    assert "not found" in project.refuse("export", "--model", "nowhere")


def test_items_are_written_with_pictures_titles_and_what_was_predicted(kept_project, tmp_path):
    out = tmp_path / "items.parquet"
    result = kept_project.huse("export", "--to", "parquet", "--out", str(out))
    assert result.exit_code == 0, result.output
    table = pq.read_table(out)
    assert result.stdout == f"export: {len(table)} items in {out}\n"
    evaluated = pq.read_table(
        kept_project.root / "data" / "evaluate" / "embeddings.parquet",
        filters=[("modality", "==", "fused")],
    )
    assert table["item_id"].equals(evaluated["item_id"])
    for name in ("predicted_path", "score", "x", "y", "brand", "price", "first seen"):
        assert table[name].to_pylist() == evaluated[name].to_pylist(), name
    assert table["vector"].to_pylist() == evaluated["vector"].to_pylist()
    assert all(image["bytes"].startswith(b"\xff\xd8") for image in table["image"].to_pylist())


@pytest.mark.parametrize("to", ["lancedb", "qdrant"])
def test_a_store_follows_the_index(project, to):
    export = ["export", "--to", to, "--name", "shop"]
    first = project.huse(*export)
    assert first.exit_code == 0, first.output
    assert f"items in {to}, " in first.stdout
    number = int(first.stdout.split()[1])
    lines = (project.root / "data/raw/openmoji/catalog.csv").read_text("utf-8").splitlines()
    # An emoji that nothing else is made of, so that the others stay as they are.
    (project.root / "data/raw/openmoji/catalog.csv").write_text("\n".join(lines[:-1]) + "\n")
    for stage in ("catalog", "clean_text", "evaluate", "index"):
        result = project.huse(stage)
        assert result.exit_code == 0, result.output
    again = project.huse(*export)
    assert again.exit_code == 0, again.output
    assert again.stdout == (
        f"export: {number - 1} items in {to}, {'table' if to == 'lancedb' else 'collection'} shop; "
        "1 item deleted\n"
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--replace"], "--name, --replace and --keep-others are for lancedb, qdrant, pgvector"),
        (["--to", "parquet", "--name", "a"], "not parquet"),
        (["--to", "parquet", "--out", "items.csv"], "items.csv does not end in .parquet"),
        (["--to", "parquet", "--images", "nowhere"], "catalog.images: nowhere not found"),
        (["--to", "parquet", "--embeddings", "no.parquet"], "no.parquet: not found"),
        (["--to", "pgvector", "--out", "postgresql://a:hush@b/c"], "PGPASSWORD or ~/.pgpass"),
        (["--to", "lancedb", "--out", "params.yaml"], "params.yaml is a file"),
        (["--to", "qdrant", "--out", "data"], "data holds something else"),
        (["--to", "lancedb", "--index", "nowhere"], "nowhere: no index here"),
    ],
)
def test_mistakes_are_one_line(project, options, message):
    said = project.refuse("export", *options)
    assert message in said
    assert "\n" not in said
    assert "hush" not in said


@pytest.mark.parametrize(
    ("extra", "module"),
    [("lancedb", "lancedb"), ("qdrant", "qdrant_client"), ("pgvector", "psycopg")],
)
def test_a_store_without_its_package_names_the_extra(shop, monkeypatch, extra, module):
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.delitem(sys.modules, f"pipeline.stores.{extra}_store", raising=False)
    said = shop.refuse("export", "--to", extra)
    assert said == (
        f"export --to {extra}: package {module} is missing: pip install 'huse-pipeline[{extra}]'"
    )


def test_a_store_that_is_none_is_told_which_there_are(shop):
    result = shop.huse("export", "--to", "chroma")
    assert result.exit_code == 2
    for name in ("onnx", "parquet", "lancedb", "qdrant", "pgvector"):
        assert name in result.stderr
