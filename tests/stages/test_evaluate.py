import json
import shutil

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.core.json_file import read_json
from pipeline.core.table import read_metadata, write_table
from tests.published_clip import write_published_clip


@pytest.fixture
def out(project):
    return project.root / "data" / "evaluate"


def figures(out, name="metrics"):
    return json.loads((out / f"{name}.json").read_text(encoding="utf-8"))


def evaluate(project):
    result = project.huse("evaluate")
    assert result.exit_code == 0, result.output
    return result


def resplit(project, change):
    """Change the split of the items where `change` says so, given their class paths."""
    catalog = project.root / "data" / "catalog"
    splits = pd.read_parquet(catalog / "splits.parquet")
    items = pd.read_parquet(catalog / "items.parquet")
    splits["split"] = [
        change(split, path)
        for split, path in zip(splits["split"], items["class_path"], strict=True)
    ]
    write_table(catalog / "splits.parquet", splits)


def test_cutoffs_are_those_of_the_parameters(project, out):
    project.set({"evaluate.k": [2, 3], "evaluate.hp_k": [4]})
    evaluate(project)
    metrics = figures(out)
    assert set(metrics["retrieval"]["text_to_image"]) == {
        "r_at_2",
        "r_at_3",
        "map_at_r",
        "chance_r_at_1",
    }
    assert set(metrics["hierarchy"]["text_to_image"]) == {"hp_at_4"}


def test_what_the_report_shows_does_not_change_what_is_measured(project, out):
    before = figures(out)
    report = (out / "report.html").read_bytes()
    project.set({"evaluate.gallery": 2, "evaluate.seed": 5, "evaluate.confusions": 3})
    evaluate(project)
    assert figures(out) == before
    assert (out / "report.html").read_bytes() != report


def test_a_second_run_writes_the_same_bytes(project, out):
    names = [
        "metrics.json",
        "details.json",
        "outcomes.parquet",
        "embeddings.parquet",
        "report.html",
    ]
    before = [(out / name).read_bytes() for name in names]
    evaluate(project)
    assert [(out / name).read_bytes() for name in names] == before


def test_pictures_on_another_filesystem_make_the_same_report(project, out, bucket):
    names = ["metrics.json", "report.html"]
    before = [(out / name).read_bytes() for name in names]
    pictures = project.root / "data" / "raw" / "openmoji" / "images"
    for path in pictures.iterdir():
        (bucket / path.name).write_bytes(path.read_bytes())
    shutil.rmtree(pictures)
    project.set({"catalog.images": str(bucket)})
    evaluate(project)
    assert [(out / name).read_bytes() for name in names] == before
    project.set({"catalog.images": f"{bucket}/nowhere"})
    assert "/nowhere not found; name the folder of the pictures" in project.refuse("evaluate")


def test_figures_follow_from_the_stored_embeddings(project, out):
    frame = pd.read_parquet(out / "embeddings.parquet")
    test = frame[frame["split"] == "test"]
    for modality, rows in test.groupby("modality"):
        accuracy = (rows["class_path"] == rows["predicted_path"]).mean()
        assert figures(out)["classification"][modality]["accuracy"] == pytest.approx(accuracy)


@pytest.mark.parametrize(
    ("same", "silent"),
    [
        ("product", {"image_to_image", "text_to_text", "fused_to_fused"}),
        ("picture", {"image_to_image"}),
        ("text", {"text_to_text"}),
        # What happens to be kept together in the split is a result all the same.
        ("group", set()),
    ],
)
def test_a_query_does_not_find_what_makes_a_result_worthless(project, out, same, silent):
    before = figures(out)["retrieval"]
    path = project.root / "data" / "catalog" / "groups.parquet"
    groups = pd.read_parquet(path)
    write_table(path, groups.assign(**{same: 0}))
    result = evaluate(project)
    after = figures(out)["retrieval"]
    assert set(after) == set(before) - silent
    assert all(after[name] == before[name] for name in after)
    for name in silent:
        counts = figures(out, "details")["retrieval"][name]
        assert counts["queries"] == 0
        assert f"{name.replace('_', ' ')}" in result.stderr


def test_test_items_that_a_given_split_divides_are_told_and_left_out_beside(project, out):
    path = project.root / "data" / "catalog" / "groups.parquet"
    splits = pd.read_parquet(project.root / "data" / "catalog" / "splits.parquet")["split"]
    groups = pd.read_parquet(path)
    assert "divided" not in figures(out, "details")
    first, train = (splits == "test").idxmax(), (splits == "train").idxmax()
    groups.loc[first, "group"] = groups.loc[train, "group"]
    groups.loc[first, "near_text"] = groups.loc[train, "near_text"]
    write_table(path, groups)
    result = evaluate(project)
    for name in ("divided", "near_text_in_train"):
        leak = figures(out, "details")[name]
        assert leak["items"] == 1
        assert set(leak["with"]) == set(leak["without"])
        assert leak["with"]["accuracy"] == figures(out)["accuracy"]
    assert "1 of " in result.stderr
    assert "share a product, a picture or a text with train or val" in result.stderr


def test_the_baseline_is_in_details_and_in_the_report_unless_it_is_not_wanted(project, out):
    baseline = figures(out, "details")["baseline"]
    assert set(baseline) == {"fitted_items", "train_items", "image", "text", "fused"}
    for modality in ("image", "text", "fused"):
        row = baseline[modality]
        assert row["model"] == figures(out)["classification"][modality]["accuracy"]
        assert 0 < row["baseline"] <= 1
        low, high = row["interval"]
        assert low <= row["difference"] <= high
    project.set({"evaluate.baseline": 0})
    assert project.huse("baseline").exit_code == 0
    evaluate(project)
    assert "baseline" not in figures(out, "details")
    assert "Against logistic regression" not in (out / "report.html").read_text(encoding="utf-8")


