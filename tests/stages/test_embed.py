import numpy as np
import pandas as pd

PICTURES = "data/raw/openmoji/images"


def test_the_catalogue_itself_gets_the_vectors_of_the_evaluate_stage(project):
    result = project.huse(
        "embed", "data/raw/openmoji/catalog.csv", "--images", PICTURES, "--out", "new/e.parquet"
    )
    assert result.exit_code == 0, result.output
    assert "rows rejected" in result.stdout
    columns = ["image", "text", "modality", "vector"]
    found = pd.read_parquet(project.root / "new" / "e.parquet")
    stored = pd.read_parquet(project.root / "data" / "evaluate" / "embeddings.parquet")
    items = pd.read_parquet(project.root / "data" / "catalog" / "items.parquet")
    stored = stored.merge(items[["item_id", "image", "text"]], on="item_id")[columns]
    both = stored.merge(found[columns], on=["image", "text", "modality"], suffixes=("", "_new"))
    assert len(both) == len(stored)
    assert np.abs(np.stack(both["vector"]) - np.stack(both["vector_new"])).max() < 1e-5


def test_columns_and_the_list_of_rejected_rows_can_be_named(project):
    (project.root / "new.tsv").write_text("Titel\tPreis\nred heart\t3\n\t4\n", encoding="utf-8")
    result = project.huse("embed", "new.tsv", "--text-column", "Titel", "--rejected", "bad.csv")
    assert result.exit_code == 0, result.output
    assert result.stdout == "embed: 1 item in embeddings.parquet; 1 row rejected, see bad.csv\n"
    assert pd.read_csv(project.root / "bad.csv")["reason"].tolist() == ["no image and no text"]


def test_a_table_or_a_model_that_is_not_there_is_told(project):
    assert project.refuse("embed", "nowhere.csv") == "table: nowhere.csv not found"
    (project.root / "new.csv").write_text("text\n \n", encoding="utf-8")
    message = project.refuse("embed", "new.csv", "--out", "e.parquet")
    assert message == "new.csv: no row can be used; the reasons are in e_rejected.csv"
    message = project.refuse("embed", "new.csv", "--model", "nowhere")
    assert message.startswith("nowhere/model.json: not found")


def test_only_parquet_is_written(shop):
    for name in ("x.csv", "x"):
        message = shop.refuse("embed", "catalog.csv", "--out", name)
        assert message.startswith(f"--out: {name} does not end in .parquet")
    assert not (shop.root / "x.csv").exists()
