import pandas as pd
import pytest

from pipeline.files.vectors import read_vectors


@pytest.fixture
def stocked(shop):
    """A shop of which the catalogue stage has run."""
    assert shop.huse("catalog").exit_code == 0
    return shop


def ids_of(project):
    return read_vectors(project.root / "data" / "features" / "image.parquet", "vector")


def break_picture(project, name):
    whole = (project.root / "pictures" / name).read_bytes()
    (project.root / "pictures" / name).write_bytes(whole[: len(whole) // 2])


def test_broken_pictures_are_kept_out_counted_and_listed(stocked):
    break_picture(stocked, "3.png")
    stocked.set({"image.max_failed": 0.1})
    result = stocked.huse("image_features")
    assert result.exit_code == 0, result.output
    assert "image_features: 15 pictures, 1 failed" in result.stdout
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