def test_the_report_says_what_ran(project, out):
    project.set({"loss.beta": 3.25})
    evaluate(project)
    html = (out / "report.html").read_text(encoding="utf-8")
    assert "3.25" in html
    assert "texts.median_words" in html
    assert len(html) < 10e6


def test_an_empty_test_split_is_counted_and_said(project, out):
    resplit(project, lambda split, _: "val" if split == "test" else split)
    result = evaluate(project)
    assert "warning: no item is in the test split" in result.stderr
    assert figures(out)["test"]["items"] == 0
    assert "no item is in the test split" in (out / "report.html").read_text(encoding="utf-8")
    assert len(pd.read_parquet(out / "embeddings.parquet", columns=["item_id"])) > 0


def test_one_test_class_leaves_the_figures_that_make_sense(project, out):
    items = pd.read_parquet(project.root / "data" / "catalog" / "items.parquet")
    only = items["class_path"].value_counts().index[0]
    resplit(
        project,
        lambda split, path: "test" if path == only else "val" if split == "test" else split,
    )
    result = evaluate(project)
    assert "warning: all test items are of one class" in result.stderr
    metrics = figures(out)
    assert "retrieval" not in metrics
    assert 0 <= metrics["classification"]["fused"]["accuracy"] <= 1
    assert figures(out, "details")["instance"]["image_to_text"]["median_rank"] >= 1


def test_without_any_usable_picture_the_texts_are_measured(project, out):
    path = project.root / "data" / "features" / "image.parquet"
    table = pq.read_table(path)
    pq.write_table(pa.table(table.slice(0, 0)), path)
    result = evaluate(project)
    assert "only the text is evaluated" in result.stderr
    metrics = figures(out)
    assert set(metrics["retrieval"]) == {"text_to_text"}
    assert set(metrics["classification"]) == {"text"}
    assert metrics["accuracy"] == metrics["classification"]["text"]["accuracy"]


def test_a_picture_that_is_gone_by_now_is_an_empty_tile(project, out):
    project.set({"evaluate.projection": "pca"})
    for path in (project.root / "data" / "raw" / "openmoji" / "images").iterdir():
        path.unlink()
    evaluate(project)
    assert (out / "report.html").stat().st_size > 0


def test_a_graph_or_a_model_of_other_classes_is_refused(project, out):
    before = (out / "metrics.json").read_bytes()

    def rename_last(path, new):
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace(last, new), encoding="utf-8")

    data = project.root / "data"
    last = read_json(data / "graph" / "classes.json")["classes"][-1]
    rename_last(data / "graph" / "classes.json", "zzz")
    differ = f"it has class 'zzz' where the catalogue has class {last!r}"
    message = project.refuse("evaluate")
    assert message == (
        f"data/graph: made for other classes: {differ}; run stage semantic_graph again"
    )
    rename_last(data / "model" / "model.json", "zzz")
    assert project.refuse("evaluate") == (
        f"data/model: made for other classes: {differ}; run stage train again"
    )
    assert (out / "metrics.json").read_bytes() == before


def test_features_of_another_backbone_are_refused(project):
    path = project.root / "data" / "features" / "image.parquet"
    made_by = read_metadata(path) | {"backbone": "torchvision/resnet18"}
    pq.write_table(pq.read_table(path).replace_schema_metadata(made_by), path)
    assert project.refuse("evaluate") == (
        "data/features/image.parquet: backbone is torchvision/resnet18, stage train worked with "
        "packaged/efficientnet_lite0; run stage train again"
    )


def test_one_model_on_both_sides_is_measured_untrained_too(shop):
    (shop.root / "clip").mkdir()
    write_published_clip(shop.root / "clip")
    shop.set(
        {
            "image.backbone": "open_clip/./clip",
            "text.encoders": ["open_clip"],
            "text.open_clip.model": "./clip",
            "graph.encoder": "open_clip",
            "graph.open_clip.model": "local-dir:clip",
            "evaluate.projection": "pca",
        }
    )
    stages = ["catalog", "clean_text", "image_features", "text_block", "text_features"]
    for stage in (*stages, "semantic_graph", "train", "baseline", "evaluate"):
        result = shop.huse(stage)
        assert result.exit_code == 0, result.output
    zero_shot = figures(shop.root / "data" / "evaluate", "details")["zero_shot"]
    assert zero_shot["model"] == "open_clip/./clip"
    row = zero_shot["figures"]["classification.image.accuracy"]
    metrics = figures(shop.root / "data" / "evaluate")
    assert row["model"] == pytest.approx(metrics["classification"]["image"]["accuracy"])
    assert "retrieval.text_to_image.r_at_1" in zero_shot["figures"]
    html = (shop.root / "data" / "evaluate" / "report.html").read_text(encoding="utf-8")
    assert "Against the pretrained pair, untrained" in html


def test_embeddings_have_the_attributes(kept_project, finished_project):
    kept, before = (
        pd.read_parquet(one.root / "data/evaluate/embeddings.parquet")
        for one in (kept_project, finished_project)
    )
    said = pd.read_parquet(kept_project.root / "data/catalog/attributes.parquet")
    assert list(kept.columns) == [*before.columns, "price", "brand", "sale", "first seen"]
    pd.testing.assert_frame_equal(kept[before.columns], before)
    wanted = said.set_index("item_id").loc[kept["item_id"], "price"]
    assert kept["price"].tolist() == wanted.tolist()
