import json
import shutil

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from pipeline.core.table import read_metadata
from pipeline.core.vector_store import read_digested
from pipeline.features.encoder_digest import encoder_digest
from pipeline.image_features.load_backbone import load_backbone
from pipeline.image_features.network_file import find_network
from pipeline.image_features.picture_encoder import load_picture_encoder
from tests.examples import example
from tests.feature_tables import read_vectors


@pytest.fixture
def stocked(shop):
    """A shop of which the catalogue stage has run."""
    take_stock(shop)
    return shop


def take_stock(shop):
    assert shop.huse("catalog").exit_code == 0


def ids_of(project):
    return read_vectors(project.root / "data" / "features" / "image.parquet", "vector")


def break_picture(project, name):
    whole = (project.root / "pictures" / name).read_bytes()
    (project.root / "pictures" / name).write_bytes(whole[: len(whole) // 2])
    take_stock(project)


def test_broken_pictures_are_kept_out_counted_and_listed(stocked):
    break_picture(stocked, "3.png")
    stocked.set({"image.max_failed": 0.1})
    result = stocked.huse("image_features")
    assert result.exit_code == 0, result.output
    assert "image_features: 15 pictures, 1 failed, see data/features/image_fail" in result.stdout
    assert "; 15 extracted, 0 from the cache, 0 the same as another (onnxruntime" in result.stdout
    failures = pd.read_csv(stocked.root / "data" / "features" / "image_failures.csv")
    assert failures["image"].tolist() == ["pictures/3.png"]
    assert failures["reason"].str.startswith("broken picture").all()
    ids, vectors = ids_of(stocked)
    assert len(ids) == 15
    assert failures["item_id"][0] not in ids
    assert vectors.shape == (15, 1280)


def test_more_broken_pictures_than_allowed_stop_and_are_listed(stocked):
    for name in ("3.png", "7.png"):
        break_picture(stocked, name)
    stocked.set({"image.max_failed": 0.1})
    message = stocked.refuse("image_features")
    assert message == (
        "image_features: 2 of 16 pictures cannot be used, more than image.max_failed 0.1 allows; "
        "see data/features/image_failures.csv"
    )
    failures = pd.read_csv(stocked.root / "data" / "features" / "image_failures.csv")
    assert failures["image"].tolist() == ["pictures/3.png", "pictures/7.png"]
    report = json.loads((stocked.root / "data/reports/image_features.json").read_bytes())
    assert report["failed_by_reason"] == {"broken picture": 2}
    written = {path.name for path in (stocked.root / "data" / "features").glob("image*")}
    assert written == {"image_failures.csv"}
    # The fourteen good ones are not extracted again.
    stocked.set({"image.max_failed": 0.2})
    assert "; 0 extracted, 14 from the cache" in stocked.huse("image_features").stdout


def test_the_report_tells_of_this_run_alone(stocked):
    def report():
        return json.loads((stocked.root / "data/reports/image_features.json").read_bytes())

    assert stocked.huse("image_features").exit_code == 0
    told = report()
    assert told.pop("seconds") > 0
    assert told.pop("pictures_per_second") > 0
    assert told == {
        "pictures": 16,
        "usable": 16,
        "failed": 0,
        "failed_by_reason": {},
        "duplicates": 0,
        "extracted": 16,
        "from_cache": 0,
        "backbone": "packaged/efficientnet_lite0",
        "runtime": "onnxruntime",
        "precision": "fp32",
        "jpeg": "exact",
        "views": 1,
    }
    with (stocked.root / "catalog.csv").open("a", encoding="utf-8") as file:
        for number in range(2):
            Image.new("RGB", (20, 20), (number, 90, 200)).save(
                stocked.root / "pictures" / f"new-{number}.png"
            )
            file.write(f"new-{number}.png,black belt {number},clothing<belt\n")
    break_picture(stocked, "3.png")
    stocked.set({"image.max_failed": 0.1})
    assert stocked.huse("image_features").exit_code == 0
    told = report()
    assert (told["pictures"], told["usable"], told["extracted"]) == (18, 17, 2)
    assert told["from_cache"] == 15
    assert told["failed_by_reason"] == {"broken picture": 1}


def test_a_picture_that_changed_since_the_catalogue_stage_is_kept_out(stocked):
    changed = stocked.root / "pictures" / "3.png"
    Image.new("RGB", (20, 20), (1, 90, 200)).save(changed)
    stocked.set({"image.max_failed": 0.1})
    result = stocked.huse("image_features")
    assert result.exit_code == 0, result.output
    assert "15 pictures, 1 failed" in result.stdout
    failures = pd.read_csv(stocked.root / "data" / "features" / "image_failures.csv")
    assert failures["image"].tolist() == ["pictures/3.png"]
    assert failures["reason"].tolist() == [
        "changed since stage catalog read it; run stage catalog again"
    ]
    take_stock(stocked)
    assert "1 extracted, 15 from the cache" in stocked.huse("image_features").stdout


def test_a_run_without_new_pictures_reads_none(stocked, monkeypatch):
    assert stocked.huse("image_features").exit_code == 0
    original, read = type(stocked.root).read_bytes, []

    def read_bytes(path):
        read.append(path)
        return original(path)

    monkeypatch.setattr(type(stocked.root), "read_bytes", read_bytes)
    assert "0 extracted, 16 from the cache" in stocked.huse("image_features").stdout
    take_stock(stocked)
    assert [path for path in read if path.suffix == ".png"] == []


def test_a_missing_picture_folder_is_named_and_leaves_the_features_alone(stocked):
    assert stocked.huse("image_features").exit_code == 0
    before = (stocked.root / "data" / "features" / "image.parquet").read_bytes()
    stocked.set({"catalog.images": "nowhere/pictures"})
    message = stocked.refuse("image_features")
    assert message == (
        "catalog.images: nowhere/pictures not found; name the folder of the pictures"
    )
    assert (stocked.root / "data" / "features" / "image.parquet").read_bytes() == before


def test_an_unknown_backbone_is_named_with_the_known_ones(stocked):
    stocked.set({"image.backbone": "packaged/resnet9000"})
    message = stocked.refuse("image_features")
    assert "image.backbone: got 'packaged/resnet9000'; known:" in message
    assert "packaged/efficientnet_lite0" in message


def test_what_made_the_features_is_in_the_file_and_suffices_for_new_pictures(stocked):
    stocked.set({"image.views": 2, "image.background": "#102030"})
    assert stocked.huse("image_features").exit_code == 0
    path = stocked.root / "data" / "features" / "image.parquet"
    made_by = read_metadata(path)
    assert made_by["backbone"] == "packaged/efficientnet_lite0"
    assert made_by["background"] == "#102030"
    assert (made_by["views"], made_by["augment"]) == ("2", "crop_flip")
    assert (made_by["runtime"], made_by["precision"]) == ("onnxruntime", "fp32")
    ids, vector_NI = read_vectors(path, "vector")
    assert len(ids) == 32
    names = [stocked.root / "pictures" / f"{number}.png" for number in range(16)]
    folder = stocked.root / "data" / "features" / "image_encoder"
    assert made_by["encoder_digest"] == encoder_digest(folder)
    found_NI, reasons = load_picture_encoder(made_by, find_network(folder)).encode(names)
    assert reasons == [None] * 16
    assert np.abs(found_NI - vector_NI[::2]).max() < 1e-5 * np.abs(vector_NI).max()


def test_torch_leaves_no_network_and_says_so(stocked):
    stocked.set({"image.runtime": "torch"})
    assert stocked.huse("image_features").exit_code == 0
    features = stocked.root / "data" / "features"
    assert [path.name for path in (features / "image_encoder").iterdir()] == ["image_encoder.json"]
    noted = read_metadata(features / "image.parquet")["encoder_digest"]
    assert noted == encoder_digest(features / "image_encoder")
    assert find_network(features / "image_encoder") is None


def test_default_features_are_those_of_pillow_and_torch(stocked):
    assert stocked.huse("image_features").exit_code == 0
    _, vector_NI = ids_of(stocked)
    backbone = load_backbone("packaged/efficientnet_lite0", "pooled", "default")
    squares = [
        Image.open(stocked.root / "pictures" / f"{number}.png").resize((224, 224), Image.BICUBIC)
        for number in range(16)
    ]
    pixels = torch.from_numpy(np.stack([np.asarray(square) for square in squares]))
    with torch.inference_mode():
        expected_NI = backbone.module((pixels.permute(0, 3, 1, 2).float() - 127) / 128).numpy()
    products = (vector_NI * expected_NI).sum(1)
    lengths = np.linalg.norm(vector_NI, axis=1) * np.linalg.norm(expected_NI, axis=1)
    assert (products / lengths).min() > 0.99999


def run_stages(project):
    for stage in ("catalog", "image_features"):
        result = project.huse(stage)
        assert result.exit_code == 0, result.output
    data = project.root / "data"
    tables = ("catalog/items.parquet", "features/image.parquet", "features/image_failures.csv")
    return result.stdout, {name: (data / name).read_bytes() for name in tables}


def test_tables_from_another_filesystem_are_those_from_this_machine(shop, bucket):
    (shop.root / "pictures" / "3.png").unlink()
    (shop.root / "pictures" / "5.png").write_bytes(b"404")
    shop.set({"image.max_failed": 0.1})
    _, local = run_stages(shop)
    for path in (shop.root / "pictures").iterdir():
        (bucket / "pictures" / path.name).write_bytes(path.read_bytes())
    shutil.rmtree(shop.root / "pictures")
    shutil.rmtree(shop.root / "data")
    shop.set({"catalog.images": f"{bucket}/pictures", "machine.vector_store": f"{bucket}/vectors"})
    said, remote = run_stages(shop)
    assert "14 extracted, 0 from the cache" in said
    name = "features/image_failures.csv"
    assert remote.pop(name).decode() == local.pop(name).decode().replace(
        "pictures/", f"{bucket}/pictures/"
    )
    assert remote == local
    # Another machine begins with what this one has made.
    shutil.rmtree(shop.root / "data")
    said, again = run_stages(shop)
    assert "0 extracted, 14 from the cache" in said
    assert again["features/image.parquet"] == local["features/image.parquet"]


def test_the_store_may_be_any_folder(stocked, tmp_path):
    stocked.set({"machine.vector_store": str(tmp_path / "vectors")})
    assert "16 extracted, 0 from" in stocked.huse("image_features").stdout
    stored = (tmp_path / "vectors").glob("*/*.arrow")
    assert sum(read_digested(path).num_rows for path in stored) == 16
    assert not (stocked.root / "data" / "features" / ".image_cache").exists()
    assert "0 extracted, 16 from" in stocked.huse("image_features").stdout


def test_a_uri_that_leads_nowhere_is_one_line(stocked, bucket):
    stocked.set({"catalog.images": "http://example.org/pictures"})
    for stage in ("catalog", "image_features"):
        message = stocked.refuse(stage)
        assert message.startswith("catalog.images: http://example.org/pictures cannot be used (")
    stocked.set({"catalog.images": f"{bucket}/nowhere"})
    for stage in ("catalog", "image_features"):
        message = stocked.refuse(stage)
        assert (
            message
            == f"catalog.images: {bucket}/nowhere not found; name the folder of the pictures"
        )
    stocked.set(
        {"catalog.images": "pictures", "machine.vector_store": "s3://no-such-bucket-of-ours"}
    )
    message = stocked.refuse("image_features")
    assert message.startswith("machine.vector_store: s3://no-such-bucket-of-ours/")


def test_a_backbone_source_is_one_file(project):
    name = "pipeline/image_features/backbones/colours.py"
    (project.root / name).write_text(example(name), encoding="utf-8")
    project.set({"image.backbone": "colours/4"})
    project.succeed("dvc", "repro", "image_features")
    _, vector_NI = ids_of(project)
    assert vector_NI.shape[1] == 48
    assert vector_NI.max() <= 1
    project.set({"image.backbone": "colors/4"})
    wrong = project.run("python", "-m", "stages.image_features")
    assert "expected: colours/..., open_clip/..., packaged/..., sentence_tr" in wrong.stderr
