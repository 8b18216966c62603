"""All stages by their commands on a small catalogue: every artifact keeps its contract,
and a second run gives the same bytes.
"""

import csv
import json
import shutil
import tarfile

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from pipeline.model.model_file import load_model
from pipeline.use.featurizer import TextFeaturizer
from stages.__main__ import STAGES
from tests.feature_tables import read_vectors, text_of

pytestmark = pytest.mark.slow

MODALITIES = ["image", "text", "fused"]
DIRECTIONS = ["image_to_image", "image_to_text", "text_to_image", "text_to_text"]

NUM_PRODUCTS = 240


@pytest.fixture(scope="module")
def products(finished_project, product_archive, tmp_path_factory):
    """A project that ran on some of the products; it shares nothing but params.yaml."""
    root = tmp_path_factory.mktemp("products")
    with tarfile.open(product_archive) as archive:
        table = archive.extractfile("catalog.csv")
        rows = list(csv.reader(table.read().decode("utf-8").splitlines()))
        # The first of every so many: classes of all sizes, most of them with a few products.
        chosen = rows[1 :: len(rows) // NUM_PRODUCTS]
        (root / "images").mkdir()
        for image, _, _ in chosen:
            picture = archive.extractfile(f"images/{image}")
            (root / "images" / image).write_bytes(picture.read())
    with (root / "catalog.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["image", "name", "classes"], *chosen])
    for name in ("params.yaml", "decisions.csv"):
        shutil.copy(finished_project.root / name, root)
    project = type(finished_project)(root)
    project.set(
        {
            "catalog.path": "catalog.csv",
            "catalog.images": "images",
            "catalog.columns.text": "name",
            "catalog.columns.group": None,
        }
    )
    run_all(project)
    return project


def run_all(project):
    for stage in STAGES:
        result = project.huse(stage)
        assert result.exit_code == 0, f"{stage}: {result.output} {result.exception!r}"
        assert result.stdout.startswith(f"{stage}: "), "one summary line"


@pytest.fixture(params=["sample", "products"])
def ran(request):
    """Folder `data/` after all stages."""
    fixture = {"sample": "finished_project", "products": "products"}[request.param]
    return request.getfixturevalue(fixture).root / "data"


def read_frame(path):
    return pq.read_table(path).to_pandas()


def read_json(path):
    return json.loads(path.read_text(encoding="utf-8"))


def read_files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def column_types(path):
    return {field.name: str(field.type) for field in pq.read_schema(path)}


def test_items_splits_and_classes_agree(ran):
    items = read_frame(ran / "catalog" / "items.parquet")
    assert list(items) == ["item_id", "image", "text", "class_path"]
    assert set(column_types(ran / "catalog" / "items.parquet").values()) <= {
        "string",
        "large_string",
    }
    assert items["item_id"].is_unique
    assert (items != "").all(axis=None)
    splits = read_frame(ran / "catalog" / "splits.parquet")
    assert list(splits) == ["item_id", "split"]
    assert splits["item_id"].tolist() == items["item_id"].tolist()
    assert set(splits["split"]) == {"train", "val", "test"}
    classes = read_json(ran / "catalog" / "classes.json")
    counts = {entry["name"]: entry["count"] for entry in classes["classes"]}
    assert counts == items["class_path"].value_counts().to_dict()
    assert list(counts) == sorted(counts)
    rejected = (ran / "catalog" / "rejected.csv").read_text(encoding="utf-8")
    assert rejected.splitlines()[0] == "row,image,text,classes,reason"


def test_items_come_in_the_order_of_the_catalogue(finished_project):
    table = pd.read_csv(finished_project.root / "data/raw/openmoji/catalog.csv")
    items = read_frame(finished_project.root / "data/catalog/items.parquet")
    assert items["image"].tolist() == table["image"].tolist()
    assert items["text"].tolist() == table["text"].tolist()
    assert items["class_path"].tolist() == table["classes"].tolist()


def test_items_that_belong_together_are_in_one_split(ran):
    items = read_frame(ran / "catalog" / "items.parquet")
    items["split"] = read_frame(ran / "catalog" / "splits.parquet")["split"]
    keys = ["text"]
    table = ran / "raw" / "openmoji" / "catalog.csv"
    if table.is_file():
        items["group"] = pd.read_csv(table)["group"]
        keys.append("group")
    for key in keys:
        assert (items.groupby(key)["split"].nunique() == 1).all()


def test_feature_tables_hold_a_vector_per_item_and_say_what_made_them(ran):
    items = read_frame(ran / "catalog" / "items.parquet")
    image, text = ran / "features" / "image.parquet", ran / "features" / "text.parquet"
    assert column_types(image) == {
        "item_id": "string",
        "view": "int8",
        "image": "string",
        "vector": "fixed_size_list<element: float>[1280]",
    }
    assert column_types(text) == {
        "item_id": "string",
        "glove": "fixed_size_list<element: float>[50]",
    }
    for path, column in ((image, "vector"), (text, "glove")):
        ids, vectors = read_vectors(path, column)
        assert ids == items["item_id"].tolist()
        assert np.isfinite(vectors).all()
    assert set(read_frame(image)["view"]) == {0}
    assert read_frame(image)["image"].tolist() == items["image"].tolist()
    made_by = pq.read_schema(image).metadata
    assert {b"backbone", b"weights_digest", b"transform", b"dimension"} <= set(made_by)
    assert b"glove.vectors" in pq.read_schema(text).metadata
    failures = (ran / "features" / "image_failures.csv").read_text(encoding="utf-8")
    assert failures == "item_id,image,reason\n"
    report = read_json(ran / "reports" / "image_features.json")
    assert report["pictures"] == report["usable"] == len(items)
    cleaned = read_frame(ran / "clean_text" / "text.parquet")
    assert list(cleaned) == ["item_id", "clean_text"]
    assert cleaned["item_id"].tolist() == items["item_id"].tolist()
    assert cleaned["clean_text"].str.fullmatch("[a-z ]*").all()


def test_graph_is_a_distance_between_the_classes_of_the_catalogue(ran):
    classes = read_json(ran / "catalog" / "classes.json")["classes"]
    adjacency_KK = np.load(ran / "graph" / "adjacency.npy", allow_pickle=False)
    assert read_json(ran / "graph" / "classes.json")["classes"] == [c["name"] for c in classes]
    assert adjacency_KK.shape == (len(classes), len(classes))
    assert adjacency_KK.dtype == np.float32
    assert (adjacency_KK == adjacency_KK.T).all()
    assert (np.diag(adjacency_KK) == 0.0).all()
    assert (adjacency_KK >= 0.0).all()
    assert (adjacency_KK <= 2.0).all()


def test_model_folder_is_enough_to_use_the_model(ran):
    stored = load_model(ran / "model")
    assert stored.classes == read_json(ran / "catalog" / "classes.json")
    assert stored.recipe["image"]["backbone"] == "packaged/efficientnet_lite0"
    assert stored.recipe["text"]["recipe"] == "letters"
    files = [path for path in (ran / "model").rglob("*") if path.is_file()]
    assert {path.suffix for path in files} == {".json", ".onnx", ".safetensors"}
    assert read_files(ran / "model" / "image_encoder") == read_files(
        ran / "features" / "image_encoder"
    )
    text = TextFeaturizer.load(ran / "model" / "text_encoder").encode(["red dress"])
    text_BD = stored.model.text_tower(text_of(text)[:])
    assert text_BD.norm().item() == pytest.approx(1.0, abs=1e-5)


def test_the_loss_fell(ran):
    curves = ran / "train" / "plots" / "metrics"
    for part in ("total", "class", "graph", "gap"):
        assert (curves / "train" / f"{part}.tsv").is_file()
    total = pd.read_csv(curves / "train" / "total.tsv", sep="\t")["total"]
    assert total.iloc[-1] < 0.9 * total.iloc[0]
    trained = read_json(ran / "train" / "metrics.json")
    assert trained["best_step"] in (10, 20, 30, 40)
    score = pd.read_csv(curves / "val" / "score.tsv", sep="\t").set_index("step")["score"]
    kept = score[trained["best_step"]]
    assert trained["val"]["score"] == pytest.approx(kept)
    # No more than a standard error below the best.
    error = (score.max() * (1 - score.max()) / trained["val_items"]) ** 0.5
    assert kept >= score.max() - error


def test_embeddings_hold_every_item_in_every_modality(ran):
    path = ran / "evaluate" / "embeddings.parquet"
    assert column_types(path) == {
        "item_id": "string",
        "modality": "string",
        "split": "string",
        "vector": "fixed_size_list<element: float>[16]",
        "class_path": "string",
        "predicted_path": "string",
        "score": "float",
        "x": "float",
        "y": "float",
    }
    items = read_frame(ran / "catalog" / "items.parquet").set_index("item_id")
    splits = read_frame(ran / "catalog" / "splits.parquet").set_index("item_id")
    frame = read_frame(path)
    assert len(frame) == len(items) * len(MODALITIES)
    assert set(zip(frame["item_id"], frame["modality"], strict=True)) == {
        (item_id, modality) for item_id in items.index for modality in MODALITIES
    }
    assert (frame["split"] == splits.loc[frame["item_id"], "split"].to_numpy()).all()
    assert (frame["class_path"] == items.loc[frame["item_id"], "class_path"].to_numpy()).all()
    assert set(frame["predicted_path"]) <= set(items["class_path"])
    assert frame["score"].between(0.0, 1.0).all()
    norms = np.linalg.norm(np.stack(frame["vector"].to_list()), axis=1)
    np.testing.assert_allclose(norms, 1.0, atol=1e-5)
    assert np.isfinite(frame[["x", "y"]]).all(axis=None)


def test_metrics_have_their_names_and_follow_from_the_embeddings(ran):
    metrics = read_json(ran / "evaluate" / "metrics.json")
    assert set(DIRECTIONS) <= set(metrics["retrieval"]) == set(metrics["hierarchy"])
    for direction in DIRECTIONS:
        assert {"r_at_1", "r_at_5", "r_at_10"} <= set(metrics["retrieval"][direction])
        assert {"hp_at_2", "hp_at_5", "hp_at_10"} <= set(metrics["hierarchy"][direction])
    frame = read_frame(ran / "evaluate" / "embeddings.parquet")
    test = frame[frame["split"] == "test"]
    assert metrics["test"]["items"] == len(test) / len(MODALITIES)
    correct = test["predicted_path"] == test["class_path"]
    for modality in MODALITIES:
        accuracy = correct[test["modality"] == modality].mean()
        assert metrics["classification"][modality]["accuracy"] == pytest.approx(accuracy)


def test_recall_follows_from_the_embeddings(ran):
    # R@1 from image to text: the text nearest to an image is of the image's class.
    frame = read_frame(ran / "evaluate" / "embeddings.parquet")
    test = frame[frame["split"] == "test"]
    image, text = (test[test["modality"] == modality] for modality in ("image", "text"))
    similarity = np.stack(image["vector"].to_list()) @ np.stack(text["vector"].to_list()).T
    found = text["class_path"].to_numpy()[similarity.argmax(axis=1)]
    metrics = read_json(ran / "evaluate" / "metrics.json")
    expected = (found == image["class_path"].to_numpy()).mean()
    assert metrics["retrieval"]["image_to_text"]["r_at_1"] == pytest.approx(expected)


def test_report_opens_without_network_and_shows_pictures(ran):
    report = (ran / "evaluate" / "report.html").read_text(encoding="utf-8")
    assert "data:image/" in report
    assert "http://" not in report
    assert "https://" not in report


def test_huse_makes_the_same_bytes_as_dvc(finished_project, tmp_path):
    """The second run of this catalogue: other folder, other process, the first was DVC's."""
    root = tmp_path / "again"
    shutil.copytree(finished_project.root / "data" / "raw", root / "data" / "raw")
    for name in ("params.yaml", "decisions.csv"):
        shutil.copy(finished_project.root / name, root)
    run_all(type(finished_project)(root))
    first, second = (
        {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in (folder / "data").rglob("*")
            # Outside DVC, kept vectors and digests lie beside what they are of.
            if path.is_file() and path.name != ".gitignore" and ".image_cache" not in path.parts
        }
        for folder in (finished_project.root, root)
    )
    assert sorted(first) == sorted(second)
    differing = {name for name in first if first[name] != second[name]}
    assert differing <= {"data/reports/image_features.json"}, "it alone tells of times"


def test_products_are_searched_by_what_their_table_says(products, product_archive, tmp_path):
    path = product_archive.with_name("fashion-attributes.csv")
    if not path.is_file():
        pytest.skip("../shared/data/fashion-attributes.csv is not on this machine")
    project = products.copy(tmp_path / "products")
    told = pd.read_csv(path, dtype=str, keep_default_na=False)
    table = pd.read_csv(project.root / "catalog.csv", dtype=str)
    table.merge(told, "left").to_csv(project.root / "catalog.csv", index=False)
    kept = ["gender", "colour", "year"]
    project.set({"catalog.columns.keep": kept, "attributes.predict": ["gender"]})
    for stage in ("catalog", "attributes", "index"):
        assert project.huse(stage).exit_code == 0
    figures = json.loads((project.root / "data/attributes/metrics.json").read_text())["gender"]
    assert figures["text"]["interval"][1] > figures["text"]["floor"], "of 27 items: no worse"
    said = told.set_index("image")
    where = "gender == 'Women' and colour != 'Black' and not year < 2011"
    result = project.huse("search", "black shoes", "--where", where, "--k", "100", "--json")
    found = {hit["image"]: hit["attributes"] for hit in json.loads(result.stdout)["hits"]}
    women = said.loc[table["image"]]
    women = women[(women["gender"] == "Women") & ~women["colour"].isin(["Black", ""])]
    assert set(found) == set(women.index[pd.to_numeric(women["year"]) >= 2011])
    assert len(found) > 5
    for image, attributes in found.items():
        assert attributes == {
            **said.loc[image, ["gender", "colour"]],
            "year": int(said.loc[image, "year"]),
        }
